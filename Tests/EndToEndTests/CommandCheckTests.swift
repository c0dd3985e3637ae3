// Checks that are programs of the user's own, and checks that a role asks.

import Foundation
import ServerVersions
import TestPrograms
import Testing

@Suite(.enabled(if: PostgresVersion.areHere(.system), "PostgreSQL 15 is not here"))
struct CommandCheckTests {
    private static let marker = "row-value-4711"

    /// A table that app may read and one that it may not, a role without a login, and a cluster's dump with its roles.
    private static func fill(_ source: PostgresSource) async throws {
        try await source.sql("CREATE ROLE app LOGIN; CREATE ROLE nobody", database: "postgres")
        try await source.sql(
            """
            CREATE TABLE orders (id int); INSERT INTO orders SELECT generate_series(1, 20);
            CREATE TABLE salaries (id int); INSERT INTO salaries VALUES (1);
            CREATE TABLE mine (owner name, id int); INSERT INTO mine VALUES ('app', 1), ('other', 2);
            ALTER TABLE mine ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON mine USING (owner = current_user);
            GRANT SELECT ON orders, mine TO app
            """)
        try await source.sql("CREATE DATABASE crm", database: "postgres")
        try await source.sql("CREATE TABLE people (id int); INSERT INTO people SELECT generate_series(1, 7)", database: "crm")
        try await dumpAll(source)
    }

    private static func dumpAll(_ source: PostgresSource) async throws {
        try await Program.require([
            "\(source.bin)/pg_dumpall", "-h", source.host, "-U", "postgres", "-f",
            source.fixture.store.appendingPathComponent("a.sql").path,
        ])
    }

    /// The drill's cases of its own questions, by name.
    private func ask(_ source: PostgresSource, _ checks: String, from backup: String = "script") async throws -> (Outcome, [Report.Case]) {
        let (outcome, drill) = try await source.drill(backup, checks: checks, bins: [source.bin])
        return (outcome, drill.cases(of: "declared"))
    }

    @Test func aProgramLooksAtTheRestoredDatabase() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            let folder = source.fixture.drills
            try writeProgram(
                """
                #!/bin/sh
                echo \(Self.marker) >&2
                [ "$(psql -XAtc 'select current_database(), current_user')" = "shop|postgres" ] || exit 11
                psql -XAtc 'create table t ()' && exit 12
                [ "$MUSTER_DRILL $MUSTER_SERVICE" = "own postgres" ] || exit 13
                [ -z "$(ls -A . | grep -v smoke.sh)" ] || exit 14
                [ "$PLACE" = "\\"shop\\" at $PGHOST" ] || exit 15
                [ -z "$MUSTER_TEST_SECRET" ] || exit 16
                cat "\(source.fixture.folder.path)/seal.key" && exit 17
                psql -XAtc 'select count(*) from orders'
                """, to: folder.appendingPathComponent("smoke.sh"))
            try FileManager.default.createDirectory(at: folder.appendingPathComponent("smoke/bin"), withIntermediateDirectories: true)
            try writeProgram("#!/bin/sh\n. ./library; answer\n", to: folder.appendingPathComponent("smoke/bin/ask"))
            try Data("answer() { psql -XAtc 'select sum(id) from people'; }\n".utf8).write(
                to: folder.appendingPathComponent("smoke/library"))
            let role = #"run: [psql, -XAtc, "select count(*) from mine, orders"], as: app, expect: "= 20""#
            let environment = #"environment: {PLACE: '"{postgres.database}" at {postgres.socket-folder}'}"#
            let (outcome, cases) = try await ask(
                source,
                """
                {command: {name: orders are there, run: [./smoke.sh], \(environment), expect: "= 20"}},
                {command: {run: [bin/ask], folder: smoke, expect: "> 27", database: crm}},
                {command: {name: by role, \(role)}},
                {command: {name: another code, run: [sh, -c, exit 7], expect-exit: 7}}
                """)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(
                cases.map(\.name) == ["orders are there", "by role as app", "another code", "bin/ask in crm"],
                "\(cases.map(\.name))")
            // What it wrote is for --keep, and in no report.
            #expect(!outcome.text.contains(Self.marker))
            #expect(try await Program.run(["grep", "-rl", Self.marker, source.fixture.reports.path]).out == "")
        }
    }

    @Test func aProgramThatFindsItWrong() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            let (outcome, cases) = try await ask(
                source,
                """
                {command: {name: code, run: [sh, -c, "echo \(Self.marker); exit 3"]}},
                {command: {name: killed, run: [sh, -c, "kill -9 $$"]}},
                {command: {name: number, run: [psql, -XAtc, select count(*) from orders], expect: "= 21"}},
                {command: {name: text, run: [echo, "\(Self.marker)"], expect: "= ok"}},
                {command: {name: silent, run: ["true"], expect: "= ok"}},
                {command: {name: no database, run: ["true"], database: nosuch}}
                """)
            #expect(outcome.code == 1, "\(outcome.text)")
            let told = cases.compactMap { $0.findings.first.map { "\($0.rule) \($0.actual)" } }
            #expect(
                told.sorted() == [
                    "command-failed exit 3", "command-failed signal 9", "command-output-unexpected 20", "command-output-unexpected nothing",
                    "command-output-unexpected text of 14 characters", "database-not-in-backup crm, shop",
                ], "\(told)")
            #expect(!outcome.text.contains(Self.marker))
        }
    }

    /// What could not be asked is no verdict against the backup.
    @Test func aProgramThatCantBeRun() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            let folder = source.fixture.drills
            try Data("exit 0\n".utf8).write(to: folder.appendingPathComponent("plain.sh"))
            try writeProgram("#!/usr/bin/env muster-no-such-program\n", to: folder.appendingPathComponent("strange"))
            let (outcome, cases) = try await ask(
                source,
                """
                {command: {name: a, run: [./nowhere.sh]}},
                {command: {name: b, run: [./plain.sh]}},
                {command: {name: c, run: [./strange]}},
                {command: {name: d, run: [muster-no-such-program]}},
                {command: {name: e, run: [./x], folder: nowhere}},
                {command: {name: f, run: [sleep, "600"], timeout: 1s}},
                {command: {name: g, run: [sh, -c, "head -c 70000 /dev/zero"], expect: "= ok"}}
                """)
            #expect(outcome.code == 2, "\(outcome.text)")
            let told = cases.filter { $0.verdict == "error" && $0.findings.first?.rule == "command-not-run" }
            #expect(cases.count == 7 && told.count == 7, "\(cases)")
        }
    }

    /// What a command changes is found by nothing that is asked of the backup.
    @Test func itRunsBehindAllElse() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            let write = "PGOPTIONS= psql -qXc 'insert into people values (8)' crm && PGOPTIONS= psql -qXc 'insert into orders values (21)'"
            let (green, cases) = try await ask(
                source,
                """
                {command: {name: writes, run: [sh, -c, "\(write)"]}}, {rows: {table: people, exactly: 7, database: crm}},
                {rows: {table: orders, exactly: 20}}
                """)
            #expect(green.code == 0 && cases.last?.name == "writes", "\(green.text)")
            // Nor is it the backup's fault when the server is gone.
            try writeProgram(
                "#!/bin/sh\nPGOPTIONS= psql -qXc \"copy (select 1) to program 'kill -9 \\$(head -n1 postmaster.pid)'\"\ntrue\n",
                to: source.fixture.drills.appendingPathComponent("stop"))
            let (error, told) = try await ask(
                source, "{command: {name: ends it, run: [./stop]}}, {command: {name: next, run: [\"true\"], database: crm}}")
            #expect(error.code == 2 && told.allSatisfy { $0.verdict == "error" }, "\(error.text)")
        }
        try await RedisSource.with(.system) { source in
            try await source.ask("SET", "a", "1")
            try #require(try await source.seal("rdb").code == 0)
            let write = #"redis-cli -s $MUSTER_SOCKET replicaof no one && redis-cli -s $MUSTER_SOCKET set lost 1"#
            let (red, _) = try await source.drill(
                "rdb", checks: "{command: {name: writes, run: [sh, -c, '\(write)']}}, {key: {name: lost}}")
            #expect(red.code == 1 && red.text.contains("key-missing"), "\(red.text)")
        }
    }

    /// Only the program itself hears what is said to the loader, and not what starts it as root.
    @Test func theLoadersVariables() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            let (green, _) = try await ask(
                source,
                #"{command: {name: trace, run: [sh, -c, "echo $LD_DEBUG_OUTPUT"], environment: {LD_DEBUG_OUTPUT: /x}, expect: "= /x"}}"#)
            #expect(green.code == 0, "\(green.text)")
            let log = source.folder.appendingPathComponent("loaded")
            let (run, _) = try await ask(
                source, "{command: {name: trace, run: [\"true\"], environment: {LD_DEBUG: files, LD_DEBUG_OUTPUT: \(log.path)}}}")
            let written = try FileManager.default.contentsOfDirectory(atPath: source.folder.path).filter { $0.hasPrefix("loaded") }
            #expect(run.code == 0 && written == [], "\(written)")
        }
    }

    @Test func aRoleAsks() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            let (outcome, cases) = try await ask(
                source,
                """
                {rows: {table: orders, exactly: 20, as: app}},
                {rows: {table: mine, exactly: 1, as: app}},
                {rows: {table: mine, exactly: 2}},
                {sql: {name: who, query: select session_user || current_user, expect: = appapp, as: app}}
                """)
            #expect(outcome.code == 0 && cases.count == 4, "\(outcome.text)")
            #expect(cases.contains { $0.name == "rows of mine: exactly 1 as app" }, "\(cases.map(\.name))")
            try await source.sql("ALTER ROLE app SET statement_timeout = '50ms'")
            try await Self.dumpAll(source)
            let (slow, cut) = try await ask(source, "{sql: {name: slow, query: select pg_sleep(1), expect: is not null, as: app}}")
            #expect(slow.code == 2 && cut.first?.findings.first?.actual == "SQLSTATE 57014", "\(slow.text)")
            let (red, wrong) = try await ask(
                source,
                """
                {rows: {table: salaries, exactly: 1, as: app}},
                {sql: {name: right, query: select count(*) from salaries, expect: = 1, as: app}},
                {rows: {table: orders, exactly: 20, as: nobody}},
                {command: {name: no login, run: ["true"], as: nobody}},
                {rows: {table: orders, exactly: 20, as: stranger}}
                """)
            #expect(red.code == 1, "\(red.text)")
            #expect(
                wrong.compactMap { $0.findings.first?.rule }.sorted()
                    == ["role-lacks-right", "role-lacks-right", "role-refused", "role-refused", "role-refused"], "\(red.text)")
            // A dump without roles says nothing of what one may do.
            try await source.dump("\(source.bin)/pg_dump", [], to: "a.sql")
            let (unproven, unasked) = try await ask(source, "{rows: {table: orders, exactly: 20, as: app}}")
            #expect(unproven.code == 2 && unasked.first?.verdict == "error", "\(unproven.text)")
            #expect(unasked.first?.findings.first?.hint.contains("--globals-only") == true, "\(unproven.text)")
        }
    }

    /// A copy that came back as files is asked in the same way.
    @Test func thePhysicalCopy() async throws {
        try await PostgresSource.with(.system) { source in
            try await Self.fill(source)
            try source.fixture.editEstate(", wal: {match: \"wal/*\", encryption: none}", "")
            let base = source.fixture.store.appendingPathComponent("base")
            try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
            try await Program.require([
                "\(source.bin)/pg_basebackup", "-h", source.host, "-U", "postgres", "-D", base.appendingPathComponent("b1").path, "-c",
                "fast",
            ])
            let count = #"{command: {name: count, run: [psql, -XAtc, select count(*) from orders], expect: "= 20", as: app}}"#
            let people = #"{command: {name: people, run: [psql, -XAtc, select count(*) from people], expect: "= 7", database: crm}}"#
            let (green, cases) = try await ask(source, "\(count), \(people), {rows: {table: mine, exactly: 1, as: app}}", from: "base")
            #expect(green.code == 0 && cases.count == 3, "\(green.text)")
            let (red, _) = try await ask(source, count.replacing("20", with: "21"), from: "base")
            #expect(red.code == 1 && red.text.contains("command-output-unexpected"), "\(red.text)")
        }
    }

    @Test func aProgramLooksAtTheRestoredKeys() async throws {
        try await RedisSource.with(.system) { source in
            try await source.ask("MSET", "a", "1", "b", "2", "c", "3")
            let sealed = try await source.seal("rdb")
            try #require(sealed.code == 0, "\(sealed.text)")
            let count = #"{command: {name: count, run: [sh, -c, 'redis-cli -s "$MUSTER_SOCKET" dbsize'], expect: "= 3"}}"#
            let place = #"{command: {name: place, run: [redis-cli, -s, "{redis.socket}", get, b], expect: "= 2"}}"#
            let (green, drill) = try await source.drill("rdb", checks: "\(count), \(place)")
            #expect(green.code == 0 && drill.cases(of: "declared").count == 2, "\(green.text)")
            let (red, _) = try await source.drill("rdb", checks: count.replacing("= 3", with: "= 4"))
            #expect(red.code == 1 && red.text.contains("command-output-unexpected"), "\(red.text)")
        }
    }
}
