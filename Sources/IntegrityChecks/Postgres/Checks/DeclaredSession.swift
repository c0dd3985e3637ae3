// The conditions under which a drill file's question is asked: nothing can be written, and it ends.

import PostgresClient

/// A read-only transaction with a time limit, under the database's own settings but for those that let an index answer for a table.
struct DeclaredSession {
    private let connection: PostgresConnection
    private let milliseconds: Int64
    private let heap: [String: String]

    /// - Parameter heap: One of ``HeapReading``.
    init(_ context: PostgresCheckContext, heap: [String: String]) {
        self.heap = heap
        connection = context.connection
        milliseconds = max(1, Int64(context.statementTimeout / .milliseconds(1)))
    }

    func ask<Answer: Sendable>(
        _ question: (PostgresConnection) async throws(PostgresError) -> Answer
    ) async throws(PostgresError) -> Answer {
        // The inventory pins settings for itself, the search path among them; whoever wrote the question knows only the defaults.
        let defaults = PostgresInventory.settings.keys.sorted().map { "SET LOCAL \($0) TO DEFAULT;" }.joined(separator: " ")
        let reading = heap.sorted { $0.key < $1.key }.map { "SET LOCAL \($0.key) = \($0.value);" }.joined(separator: " ")
        try await connection.execute("BEGIN READ ONLY; \(defaults) \(reading) SET LOCAL statement_timeout = \(milliseconds)")
        do throws(PostgresError) {
            let answer = try await question(connection)
            try await connection.execute("ROLLBACK")
            return answer
        } catch {
            // Where the session is gone, so is the transaction.
            try? await connection.execute("ROLLBACK")
            throw error
        }
    }
}
