// What a restore leaves: a running server and what was noticed on the way.

public import DrillModel

/// A database that came back.
public struct RestoredDatabase: Sendable {
    public var server: ScratchPostgres
    /// The one that a dump of one made; of several the only one that is somebody's, or the largest.
    public var database: String
    /// Of a script of several, those that are somebody's, the largest first: `postgres` counts where somebody has put a table into it.
    public var databases: [String]
    /// The dump itself says what its database is called.
    public var isNamed: Bool
    /// What the restore itself proved or broke.
    public var cases: [CaseResult]
    /// Of which databases the dump carried their own properties (owner, grants, settings), so that they can be compared.
    public var withProperties: Set<String>
    /// Whether roles came from a globals file, so that they can be compared.
    public var hasRoles: Bool
    /// The server that was dumped, as `server_version_num` has it; nil where the dump doesn't say.
    public var sourceVersion: Int?
    /// Which sequences the dump sets to where they stood, by database; empty where it doesn't tell.
    public var positions: [String: SequencePositions]
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
