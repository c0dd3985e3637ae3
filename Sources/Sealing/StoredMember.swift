// A few lines of text as a gzip member of their own, not packed: gzip files that follow each other are one.

import Foundation

/// What stands between the members that pg_dump packs itself. Nothing of it lies on a disk in plain on the way, as it would for another gzip.
enum StoredMember {
    static func bytes(of text: [UInt8]) -> [UInt8] {
        // Deflate, no name, no time, no system.
        var member: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
        var rest = text[...]
        repeat {
            let block = rest.prefix(Int(UInt16.max))
            rest = rest.dropFirst(block.count)
            let count = UInt16(block.count)
            member.append(rest.isEmpty ? 1 : 0)
            for number in [count, ~count] { member += little(UInt32(number)).prefix(2) }
            member += block
        } while !rest.isEmpty
        return member + little(checksum(text)) + little(UInt32(truncatingIfNeeded: text.count))
    }

    private static func little(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

    /// RFC 1952's CRC-32.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 {
                let isOdd = sum & 1 == 1
                sum >>= 1
                if isOdd { sum ^= 0xedb8_8320 }
            }
        }
        return ~sum
    }
}
