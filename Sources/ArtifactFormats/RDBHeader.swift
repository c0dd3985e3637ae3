// Reads the head of a Redis or Valkey snapshot: its version, its instant, the server that wrote it.

public import Foundation

/// The auxiliary fields at the beginning of an RDB file.
public struct RDBHeader: Sendable, Hashable {
    /// The RDB format's version, such as 10; of Valkey 9 and later 80 or more.
    public var formatVersion: Int
    /// Which of the two projects' servers wrote it; nil where the file doesn't say: before Redis 3.2 none did.
    public var isValkey: Bool?
    /// When the snapshot was made, by the server's clock; nil where the file doesn't say.
    public var created: Date?
    /// The version of the server that wrote it, such as `7.0.15`.
    public var serverVersion: String?
    /// Up to where of which replication history it holds everything; nil where the server replicated nothing.
    public var replicationOffset: Int64?
    public var replicationID: String?
    /// Written as the beginning of append-only files: what came after it stands elsewhere, or behind it.
    public var isAppendOnlyBase = false
    /// The same, of a set with a manifest: what came after it stands in other files.
    public var isBaseOfSet = false

    public static let bytesNeeded = 4096

    /// What an RDB file begins with: a project's word, and the format's version in digits. Nine bytes in both cases.
    static let magics: [(word: String, isValkey: Bool)] = [("REDIS", false), ("VALKEY", true)]
    static let magicLength = 9

    /// Whether these are the first bytes of an RDB file, as far as nine bytes tell.
    static func begins(_ bytes: [UInt8]) -> Bool { version(bytes) != nil }

    private static func version(_ bytes: [UInt8]) -> (number: Int, isValkey: Bool)? {
        guard bytes.count >= magicLength else { return nil }
        for (word, isValkey) in magics where bytes.starts(with: Array(word.utf8)) {
            let digits = bytes[word.utf8.count..<magicLength]
            guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(String(decoding: digits, as: UTF8.self)) else {
                return nil
            }
            return (number, isValkey)
        }
        return nil
    }

    /// - Returns: nil where these are not the first bytes of an RDB file.
    public init?(_ bytes: [UInt8]) {
        guard let version = Self.version(bytes) else { return nil }
        formatVersion = version.number
        // The other word doesn't tell: Valkey 8 writes it too.
        isValkey = version.isValkey ? true : nil
        var offset = Self.magicLength
        // 0xFA opens an auxiliary field: two strings. Anything else ends the head.
        while offset < bytes.count, bytes[offset] == 0xfa {
            offset += 1
            // What was read so far stands, also where a later field is compressed or cut off.
            guard let name = Self.string(bytes, &offset), let value = Self.string(bytes, &offset) else { return }
            switch name {
            case "ctime": created = TimeInterval(value).map(Date.init(timeIntervalSince1970:))
            case "repl-offset": replicationOffset = Int64(value)
            case "repl-id": replicationID = value
            // Before 7.0 under the second name.
            case "aof-base", "aof-preamble":
                isAppendOnlyBase = value == "1"
                isBaseOfSet = isAppendOnlyBase && name == "aof-base"
            case "redis-ver", "valkey-ver":
                serverVersion = value
                // Its own magic outweighs a field that says otherwise.
                isValkey = version.isValkey || name == "valkey-ver"
            default: break
            }
        }
    }

    /// A length-prefixed string, or a small integer in its place; nil where the bytes end or the encoding is another.
    private static func string(_ bytes: [UInt8], _ offset: inout Int) -> String? {
        guard offset < bytes.count else { return nil }
        let first = bytes[offset]
        offset += 1
        func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= bytes.count - offset else { return nil }
            defer { offset += count }
            return bytes[offset..<offset + count]
        }
        switch first >> 6 {
        case 0: return take(Int(first & 0x3f)).map { String(decoding: $0, as: UTF8.self) }
        case 1:
            guard let next = take(1)?.first else { return nil }
            return take(Int(first & 0x3f) << 8 | Int(next)).map { String(decoding: $0, as: UTF8.self) }
        case 3:
            let width = [0: 1, 1: 2, 2: 4][Int(first & 0x3f)]
            guard let width, let raw = take(width) else { return nil }
            let value = raw.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            // Little-endian and signed.
            let shift = 64 - width * 8
            return String(Int64(bitPattern: value << UInt64(shift)) >> Int64(shift))
        default: return nil
        }
    }
}
