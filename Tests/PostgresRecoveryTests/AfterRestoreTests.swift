// What pg_restore leaves behind by chance is told from damage, and mended.

import DrillModel
import Foundation
import PostgresClient
import ScratchHost
import TestSupport
import Testing

@testable import PostgresRecovery

@Suite(.enabled(if: TestMachine.hasPostgres, "no postgres server is installed")) struct AfterRestoreTests {
    private static let invalid = """
        SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text COLLATE "C") FROM pg_index WHERE NOT indisvalid
        """

    /// Two levels of partitions, as the race of several jobs leaves them: the catalogue is told so by hand, since the race itself is rare.
    @Test func anInvalidPartitionedIndexIsAttachedAgain() async throws {
        try await withServer { server in
            let connection = try await PostgresConnection.connect(server.configuration(database: "postgres"))
            try await connection.execute(
                """
                CREATE TABLE t (i int, j int) PARTITION BY RANGE (i);
                CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (j);
                CREATE TABLE t11 PARTITION OF t1 FOR VALUES FROM (0) TO (10);
                CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20);
                CREATE INDEX whole ON t (i);
                CREATE TABLE u (i int) PARTITION BY RANGE (i);
                CREATE TABLE u1 PARTITION OF u FOR VALUES FROM (0) TO (10);
                CREATE INDEX parts_missing ON ONLY u (i);
                UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('whole'::regclass, 't1_i_idx'::regclass)
                """)
            let cases = await AfterRestore(database: "postgres", service: "s").cases(on: server)
            #expect(cases.map(\.verdict) == [.passed])
            let findings = cases.flatMap(\.findings)
            // The inner one makes the outer one valid with it.
            #expect(findings.map(\.rule.name) == ["partitioned-index-invalid"])
            #expect(findings.first?.severity == .warning && findings.first?.object == "index public.t1_i_idx")
            // One that never had its parts is the source's own, and stays.
            #expect(try await connection.value(Self.invalid) == "parts_missing")
            await connection.close()
        }
    }

    /// What pg_restore says where a partition's trigger comes before that of the whole table.
    @Test func theStateOfAPartitionsTriggerIsSetAgain() async throws {
        try await withServer { server in
            let connection = try await PostgresConnection.connect(server.configuration(database: "postgres"))
            try await connection.execute(
                """
                CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
                CREATE TABLE t (i int) PARTITION BY RANGE (i);
                CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);
                CREATE TRIGGER touch BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()
                """)
            let file = server.socketFolder.appendingPathComponent("restore.log")
            let text =
                ["touch", "gone"].map { name in
                    "pg_restore: from TOC entry 3213; 2620 16403 TRIGGER t1 \(name) postgres\n"
                        + "pg_restore: error: could not execute query: ERROR:  trigger \"\(name)\" for table \"t1\" does not exist\n"
                        + "Command was: \nALTER TABLE public.t1 DISABLE TRIGGER \(name);\n\n\n"
                }.joined() + "pg_restore: warning: errors ignored on restore: 2\n"
            try Data(text.utf8).write(to: file)
            var log = try RestoreLog(reading: file)
            #expect(log.problems.count == 2 && log.count == 2)
            let findings = await AfterRestore(database: "postgres", service: "s").switchTriggersAgain(&log, on: server)
            #expect(findings.map { "\($0.severity) \($0.rule) \($0.object)" } == ["warning partition-trigger-late TRIGGER t1 touch"])
            #expect(try await connection.value("SELECT tgenabled FROM pg_trigger WHERE tgrelid = 't1'::regclass") == "D")
            // What isn't there at all is the backup's.
            #expect(log.count == 1 && log.problems.count == 1 && log.problems[0].object.contains("gone"))
            await connection.close()
        }
    }

    @Test func ofASoundDatabaseNothingIsSaid() async throws {
        try await withServer { server in
            let cases = await AfterRestore(database: "postgres", service: "s").cases(on: server)
            #expect(cases.isEmpty)
        }
    }

    private func withServer(_ body: (ScratchPostgres) async throws -> Void) async throws {
        try await withScratchHost { host in
            let server = try await ScratchPostgres.start(
                on: host, in: try host.folder.privateFolder("p"), binaries: try PostgresBinaries.suitable(forDumpOf: nil), profile: .fast)
            do {
                try await body(server)
            } catch {
                await server.stop()
                throw error
            }
            await server.stop()
        }
    }
}
