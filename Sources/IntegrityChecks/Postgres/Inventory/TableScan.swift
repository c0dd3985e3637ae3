// Reads a table's fingerprint: in one scan, or a large one piece by piece, so that there is progress and a bound on the load.

import DrillModel
import PostgresClient

extension PostgresInventory {
    /// Bytes that are read at a time. A piece takes a fraction of a second.
    private static let pieceBytes: Int64 = 64 << 20

    func readFingerprint(_ table: TableReference, done: Int64, total: Int64) async throws(PostgresError) -> TableFingerprint {
        progress(table.name, done, total)
        if options.isStandby, table.isUnlogged {
            // A standby refuses to read it, and pg_dump leaves its rows out there.
            return TableFingerprint(schema: table.schema, table: table.table, rows: 0, hash: Sum().decimal, bytes: 0)
        }
        let expression = try await readRowHash(of: table).expression
        var rows: Int64 = 0
        var hash = Sum()
        var read: Int64 = 0
        for piece in try await pieces(of: table) {
            let started = ContinuousClock.now
            let question = """
                SELECT count(*), coalesce(sum(h), 0)::text,
                  (SELECT c.relfilenode IS NOT DISTINCT FROM pg_relation_filenode(c.oid) AND c.oid = \(table.identifier.map(String.init) ?? "c.oid")
                   FROM pg_class c WHERE c.oid = \(SQL.literal(table.sql))::regclass)
                FROM (SELECT \(expression) AS h FROM ONLY \(table.sql) \(piece)) AS rows
                """
            let answer = try await onHeap { () async throws(PostgresError) in try await connection.query(question) }
            guard let count = answer.first?[0].flatMap(Int64.init), let sum = answer.first?[1], hash.add(sum) else {
                throw PostgresError(.unsupported, message: "the server answered a count with no number", hint: "report this as a defect")
            }
            guard answer.first?[2] == "t" else {
                // Its rows are gone whatever the snapshot says: those of a truncated table for everybody, at once. And a name is looked up now.
                throw PostgresError(
                    .unsupported, message: "table \(table.name) was truncated, rewritten or replaced after the snapshot was taken",
                    hint: "seal again"
                )
            }
            rows += count
            read = min(read + Self.pieceBytes, table.bytes)
            progress(table.name, done + read, total)
            try await rest(after: started.duration(to: .now))
        }
        progress(table.name, done + table.bytes, total)
        return TableFingerprint(schema: table.schema, table: table.table, rows: rows, hash: hash.decimal, bytes: table.bytes)
    }

    /// Conditions that split the table by where its rows lie; the sums of the pieces add up to the sum of the whole.
    private func pieces(of table: TableReference) async throws(PostgresError) -> [String] {
        // Reading a range of places came with PostgreSQL 14, never runs in parallel, and is known of heaps only.
        guard !options.parallelWorkers, connection.serverVersion >= 140000, table.bytes > 2 * Self.pieceBytes else { return [""] }
        let row = try await connection.query(
            "SELECT current_setting('block_size'), amname FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.oid = $1::regclass",
            [table.sql]
        ).first
        guard row?[1] == "heap", let block = row?[0].flatMap(Int64.init), block > 0 else { return [""] }
        let pages = Self.pieceBytes / block
        let borders = Array(stride(from: pages, to: table.bytes / block, by: Int64.Stride(pages)))
        guard let first = borders.first, let last = borders.last else { return [""] }
        // Open at both ends: whatever grows behind the last border belongs to the last piece.
        return ["WHERE ctid < '(\(first),0)'"]
            + zip(borders, borders.dropFirst()).map { "WHERE ctid >= '(\($0),0)' AND ctid < '(\($1),0)'" }
            + ["WHERE ctid >= '(\(last),0)'"]
    }

    /// Keeps the server's share of busy time within bounds.
    private func rest(after busy: Duration) async throws(PostgresError) {
        let percent = min(max(options.loadPercent, 1), 100)
        guard percent < 100 else { return }
        do {
            try await Task.sleep(for: busy * (100 - percent) / percent)
        } catch {
            throw PostgresError(.cancelled, message: "the question was cancelled")
        }
    }
}

/// An exact sum of decimal integers; 2^127 leaves room for the hashes of 2^64 rows.
private struct Sum {
    private var value: Int128 = 0

    /// False where the text is no integer, or the sum has no room.
    mutating func add(_ text: String) -> Bool {
        guard let number = Int128(text) else { return false }
        let (sum, overflow) = value.addingReportingOverflow(number)
        value = sum
        return !overflow
    }

    var decimal: String { String(value) }
}
