// Each check goes red for its damage and stays green without it.

import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct PostgresChecksTests {
    private static let schema = """
        CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, note text);
        INSERT INTO people (name, note) VALUES ('secret-4711', 'a'), ('bob', ''), ('eve', NULL);
        CREATE TABLE empty (a integer);
        CREATE TABLE numbers AS SELECT i FROM generate_series(1, 100) i;
        SELECT lo_from_bytea(8001, 'hello');
        """

    /// A seal of a small database, and a copy of it that a change was made to.
    private func checking(
        _ change: String, declared: [DeclaredCheck] = [], sealed: Bool = true, seal edit: (inout PostgresTruth) -> Void = { _ in },
        _ body: ([CaseResult]) throws -> Void
    ) async throws {
        try await withTestPostgres { server in
            let admin = try await server.connect(database: "postgres")
            try await admin.execute("CREATE DATABASE one TEMPLATE template0")
            let one = try await server.connect(database: "one")
            try await one.execute(Self.schema)
            var truth = try await PostgresInventory(one).truth()
            edit(&truth)
            await one.close()
            try await admin.execute("CREATE DATABASE two TEMPLATE one")
            let two = try await server.connect(database: "two")
            if !change.isEmpty { try await two.execute(change) }
            let cases = await check(two, against: sealed ? truth : nil, declared: declared)
            await two.close()
            await admin.close()
            #expect(!"\(cases)".contains("secret-4711"), "no value reaches a finding")
            #expect(Set(cases.map { "\($0.group) \($0.name)" }).count == cases.count, "names are unique")
            try body(cases)
        }
    }

    @Test func theUntouchedCopyIsGreenTenTimesOfTen() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(Self.schema)
                let seal = try await PostgresInventory(connection).truth()
                for _ in 1...10 {
                    let cases = await check(connection, against: seal)
                    #expect(cases.allSatisfy { $0.verdict == .passed })
                    #expect(cases.filter { $0.group == .rows }.count == 3 && cases.filter { $0.group == .content }.count == 4)
                    #expect(cases.named("sequence values", in: .schema) != nil && cases.named("columns", in: .schema) != nil)
                }
            }
        }
    }

    @Test(arguments: [
        ("UPDATE people SET name = 'x' WHERE id = 1", ["content-differs public.people"]),
        ("DELETE FROM people WHERE id = 2", ["rows-differ public.people"]),
        ("INSERT INTO people (name) VALUES ('new')", ["rows-differ public.people", "sequence-ahead sequence public.people_id_seq"]),
        ("UPDATE people SET name = CASE id WHEN 1 THEN 'bob' ELSE 'secret-4711' END WHERE id < 3", ["content-differs public.people"]),
        ("UPDATE people SET note = '' WHERE note IS NULL", ["content-differs public.people"]),
        ("DROP TABLE people", ["table-missing public.people", "table-missing table public.people"]),
        ("CREATE TABLE more (a integer)", ["table-extra public.more", "table-extra table public.more"]),
        ("SELECT setval('people_id_seq', 1)", ["sequence-behind sequence public.people_id_seq"]),
        ("SELECT lo_put(8001, 0, 'J')", ["large-objects-differ large objects"]),
        ("SELECT lo_unlink(8001)", ["large-objects-differ large objects"]),
        (
            "TRUNCATE people, numbers; SELECT lo_unlink(8001)",
            ["nothing-restored db", "rows-differ public.people", "rows-differ public.numbers", "large-objects-differ large objects"]
        ),
    ])
    func damageIsFoundAndNamed(_ change: String, _ red: [String]) async throws {
        try await checking(change) { cases in
            #expect(Set(cases.red) == Set(red))
            #expect(cases.red.count == red.count)
            for result in cases { #expect((result.verdict == .failed) == !result.findings.filter { $0.severity == .critical }.isEmpty) }
        }
    }

    @Test func aRowMissingSkipsTheContentCase() async throws {
        try await checking("DELETE FROM people WHERE id = 2") { cases in
            #expect(cases.named("public.people", in: .rows)?.findings.first?.expected == "3 rows")
            #expect(cases.named("public.people", in: .content)?.verdict == .skipped)
            #expect(cases.named("public.numbers", in: .content)?.verdict == .passed)
        }
    }

    @Test func withoutASealNothingIsProven() async throws {
        try await checking("", sealed: false) { cases in
            #expect(cases.named("the restore produced something", in: .restore)?.verdict == .passed)
            #expect(cases.named("rows against the seal", in: .rows)?.reason == "not sealed")
            #expect(cases.named("content against the seal", in: .content)?.verdict == .skipped)
            #expect(cases.named("schema", in: .schema)?.verdict == .skipped)
            // Where a sequence stands to its column needs none either.
            #expect(cases.filter { $0.verdict == .passed }.count == 2)
        }
    }

    @Test(arguments: [true, false]) func anEmptyDatabaseIsRed(_ sealed: Bool) async throws {
        try await checking("DROP TABLE people, empty, numbers", sealed: sealed) { cases in
            #expect(cases.named("the restore produced something", in: .restore)?.verdict == .failed)
        }
    }

    @Test func anotherEncodingIsRedAndAnotherCollationAWarning() async throws {
        try await checking(
            "",
            seal: { truth in
                truth.identity.encoding = "LATIN1"
                truth.identity.collate = "sv_SE.UTF-8"
                truth.identity.serverVersion = 120000
            }
        ) { cases in
            let found = try #require(cases.named("encoding and collation", in: .schema))
            #expect(found.findings.map(\.rule.name) == ["encoding-differs", "collation-differs", "major-version-differs"])
            #expect(found.findings.map(\.severity) == [.critical, .warning, .note])
        }
    }

    @Test func sequencesWithinTheirRangeAreGreen() async throws {
        try await checking(
            "SELECT setval('people_id_seq', 7)",
            seal: { truth in
                truth.sequences = truth.sequences.map { $0.covering(SequenceState(name: $0.name, low: 9, high: 9)) }
            }
        ) { cases in
            #expect(cases.red.isEmpty)
        }
    }

    @Test func whatCannotBeReadIsAnError() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(Self.schema)
                let seal = try await PostgresInventory(connection).truth()
                try await connection.execute("RESET ALL; CREATE ROLE weak; GRANT SELECT ON numbers TO weak; SET ROLE weak")
                let cases = await check(connection, against: seal)
                #expect(cases.named("public.people", in: .rows)?.verdict == .error)
                #expect(cases.named("public.people", in: .content)?.verdict == .skipped)
                #expect(cases.named("public.numbers", in: .content)?.verdict == .passed)
                #expect(cases.named("large objects", in: .content)?.verdict == .error)
                #expect(Verdict.combined(cases.filter { $0.group == .rows }.map(\.verdict)) == .error)
            }
        }
    }

    @Test func aServerThatDiesTurnsEveryQuestionIntoAnError() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(Self.schema)
                let seal = try await PostgresInventory(connection).truth()
                let killer = try await server.connect(database: "postgres")
                _ = try await killer.value("SELECT pg_terminate_backend($1::int)", [String(connection.backendPID)])
                await killer.close()
                let declared: [DeclaredCheck] = [
                    .rows(table: "people", bounds: Bounds(atLeast: 1)),
                    .sql(name: "one", query: "SELECT 1", expect: Expectation(comparison: .isNotNull)),
                ]
                let cases = await check(connection, against: seal, declared: declared)
                // A release with known faults has one question more.
                let isMended = !ServerAdvisory.all.contains { $0.concerns(serverVersion: seal.identity.serverVersion) }
                #expect(cases.filter { $0.verdict == .error }.count == (isMended ? 11 : 12))
                #expect(cases.allSatisfy { $0.verdict == .error || $0.verdict == .skipped })
            }
        }
    }
}
