// One test case: a question that was asked of what came back, and its answer.

/// One test case of a drill. Every question that Muster asks ends as exactly one of these, in every report.
public struct CaseResult: Sendable, Hashable {
    /// What kind of question it is; the report groups by it, and JUnit's `classname` is built from it.
    public enum Group: String, Sendable, Hashable, Codable, CaseIterable {
        case step, quarantine, backup, restore, rows, content, schema, declared, keys
        /// The application, and what outlived the disaster: whether there is operation again.
        case operation
        case objective, policy
    }

    public var group: Group
    /// The estate's service that was asked, or nil for the drill as a whole.
    public var service: String?
    /// Unique within its drill, group and service: `public.domains`, `archive_command is off`.
    public var name: String
    public var verdict: Verdict
    public var duration: Duration
    /// Why it was skipped or could not be asked; of a failed step, what it came to; empty otherwise.
    public var reason: String
    public var findings: [Finding]

    public init(
        _ group: Group, service: String? = nil, name: String, verdict: Verdict, duration: Duration = .zero, reason: String = "",
        findings: [Finding] = []
    ) {
        self.group = group
        self.service = service
        self.name = name
        self.verdict = verdict
        self.duration = duration
        self.reason = reason
        self.findings = findings
    }

    /// A case whose verdict follows from its findings: red when one is critical, green otherwise.
    public static func judged(
        _ group: Group, service: String? = nil, name: String, duration: Duration = .zero, findings: [Finding]
    ) -> CaseResult {
        let red = findings.contains { $0.severity == .critical }
        return CaseResult(group, service: service, name: name, verdict: red ? .failed : .passed, duration: duration, findings: findings)
    }

    /// A question that nobody asked, and why.
    public static func skipped(_ group: Group, service: String? = nil, name: String, reason: String) -> CaseResult {
        CaseResult(group, service: service, name: name, verdict: .skipped, reason: reason)
    }

    /// A question that could not be asked.
    public static func unasked(
        _ group: Group, service: String? = nil, name: String, duration: Duration = .zero, finding: Finding
    ) -> CaseResult {
        CaseResult(
            group, service: service, name: name, verdict: .error, duration: duration, reason: finding.message, findings: [finding])
    }
}

extension CaseResult {
    /// The question of the step *restore*. Only where the answer is no is it a case.
    public static let canBeRestored = "the artifact can be restored"
}
