// The file format of `openssl enc -aes-256-cbc -salt`: how a passphrase and a salt become key and vector.

import COpenSSL

/// What `openssl enc -aes-256-cbc -pbkdf2 -iter N -md DIGEST -salt` writes and reads: `Salted__`, eight bytes of salt, then AES-256-CBC
/// with PKCS#7 padding under the key and the vector that PBKDF2 makes from the passphrase. Without `-pbkdf2` and `-iter`, which is the
/// program's default, one round of the digest makes them (``Derivation/evpBytesToKey``).
///
/// The format has no checksum. A wrong key is noticed by bad padding in 255 of 256 cases, and passes as noise in the others;
/// damage before the last two blocks is never noticed here. The seal's SHA-256 is what notices it.
public struct OpenSSLEncCipher: Sendable, Hashable {
    /// How a passphrase becomes a key, by the estate file's words.
    public enum Derivation: String, Sendable, Hashable {
        case pbkdf2
        /// One round of the digest over passphrase and salt: whoever has the file guesses passphrases as fast as a machine hashes.
        case evpBytesToKey = "evp-bytes-to-key"
    }
    /// PBKDF2 rounds; `openssl enc -pbkdf2` without `-iter` does 10000. Of no matter to the other derivation.
    public var iterations: Int
    /// OpenSSL's name of the derivation's hash; `openssl enc` without `-md` uses sha256, and before OpenSSL 1.1.0 used md5.
    public var digest: String
    public var derivation: Derivation

    public static let headerSize = 16
    public static let blockSize = 16
    static let magic = Array("Salted__".utf8)
    /// Key and vector of the ciphers that `openssl enc` knows: of each the first bytes are the key, and the next ones the vector.
    static let derivedSize = 48

    public init(iterations: Int = 10000, digest: String = "sha256", derivation: Derivation = .pbkdf2) {
        self.iterations = iterations
        self.digest = digest
        self.derivation = derivation
    }

    /// A stream that turns stored bytes back into plain ones.
    public func decryptor(passphrase: Secret) -> OpenSSLEncDecryptor {
        OpenSSLEncDecryptor(cipher: self, passphrase: passphrase)
    }

    /// A stream that turns plain bytes into stored ones, under a fresh random salt.
    public func encryptor(passphrase: Secret) throws(CryptographyError) -> OpenSSLEncEncryptor {
        var salt = [UInt8](repeating: 0, count: 8)
        guard RAND_bytes(&salt, 8) == 1 else { throw .library("drawing a salt") }
        return try OpenSSLEncEncryptor(
            context: context(passphrase: passphrase, salt: salt, encrypting: true), header: Self.magic + salt)
    }

    func context(passphrase: Secret, salt: [UInt8], encrypting: Bool) throws(CryptographyError) -> CipherContext {
        try key(passphrase: passphrase, salt: salt).withBytes { (bytes) throws(CryptographyError) in
            try CipherContext(derived: bytes.bindMemory(to: UInt8.self), encrypting: encrypting)
        }
    }

    /// Key and vector, one behind the other.
    func key(passphrase: Secret, salt: [UInt8]) throws(CryptographyError) -> Secret {
        guard !passphrase.isEmpty else {
            throw CryptographyError(
                .invalidKey, message: "the passphrase is empty", hint: "check where the estate file's key comes from")
        }
        guard let hash = EVP_get_digestbyname(digest) else {
            ERR_clear_error()
            throw CryptographyError(
                .unsupported, message: "libcrypto has no digest named \(digest)",
                hint: "name one of `openssl list -digest-commands`, such as sha256")
        }
        guard let rounds = Int32(exactly: iterations), rounds > 0 else {
            throw CryptographyError(
                .unsupported, message: "\(iterations) is no number of PBKDF2 iterations",
                hint: "write the number that `openssl enc -iter` was given; 10000 where it was given none")
        }
        return try passphrase.derived(Secret.Derivation(salt: salt, cipher: self)) { () throws(CryptographyError) in
            var derived = [UInt8](repeating: 0, count: Self.derivedSize)
            defer { OPENSSL_cleanse(&derived, derived.count) }
            let made = passphrase.withBytes { phrase -> Bool in
                switch derivation {
                case .pbkdf2:
                    // Key and vector in one derivation: that is what `openssl enc` does.
                    PKCS5_PBKDF2_HMAC(
                        phrase.assumingMemoryBound(to: CChar.self).baseAddress, Int32(phrase.count), salt, Int32(salt.count), rounds, hash,
                        Int32(derived.count), &derived) == 1
                case .evpBytesToKey: Self.digested(phrase, salt, hash, into: &derived)
                }
            }
            guard made else { throw .library("deriving the key") }
            return Secret(derived)
        }
    }

    private static func digested(
        _ phrase: UnsafeRawBufferPointer, _ salt: [UInt8], _ hash: OpaquePointer, into derived: inout [UInt8]
    ) -> Bool {
        derived.withUnsafeMutableBufferPointer { derived in
            guard let key = derived.baseAddress else { return false }
            return EVP_BytesToKey(
                EVP_aes_256_cbc(), hash, salt, phrase.assumingMemoryBound(to: UInt8.self).baseAddress, Int32(phrase.count), 1, key, key + 32
            )
                == 32
        }
    }
}

/// One AES-256-CBC context of libcrypto.
final class CipherContext {
    private let context: OpaquePointer

    init(derived: UnsafeBufferPointer<UInt8>, encrypting: Bool) throws(CryptographyError) {
        guard let context = EVP_CIPHER_CTX_new() else { throw .library("preparing AES") }
        self.context = context
        guard derived.count == 48, let key = derived.baseAddress,
            EVP_CipherInit_ex(context, EVP_aes_256_cbc(), nil, key, key + 32, encrypting ? 1 : 0) == 1
        else { throw .library("preparing AES") }
    }

    deinit {
        EVP_CIPHER_CTX_free(context)
    }

    /// Appends what the bytes turn into; up to a block more or less than came in.
    func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError) {
        guard Self.update(context, bytes, into: &output) else { throw .library("running AES") }
    }

    /// As the method, for a context that somebody else owns; false where libcrypto fails.
    static func update(
        _ context: OpaquePointer, _ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]
    ) -> Bool {
        guard bytes.count > 0 else { return true }
        let before = output.count
        let made = append(upTo: bytes.count + Int(EVP_MAX_BLOCK_LENGTH), to: &output) { target in
            var count: Int32 = 0
            let result = EVP_CipherUpdate(
                context, target, &count, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, Int32(bytes.count))
            return result == 1 ? Int(count) : nil
        }
        if !made { output.removeSubrange(before...) }
        return made
    }

    /// Appends the last block; false where its padding is no padding.
    func finish(into output: inout [UInt8]) -> Bool {
        Self.finish(context, into: &output)
    }

    static func finish(_ context: OpaquePointer, into output: inout [UInt8]) -> Bool {
        let done = append(upTo: Int(EVP_MAX_BLOCK_LENGTH), to: &output) { target in
            var count: Int32 = 0
            return EVP_CipherFinal_ex(context, target, &count) == 1 ? Int(count) : nil
        }
        if !done { ERR_clear_error() }
        return done
    }

    private static func append(
        upTo room: Int, to output: inout [UInt8], _ fill: (UnsafeMutablePointer<UInt8>) -> Int?
    ) -> Bool {
        let before = output.count
        output.append(contentsOf: repeatElement(0, count: room))
        let made = output.withUnsafeMutableBufferPointer { all in
            all.baseAddress.flatMap { fill($0 + before) }
        }
        output.removeSubrange((before + (made ?? 0))...)
        return made != nil
    }
}
