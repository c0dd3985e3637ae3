// Settings under which a table's rows are counted in the table itself, and not in an index that still lists what is lost.

import PostgresClient

enum HeapReading {
    /// For a question of Muster's own over whole tables.
    static let everyRow = [
        "enable_bitmapscan": "off", "enable_indexonlyscan": "off", "enable_indexscan": "off", "enable_seqscan": "on",
    ]
    /// For a question that somebody else wrote: an index may lead to a row, and not stand for it. Before PostgreSQL 18 a bitmap scan does, too.
    static let rowsByIndex = ["enable_bitmapscan": "off", "enable_indexonlyscan": "off"]
}

extension PostgresInventory {
    /// Asks with every plan but a table's scan switched off. Not for the catalogues, where joins by index are what makes them quick.
    func onHeap<Answer: Sendable>(
        _ question: () async throws(PostgresError) -> Answer
    ) async throws(PostgresError) -> Answer {
        let names = HeapReading.everyRow.keys.sorted()
        let calls = names.map { "pg_catalog.set_config(\(SQL.literal($0)), \(SQL.literal(HeapReading.everyRow[$0] ?? "")), false)" }
        _ = try await connection.query("SELECT " + calls.joined(separator: ", "))
        let back = names.map { "RESET \($0)" }.joined(separator: "; ")
        do throws(PostgresError) {
            let answer = try await question()
            try await connection.execute(back)
            return answer
        } catch {
            // Within a transaction that has failed, rolling back takes the settings along.
            try? await connection.execute(back)
            throw error
        }
    }
}
