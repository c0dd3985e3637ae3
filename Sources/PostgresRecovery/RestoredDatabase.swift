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
    /// One line for the report: `custom archive, 2 jobs`.
    public var detail: String

    /// What this machine lacks, such that something of the backup could not be restored here; nil where it lacks nothing.
    public var lack: Finding? { cases.first { $0.verdict == .error }?.findings.first { $0.severity == .critical } }

    /// A check's answer in the light of ``lack``: a difference that may come from it proves nothing against the backup.
    ///
    /// - Returns: A failed case as an error, with what is missing counted and the other differences listed.
    public func weighed(_ result: CaseResult) -> CaseResult {
        guard let lack, result.verdict == .failed else { return result }
        let others = result.findings.filter { !$0.rule.name.hasSuffix("-missing") }
        let missing = result.findings.count - others.count
        let count = missing == 0 ? "" : missing == 1 ? "; one object is missing" : "; \(missing) objects are missing"
        var weighed = result
        weighed.verdict = .error
        weighed.reason = "not proven, since \(lack.message)\(count)"
        weighed.findings = others
        return weighed
    }
}
