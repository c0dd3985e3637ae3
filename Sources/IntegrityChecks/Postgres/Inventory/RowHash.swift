// The SQL expression that hashes one row: the heart of the fingerprint. docs/fingerprints.md defines it.

import PostgresClient

/// A table's columns, as far as the hash needs them.
struct RowHash {
    struct Column {
        var name: String
        /// The type's output function, schema and name: what turns a value into the text that a dump holds.
        var output: (schema: String, name: String)
    }

    /// By name, since a restored table may have them in another order.
    var columns: [Column]

    /// Output functions whose text is never empty and never holds the separator, so that it needs no hash of its own.
    private static let plain: Set<String> = [
        "boolout", "int2out", "int4out", "int8out", "oidout", "float4out", "float8out", "numeric_out", "date_out", "time_out",
        "timetz_out", "timestamp_out", "timestamptz_out", "interval_out", "uuid_out", "inet_out", "cidr_out", "macaddr_out",
        "macaddr8_out", "cash_out", "pg_lsn_out",
    ]
    /// Types that are text already, or the same bytes.
    private static let text: Set<String> = ["textout", "varcharout"]
    /// A function call of SQL takes at most 100 arguments; this many columns take at most 99.
    private static let columnsPerCall = 50

    /// A bigint expression over the columns of the scanned table.
    var expression: String {
        let texts = columns.map(Self.text)
        guard !texts.isEmpty else { return "pg_catalog.hashtextextended(''::text COLLATE \"C\", 0)" }
        return "pg_catalog.hashtextextended(\(Self.concatenated(texts)) COLLATE \"C\", 0)"
    }

    /// What stands for one value: never empty and without the separator, or NULL.
    private static func text(of column: Column) -> String {
        let name = SQL.identifier(column.name)
        let isBuiltIn = column.output.schema == "pg_catalog"
        if isBuiltIn, plain.contains(column.output.name) { return name }
        // Not a cast to text: those of char(n), inet and of user-defined types say less than, or other than, the dump does.
        let text =
            isBuiltIn && Self.text.contains(column.output.name)
            ? "\(name)::pg_catalog.text"
            : "pg_catalog.textin(\(SQL.identifier(column.output.schema, column.output.name))(\(name)))"
        return "pg_catalog.hashtextextended(\(text) COLLATE \"C\", 0)"
    }

    /// `concat` prints NULL as nothing, and nothing else as nothing: with the separator, borders and NULLs are unambiguous.
    private static func concatenated(_ texts: [String]) -> String {
        let calls = stride(from: 0, to: texts.count, by: columnsPerCall).map { start in
            let part = texts[start..<min(start + columnsPerCall, texts.count)]
            return "pg_catalog.concat(" + part.joined(separator: ", E'\\x1f', ") + ")"
        }
        return calls.count == 1 ? calls[0] : concatenated(calls)
    }
}

extension PostgresInventory {
    func readRowHash(of table: TableReference) async throws(PostgresError) -> RowHash {
        let rows = try await connection.query(
            """
            SELECT a.attname AS name, n.nspname AS schema, p.proname AS output
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
              JOIN pg_proc p ON p.oid = t.typoutput JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY a.attname COLLATE "C"
            """, [table.sql])
        return RowHash(
            columns: rows.map { row in
                RowHash.Column(name: row["name"] ?? "", output: (row["schema"] ?? "", row["output"] ?? ""))
            })
    }
}
