// The one error of this module.

/// A lab could not be made, started, stopped or removed.
public struct LabError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The folder or an option is not what the command needs: nothing was touched.
        case usage
        /// A program is missing on this machine.
        case toolMissing
        /// A file or folder could not be written or removed.
        case storage
        /// One of the lab's servers failed.
        case server
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
