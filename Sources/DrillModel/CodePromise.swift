// What must be in a backup of code.

public import Foundation

/// The promises of one series of git backups.
public struct CodePromise: Sendable, Hashable {
    /// Where it stands which commit production runs.
    public enum RunningCommit: Sendable, Hashable {
        /// Its hash, lower-case hex, 7 digits at the least.
        case commit(String)
        /// A file that holds nothing but the hash.
        case file(URL)
        /// A program, with its arguments, that prints nothing but the hash.
        case command([String])
    }
    /// nil: the estate doesn't say.
    public var runs: RunningCommit?
    /// The branch that must hold it; nil: any branch or tag will do.
    public var branch: String?

    public init(runs: RunningCommit? = nil, branch: String? = nil) {
        self.runs = runs
        self.branch = branch
    }
}
