// A table to be read, and how the tables of a database are listed.

import PostgresClient

/// A table that holds rows of its own.
public struct TableReference: Sendable, Hashable {
    public var schema: String
    public var table: String
    /// Of the main relation.
    public var bytes: Int64
    /// It has no rows on a standby, nor in what is made of one.
    public var isUnlogged: Bool
    /// By which the server knows it, whatever it is called; nil: whichever has the name.
    var identifier: UInt32?

    public init(schema: String, table: String, bytes: Int64 = 0, isUnlogged: Bool = false) {
        self.isUnlogged = isUnlogged
        self.schema = schema
        self.table = table
        self.bytes = bytes
    }

    /// `schema.table`, unquoted, for people.
    public var name: String { "\(schema).\(table)" }

    /// As it stands in SQL.
    var sql: String { SQL.identifier(schema, table) }
}

extension PostgresInventory {
    /// Partitions one by one, their parents not: they hold nothing. Not the tables of extensions and of other sessions.
    func readTables() async throws(PostgresError) -> [TableReference] {
        let rows = try await connection.query(
            """
            SELECT c.oid AS oid, n.nspname AS schema, c.relname AS table, pg_relation_size(c.oid) AS bytes, c.relpersistence = 'u' AS unlogged
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND \(Catalog.isUserSchema("n.nspname"))
              AND \(Catalog.isNoMember("pg_class", "c.oid"))
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """)
        return rows.compactMap { row in
            guard let schema = row["schema"], let table = row["table"] else { return nil }
            // A table that was dropped meanwhile has no size; reading it then says so.
            var reference = TableReference(
                schema: schema, table: table, bytes: row["bytes"].flatMap(Int64.init) ?? 0, isUnlogged: row["unlogged"] == "t")
            reference.identifier = row["oid"].flatMap { UInt32($0) }
            return reference
        }
    }
}
