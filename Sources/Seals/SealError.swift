// The one error of this library.

public import Cryptography

/// Why a seal could not be made or written, or an artifact could not be measured for one.
public struct SealError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        case cannotEncode
        /// `code` is the system's errno.
        case cannotWrite(path: String, code: Int32)
        /// The signature, a digest or a file that one was taken of.
        case cryptography(CryptographyError.Kind)
        /// A folder that holds what a digest can't stand for: a symbolic link, a device, a name with a line break, nothing at all.
        case unfitFolder(path: String)
    }

    public var kind: Kind
    /// One sentence, lower case, no full stop.
    public var message: String
    /// What mends it.
    public var hint: String

    public init(_ kind: Kind, message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    init(_ error: CryptographyError) {
        self.init(.cryptography(error.kind), message: error.message, hint: error.hint)
    }

    public var description: String { "\(message); \(hint)" }
}
