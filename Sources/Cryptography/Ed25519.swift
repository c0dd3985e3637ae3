// Ed25519 keys: made, read and written as PEM, signing and verifying.

import COpenSSL

/// A key that signs. Its PEM form is what `openssl genpkey -algorithm ed25519` writes.
public final class Ed25519PrivateKey: Sendable, CustomStringConvertible {
    private let key: KeyHandle

    private init(_ key: KeyHandle) {
        self.key = key
    }

    /// A fresh key from the system's randomness.
    public static func generate() throws(CryptographyError) -> Ed25519PrivateKey {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil) else { throw .library("making a key") }
        defer { EVP_PKEY_CTX_free(context) }
        var made: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_keygen(context, &made) == 1, let made else {
            throw .library("making a key")
        }
        return Ed25519PrivateKey(KeyHandle(made))
    }

    /// Reads PKCS#8 PEM without a password.
    public init(pem: Secret) throws(CryptographyError) {
        let read = pem.withBytes { bytes in KeyHandle.read(bytes) { muster_read_private_key($0) } }
        key = try KeyHandle.checked(
            read, what: "an Ed25519 private key",
            hint: "make one with `openssl genpkey -algorithm ed25519 -out seal.key`; a key behind a password is not supported")
    }

    /// PKCS#8 PEM. It is the key itself: write it only to a file of mode 0600.
    public func pem() throws(CryptographyError) -> Secret {
        let bytes = try KeyHandle.written("writing a private key") { bio in
            PEM_write_bio_PKCS8PrivateKey(bio, key.pointer, nil, nil, 0, nil, nil)
        }
        return Secret(bytes)
    }

    public func publicKey() throws(CryptographyError) -> Ed25519PublicKey {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(key.pointer, &bytes, &count) == 1,
            let made = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, count)
        else { throw .library("deriving a public key") }
        return try Ed25519PublicKey(KeyHandle(made))
    }

    /// The signature: 64 bytes, the same for the same bytes.
    public func sign(_ bytes: [UInt8]) throws(CryptographyError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .library("signing") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, key.pointer) == 1,
            EVP_DigestSign(context, &signature, &count, bytes, bytes.count) == 1
        else { throw .library("signing") }
        return Array(signature.prefix(count))
    }

    public var description: String { "(secret)" }
}

/// A key that vouches for signatures. Its PEM form is what `openssl pkey -pubout` writes.
public final class Ed25519PublicKey: Sendable {
    private let key: KeyHandle
    /// The first 16 hex digits of the SHA-256 over the key's DER form (SubjectPublicKeyInfo).
    public let keyID: String

    init(_ key: KeyHandle) throws(CryptographyError) {
        self.key = key
        let der = try KeyHandle.written("writing a public key") { i2d_PUBKEY_bio($0, key.pointer) }
        keyID = String(try SHA256Stream.digest(der).prefix(16))
    }

    /// Reads SubjectPublicKeyInfo PEM.
    public convenience init(pem: String) throws(CryptographyError) {
        let read = Array(pem.utf8).withUnsafeBytes { bytes in
            KeyHandle.read(bytes) { PEM_read_bio_PUBKEY($0, nil, nil, nil) }
        }
        try self.init(
            KeyHandle.checked(
                read, what: "an Ed25519 public key", hint: "write one with `openssl pkey -in seal.key -pubout -out seal.pub`"))
    }

    /// SubjectPublicKeyInfo PEM.
    public func pem() throws(CryptographyError) -> String {
        let bytes = try KeyHandle.written("writing a public key") { PEM_write_bio_PUBKEY($0, key.pointer) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether this key made the signature for exactly these bytes.
    public func isValid(signature: [UInt8], for bytes: [UInt8]) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, key.pointer) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
    }
}

// @unchecked: the EVP_PKEY is never changed once it is made, and libcrypto reads one from several threads safely.
final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        EVP_PKEY_free(pointer)
    }

    static func read(_ bytes: UnsafeRawBufferPointer, _ parse: (OpaquePointer) -> OpaquePointer?) -> KeyHandle? {
        guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
        defer {
            BIO_free(bio)
            ERR_clear_error()
        }
        return parse(bio).map(KeyHandle.init)
    }

    static func checked(_ key: KeyHandle?, what: String, hint: String) throws(CryptographyError) -> KeyHandle {
        guard let key, EVP_PKEY_get_base_id(key.pointer) == EVP_PKEY_ED25519 else {
            throw CryptographyError(.invalidKey, message: "this is not \(what) in PEM form", hint: hint)
        }
        return key
    }

    /// What a writer of libcrypto's leaves in memory.
    static func written(_ doing: String, _ write: (OpaquePointer) -> Int32) throws(CryptographyError) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .library(doing) }
        defer { BIO_free(bio) }
        var start: UnsafeMutablePointer<CChar>?
        guard write(bio) == 1 else { throw .library(doing) }
        let count = muster_bio_data(bio, &start)
        return Array(UnsafeRawBufferPointer(start: start, count: Int(count)))
    }
}
