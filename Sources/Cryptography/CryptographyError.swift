// The one error of this library.

/// Why bytes could not be encrypted, decrypted, digested, signed or read. Never holds a key or content.
public struct CryptographyError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The last block did not decrypt to valid padding. The format has no checksum, so the two causes look alike.
        case wrongKeyOrDamaged
        /// The file does not begin with the `Salted__` header of `openssl enc`.
        case notEncrypted
        /// Shorter than the header, or no whole number of blocks.
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
