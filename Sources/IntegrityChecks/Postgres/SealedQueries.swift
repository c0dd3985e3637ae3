// Asks a drill file's queries at the source, for a seal, and of what came back.

import Cryptography
public import DrillModel
public import PostgresClient

/// The same settings on both sides: a session's own would make another text of the same value.
enum SealedQueries {
    static var settings: String {
        var all = PostgresInventory.settings
        // Whoever writes a query names tables as an application does.
        all["search_path"] = "public"
        return all.sorted { $0.key < $1.key }.map { "SET LOCAL \($0.key) = \(SQL.literal($0.value))" }.joined(separator: "; ")
    }

    /// - Returns: nil for SQL's NULL.
    static func answer(_ connection: PostgresConnection, _ query: String) async throws(PostgresError) -> String? {
        switch try await SingleAnswer.ask(connection, query) {
        case .value(let value): return value
        case .nothing:
            throw PostgresError(
                .unsupported, message: "the query returned no row", hint: "write it so that it returns one row of one column, always")
        }
    }

    static func digest(_ value: String?, salt: String) throws(PostgresError) -> String {
        do {
            let hash = try SHA256Stream()
            try hash.update(Array(salt.utf8) + [value == nil ? 0 : 1] + Array((value ?? "").utf8))
            return try hash.finish()
        } catch {
            throw PostgresError(.unsupported, message: error.message, hint: error.hint)
        }
    }
}

extension PostgresInventory {
    /// Asks a drill file's sealed queries within the transaction that the rest was read in.
    ///
    /// - Parameter hear: Called with what could not be answered: the seal lacks it, and each drill says so.
    public func answers(
        to questions: [SealedQuestion], hear: (SealedQuestion, PostgresError) -> Void
    ) async throws(PostgresError) -> [SealedAnswer] {
        var answers: [SealedAnswer] = []
        for question in questions {
            // What a query breaks, the transaction of all the others must outlive.
            try await connection.execute("SAVEPOINT muster_sealed; \(SealedQueries.settings)")
            do {
                let value = try await SealedQueries.answer(connection, question.query)
                answers.append(try Self.sealed(value, of: question))
            } catch {
                guard error.kind != .cancelled, error.sqlState != nil || error.kind == .unsupported else { throw error }
                hear(question, error)
            }
            try await connection.execute("ROLLBACK TO SAVEPOINT muster_sealed; RELEASE SAVEPOINT muster_sealed")
        }
        return answers
    }

    private static func sealed(_ value: String?, of question: SealedQuestion) throws(PostgresError) -> SealedAnswer {
        switch question.values {
        case .plain: return SealedAnswer(name: question.name, query: question.query, value: value, isNull: value == nil ? true : nil)
        case .hashed:
            let salt = (0..<2).map { _ in
                let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
            return SealedAnswer(
                name: question.name, query: question.query, salt: salt, sha256: try SealedQueries.digest(value, salt: salt))
        }
    }
}
