// Asks the drill file's sealed queries: the restored database must answer as the source did.

import DrillModel
import PostgresClient

extension Rule {
    static let sealedAnswerDiffers = Rule("sealed-answer-differs")
    static let queryNotSealed = Rule("query-not-sealed")
}

/// Declared queries whose answers the seal holds.
struct DeclaredSealedCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        for check in context.declared {
            guard case .sealed(let question) = check else { continue }
            let start = ContinuousClock.now
            let sealed = context.seal?.answers?.first { $0.name == question.name }
            guard let sealed, sealed.query == question.query else {
                await context.emit(
                    .unasked(
                        .declared, service: context.service, name: check.name, duration: start.duration(to: .now),
                        finding: notSealed(question, sealed, in: context)))
                continue
            }
            do throws(PostgresError) {
                let answer = try await answer(question, context)
                await context.judge(.declared, check.name, since: start, try Self.findings(question, sealed, answer))
            } catch  where DeclaredQueryCheck.lacking.contains(error.sqlState ?? "") {
                let finding = Finding(
                    .queryFailed, object: check.name, expected: "an answer", actual: "SQLSTATE \(error.sqlState ?? "")",
                    message: error.message, hint: "the source had what the query names: the restored database lacks it")
                await context.judge(.declared, check.name, since: start, [finding])
            } catch {
                await context.fail(.declared, check.name, since: start, object: check.name, error)
            }
        }
    }

    private func answer(_ question: SealedQuestion, _ context: PostgresCheckContext) async throws(PostgresError) -> String? {
        let heap = HeapReading.rowsByIndex.sorted { $0.key < $1.key }.map { "SET LOCAL \($0.key) = \($0.value)" }.joined(separator: "; ")
        let limit = max(1, Int64(context.statementTimeout / .milliseconds(1)))
        let connection = context.connection
        try await connection.execute("BEGIN READ ONLY; \(SealedQueries.settings); \(heap); SET LOCAL statement_timeout = \(limit)")
        do throws(PostgresError) {
            let answer = try await SealedQueries.answer(connection, question.query)
            try await connection.execute("ROLLBACK")
            return answer
        } catch {
            // Where the session is gone, so is the transaction.
            try? await connection.execute("ROLLBACK")
            throw error
        }
    }

    static func findings(_ question: SealedQuestion, _ sealed: SealedAnswer, _ answer: String?) throws(PostgresError) -> [Finding] {
        let isSame: Bool
        if let salt = sealed.salt {
            isSame = try SealedQueries.digest(answer, salt: salt) == sealed.sha256
        } else {
            isSame = answer == sealed.value && (answer == nil) == (sealed.isNull == true)
        }
        guard !isSame else { return [] }
        // Neither where it was to be hashed then, nor where it is now.
        let isHashed = sealed.salt != nil || question.values == .hashed
        return [
            Finding(
                .sealedAnswerDiffers, object: sealed.name, expected: isHashed ? "the sealed answer" : PostgresChecks.shown(sealed.value),
                actual: isHashed ? "another answer" : PostgresChecks.shown(answer),
                message: "the restored database answers otherwise than the source did when it was sealed",
                hint: "this backup does not hold what the source held: restore from an older one; a query that asks for the time, or for "
                    + "what lies outside of the database, has no answer that stays")
        ]
    }

    private func notSealed(_ question: SealedQuestion, _ sealed: SealedAnswer?, in context: PostgresCheckContext) -> Finding {
        Finding(
            .queryNotSealed, object: question.name, expected: "a seal that holds the source's answer to this query",
            actual: context.seal == nil
                ? context.unsealedReason : sealed == nil ? "none of that name" : "the answer to another query of that name",
            message: "nothing says what the source would have answered",
            hint: "seal with the drill's queries: muster seal --queries DRILL.yaml; an answer is lacking where the query failed then")
    }
}
