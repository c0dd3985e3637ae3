// Why a step could not go on.

/// A step ended without its result: either the backup fell short (``Verdict/failed``) or this machine did (``Verdict/error``).
public struct DrillFailure: Error, Sendable, Hashable {
    public var verdict: Verdict
    public var finding: Finding

    /// The backup is broken.
    public static func failed(_ finding: Finding) -> DrillFailure { DrillFailure(verdict: .failed, finding: finding) }

    /// The question could not be asked.
    public static func error(_ finding: Finding) -> DrillFailure { DrillFailure(verdict: .error, finding: finding) }
}
