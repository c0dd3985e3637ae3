// What append-only files look like from outside: their first bytes, their times, and whether commands stand behind a snapshot.

public import Foundation

/// Commands as a server appends them: `*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n`, and between them `#TS:1795974976\r\n` where
/// `aof-timestamp-enabled` is yes.
public enum AppendOnlyText {
    /// Whether these bytes begin a command, or a time between two.
    public static func begins(_ bytes: some Collection<UInt8>) -> Bool {
        let head = Array(bytes.prefix(16))
        if head.starts(with: Array("#TS:".utf8)) { return head.dropFirst(4).first.map { (0x30...0x39).contains($0) } ?? false }
        guard head.first == UInt8(ascii: "*") else { return false }
        let digits = head.dropFirst().prefix { (0x30...0x39).contains($0) }
        return !digits.isEmpty && head.dropFirst(1 + digits.count).starts(with: [0x0d, 0x0a, UInt8(ascii: "$")])
    }

    /// The last time that the server wrote between two commands.
    ///
    /// - Parameter tail: The end of an append-only file.
    public static func lastTime(in tail: [UInt8]) -> Date? {
        let mark = Array("\r\n#TS:".utf8)
        // One that opens the tail has no line's end before it.
        let bytes = [0x0d, 0x0a] + tail
        var place = bytes.count - mark.count
        while place >= 0 {
            if bytes[place] == 0x0d, bytes[place..<place + mark.count].elementsEqual(mark) {
                let digits = bytes[(place + mark.count)...].prefix { (0x30...0x39).contains($0) }
                let rest = bytes[(place + mark.count + digits.count)...]
                // A value may look like one; what follows it would have to look like a command too.
                let next = rest.dropFirst(2).first
                if (9...11).contains(digits.count), rest.starts(with: [0x0d, 0x0a]), next == nil || next == UInt8(ascii: "*") {
                    return Double(String(decoding: digits, as: UTF8.self)).map(Date.init(timeIntervalSince1970:))
                }
            }
            place -= 1
        }
        return nil
    }

    /// Whether a file that begins as a snapshot goes on with commands: an `appendonly.aof` of Redis 4 to 6.
    ///
    /// - Parameter ending: Its last bytes, 64 or more where it has as many.
    public static func follows(aSnapshotEndingWith ending: [UInt8]) -> Bool {
        // A snapshot ends with 0xff and eight bytes of checksum, before version 5 with 0xff alone; what old `redis-cli --rdb` left is no
        // command either. A command ends its line.
        guard ending.suffix(2).elementsEqual([0x0d, 0x0a]) else { return false }
        return ending.count < 9 || ending[ending.count - 9] != 0xff
    }
}
