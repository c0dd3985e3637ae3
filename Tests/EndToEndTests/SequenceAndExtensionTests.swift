// What a dump can lose without a row missing: where sequences stand, and what stands in the tables of extensions.

import Foundation
import ServerVersions
import Testing

@Suite(.enabled(if: PostgresVersion.areHere(.system), "PostgreSQL 15 is not here"))
struct SequenceAndExtensionTests {
    private static let rule = "sequence-behind-column"
    /// Without a seal a drill needs a question of its own.
    private static let counted = "{rows: {table: public.orders, exactly: 20}}"

    @Test func aDumpWithoutItsSequencesPositions() async throws {
        try await PostgresSource.with(.system) { source in
            let bins = [source.bin]
            try await source.sql(
                """
                CREATE TABLE orders (id serial PRIMARY KEY, t text); INSERT INTO orders (t) SELECT 'x' FROM generate_series(1, 20);
                CREATE TABLE kinds (id serial PRIMARY KEY, t text); INSERT INTO kinds VALUES (1, 'a'), (2, 'b')
                """)
            let script = source.fixture.store.appendingPathComponent("a.sql")
            let pgDump = "\(source.bin)/pg_dump"
            try await source.dump(pgDump, [], to: "a.sql")
            let whole = try String(contentsOf: script, encoding: .utf8)
            // Untouched: the lookup table's is so in the source.
            let green = try await source.expectGreen("script", checks: Self.counted, bins: bins)
            #expect(green.findings.filter { $0.rule == Self.rule }.map(\.severity) == ["note"], "\(green.findings)")
            let lines = whole.split(separator: "\n", omittingEmptySubsequences: false)
            let rest = lines.filter { !$0.contains("pg_catalog.setval(") }
            #expect(rest.count == lines.count - 2)
            try Data(rest.joined(separator: "\n").utf8).write(to: script)
            let (outcome, red) = try await source.drill("script", checks: Self.counted, bins: bins)
            #expect(outcome.code == 1, "\(outcome.text)")
            let lost = red.findings.filter { $0.rule == Self.rule && $0.severity == "critical" }
            #expect(lost.map(\.object) == ["sequence public.kinds_id_seq", "sequence public.orders_id_seq"], "\(red.findings)")
            #expect(lost.allSatisfy { $0.hint.contains("SELECT setval('public.") })
        }
    }

    /// It isn't the backup's fault, with and without a seal; and it is said.
    @Test func aSourceThatIsBehindItself() async throws {
        try await PostgresSource.with(.system) { source in
            let bins = [source.bin]
            try await source.sql(
                """
                CREATE TABLE orders (id serial PRIMARY KEY, t text); INSERT INTO orders (t) SELECT 'x' FROM generate_series(1, 20);
                SELECT setval('orders_id_seq', 5)
                """)
            try await source.dump("\(source.bin)/pg_dump", ["-Fc"], to: "a.dump")
            let unsealed = try await source.expectGreen(checks: Self.counted, bins: bins, noticed: [Self.rule])
            #expect(unsealed.findings.first { $0.rule == Self.rule }?.severity == "warning")
            try FileManager.default.removeItem(at: source.fixture.store.appendingPathComponent("a.dump"))
            try await source.requireSeal(bins: bins)
            let sealed = try await source.expectGreen(bins: bins, noticed: [Self.rule])
            let finding = sealed.findings.first { $0.rule == Self.rule }
            #expect(finding?.severity == "warning" && finding?.message.contains("when the backup was sealed") == true, "\(sealed.findings)")
        }
    }

    /// PostgreSQL's own order puts the state of a trigger before the trigger; it is run again, and compared.
    @Test func theStateOfATriggerOnAPartitionsPartition() async throws {
        try await PostgresSource.with(.system) { source in
            let bins = [source.bin]
            try await source.sql(
                """
                CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
                CREATE TABLE t (i int, j int) PARTITION BY LIST (j);
                CREATE TABLE m PARTITION OF t FOR VALUES IN (1) PARTITION BY LIST (i);
                CREATE TABLE a PARTITION OF m FOR VALUES IN (1);
                CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
                INSERT INTO t VALUES (1, 1); ALTER TABLE a DISABLE TRIGGER f
                """)
            try await source.requireSeal(bins: bins)
            // Which comes first is decided by the number of jobs here, and by the script's order there.
            try await source.expectGreen(bins: bins)
            try await source.dump("\(source.bin)/pg_dump", [], to: "a.sql")
            try await source.expectGreen(
                "script", checks: "{rows: {table: public.a, exactly: 1}}", bins: bins, noticed: ["partition-trigger-late"])
        }
    }

    /// Each version keeps some of these otherwise: until 14 a partition's copy of a trigger counts as internal.
    @Test(.enabled(if: PostgresVersion.areHere(.v14), "PostgreSQL 14 is not here: scripts/setup-tests brings it"))
    func theKindsOfAnOlderServer() async throws {
        try await PostgresSource.with(.v14) { source in
            try await source.sql(
                """
                CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
                CREATE TABLE k (i int PRIMARY KEY); INSERT INTO k VALUES (1);
                CREATE TABLE t (i int REFERENCES k) PARTITION BY LIST (i); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
                CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); INSERT INTO t VALUES (1);
                ALTER TABLE t1 DISABLE TRIGGER f; CREATE EXTENSION hstore; ALTER FUNCTION f() DEPENDS ON EXTENSION hstore;
                CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
                CREATE AGGREGATE w(int) (SFUNC = int4pl, STYPE = int, FINALFUNC = int4abs, FINALFUNC_MODIFY = READ_WRITE);
                CREATE MATERIALIZED VIEW m AS SELECT 'x'::text AS t; ALTER MATERIALIZED VIEW m ALTER t SET STORAGE MAIN
                """)
            try await source.requireSeal(bins: [source.bin])
            for bin in [source.bin, PostgresVersion.system.bin ?? source.bin] { try await source.expectGreen(bins: [bin]) }
        }
    }

    /// A table that was made a part of an extension is in no dump.
    @Test func aTableThatIsPartOfAnExtension() async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql("CREATE EXTENSION hstore")
            try await source.sql("CREATE TABLE t AS SELECT 1 AS i; CREATE TABLE settings AS SELECT i FROM generate_series(1, 1000) i")
            try await source.sql("ALTER EXTENSION hstore ADD TABLE settings")
            try await source.requireSeal(bins: [source.bin])
            let (outcome, drill) = try await source.drill(bins: [source.bin])
            #expect(outcome.code == 1, "\(outcome.text)")
            let critical = drill.findings.filter { $0.severity == "critical" }
            #expect(critical.map { "\($0.rule) \($0.object)" } == ["table-missing public.settings"], "\(drill.findings)")
        }
    }
}

/// pg_cron marks its table of jobs: a dump holds them, and they are compared.
@Suite(.enabled(if: PostgresVersion.areHere(.v15_20cron), "PostgreSQL 15.20 with pg_cron is not here: scripts/setup-tests brings it"))
struct ScheduledJobsTests {
    @Test func comeBackAndAreCompared() async throws {
        let settings = ["shared_preload_libraries='pg_cron'", "cron.database_name='shop'", "cron.host='/nowhere'"]
        let needs = """
                preload: [pg_cron]
                settings: {cron.database_name: shop}
            """
        try await PostgresSource.with(.v15_20cron, settings: settings, more: needs) { source in
            try await source.sql("CREATE EXTENSION pg_cron")
            try await source.sql("CREATE TABLE t AS SELECT 1 AS i")
            try await source.sql("SELECT cron.schedule('tick', '0 0 1 1 *', 'SELECT 1')")
            try await source.requireSeal(bins: [source.bin])
            let drill = try await source.expectGreen(bins: [source.bin])
            let compared = drill.cases(of: "content").first { $0.name == "tables of extension pg_cron" }
            #expect(compared?.verdict == "passed" && !drill.unproven.contains { $0.contains("cron") }, "\(drill.unproven)")
        }
    }
}
