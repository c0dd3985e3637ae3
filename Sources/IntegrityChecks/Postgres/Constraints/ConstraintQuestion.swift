// What a constraint promises, as a query that counts what breaks it.

import PostgresClient

/// One query about one table, and what each of its counts says.
struct ConstraintQuestion: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        case notNull = "not null"
        case check
        case foreignKey = "foreign key"
        case unique
        case exclusion
        case domain
    }
    /// One count of the query's row.
    struct Promise: Sendable, Hashable {
        var kind: Kind
        /// The constraint, or the column.
        var name: String
        /// The other table of a foreign key.
        var parent: String?
    }
    /// As SQL writes it.
    var table: String
    var bytes: Int64
    /// An expression for each promise.
    var counts: [String]
    /// What they are counted of.
    var source: String
    var promises: [Promise]
    /// How rows are found, one of ``HeapReading``: where an index would answer for a table, its own damage would hide what is asked for.
    var heap: [String: String]

    /// What a server takes for granted while it reads: from PostgreSQL 19 on it doesn't even look whether a column that is NOT NULL holds NULL,
    /// and takes the bytes behind it for the value. In the transaction that asks, no column is NOT NULL.
    func change(on serverVersion: Int) -> String {
        guard serverVersion >= 190_000 else { return "" }
        let tables = ([table] + promises.compactMap(\.parent)).map { SQL.literal($0) }.map {
            "SELECT \($0)::pg_catalog.regclass UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree(\($0))"
        }
        return "UPDATE pg_catalog.pg_attribute SET attnotnull = false WHERE attnotnull AND attnum > 0 AND attrelid IN "
            + "(\(tables.joined(separator: " UNION ALL ")))"
    }

    var query: String { "SELECT \(counts.joined(separator: ", ")) FROM \(source)" }

    /// One for each promise: one of them that fails takes the others along.
    var parts: [ConstraintQuestion] {
        zip(counts, promises).map { count, promise in
            var part = self
            (part.counts, part.promises) = ([count], [promise])
            return part
        }
    }
}

/// The promises of a database, and those that no query here can ask about.
struct ConstraintCatalog: Sendable {
    var questions: [ConstraintQuestion] = []
    /// `public.orders: orders_until_check (it depends on when it is asked)`.
    var unasked: [String] = []

    static func read(_ connection: PostgresConnection) async throws(PostgresError) -> ConstraintCatalog {
        var catalog = ConstraintCatalog()
        // Without a search path the server qualifies what it writes, and the queries mean the same under any.
        try await connection.execute("BEGIN READ ONLY; SET LOCAL search_path = ''")
        do throws(PostgresError) {
            try await catalog.addRows(connection)
            try await catalog.addKeys(connection, foreignKeys, .foreignKey, heap: HeapReading.everyRow)
            try await catalog.addKeys(connection, uniqueIndexes, .unique, heap: HeapReading.everyRow)
            // Without its index it would compare each row with each other one.
            try await catalog.addKeys(connection, exclusions, .exclusion, heap: [:])
            try await catalog.addKeys(connection, domains, .domain, heap: HeapReading.everyRow)
            try await connection.execute("ROLLBACK")
        } catch {
            try? await connection.execute("ROLLBACK")
            throw error
        }
        return catalog
    }

    /// What a row promises by itself, one pass over each table.
    private mutating func addRows(_ connection: PostgresConnection) async throws(PostgresError) {
        var order: [String] = []
        var tables: [String: (bytes: Int64, counts: [String], promises: [ConstraintQuestion.Promise])] = [:]
        for row in try await connection.query(Self.rowPromises) {
            guard let table = row["relation"], let name = row["name"] else { continue }
            guard let condition = row["condition"] else {
                unasked.append("\(table): \(name) (what it says depends on when it is asked)")
                continue
            }
            if tables[table] == nil { order.append(table) }
            let kind: ConstraintQuestion.Kind = row["kind"] == "n" ? .notNull : .check
            tables[table, default: (row["bytes"].flatMap { Int64($0) } ?? 0, [], [])].counts.append("count(*) FILTER (WHERE \(condition))")
            tables[table]?.promises.append(ConstraintQuestion.Promise(kind: kind, name: name))
        }
        for table in order {
            guard let found = tables[table] else { continue }
            // A query has some 1,600 columns at the most.
            for start in stride(from: 0, to: found.counts.count, by: 500) {
                let part = start..<min(start + 500, found.counts.count)
                questions.append(
                    ConstraintQuestion(
                        table: table, bytes: found.bytes, counts: Array(found.counts[part]), source: "ONLY \(table)",
                        promises: Array(found.promises[part]), heap: HeapReading.everyRow))
            }
        }
    }

    private mutating func addKeys(
        _ connection: PostgresConnection, _ catalog: String, _ kind: ConstraintQuestion.Kind, heap: [String: String]
    ) async throws(PostgresError) {
        for row in try await connection.query(catalog) {
            guard let table = row["relation"], let name = row["name"] else { continue }
            guard let source = row["source"] else {
                unasked.append("\(table): \(name) (\(row["why"] ?? "no query here asks it"))")
                continue
            }
            questions.append(
                ConstraintQuestion(
                    table: table, bytes: row["bytes"].flatMap { Int64($0) } ?? 0, counts: [row["count"] ?? "count(*)"], source: source,
                    promises: [ConstraintQuestion.Promise(kind: kind, name: name, parent: row["parent"])], heap: heap))
        }
    }
}
