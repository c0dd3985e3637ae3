// SHA-256 over bytes as they come.

import COpenSSL

/// A running SHA-256. Not to be shared between tasks.
public final class SHA256Stream {
    private let context: OpaquePointer

    public init() throws(CryptographyError) {
        guard let context = EVP_MD_CTX_new() else { throw .library("preparing SHA-256") }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw .library("preparing SHA-256")
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    public func update(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw .library("digesting") }
    }

    public func update(_ bytes: [UInt8]) throws(CryptographyError) {
        try bytes.lend { (bytes) throws(CryptographyError) in try update(bytes) }
    }

    /// The 32 bytes of the digest. The stream is used up.
    public func finishBytes() throws(CryptographyError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &digest, &count) == 1 else { throw .library("digesting") }
        return Array(digest.prefix(Int(count)))
    }

    /// The digest in lower-case hex. The stream is used up.
    public func finish() throws(CryptographyError) -> String {
        try finishBytes().hex
    }

    /// The digest of bytes that are at hand, in lower-case hex.
    public static func digest(_ bytes: [UInt8]) throws(CryptographyError) -> String {
        let stream = try SHA256Stream()
        try stream.update(bytes)
        return try stream.finish()
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` with a typed error, which the standard library's lacks.
    func lend<Value>(
        _ body: (UnsafeRawBufferPointer) throws(CryptographyError) -> Value
    ) throws(CryptographyError) -> Value {
        try withUnsafeBufferPointer { (bytes) throws(CryptographyError) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}

extension Sequence<UInt8> {
    /// Lower-case hexadecimal, two digits a byte.
    public var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
