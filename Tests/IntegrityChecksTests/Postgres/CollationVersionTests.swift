// A physical copy whose text indexes were built by another C library or ICU says so.

import DrillModel
import IntegrityChecks
import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct CollationVersionTests {
    private func cases(_ connection: PostgresConnection, _ origin: PostgresCheckContext.Origin) async -> [CaseResult] {
        let emitted = Emitted()
        await PostgresChecks.run(
            PostgresCheckContext(connection: connection, service: "db", seal: nil, origin: origin, emit: { emitted.add($0) }))
        return emitted.cases
    }

    /// What another machine recorded is written into the catalogue by hand: a machine has one ICU.
    @Test func anotherVersionIsAWarning() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(
                    """
                    CREATE COLLATION german (provider = icu, locale = 'de'); CREATE COLLATION unused (provider = icu, locale = 'sv');
                    CREATE TABLE t (a text COLLATE german, b text, c int); CREATE INDEX ON t (a); CREATE INDEX ON t (b); CREATE INDEX ON t (c)
                    """)
                let sound = await cases(connection, .files(serverVersion: nil)).named("collation versions", in: .schema)
                #expect(sound?.verdict == .passed && sound?.findings.isEmpty == true)
                try await connection.execute(
                    """
                    SET allow_system_table_mods = on; UPDATE pg_collation SET collversion = '1.0' WHERE collname IN ('german', 'unused');
                    UPDATE pg_database SET datcollversion = '2.0' WHERE datname = current_database()
                    """)
                let told = try #require(await cases(connection, .files(serverVersion: nil)).named("collation versions", in: .schema))
                #expect(told.verdict == .passed && told.findings.allSatisfy { $0.severity == .warning && $0.hint.contains("REINDEX") })
                #expect(told.findings.map(\.object) == ["collation public.german", "database"])
                #expect(told.findings.allSatisfy { $0.message.contains("1 of its indexes") })
                // A dump builds its indexes here.
                #expect(await cases(connection, .dump(serverVersion: nil)).named("collation versions", in: .schema) == nil)
            }
        }
    }
}
