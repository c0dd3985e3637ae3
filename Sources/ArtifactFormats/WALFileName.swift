// The names of files in an archive of the write-ahead log.

/// A position in the write-ahead log, as text.
public enum WALPosition {
    /// `0/16B3748`; nil where it is none.
    public static func parse(_ text: some StringProtocol) -> UInt64? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let high = UInt32(parts[0], radix: 16), let low = UInt32(parts[1], radix: 16) else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    public static func text(_ position: UInt64) -> String {
        String(position >> 32, radix: 16, uppercase: true) + "/" + String(position & 0xffff_ffff, radix: 16, uppercase: true)
    }
}

/// What one file of an archive is, by its name without what compression and encryption append.
public enum WALFileName: Sendable, Hashable {
    /// `000000010000000000000007`
    case segment(WALSegmentName)
    /// `00000002.history`
    case history(UInt32)
    /// `000000010000000000000002.00000028.backup`: written as a base backup ended.
    case backup(WALSegmentName, name: String)

    /// What archivers append to a segment's name.
    public static let suffixes = [".enc", ".gz", ".zst", ".lz4", ".zstd", ".xz", ".bz2"]

    /// - Returns: nil for `.partial` files, which no recovery asks for, and for anything else.
    public init?(stored name: String) {
        let name = Self.bare(name)
        if let segment = WALSegmentName(name) {
            self = .segment(segment)
        } else if name.hasSuffix(".history"), name.count == 16, let timeline = UInt32(name.prefix(8), radix: 16) {
            self = .history(timeline)
        } else if name.hasSuffix(".backup"), name.count == 40, let segment = WALSegmentName(String(name.prefix(24))) {
            self = .backup(segment, name: name)
        } else {
            return nil
        }
    }

    /// The segment that a `.partial` file is the beginning of; nil for anything else. A promotion leaves one of the timeline that ends, and
    /// pg_receivewal keeps the segment so that it is at.
    public static func partial(stored name: String) -> WALSegmentName? {
        let name = bare(name)
        return name.hasSuffix(".partial") ? WALSegmentName(String(name.dropLast(8))) : nil
    }

    private static func bare(_ name: String) -> String {
        var name = name
        while let suffix = suffixes.first(where: { name.hasSuffix($0) }) { name.removeLast(suffix.count) }
        return name
    }

    /// As the server asks for it.
    public var plain: String {
        switch self {
        case .segment(let segment): segment.text
        case .history(let timeline): Self.hex(UInt64(timeline)) + ".history"
        case .backup(_, let name): name
        }
    }

    static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

/// A segment's name: 24 hexadecimal digits.
public struct WALSegmentName: Sendable, Hashable {
    public var timeline: UInt32
    public var log: UInt32
    public var part: UInt32

    public init?(_ text: String) {
        guard text.count == 24, text.allSatisfy({ $0.isASCII && $0.isHexDigit && !$0.isLowercase }),
            let timeline = UInt32(text.prefix(8), radix: 16), let log = UInt32(text.dropFirst(8).prefix(8), radix: 16),
            let part = UInt32(text.suffix(8), radix: 16)
        else { return nil }
        self.timeline = timeline
        self.log = log
        self.part = part
    }

    /// - Parameter size: Bytes of one segment.
    public init(timeline: UInt32, number: UInt64, size: UInt64) {
        let each = 0x1_0000_0000 / size
        self.timeline = timeline
        log = UInt32(truncatingIfNeeded: number / each)
        part = UInt32(truncatingIfNeeded: number % each)
    }

    public var text: String { WALFileName.hex(UInt64(timeline)) + WALFileName.hex(UInt64(log)) + WALFileName.hex(UInt64(part)) }

    /// Counted from the beginning of the write-ahead log.
    public func number(size: UInt64) -> UInt64 { UInt64(log) * (0x1_0000_0000 / size) + UInt64(part) }
}
