// The rows in extensions' tables: compared where a dump carries them, named where it can't.

import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct ExtensionTablesTests {
    /// A table of settings that extension hstore marks but for its rows of its own, and one that it doesn't mark: what an extension's script does, done by hand.
    private static let schema = """
        CREATE TABLE people (id serial, t text); INSERT INTO people (t) VALUES ('a');
        CREATE EXTENSION hstore;
        CREATE TABLE settings (k text, v text); INSERT INTO settings VALUES ('stock', 'a'), ('own', 'b'), (NULL, 'c');
        CREATE TABLE counters (n int); INSERT INTO counters VALUES (1), (2);
        ALTER EXTENSION hstore ADD TABLE settings; ALTER EXTENSION hstore ADD TABLE counters;
        UPDATE pg_extension SET extconfig = ARRAY['settings'::regclass::oid], extcondition = ARRAY['WHERE k <> ''stock''']
          WHERE extname = 'hstore';
        """

    @Test(arguments: [
        ("SELECT 1", [String](), false),
        ("UPDATE settings SET v = 'x' WHERE k = 'own'", ["critical content-differs public.settings"], false),
        ("DELETE FROM settings WHERE k = 'own'", ["critical rows-differ public.settings"], false),
        ("UPDATE settings SET v = 'x' WHERE k = 'stock'", ["warning extension-rows-not-dumped public.settings"], true),
        ("DELETE FROM settings WHERE k IS NULL", ["warning extension-rows-not-dumped public.settings"], true),
        ("DELETE FROM counters", ["warning extension-rows-not-dumped public.counters"], true),
        ("ALTER EXTENSION hstore DROP TABLE counters; DROP TABLE counters", ["critical table-missing public.counters"], false),
        (
            "UPDATE settings SET v = 'x' WHERE k = 'own'; UPDATE pg_extension SET extversion = '9' WHERE extname = 'hstore'",
            ["warning content-differs public.settings"], false
        ),
    ])
    func eachRowIsComparedOrNamed(_ change: String, _ expected: [String], _ isNamed: Bool) async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(Self.schema)
                let seal = try await PostgresInventory(connection).truth()
                #expect(seal.extensionTables?.map(\.name) == ["public.counters", "public.settings"])
                #expect(
                    seal.extensionTables?.map { $0.dumped?.count } == [nil, 1] && seal.extensionTables?.map { $0.rest?.count } == [2, 2])
                try await connection.execute("SET search_path = public; " + change)
                let (cases, unproven) = await check(connection, seal)
                let found = try #require(cases.named("tables of extension hstore", in: .content))
                #expect(found.findings.map { "\($0.severity) \($0.rule) \($0.object)" } == expected)
                #expect(!unproven.isEmpty == isNamed, "\(unproven)")
            }
        }
    }

    /// A seal of an earlier release says nothing of them: it stays green, and the report says so.
    @Test func anEarlierSealDoesNotHoldThem() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(Self.schema)
                var seal = try await PostgresInventory(connection).truth()
                seal.extensionTables = nil
                let (cases, unproven) = await check(connection, seal)
                #expect(cases.red.isEmpty)
                #expect(cases.named("rows of extensions' tables", in: .content)?.verdict == .skipped)
                #expect(unproven.count == 1 && unproven[0].contains("extensions"), "\(unproven)")
            }
        }
    }

    private func check(_ connection: PostgresConnection, _ seal: PostgresTruth) async -> ([CaseResult], [String]) {
        let emitted = Emitted()
        let sentences = Sentences()
        await PostgresChecks.run(
            PostgresCheckContext(
                connection: connection, service: "db", seal: seal, emit: { emitted.add($0) }, unproven: { sentences.add($0) }))
        return (emitted.cases, sentences.all)
    }
}
