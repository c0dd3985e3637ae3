// The checksums that a base backup's manifest may state.

import COpenSSL

/// A running checksum of one of the kinds that pg_basebackup knows. Not to be shared between tasks.
public final class ChecksumStream {
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        case crc32c = "CRC32C"
        case sha224 = "SHA224"
        case sha256 = "SHA256"
        case sha384 = "SHA384"
        case sha512 = "SHA512"
    }
    private var crc: CRC32C
    private let context: OpaquePointer?

    public init(_ algorithm: Algorithm) throws(CryptographyError) {
        crc = CRC32C()
        let digest: OpaquePointer? =
            switch algorithm {
            case .crc32c: nil
            case .sha224: EVP_sha224()
            case .sha256: EVP_sha256()
            case .sha384: EVP_sha384()
            case .sha512: EVP_sha512()
            }
        guard let digest else {
            context = nil
            return
        }
        guard let context = EVP_MD_CTX_new() else { throw .library("preparing a checksum") }
        self.context = context
        guard EVP_DigestInit_ex(context, digest, nil) == 1 else { throw .library("preparing a checksum") }
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    public func update(_ bytes: UnsafeRawBufferPointer) throws(CryptographyError) {
        guard let context else { return crc.update(bytes) }
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw .library("computing a checksum") }
    }

    /// Lower-case hex, as a manifest has it: a CRC with its least significant byte first. The stream is used up.
    public func finish() throws(CryptographyError) -> String {
        guard let context else { return (0..<4).map { UInt8(truncatingIfNeeded: crc.value >> (8 * $0)) }.hex }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &digest, &count) == 1 else { throw .library("computing a checksum") }
        return digest.prefix(Int(count)).hex
    }
}
