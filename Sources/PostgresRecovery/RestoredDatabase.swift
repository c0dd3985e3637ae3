// What a restore leaves: a running server and what was noticed on the way.

public import DrillModel

/// A database that came back.
public struct RestoredDatabase: Sendable {
    public var server: ScratchPostgres
    public var database: String
    /// What the restore itself proved or broke.
    public var cases: [CaseResult]
    /// Whether the dump carried the database's own properties (owner, grants, settings), so that they can be compared.
    public var hasDatabaseProperties: Bool
    /// Whether roles came from a globals file, so that they can be compared.
    public var hasRoles: Bool
    /// The server that was dumped, as `server_version_num` has it; nil where the dump doesn't say.
    public var sourceVersion: Int?
    /// Which sequences the dump sets to where they stood; nil where it doesn't tell.
    public var positions: SequencePositions?
    /// The names, without quotes, of what could not be made since this machine lacks something.
    public var unrestored: Set<String> = []
    /// One line for the report: `custom archive, 2 jobs`.
    public var detail: String

    /// What this machine lacks, such that something of the backup could not be restored here; nil where it lacks nothing.
    public var lack: MachineLack? {
        let finding = cases.first { $0.verdict == .error }?.findings.first { $0.severity == .critical }
        return finding.map { MachineLack(finding: $0, unrestored: unrestored) }
    }
}
