// Every version that is said to work is put through the whole: sealed, drilled in each format, damaged, recovered to a time.

import Foundation
import Testing

/// PostgreSQL 14 to 19, with the newest minor releases that are to be had.
@Suite(.enabled(if: !PostgresVersion.tried.isEmpty, "no PostgreSQL of scripts/setup-tests is here"))
struct PostgresMatrixTests {
    private static let schema = """
        CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad', 'ok');
        CREATE TABLE app.people (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood app.mood DEFAULT 'ok', doc jsonb, born date);
        INSERT INTO app.people (name, doc, born) SELECT 'name ' || i, json_build_object('i', i), date '1990-01-01' + i FROM generate_series(1, 2000) i;
        CREATE TABLE app.events (at timestamptz NOT NULL, person int REFERENCES app.people (id), amount numeric(10, 2)) PARTITION BY RANGE (at);
        CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
        CREATE TABLE app.events_2 PARTITION OF app.events FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
        INSERT INTO app.events SELECT '2026-01-02'::timestamptz + i * interval '3 hours', 1 + i % 2000, i / 3.0 FROM generate_series(1, 2500) i;
        CREATE INDEX ON app.events (person); CREATE INDEX people_lower ON app.people (lower(name)) WHERE mood = 'ok';
        ALTER TABLE app.people ALTER COLUMN name SET (n_distinct = 2000);
        CREATE VIEW app.totals AS SELECT person, sum(amount) AS total FROM app.events GROUP BY person;
        CREATE VIEW app.young AS SELECT people.id, people.name FROM app.people WHERE people.born > '1995-01-01';
        CREATE MATERIALIZED VIEW app.busiest AS SELECT events.person, count(*) AS n FROM app.events GROUP BY events.person;
        CREATE FUNCTION app.total(p int) RETURNS numeric LANGUAGE sql STABLE AS 'SELECT total FROM app.totals WHERE person = p';
        CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := btrim(NEW.name); RETURN NEW; END $$;
        CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON app.people FOR EACH ROW EXECUTE FUNCTION app.touch();
        CREATE SEQUENCE app.numbers START 100; SELECT nextval('app.numbers');
        SELECT lo_from_bytea(0, 'a large object'); CREATE STATISTICS app.both (dependencies) ON name, born FROM app.people;
        ALTER TABLE app.people ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON app.people USING (mood <> 'sad');
        ANALYZE
        """
    private static let rows =
        "{rows: {table: app.people, exactly: 2000}}, {rows: {table: app.events, exactly: 2500}}, {rows: {table: app.busiest, exactly: 2000}}"

    /// `PostgreSQL 18.6`, as the program itself says.
    private func name(_ source: PostgresSource) async throws -> String {
        let words = try await Program.require(["\(source.bin)/postgres", "--version"]).out.split(whereSeparator: \.isWhitespace)
        return "PostgreSQL \(words.count > 2 ? words[2] : "?")"
    }

    @Test(arguments: PostgresVersion.tried)
    func dumps(_ version: PostgresVersion) async throws {
        try await PostgresSource.with(version) { source in
            let name = try await name(source)
            let bins = [source.bin]
            try await source.sql(Self.schema)
            try await source.requireSeal(bins: bins)
            let drill = try await source.expectGreen(checks: Self.rows, bins: bins)
            #expect(drill.fact("postgres.server-version") == "PostgreSQL \(version.major)")
            #expect(drill.recoveryPoints.first?.truth == "source")
            #expect(drill.findings.allSatisfy { $0.severity == "note" || $0.rule == "roles-created-empty" }, "\(drill.findings)")
            VersionRecord.passed(name, "sealed, drilled")
            let damaged = try await source.fixture.run(
                [
                    "sabotage", try source.fixture.drillFile("postgres", from: "daily").path, "--damage", "changed-value", "--damage",
                    "dropped-index",
                ],
                environment: PostgresSource.environment(bins))
            #expect(damaged.code == 0 && damaged.out.contains("changed-value") && !damaged.out.contains("✗"), "\(damaged.text)")
            VersionRecord.passed(name, "a changed value is red")
            for (format, set, file) in [("-Fp", "script", "a.sql"), ("-Fd", "folder", "a.dir")] {
                try await source.dump("\(source.bin)/pg_dump", [format], to: file)
                try await source.expectGreen(set, checks: Self.rows, bins: bins)
                VersionRecord.passed(name, format == "-Fp" ? "plain" : "directory")
            }
        }
    }

    /// A base backup and the write-ahead log behind it, to a moment between two changes.
    @Test(arguments: PostgresVersion.tried)
    func pointInTime(_ version: PostgresVersion) async throws {
        let archive = "/tmp/msource-wal-\(UUID().uuidString.prefix(8))"
        try await Program.require(["mkdir", "-p", "-m", "777", archive])
        defer { try? FileManager.default.removeItem(atPath: archive) }
        try await PostgresSource.with(
            version, settings: ["wal_level=replica", "archive_mode=on", "archive_command='cp %p \(archive)/%f'", "max_wal_senders=4"]
        ) { source in
            let name = try await name(source)
            try await source.sql(Self.schema)
            let store = source.fixture.store
            try await Program.require(["mkdir", "-p", store.appendingPathComponent("base").path])
            try await Program.require([
                "\(source.bin)/pg_basebackup", "-h", source.host, "-U", "postgres", "-D", store.appendingPathComponent("base/b1").path,
                "-Ft", "-X",
                "none", "-c", "fast", "--no-sync",
            ])
            // Behind the backup's end, which is dated to the whole second.
            try await Task.sleep(for: .milliseconds(1200))
            try await source.sql("INSERT INTO app.people (name) VALUES ('before')")
            let moment = try await source.sql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
            try await Task.sleep(for: .milliseconds(200))
            try await source.sql("INSERT INTO app.people (name) VALUES ('after')")
            let last = try await source.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")
            try await source.sql("SELECT pg_switch_wal()")
            // A file of that name may still be on its way: the server knows when it is there as a whole.
            try await source.wait(for: "t", "SELECT last_archived_wal COLLATE \"C\" >= '\(last)' FROM pg_stat_archiver")
            try await Program.require(["cp", "-r", archive, store.appendingPathComponent("wal").path])
            let checks = """
                [{sql: {name: before, query: "select count(*) from app.people where name = 'before'", expect: "= 1"}},
                 {sql: {name: after, query: "select count(*) from app.people where name = 'after'", expect: "= 0"}}]
                """
            let file = source.fixture.drills.appendingPathComponent("pitr.yaml")
            let text = """
                version: 1
                drill: pitr
                estate: ../estate.yaml
                scenario: database-corruption
                profile: fast
                incident: {at: now}
                recover:
                  postgres: {from: base, to: {time: "\(moment)"}}
                checks:
                  postgres: \(checks.replacingOccurrences(of: "\n", with: " "))

                """
            try Data(text.utf8).write(to: file)
            let (outcome, report) = try await source.fixture.drill(file, environment: PostgresSource.environment([source.bin]))
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.cases(of: "declared").filter { $0.verdict == "passed" }.count == 2)
            VersionRecord.passed(name, "to a time")
        }
    }

    /// Sealed on one major version, restored where the next one alone is there: what a move to it would meet.
    @Test(
        .enabled(if: Program.isRoot, "the system's own PostgreSQL is hidden by a mount, which needs root"),
        arguments: [
            (PostgresVersion.v14, PostgresVersion.system), (.system, .v16), (.v15_20, .v16), (.v16, .v17_12), (.v17, .v18), (.v17_12, .v18),
            (.v18, .v19),
        ].filter { PostgresVersion.tried.contains($0.0) && PostgresVersion.tried.contains($0.1) })
    func onTheNextMajor(_ from: PostgresVersion, _ to: PostgresVersion) async throws {
        try await PostgresSource.with(from) { source in
            let name = try await name(source)
            try await source.sql(Self.schema)
            try await source.requireSeal(bins: [source.bin])
            let drill = try await source.restored(by: to)
            #expect(drill.verdict == "passed", "\(drill.findings)")
            #expect(drill.fact("postgres.server-version") == "PostgreSQL \(to.major)")
            VersionRecord.passed(name, "on the next major version")
        }
    }
}

/// Redis 6.2 to 8.2 and Valkey 9.1: as a snapshot and as append-only files, on the day and when every time to live has run out.
@Suite(.enabled(if: !RedisVersion.tried.isEmpty, "no Redis is here"))
struct RedisMatrixTests {
    private func name(_ source: RedisSource) async throws -> String {
        let info = try await source.ask("INFO", "server").split(whereSeparator: \.isNewline)
        func value(_ key: String) -> String? { info.first { $0.hasPrefix("\(key):") }.map { String($0.dropFirst(key.count + 1)) } }
        return value("valkey_version").map { "Valkey \($0)" } ?? "Redis \(value("redis_version") ?? "?")"
    }

    /// Every type; keys and, where there are such, fields whose time comes while the test runs.
    private func fill(_ source: RedisSource) async throws -> ContinuousClock.Instant {
        for i in 0..<60 { try await source.ask("SET", "page:\(i)", "content \(i)") }
        try await source.ask("HSET", "user:1", "name", "a", "mail", "b", "token", "c")
        try await source.ask("RPUSH", "queue", "1", "2", "3")
        try await source.ask("SADD", "tags", "x", "y")
        try await source.ask("ZADD", "ranks", "1", "a", "2.5", "b")
        try await source.ask("XADD", "log", "*", "k", "v")
        try await source.ask("-n", "3", "SET", "elsewhere", "1")
        try await source.ask("SET", "lasting", "1", "EX", "100000")
        let seconds = 12
        try await source.ask("SET", "session:1", "1", "EX", "\(seconds)")
        if source.version.hasFieldTimes {
            try await source.ask("HEXPIRE", "user:1", "\(seconds)", "FIELDS", "1", "token")
            try await source.ask("HSET", "user:2", "name", "z", "token", "t")
            try await source.ask("HEXPIRE", "user:2", "90000", "FIELDS", "1", "token")
        }
        return ContinuousClock.now + .seconds(seconds + 1)
    }

    private func expectDamageIsRed(_ backup: String, _ source: RedisSource) async throws {
        let damaged = try await source.fixture.run(
            ["sabotage", try source.fixture.drillFile("redis", from: backup).path, "--damage", "changed-field", "--damage", "missing-key"],
            environment: source.environment)
        #expect(damaged.code == 0 && damaged.out.contains("changed-field") && !damaged.out.contains("✗"), "\(damaged.text)")
    }

    @Test(arguments: RedisVersion.tried) func snapshots(_ version: RedisVersion) async throws {
        try await RedisSource.with(version) { source in
            let name = try await name(source)
            let end = try await fill(source)
            var sealed = try await source.seal("rdb")
            if version == .valkey91 {
                // It hands no client a snapshot with times of fields: the way out that the message names.
                #expect(sealed.code == 2 && sealed.err.contains("RDB version 11") && sealed.err.contains("--existing"), "\(sealed.text)")
                try await source.ask("SAVE")
                let file = source.data.appendingPathComponent("dump.rdb").path
                try await Program.require(["cp", file, source.fixture.store.appendingPathComponent("a.rdb").path])
                sealed = try await source.seal("rdb", ["--existing", "latest"])
            }
            try #require(sealed.code == 0, "\(sealed.text)")
            try await source.expectGreen("rdb")
            VersionRecord.passed(name, "rdb")
            try await Task.sleep(until: end)
            try await source.expectGreen("rdb")
            VersionRecord.passed(name, "rdb, times run out")
            try await expectDamageIsRed("rdb", source)
            VersionRecord.passed(name, "a changed value is red")
        }
    }

    @Test(arguments: RedisVersion.tried) func appendOnlyFiles(_ version: RedisVersion) async throws {
        try await RedisSource.with(version, arguments: ["--appendonly", "yes"]) { source in
            let name = try await name(source)
            let end = try await fill(source)
            try await source.ask("BGREWRITEAOF")
            try await source.wait(for: "aof_rewrite_in_progress:0", in: "persistence")
            // What stands behind the base.
            try await source.ask("SET", "page:60", "after the rewrite")
            try await source.ask("HSET", "user:1", "mail", "changed")
            try await Task.sleep(for: .milliseconds(1200))
            let from = source.data.appendingPathComponent(version.hasManifest ? "appendonlydir" : "appendonly.aof").path
            try await Program.require(["cp", "-r", from, source.fixture.store.appendingPathComponent("aof-1").path])
            let sealed = try await source.seal("aof", ["--existing", "latest"])
            try #require(sealed.code == 0, "\(sealed.text)")
            let (outcome, drill) = try await source.drill(
                "aof", checks: "{keys: {pattern: \"page:*\", at-least: 61}}, {keys: {pattern: \"user:1\", at-least: 1}}")
            #expect(outcome.code == 0 && drill.cases(of: "content").contains { $0.verdict == "passed" }, "\(outcome.text)")
            VersionRecord.passed(name, "aof")
            try await Task.sleep(until: end)
            try await source.expectGreen("aof")
            VersionRecord.passed(name, "aof, times run out")
        }
    }
}
