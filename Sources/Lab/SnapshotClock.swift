// Sets the creation time inside an RDB file to the simulated instant, and its checksum to what it then must be.

import Foundation

/// The `ctime` field of an RDB file and the CRC-64 at its end.
enum SnapshotClock {
    /// - Returns: False where there is no such field in its head; nothing is changed then.
    static func set(_ bytes: inout [UInt8], to instant: Date) -> Bool {
        // The opcode of an auxiliary field, its name with its length before it, and the mark of a 32-bit integer.
        let field = [0xfa, 5] + Array("ctime".utf8) + [0xc2]
        guard bytes.count > 64, ["REDIS", "VALKEY"].contains(where: { bytes.starts(with: Array($0.utf8)) }),
            let start = bytes.prefix(256).firstRange(of: field)?.upperBound, start + 4 < bytes.count - 8,
            let seconds = Int32(exactly: instant.timeIntervalSince1970.rounded())
        else { return false }
        withUnsafeBytes(of: seconds.littleEndian) { bytes.replaceSubrange(start..<start + 4, with: $0) }
        let end = bytes.count - 8
        // A server with `rdbchecksum no` writes zeroes: then there is none to mend.
        guard bytes[end...].contains(where: { $0 != 0 }) else { return true }
        withUnsafeBytes(of: checksum(bytes[..<end]).littleEndian) { bytes.replaceSubrange(end..., with: $0) }
        return true
    }

    /// CRC-64 by Jones' polynomial, reflected, starting at 0, as Redis' crc64.c has it.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.withUnsafeBufferPointer { bytes in
            table.withUnsafeBufferPointer { table in
                var crc: UInt64 = 0
                for byte in bytes { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ (crc >> 8) }
                return crc
            }
        }
    }

    private static let table: [UInt64] = (0..<256).map { index in
        (0..<8).reduce(UInt64(index)) { crc, _ in crc & 1 == 1 ? (crc >> 1) ^ 0x95ac_9329_ac4b_c9b5 : crc >> 1 }
    }
}
