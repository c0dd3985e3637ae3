// What a command of the drill file's came to, in words and as a finding.

public import DrillModel

extension Rule {
    static let hookFailed = Rule("hook-failed")
    static let hookTimedOut = Rule("hook-timed-out")
    static let hookNotStarted = Rule("hook-not-started")
}

extension HookEnding {
    /// In a few words, for the report.
    public var words: String {
        switch self {
        case .ended(let how, _): how
        case .timedOut: "ended at its timeout"
        case .notStarted: "not started"
        }
    }

    /// What a person must know; nil where it ended well.
    ///
    /// - Parameter name: `hook before stop`.
    public func finding(of name: String, timeout: Duration) -> Finding? {
        switch self {
        case .ended(let how, let succeeded):
            succeeded
                ? nil
                : Finding(
                    .hookFailed, object: name, expected: "exit 0", actual: how, message: "the \(name) failed",
                    hint: "run again with --keep, and read what it said in hooks/ of the scratch folder")
        case .timedOut:
            Finding(
                .hookTimedOut, object: name, expected: "an end within \(ObjectiveCases.text(timeout))", actual: "none",
                message: "the \(name) hung, and was ended with all that it had started",
                hint: "mend the command, or give it a longer timeout")
        case .notStarted(let why, let hint):
            Finding(.hookNotStarted, object: name, expected: "a command that can be run", actual: "none", message: why, hint: hint)
        }
    }
}
