// The hash of one key: its name, its type and its value.

import Cryptography
import RedisClient

enum RedisKeyHash {
    /// The types whose value the server's digest covers. A module's type may or may not have one.
    static let knownTypes: Set<String> = ["string", "hash", "list", "set", "zset", "stream"]

    /// The first 64 bits of SHA-256 over the length of the key, the key, the type, the digest of the value and, of a stream, its groups.
    static func of(key: [UInt8], type: String, digest: String, groups: String) throws(CryptographyError) -> UInt64 {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(key.count + 64)
        withUnsafeBytes(of: UInt64(key.count).littleEndian) { bytes += $0 }
        bytes += key
        bytes += type.utf8
        bytes.append(0)
        bytes += (knownTypes.contains(type) ? digest : "").utf8
        bytes.append(0)
        bytes += groups.utf8
        let stream = try SHA256Stream()
        try stream.update(bytes)
        return try stream.finishBytes().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The consumer groups of a stream, which no digest of the server's covers: name, consumers, pending entries, last entry delivered.
    static func groups(_ groups: [RedisValue]) -> String {
        var lines: [String] = []
        for group in groups {
            let fields = group.fields.mapValues { $0.integer.map { "\($0)" } ?? $0.bytes?.hex ?? "" }
            let wanted = ["name", "consumers", "pending", "last-delivered-id"].map { fields[$0] ?? "" }
            lines.append(wanted.joined(separator: " "))
        }
        return lines.joined(separator: "\n")
    }
}

extension RedisValue {
    /// Names and values in turns, as XINFO answers.
    var fields: [String: RedisValue] {
        let parts = array ?? []
        var fields: [String: RedisValue] = [:]
        for place in stride(from: 0, to: parts.count - 1, by: 2) {
            if let name = parts[place].text { fields[name] = parts[place + 1] }
        }
        return fields
    }
}
