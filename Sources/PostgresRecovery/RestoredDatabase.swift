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
    /// One line for the report: `custom archive, 2 jobs`.
    public var detail: String
}
