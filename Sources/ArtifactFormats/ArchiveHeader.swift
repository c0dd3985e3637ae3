// Reads the head of a pg_dump archive: its format, its instant, its versions.

public import Foundation

/// What the first bytes of a `pg_dump` archive tell. The layout is that of `pg_backup_archiver.c` (WriteHead, ReadHead).
public struct ArchiveHeader: Sendable, Hashable {
    /// When pg_dump ran, by the clock of the machine that it ran on. The header holds local time without a zone,
    /// so it is read as UTC unless a zone is given.
    public var created: Date
    public var database: String
    /// The server that was dumped: `15.18 (Debian …)`.
    public var serverVersion: String
    /// The pg_dump that wrote it.
    public var dumpVersion: String
    /// The archive format, such as 1.14.
    public var archiveVersion: String
    /// What the archive says that it is; nil for a kind that no pg_dump writes today.
    public var layout: Layout?

    /// How the rows are compressed; nil for a method that no pg_dump writes today.
    public var compression: Compression?

    /// By the number that a head carries.
    public enum Compression: UInt8, Sendable, Hashable {
        case none = 0
        case gzip = 1
        case lz4 = 2
        case zstd = 3

        /// Whether pg_restore notices a changed byte of it. Of the four only zlib's stream ends with a checksum of its content.
        public var isChecked: Bool { self == .gzip }
    }

    /// By the number that a head carries. A folder's table of contents says that it is a tar's.
    public enum Layout: UInt8, Sendable, Hashable {
        case custom = 1
        case tar = 3
    }

    /// The major version of the server that was dumped.
    public var serverMajor: Int? { Int(serverVersion.prefix { $0.isNumber }) }

    /// How many bytes always suffice to read a header.
    public static let bytesNeeded = 4096

    /// - Parameters:
    ///   - bytes: The beginning of a custom-format file, or of the `toc.dat` of the two other archive formats.
    ///   - timeZone: The zone that the dumping machine's clock showed.
    /// - Returns: nil where these are not the first bytes of an archive.
    public init?(_ bytes: [UInt8], timeZone: TimeZone) {
        var reader = Reader(bytes: bytes)
        guard reader.take(5) == Array("PGDMP".utf8), let major = reader.byte(), let minor = reader.byte(), reader.byte() != nil,
            let intSize = reader.byte(), (1...4).contains(intSize), reader.byte() != nil, let layout = reader.byte()
        else { return nil }
        self.layout = Layout(rawValue: layout)
        reader.intSize = Int(intSize)
        archiveVersion = "\(major).\(minor)"
        // From 1.15 on the compression is one byte for the method, before that an integer for the level.
        if (major, minor) >= (1, 15) {
            guard let method = reader.byte() else { return nil }
            compression = Compression(rawValue: method)
        } else {
            guard let level = reader.integer() else { return nil }
            compression = level == 0 ? Compression.none : .gzip
        }
        var numbers: [Int] = []
        for _ in 0..<7 {
            guard let number = reader.integer() else { return nil }
            numbers.append(number)
        }
        // A calendar would carry a 14th month over into the next year; here it is a damaged head.
        guard (0...60).contains(numbers[0]), (0...59).contains(numbers[1]), (0...23).contains(numbers[2]),
            (1...31).contains(numbers[3]), (0...11).contains(numbers[4]), (90...1000).contains(numbers[5])
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let parts = DateComponents(
            year: numbers[5] + 1900, month: numbers[4] + 1, day: numbers[3], hour: numbers[2], minute: numbers[1], second: numbers[0])
        guard let date = calendar.date(from: parts), let database = reader.string(), let server = reader.string(),
            let dump = reader.string()
        else { return nil }
        created = date
        self.database = database
        serverVersion = server
        dumpVersion = dump
    }

    private struct Reader {
        var bytes: [UInt8]
        var offset = 0
        var intSize = 4

        mutating func take(_ count: Int) -> [UInt8]? {
            guard count >= 0, count <= bytes.count - offset else { return nil }
            defer { offset += count }
            return Array(bytes[offset..<offset + count])
        }

        mutating func byte() -> UInt8? { take(1)?.first }

        /// A sign byte, then the value, least significant byte first.
        mutating func integer() -> Int? {
            guard let sign = byte(), let raw = take(intSize) else { return nil }
            let value = raw.reversed().reduce(0) { $0 << 8 | Int($1) }
            return sign == 0 ? value : -value
        }

        mutating func string() -> String? {
            guard let length = integer(), length >= 0, let raw = take(length) else { return nil }
            return String(decoding: raw, as: UTF8.self)
        }
    }
}
