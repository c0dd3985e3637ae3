// Reads a base backup's own list of its files, as pg_basebackup writes it from PostgreSQL 13 on.

public import Foundation

/// `backup_manifest`: every file of a base backup with its size and checksum, and the write-ahead log that it needs.
public struct BackupManifest: Sendable, Hashable {
    public struct File: Sendable, Hashable {
        /// Relative to the data folder.
        public var path: String
        public var size: Int64
        /// `CRC32C`, `SHA256`, …; nil where the backup was made without checksums.
        public var algorithm: String?
        /// Lower-case hex.
        public var checksum: String?
    }
    /// A stretch of the write-ahead log that is needed to make the backup consistent.
    public struct Range: Sendable, Hashable {
        public var timeline: UInt32
        public var start: UInt64
        public var end: UInt64
    }
    public enum Flaw: Error, Sendable, Hashable {
        /// It is cut off, or no manifest at all.
        case unreadable
    }

    public var files: [File]
    public var ranges: [Range]
    /// The newest modification time in it: the backup's end, or shortly before.
    public var newest: Date?
    /// From PostgreSQL 17 on; decimal.
    public var systemIdentifier: String?
    /// The SHA-256 that the manifest states of itself, lower-case hex.
    public var statedChecksum: String
    /// How many of its bytes that checksum is of.
    public var checksummedBytes: Int

    public init(_ data: Data) throws(Flaw) {
        let bytes = [UInt8](data)
        // The checksum is of all lines but the last.
        guard bytes.last == UInt8(ascii: "\n"), let newline = bytes.dropLast().lastIndex(of: UInt8(ascii: "\n")),
            let document = try? JSONDecoder().decode(Document.self, from: data)
        else { throw .unreadable }
        checksummedBytes = newline + 1
        statedChecksum = document.checksum.lowercased()
        systemIdentifier = document.systemIdentifier.map(String.init)
        var newest = ""
        var files: [File] = []
        for file in document.files {
            guard let path = file.path ?? file.encodedPath.flatMap(Self.decoded) else { throw .unreadable }
            newest = max(newest, file.modified ?? "")
            files.append(
                File(path: path, size: file.size, algorithm: file.algorithm.flatMap { $0 == "NONE" ? nil : $0 }, checksum: file.checksum))
        }
        self.files = files
        self.newest = ServerClock.date(newest, zone: .gmt)
        var ranges: [Range] = []
        for range in document.ranges {
            guard let start = WALPosition.parse(range.start), let end = WALPosition.parse(range.end) else { throw .unreadable }
            ranges.append(Range(timeline: range.timeline, start: start, end: end))
        }
        self.ranges = ranges
    }

    /// Where the backup becomes consistent; nil where it names no write-ahead log.
    public var end: UInt64? { ranges.map(\.end).max() }

    private static func decoded(_ hex: String) -> String? {
        let digits = Array(hex.utf8).compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
        guard digits.count == hex.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return String(validating: stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }, as: UTF8.self)
    }

    private struct Document: Decodable {
        var systemIdentifier: UInt64?
        var files: [Entry]
        var ranges: [Stretch]
        var checksum: String

        enum CodingKeys: String, CodingKey {
            case systemIdentifier = "System-Identifier"
            case files = "Files"
            case ranges = "WAL-Ranges"
            case checksum = "Manifest-Checksum"
        }
    }

    private struct Entry: Decodable {
        var path: String?
        var encodedPath: String?
        var size: Int64
        var modified: String?
        var algorithm: String?
        var checksum: String?

        enum CodingKeys: String, CodingKey {
            case path = "Path"
            case encodedPath = "Encoded-Path"
            case size = "Size"
            case modified = "Last-Modified"
            case algorithm = "Checksum-Algorithm"
            case checksum = "Checksum"
        }
    }

    private struct Stretch: Decodable {
        var timeline: UInt32
        var start: String
        var end: String

        enum CodingKeys: String, CodingKey {
            case timeline = "Timeline"
            case start = "Start-LSN"
            case end = "End-LSN"
        }
    }
}
