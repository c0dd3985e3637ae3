// What a Redis server answers.

/// One answer, as the protocol's version 2 knows them.
public enum RedisValue: Sendable, Hashable {
    case null
    case integer(Int64)
    /// Bytes of any kind; text only where the command says so.
    case bulk([UInt8])
    /// A short word, such as `OK` or a key's type.
    case status(String)
    case array([RedisValue])
    /// The server refused the command. ``RedisConnection/command(_:timeout:)-([String],_)`` throws it; in a pipeline it stands in its place.
    case error(String)

    /// A status, or a bulk read as UTF-8.
    public var text: String? {
        switch self {
        case .status(let text): text
        case .bulk(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    public var bytes: [UInt8]? {
        switch self {
        case .bulk(let bytes): bytes
        case .status(let text): Array(text.utf8)
        default: nil
        }
    }

    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    public var array: [RedisValue]? {
        if case .array(let values) = self { values } else { nil }
    }
}
