// Damage to rows: the smallest that a fingerprint must notice.

import DrillModel
import PostgresClient

extension Damage {
    static let rowDamages: [Damage] = [
        Damage(
            "changed-value", "one value in one row is changed",
            .postgres {
                try await onTextColumn($0, $1, rule: "content-differs") {
                    """
                    UPDATE ONLY \($0) SET \($1) = \($1) || 'x'
                    WHERE ctid = (SELECT ctid FROM ONLY \($0) WHERE \($1) IS NOT NULL LIMIT 1) RETURNING 1
                    """
                }
            }),
        Damage(
            "missing-row", "one row is missing",
            .postgres {
                // A row that another table points to would take its foreign key along.
                try await onTextColumn($0, $1, rule: "rows-differ", ofUnreferenced: true) { table, _ in
                    "DELETE FROM ONLY \(table) WHERE ctid = (SELECT ctid FROM ONLY \(table) LIMIT 1) RETURNING 1"
                }
            }),
        Damage(
            "swapped-values", "two values of one column are swapped between rows",
            .postgres {
                try await onTextColumn($0, $1, rule: "content-differs") {
                    """
                    WITH a AS (SELECT ctid, \($1) AS v FROM ONLY \($0) WHERE \($1) IS NOT NULL LIMIT 1),
                    b AS (SELECT ctid, \($1) AS v FROM ONLY \($0) WHERE \($1) <> (SELECT v FROM a) LIMIT 1)
                    UPDATE ONLY \($0) t SET \($1) = CASE WHEN t.ctid = (SELECT ctid FROM a) THEN (SELECT v FROM b) ELSE (SELECT v FROM a) END
                    WHERE EXISTS (SELECT FROM b) AND t.ctid IN ((SELECT ctid FROM a), (SELECT ctid FROM b)) RETURNING 1
                    """
                }
            }),
        Damage(
            "null-becomes-empty", "a NULL turns into an empty string",
            .postgres {
                try await onTextColumn($0, $1, rule: "content-differs") {
                    """
                    UPDATE ONLY \($0) SET \($1) = ''
                    WHERE ctid = (SELECT ctid FROM ONLY \($0) WHERE \($1) IS NULL LIMIT 1) RETURNING 1
                    """
                }
            }),
        Damage(
            "large-object-changed", "one byte of a large object is changed",
            .postgres { connection, _ in
                let sql = "SELECT lo_put(oid, 0, decode('ff', 'hex')) FROM pg_largeobject_metadata ORDER BY oid LIMIT 1"
                return try await connection.query(sql).isEmpty ? nil : Harm(Rule("large-objects-differ"), object: "large objects")
            }),
        Damage(
            "sequence-reset", "a sequence has fallen back to its start",
            .postgres { connection, truth in
                for sequence in truth.sequences where sequence.low > 1 {
                    // The sealed name is `schema.name`; looked up rather than quoted by guess.
                    let rows = try await connection.query(
                        """
                        SELECT c.oid::regclass::text, setval(c.oid::regclass, s.seqstart, false) FROM pg_class c
                        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
                        WHERE n.nspname || '.' || c.relname = $1 OR quote_ident(n.nspname) || '.' || quote_ident(c.relname) = $1
                        """, [sequence.name])
                    if !rows.isEmpty { return Harm(Rule("sequence-behind"), object: sequence.name) }
                }
                return nil
            }),
    ]

    /// Tries a change on one text column after another until one row was changed: a CHECK may refuse the first.
    private static func onTextColumn(
        _ connection: PostgresConnection, _ truth: PostgresTruth, rule: String, ofUnreferenced: Bool = false,
        _ change: (String, String) -> String
    ) async throws -> Harm? {
        // No trigger may do more than the damage itself, and no foreign key may refuse it.
        try await connection.execute("SET session_replication_role = replica")
        // The largest table first: one row among many is the hardest to notice.
        for table in truth.tables.sorted(by: { $0.rows > $1.rows }) where table.rows > 1 {
            let columns = try await connection.query(
                """
                SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attgenerated = '' AND a.atttypid = 'text'::regtype
                AND (\(ofUnreferenced ? "NOT EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f')" : "true"))
                ORDER BY a.attnum
                """, [table.schema, table.table])
            for column in columns.compactMap({ $0[0] }) {
                let sql = change(SQL.identifier(table.schema, table.table), SQL.identifier(column))
                let changed: [PostgresRow]
                do throws(PostgresError) {
                    changed = try await connection.query(sql)
                } catch {
                    guard error.sqlState?.hasPrefix("23") == true else { throw error }
                    continue
                }
                if !changed.isEmpty { return Harm(Rule(rule), object: table.name) }
            }
        }
        return nil
    }
}
