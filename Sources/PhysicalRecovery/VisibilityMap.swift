// The visibility map of a table: what it says of pages that are no longer there.

import PostgresClient

/// Which pages of a table were seen whole by a vacuum, or filled by a COPY that froze its rows.
///
/// No page of zeros is ever marked: vacuum passes over new pages, and whoever shortens a table clears the marks behind its end. So a marked
/// page that is of zeros, or isn't there, has been lost.
struct VisibilityMap {
    /// Two bits a page of the table, from the lowest on; without the map's own page headers.
    private let bytes: [UInt8]

    /// - Throws: Where a page of the map is damaged.
    init?(
        _ table: StorageRelation, schema: String, size: StorageSize, _ connection: PostgresConnection
    ) async throws(PostgresError) {
        let rows = try await connection.query(
            """
            SELECT pg_catalog.encode(pg_catalog.substr(\(schema).get_raw_page($1, 'vm', m), \(Self.header + 1)), 'hex')
            FROM pg_catalog.generate_series(0, pg_catalog.pg_relation_size($2::pg_catalog.oid::pg_catalog.regclass, 'vm') / \(size.block) - 1) m
            ORDER BY m
            """, [table.name, table.oid])
        self.init(hex: rows.compactMap { $0[0] }.joined())
    }

    init?(hex: String) {
        var bytes: [UInt8] = []
        var high: UInt8?
        bytes.reserveCapacity(hex.utf8.count / 2)
        for digit in hex.utf8 {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high { bytes.append(first << 4 | value) }
            high = high == nil ? value : nil
        }
        guard !bytes.isEmpty else { return nil }
        self.bytes = bytes
    }

    /// Of a page, as servers are built.
    private static let header = 24

    /// Behind the last page that is marked.
    var end: Int {
        guard let last = bytes.lastIndex(where: { $0 != 0 }) else { return 0 }
        return last * 4 + (3 - bytes[last].leadingZeroBitCount / 2) + 1
    }

    func isMarked(_ page: Int) -> Bool { bytes.indices.contains(page / 4) && bytes[page / 4] >> (page % 4 * 2) & 1 == 1 }

    /// Marked pages that hold nothing.
    /// - Parameter empty: Those of zeros.
    func lost(_ empty: [Int], pages: Int) -> [Int] {
        empty.filter(isMarked) + (pages..<max(pages, end)).filter(isMarked)
    }

    /// From 17 on, a chain of incremental backups can bring a map from before the table was shortened: without page checksums nothing told the
    /// log that its marks were cleared (findings/combined-backup-keeps-marks-of-truncated-pages.sh; 17.12 tells it).
    static func isCertain(_ connection: PostgresConnection) async throws(PostgresError) -> Bool {
        if connection.serverVersion < 170_000 { return true }
        return try await connection.value("SELECT data_page_checksum_version > 0 FROM pg_catalog.pg_control_init()") == "t"
    }
}
