// Why backups fail that are not to blame: what fails again with every other one, until the estate or the machine is mended.

import DrillModel

/// A reason that lies with the estate or with this machine, such as a key that opens nothing.
struct StandingReason: Sendable, Hashable {
    let rule: Rule
    /// With it: two missing extensions are two reasons.
    let message: String

    /// Rules of findings that can be the estate's or the machine's fault. Of a backup's own damage none is here: the next older one may be
    /// whole. A missing key or a refused store is an error, which no drill walks back from; it is here for where something else was red too.
    private static let rules: Set<String> = [
        "access-denied", "artifact-still-encrypted", "artifact-unreadable", "compression-not-supported", "decryption-failed",
        "encryption-form-unsupported", "extension-missing", "key-missing", "key-unusable", "locale-missing", "postgres-missing",
        "postgres-too-old", "program-missing", "psql-too-old", "redis-commands-refused", "redis-missing", "redis-module-missing",
        "redis-too-old", "scratch-disk-full", "scratch-server-failed", "scratch-unusable", "seal-untrusted-key", "store-access-denied",
        "store-unreachable", "store-unreadable", "tool-broken",
    ]

    static func of(_ cases: [CaseResult]) -> Set<StandingReason> {
        let red = cases.filter { $0.verdict == .failed || $0.verdict == .error }.flatMap(\.findings).filter { $0.severity == .critical }
        return Set(red.filter { rules.contains($0.rule.name) }.map { StandingReason(rule: $0.rule, message: $0.message) })
    }
}

/// The reasons of one attempt after the other.
struct AttemptReasons: Sendable {
    private var last: (path: String, reasons: Set<StandingReason>)?
    /// What the last two backups have in common.
    private(set) var repeated: StandingReason?

    /// - Parameter point: A second copy of the same backup proves nothing of the others: it fails as the first did, damaged or not.
    mutating func add(_ reasons: Set<StandingReason>, of point: RecoveryPoint) {
        guard let before = last, before.path != point.path else {
            last = (point.path, (last?.reasons ?? []).union(reasons))
            return
        }
        repeated = before.reasons.intersection(reasons).min { $0.rule.name < $1.rule.name }
        last = (point.path, reasons)
    }
}
