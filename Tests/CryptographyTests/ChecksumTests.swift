// The checksums of base backups, against published values and against each other.

import Cryptography
import Testing

@Suite struct ChecksumTests {
    private func crc(_ bytes: [UInt8], hardware: Bool, step: Int) -> UInt32 {
        var crc = CRC32C(hardware: hardware)
        bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: step) {
                crc.update(UnsafeRawBufferPointer(rebasing: all[start..<min(start + step, all.count)]))
            }
        }
        return crc.value
    }

    /// RFC 3720, appendix B.4, and the usual check value.
    private static let published: [([UInt8], UInt32)] = [
        ([UInt8](repeating: 0, count: 32), UInt32(0x8a91_36aa)), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
        (Array(0..<32), 0x46dd_794e), (Array("123456789".utf8), 0xe306_9283), ([], 0),
    ]

    @Test(arguments: published)
    func publishedValues(bytes: [UInt8], expected: UInt32) {
        for step in [1, 3, 8, 64] {
            #expect(crc(bytes, hardware: true, step: step) == expected)
            #expect(crc(bytes, hardware: false, step: step) == expected)
        }
    }

    @Test func manifestsHaveTheLowByteFirst() throws {
        let stream = try ChecksumStream(.crc32c)
        try Array("123456789".utf8).withUnsafeBytes { try stream.update($0) }
        #expect(try stream.finish() == "839206e3")
        let digest = try ChecksumStream(.sha224)
        try Array("abc".utf8).withUnsafeBytes { try digest.update($0) }
        #expect(try digest.finish() == "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")
    }
}
