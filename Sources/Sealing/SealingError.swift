// The one error of this module.

public import DrillModel

extension Rule {
    public static let sealingFailed = Rule("sealing-failed")
}

/// A backup could not be made or sealed. Never says that a backup is bad: there is none yet.
public struct SealingError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The live source could not be asked.
        case source
        /// pg_dump, pg_dumpall or redis-server is missing or failed.
        case tool
        /// The artifact or the seal could not be written.
        case storage
        /// The scratch server that a truth is computed on failed.
        case scratch
        case cancelled
    }
    public var kind: Kind
    /// One sentence, lower case, no full stop.
    public var message: String
    /// The mend.
    public var hint: String

    public init(_ kind: Kind, _ message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    public var description: String { "\(message) (\(hint))" }
}
