// Sets the creation time in the head of a pg_dump archive to the simulated instant.

import Foundation

/// The head of a custom-format archive, as `WriteHead` in pg_backup_archiver.c lays it out.
enum DumpClock {
    /// Changes the seven numbers of the time. pg_dump writes local time, and runs here with TZ=UTC.
    ///
    /// - Returns: False where these are not the first bytes of an archive; nothing is changed then.
    @discardableResult
    static func set(_ bytes: inout [UInt8], to instant: Date) -> Bool {
        // Magic, three bytes of version, sizes of an integer and an offset, the format.
        guard bytes.count > 64, bytes.starts(with: Array("PGDMP".utf8)), (4...8).contains(bytes[8]) else { return false }
        let width = Int(bytes[8])
        // From 1.15 on the compression is one byte for the method, before that an integer for the level.
        let compression = (bytes[5], bytes[6]) >= (1, 15) ? 1 : 1 + width
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: instant)
        let numbers = [
            parts.second ?? 0, parts.minute ?? 0, parts.hour ?? 0, parts.day ?? 1, (parts.month ?? 1) - 1, (parts.year ?? 1900) - 1900, 0,
        ]
        var offset = 11 + compression
        guard bytes.count >= offset + numbers.count * (1 + width) else { return false }
        for number in numbers {
            // A sign byte, then the value, least significant byte first.
            bytes[offset] = 0
            for place in 0..<width { bytes[offset + 1 + place] = UInt8((number >> (8 * place)) & 0xff) }
            offset += 1 + width
        }
        return true
    }
}
