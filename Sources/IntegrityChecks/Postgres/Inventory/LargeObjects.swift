// Reads the fingerprint of all large objects, inside the server and page by page.

import DrillModel
import PostgresClient

extension PostgresInventory {
    func readLargeObjects() async throws(PostgresError) -> LargeObjectFingerprint {
        let counted = try await onHeap { () async throws(PostgresError) in
            try await connection.value("SELECT count(*) FROM pg_largeobject_metadata")
        }
        let count = counted.flatMap(Int64.init) ?? 0
        // Without any, nobody needs the right to read them.
        guard count > 0 else { return LargeObjectFingerprint(count: 0, hash: "0") }
        // A page that was never written reads as zeros, and a dump writes those out. So every page is filled up with zeros,
        // pages of nothing but zeros count as absent, and the length stands apart.
        let hash = try await connection.value(
            """
            WITH page AS (SELECT (current_setting('block_size')::int / 4) AS size,
              decode(repeat('00', current_setting('block_size')::int / 4), 'hex') AS zeros)
            SELECT (coalesce((
                SELECT sum(hashtextextended(concat(p.loid, E'\\x1f', p.pageno, E'\\x1f',
                  hashtextextended(encode(substr(p.data || page.zeros, 1, page.size), 'hex') COLLATE "C", 0)) COLLATE "C", 0))
                FROM pg_largeobject p, page WHERE substr(p.data || page.zeros, 1, page.size) <> page.zeros), 0)
              + coalesce((
                SELECT sum(hashtextextended(concat(m.oid, E'\\x1f', coalesce((
                  SELECT l.pageno::bigint * page.size + octet_length(l.data) FROM pg_largeobject l
                  WHERE l.loid = m.oid ORDER BY l.pageno DESC LIMIT 1), 0)) COLLATE "C", 0))
                FROM pg_largeobject_metadata m, page), 0))::text
            """)
        return LargeObjectFingerprint(count: count, hash: hash ?? "0")
    }
}
