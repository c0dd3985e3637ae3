// What a query of a drill file answers: one value, or none.

import PostgresClient
import Synchronization

enum SingleAnswer: Sendable {
    case nothing
    /// nil is SQL's NULL.
    case value(String?)

    /// However much a query returns, no more than its first value is kept.
    static func ask(_ connection: PostgresConnection, _ query: String) async throws(PostgresError) -> SingleAnswer {
        let seen = Mutex<(rows: Int, columns: Int, value: String?)>((0, 0, nil))
        try await connection.stream(query) { row in
            seen.withLock { state in
                if state.rows == 0 { (state.columns, state.value) = (row.columns.count, row[0]) }
                state.rows += 1
            }
        }
        let (rows, columns, value) = seen.withLock { $0 }
        if rows == 0 { return .nothing }
        guard rows == 1, columns == 1 else {
            throw PostgresError(
                .unsupported, message: "the query returned \(rows) rows of \(columns) columns",
                hint: "write it so that it returns one row of one column")
        }
        return .value(value)
    }
}
