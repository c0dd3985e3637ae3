// Reads the tables that belong to extensions: what a dump carries of their rows, and what it can't.

import DrillModel
import PostgresClient

extension PostgresInventory {
    /// A dump holds no table of an extension, since CREATE EXTENSION makes it, and of its rows those that the extension marks for dumping.
    func readExtensionTables() async throws(PostgresError) -> [ExtensionTable] {
        let rows = try await connection.query(
            """
            SELECT x.extname AS extension, x.extversion AS version, n.nspname AS schema, c.relname AS table, c.oid AS oid,
              pg_relation_size(c.oid) AS bytes, c.relpersistence = 'u' AS unlogged, marked.condition AS condition,
              has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid) AS readable
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_depend e ON e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
              JOIN pg_extension x ON x.oid = e.refobjid
              LEFT JOIN LATERAL (SELECT x.extcondition[i] AS condition FROM generate_subscripts(x.extconfig, 1) i
                WHERE x.extconfig[i] = c.oid) AS marked ON true
            WHERE c.relkind = 'r' AND c.relpersistence <> 't'
            ORDER BY x.extname COLLATE "C", n.nspname COLLATE "C", c.relname COLLATE "C"
            """)
        var tables: [ExtensionTable] = []
        for row in rows {
            guard let name = row["extension"], let version = row["version"], let schema = row["schema"], let table = row["table"] else {
                continue
            }
            var found = ExtensionTable(extension: name, version: version, schema: schema, table: table)
            var reference = TableReference(
                schema: schema, table: table, bytes: row["bytes"].flatMap(Int64.init) ?? 0, isUnlogged: row["unlogged"] == "t")
            reference.identifier = row["oid"].flatMap { UInt32($0) }
            // Whoever can't read what a dump holds can't dump it either; what it doesn't hold needs no right.
            if row["condition"] != nil || row["readable"] == "t" {
                let all = try await readFingerprint(reference, done: 0, total: reference.bytes)
                var dumped: TableFingerprint?
                if let condition = row["condition"] { dumped = condition.isEmpty ? all : try await readMarked(reference, condition) }
                found.dumped = dumped.map { ExtensionTable.Rows(count: $0.rows, hash: $0.hash) }
                found.rest = Self.rest(of: all, without: dumped)
            }
            tables.append(found)
        }
        return tables
    }

    /// Rows that a condition of the extension's own marks: SQL that pg_dump puts behind the table's name as it is.
    private func readMarked(_ table: TableReference, _ condition: String) async throws(PostgresError) -> TableFingerprint {
        let expression = try await readRowHash(of: table).expression
        let row = try await connection.query(
            "SELECT count(*), coalesce(sum(h), 0)::text FROM (SELECT \(expression) AS h FROM ONLY \(table.sql) \(condition)) AS rows"
        ).first
        guard let count = row?[0].flatMap(Int64.init), let hash = row?[1] else {
            throw PostgresError(.unsupported, message: "the server answered a count with no number", hint: "report this as a defect")
        }
        return TableFingerprint(schema: table.schema, table: table.table, rows: count, hash: hash, bytes: 0)
    }

    /// Hashes are sums, so those of the parts add up to that of the whole.
    private static func rest(of all: TableFingerprint, without part: TableFingerprint?) -> ExtensionTable.Rows {
        guard let part, let whole = Int128(all.hash), let less = Int128(part.hash) else {
            return ExtensionTable.Rows(count: all.rows, hash: all.hash)
        }
        return ExtensionTable.Rows(count: all.rows - part.rows, hash: String(whole - less))
    }
}
