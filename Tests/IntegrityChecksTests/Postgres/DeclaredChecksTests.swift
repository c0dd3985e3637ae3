// The drill file's own questions, and every way in which they can go wrong.

import DrillModel
import IntegrityChecks
import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct DeclaredChecksTests {
    static let rows: [(table: String, bounds: Bounds, verdict: Verdict, rule: String)] = [
        ("people", Bounds(atLeast: 1), .passed, ""), ("public.people", Bounds(atLeast: 3, atMost: 3), .passed, ""),
        ("app.\"Odd \"\"one\"", Bounds(atMost: 0), .passed, ""), ("parts", Bounds(atLeast: 2, atMost: 2), .passed, ""),
        ("in_app", Bounds(atLeast: 1), .passed, ""),
        ("people", Bounds(atLeast: 4), .failed, "rows-out-of-bounds"), ("people", Bounds(atMost: 2), .failed, "rows-out-of-bounds"),
        ("public.nowhere", Bounds(atMost: 2), .failed, "table-missing"), ("nowhere.people", Bounds(atMost: 2), .failed, "table-missing"),
        ("public.people; DROP TABLE people", Bounds(atMost: 9), .error, "not-asked"), ("a.b.c.d", Bounds(atMost: 9), .error, "not-asked"),
    ]

    static let queries: [(query: String, expect: String, verdict: Verdict, rule: String, actual: String)] = [
        ("SELECT count(*) FROM people", "= 3", .passed, "", ""), ("SELECT max(name) FROM people", "= secret-4711", .passed, "", ""),
        ("SELECT NULL", "is null", .passed, "", ""), ("SELECT current_setting('search_path')", "= app, public", .passed, "", ""),
        ("SELECT current_setting('TimeZone')", "= Asia/Kolkata", .passed, "", ""),
        ("SELECT count(*) FROM people", "> 3", .failed, "expectation-not-met", "3"),
        ("SELECT max(name) FROM people", "= other", .failed, "expectation-not-met", "text of 11 characters"),
        ("SELECT true", "= f", .failed, "expectation-not-met", "t"), ("SELECT NULL", "> 0", .failed, "expectation-not-met", "NULL"),
        ("SELECT '2024-01-02 03:04:05+00'::timestamptz", "= x", .failed, "expectation-not-met", "2024-01-02 08:34:05+05:30"),
        ("SELECT 1 WHERE false", "is null", .failed, "expectation-not-met", "no row"),
        ("SELECT * FROM nowhere", "= 1", .failed, "query-failed", "SQLSTATE 42P01"),
        ("SELECT nowhere FROM people", "= 1", .failed, "query-failed", "SQLSTATE 42703"),
        ("SELECT nowhere(1)", "= 1", .failed, "query-failed", "SQLSTATE 42883"),
        ("SELECT i FROM generate_series(1, 2) i", "= 1", .error, "not-asked", "unsupported"),
        ("SELECT 1, 2", "= 1", .error, "not-asked", "unsupported"),
        ("SELCT 1", "= 1", .error, "not-asked", "SQLSTATE 42601"),
        ("SELECT name::int FROM people", "= 1", .error, "not-asked", "SQLSTATE 22P02"),
        ("DELETE FROM people RETURNING 1", "= 1", .error, "not-asked", "SQLSTATE 25006"),
        ("SELECT 1; SELECT 2", "= 1", .error, "not-asked", "SQLSTATE 42601"),
        ("SELECT pg_sleep(60)", "is not null", .error, "not-asked", "SQLSTATE 57014"),
        ("SELECT set_config('transaction_read_only', 'off', true)", "= off", .error, "not-asked", "SQLSTATE 25001"),
        ("", "= 1", .failed, "expectation-not-met", "no row"),
    ]

    @Test func everyAnswerHasItsVerdict() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { setup in
                let database = try #require(try await setup.value("SELECT current_database()"))
                try await setup.execute(
                    """
                    ALTER DATABASE \(database) SET search_path = app, public; ALTER DATABASE \(database) SET TimeZone = 'Asia/Kolkata';
                    CREATE SCHEMA app; CREATE TABLE app."Odd ""one" (a integer); CREATE TABLE app.in_app AS SELECT 1;
                    CREATE TABLE people AS SELECT 'secret-4711' AS name FROM generate_series(1, 3);
                    CREATE TABLE parts (a integer) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts VALUES (1), (2)
                    """)
                let connection = try await server.connect(database: database)
                // The inventory has pinned its settings by the time that these are asked.
                _ = try await PostgresInventory(connection).tables()
                for (table, bounds, verdict, rule) in Self.rows {
                    let result = try await ask(connection, .rows(table: table, bounds: bounds))
                    #expect(result.verdict == verdict && result.findings.first?.rule.name ?? "" == rule, "\(table) \(result)")
                }
                for (query, text, verdict, rule, actual) in Self.queries {
                    let expect = try #require(Expectation(parsing: text))
                    let result = try await ask(connection, .sql(name: "q", query: query, expect: expect))
                    #expect(result.verdict == verdict && result.findings.first?.rule.name ?? "" == rule, "\(query) \(result)")
                    #expect(result.findings.first?.actual ?? "" == actual, "\(query)")
                    #expect(!result.findings.contains { "\($0.actual)\($0.message)".contains("secret-4711") })
                }
                #expect(try await connection.value("SELECT count(*) FROM public.people") == "3", "nothing was written")
                await connection.close()
            }
        }
    }

    /// Where nothing may run beside the server, and nobody else log in, the answer is an error: what looked at nothing has not passed.
    @Test func whatOnlyAScratchServerIsAsked() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                for question in [
                    .command(CommandCheck(name: "c", run: [Template("true")])),
                    .asRole("postgres", .rows(table: "people", bounds: Bounds(atMost: 9))),
                ] as [DeclaredCheck] {
                    let result = try await ask(connection, question)
                    #expect(result.verdict == .error && !result.findings.isEmpty, "\(result)")
                }
                await connection.close()
            }
        }
    }

    private func ask(_ connection: PostgresConnection, _ question: DeclaredCheck) async throws -> CaseResult {
        let emitted = Emitted()
        let context = PostgresCheckContext(
            connection: connection, service: "db", seal: nil, declared: [question], statementTimeout: .seconds(1), emit: { emitted.add($0) }
        )
        await PostgresChecks.run(context)
        let own = emitted.cases.filter { $0.group == .declared }
        #expect(own.count == 1)
        return try #require(own.first)
    }
}
