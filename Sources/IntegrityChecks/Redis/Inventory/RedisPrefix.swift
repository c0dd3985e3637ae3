// Which group a key belongs to, and which groups may be named in a report.

/// Groups keys by what stands before the first colon. Key names can hold personal data, so only what looks like a word of the application
/// is ever named; `alice@example.com:cart` or `5501234567:seen` belong to the rest.
enum RedisPrefix {
    /// Keys without a colon: their whole name would be shown otherwise.
    static let none = ""
    /// All that has no name of its own.
    static let rest = "*"
    /// How many groups of one database have a name of their own.
    static let limit = 1000

    static func of(_ key: [UInt8]) -> String {
        guard let colon = key.firstIndex(of: UInt8(ascii: ":")) else { return none }
        let name = key[..<colon]
        guard (1...48).contains(name.count) else { return rest }
        var letters = 0
        var digits = 0
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): letters += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "{"), UInt8(ascii: "}"): break
            default: return rest
            }
        }
        guard letters > 0, digits <= 4 else { return rest }
        return String(decoding: name, as: UTF8.self)
    }

    /// How a group is called in findings: `db0 session:* (hash)`.
    static func object(database: Int, prefix: String, type: String) -> String {
        switch prefix {
        case none: "db\(database) keys without a prefix (\(type))"
        case rest: "db\(database) other keys (\(type))"
        default: "db\(database) \(prefix):* (\(type))"
        }
    }
}
