// Asks the drill file's own queries.

import DrillModel
import PostgresClient

extension Rule {
    static let expectationNotMet = Rule("expectation-not-met")
    static let queryFailed = Rule("query-failed")
}

/// Declared queries, each with an expectation of its single value.
struct DeclaredQueryCheck: PostgresCheck {
    /// The database lacks what the query names: a table, column, function, type, schema.
    static let lacking: Set<String> = ["42P01", "42703", "42883", "42704", "3F000"]

    func run(_ context: PostgresCheckContext) async {
        for check in context.declared {
            let (role, question) = check.unwrapped
            guard case .sql(_, let query, let expect) = question else { continue }
            let name = check.name
            let start = ContinuousClock.now
            if await context.refuses(role, name, since: start) { continue }
            do throws(PostgresError) {
                let answer = try await DeclaredSession(context, as: role, heap: HeapReading.rowsByIndex).ask {
                    connection throws(PostgresError) -> SingleAnswer in
                    try await SingleAnswer.ask(connection, query)
                }
                await context.judge(.declared, name, since: start, findings(name, answer, expect))
            } catch  where role != nil && error.sqlState == DeclaredRowsCheck.denied {
                await context.judge(.declared, name, since: start, [DeclaredRowsCheck.denial(name, role ?? "")])
            } catch  where Self.lacking.contains(error.sqlState ?? "") {
                let finding = Finding(
                    .queryFailed, object: name, expected: "an answer", actual: "SQLSTATE \(error.sqlState ?? "")", message: error.message,
                    hint: "the restored database lacks what the query names: check whether it was restored, and the query's spelling")
                await context.judge(.declared, name, since: start, [finding])
            } catch {
                await context.fail(.declared, name, since: start, object: name, error)
            }
        }
    }

    private func findings(_ name: String, _ answer: SingleAnswer, _ expect: Expectation) -> [Finding] {
        let actual: String
        switch answer {
        case .nothing: actual = "no row"
        case .value(let value):
            if expect.isSatisfied(by: value) { return [] }
            actual = PostgresChecks.shown(value)
        }
        return [
            Finding(
                .expectationNotMet, object: name, expected: "\(expect)", actual: actual,
                message: "the query's answer is not what the drill file expects",
                hint: "look at how old the backup is and how it was made; if the expectation is wrong, mend the drill file")
        ]
    }
}

extension PostgresChecks {
    /// Numbers, truth values and times tell what is wrong; a text could be anybody's data.
    public static func shown(_ value: String?) -> String {
        guard let value else { return "NULL" }
        if ["t", "f", "true", "false", "on", "off"].contains(value) { return value }
        let time = /\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d(:?\d\d)?|Z)?)?/
        let number = /[+-]?\d+(\.\d+)?([eE][+-]?\d+)?/
        if value.utf8.count <= 40, value.wholeMatch(of: time) != nil || value.wholeMatch(of: number) != nil { return value }
        return "text of \(value.count) characters"
    }
}
