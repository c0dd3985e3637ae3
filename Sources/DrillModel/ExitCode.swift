// The documented exit codes.

/// What the process tells its caller.
public enum ExitCode: Int32, Error, Sendable {
    case passed = 0
    case failed = 1
    /// Nothing failed, but something could not be verified.
    case unverified = 2
    /// Wrong usage or an invalid drill file.
    case usage = 64
    case interrupted = 130
    case terminated = 143

    /// The code for a run's verdict. A run of nothing but skipped questions has verified nothing.
    public init(_ verdict: Verdict) {
        switch verdict {
        case .passed: self = .passed
        case .failed: self = .failed
        case .error, .skipped: self = .unverified
        }
    }
}
