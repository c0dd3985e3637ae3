// The first page of a WAL segment: which cluster wrote it, and which stretch it is.

/// The long header that every segment begins with (`XLogLongPageHeaderData`).
public struct WALSegmentHeader: Sendable, Hashable {
    public static let size = 40

    public var magic: UInt16
    public var timeline: UInt32
    /// The position of the segment's first byte.
    public var address: UInt64
    public var systemIdentifier: UInt64
    public var segmentSize: UInt32
    public var pageSize: UInt32

    /// - Returns: nil where these bytes are not the beginning of a segment.
    public init?(_ bytes: some Collection<UInt8>) {
        let head = Array(bytes.prefix(Self.size))
        guard head.count == Self.size else { return nil }
        func number(_ offset: Int, _ width: Int) -> UInt64 {
            // Written in the source's byte order; every platform that Postgres is common on is little-endian.
            (0..<width).reduce(0) { $0 | UInt64(head[offset + $1]) << (8 * UInt64($1)) }
        }
        magic = UInt16(number(0, 2))
        // The second byte has been D0 or D1 since version 8; the flag says that this is the long form.
        guard magic >> 8 == 0xd0 || magic >> 8 == 0xd1, number(2, 2) & 0x0002 != 0 else { return nil }
        timeline = UInt32(number(4, 4))
        address = number(8, 8)
        systemIdentifier = number(24, 8)
        segmentSize = UInt32(number(32, 4))
        pageSize = UInt32(number(36, 4))
    }

    /// The magic number of a major version; nil where it isn't known here. Source: the first segment that each version's initdb makes (19: rc1).
    public static func magic(ofMajor major: Int) -> UInt16? {
        [13: 0xd106, 14: 0xd10d, 15: 0xd110, 16: 0xd113, 17: 0xd116, 18: 0xd118, 19: 0xd122][major]
    }
}
