// The one error of this library.

/// Why bytes could not be encrypted, decrypted, digested, signed or read. Never holds a key or content.
public struct CryptographyError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The key doesn't open it, the last block is no valid padding, or an authenticating code differs: the causes look alike.
        case wrongKeyOrDamaged
        /// The file does not begin as the format's files do.
        case notEncrypted
        /// It ends before its format says that it does.
        case truncated
        /// `code` is the system's errno.
        case cannotRead(path: String, code: Int32)
        /// `code` is the system's errno.
        case cannotWrite(path: String, code: Int32)
        /// The device or the quota is full.
        case diskFull(path: String)
        /// A digest, cipher or key type that libcrypto, or Muster, does not offer.
        case unsupported
        /// Text or bytes that should be a key are none.
        case invalidKey
        /// libcrypto itself failed.
        case library
        case cancelled
    }

    public var kind: Kind
    /// One sentence, lower case, no full stop.
    public var message: String
    /// What mends it.
    public var hint: String
    /// With ``Kind/wrongKeyOrDamaged``: the SHA-256 of the bytes as stored. Where it equals the seal's, the file is whole and the key is wrong.
    public var storedSHA256: String?

    public init(_ kind: Kind, message: String, hint: String, storedSHA256: String? = nil) {
        self.kind = kind
        self.message = message
        self.hint = hint
        self.storedSHA256 = storedSHA256
    }

    public var description: String { "\(message); \(hint)" }
}
