// CRC-32C, the checksum of base backups: by the processor's instruction, or eight bytes a step from tables.

import CCRC32C

/// A running CRC-32C (Castagnoli).
public struct CRC32C: Sendable {
    private var state: UInt32 = 0xffff_ffff
    private let hardware: Bool

    /// - Parameter hardware: false computes it from tables on every machine.
    public init(hardware: Bool = true) {
        self.hardware = hardware && Self.available
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        if hardware {
            state = muster_crc32c_fast(state, start.assumingMemoryBound(to: UInt8.self), bytes.count)
        } else {
            state = Self.sliced(state, bytes)
        }
    }

    /// The checksum of all bytes so far.
    public var value: UInt32 { ~state }

    private static let available = muster_crc32c_available() != 0

    private static func sliced(_ start: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = start
            var offset = 0
            while bytes.count - offset >= 8 {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
                crc = 0
                for place in 0..<8 { crc ^= table[(7 - place) * 256 + Int(word >> (8 * UInt64(place)) & 0xff)] }
                offset += 8
            }
            while offset < bytes.count {
                crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[offset])]
                offset += 1
            }
            return crc
        }
    }

    /// Table n holds the checksum of a byte with n zero bytes behind it.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<tables.count {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xff)]
        }
        return tables
    }()
}
