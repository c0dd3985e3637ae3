// A lost server whose database really lives: the application started against a standby that nobody can write to, and every server that is none.

import Foundation
import Glibc
import Testing

@Suite struct LivingDatabaseTests {
    /// What a password file has to escape is in it.
    private static let password = "r3ader:of\\standbys"
    private static let environment = ["READER": password, "KEEPER": "k33per-of-standbys"]

    /// Reads what is there, tries to write, and says what came of it.
    private static let application = """
        import subprocess, time
        def ask(query):
            done = subprocess.run(["psql", "-qXAt", "-c", query], capture_output=True, text=True)
            return done.stdout.strip() if done.returncode == 0 else done.stderr
        rows, refusal = ask("SELECT count(*) FROM a"), ask("INSERT INTO b VALUES (4)")
        if rows == "1000" and "read-only transaction" in refusal:
            open("well", "w").close()
        print(rows, refusal, flush=True)
        time.sleep(3600)

        """

    private func write(
        _ pair: StandbyPair, _ fixture: Fixture, host: String? = nil, user: String = "drill_reader, password: {env: READER}",
        more: String = "", checks: String = "",
        hold: String = "1s"
    ) throws -> URL {
        let folder = fixture.lab.appendingPathComponent("app")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(Self.application.utf8).write(to: folder.appendingPathComponent("app.py"))
        let estate = """
            version: 1
            estate: shop
            stores: {one: {type: file, path: backups/primary}}
            services:
              postgres:
                engine: postgres
                living: {host: \(host ?? pair.standby), database: shop, user: \(user)}
                backups:
                  daily: {kind: pg_dump, store: one, match: "*.dump", encryption: none}
            applications:
              web:
                folder: app
                start: [/usr/bin/python3, app.py]
                environment: {PGHOST: "{postgres.socket-folder}", PGDATABASE: "{postgres.database}", PGUSER: "{postgres.user}"}
                health:
                  hold: \(hold)
                  within: 20s
                  probes:
                    - command: {run: [test, -e, "{application.folder}/well"]}
                    - sql: {service: postgres, query: select count(*) from a, expect: "1000"}

            """
        let drill = """
            version: 1
            drill: failure
            estate: ../shop.yaml
            scenario: server-failure
            application: web
            targets: {rto: 1h}
            existing: {postgres: {from: living}}
            checks: {postgres: [{rows: {table: public.a, exactly: 1000}}\(checks)]}
            \(more)

            """
        try Data(estate.utf8).write(to: fixture.lab.appendingPathComponent("shop.yaml"))
        let file = fixture.drills.appendingPathComponent("failure.yaml")
        try Data(drill.utf8).write(to: file)
        return file
    }

    private func with(_ body: @Sendable (StandbyPair, Fixture) async throws -> Void) async throws {
        try await StandbyPair.with { pair in
            try await pair.withFixture { fixture in
                try await body(pair, fixture)
                let leak = try await Program.run(["grep", "-rlF", "r3ader", fixture.reports.path, fixture.scratch.path])
                #expect(leak.code == 1, "\(leak.out)")
            }
        }
    }

    private func expect(
        _ fixture: Fixture, _ file: URL, code: Int32, rule: String, location: SourceLocation = #_sourceLocation
    ) async throws {
        try await fixture.expect(file, code: code, rule: [rule], environment: Self.environment, location: location)
    }

    @Test func staysGreen() async throws {
        try await with { pair, fixture in
            let file = try write(pair, fixture)
            let (outcome, report) = try await fixture.drill(file, ["--keep"], environment: Self.environment)
            #expect(outcome.code == 0 && !outcome.text.contains("r3ader"), "\(outcome.text)")
            let drill = try #require(report.drills.first)
            let asked = drill.cases.filter { $0.verdict == "passed" }.map(\.name)
            for name in [
                "the living server is a standby that nobody can write to", "the role that reads in it can do nothing else", "is well",
                "is still a standby that nobody writes to", "rows of public.a: exactly 1000",
            ] { #expect(asked.contains(name), "\(name) \(asked)") }
            #expect(drill.unproven.contains { $0.contains("no backup of it is proven") })
            #expect(try await pair.ask(pair.primary, "SELECT count(*) FROM b") == "1")
            // What was kept holds no password.
            let leak = try await Program.run(["grep", "-rlF", "r3ader", fixture.scratch.path])
            #expect(leak.code == 1, "\(leak.out)")
            #expect(try await fixture.run(["clean", "--kept", "--yes"]).code == 0)
        }
    }

    /// Each question by its own database, in which the role must be as weak as in the first.
    @Test func questionsOfAnotherDatabase() async throws {
        try await with { pair, fixture in
            _ = try await pair.ask(pair.primary, "CREATE DATABASE crm")
            try await pair.wait(for: "1", of: pair.standby, "SELECT count(*) FROM pg_database WHERE datname = 'crm'")
            let rows = "{sql: {name: crm lives, query: select current_database(), expect: \"= crm\", database: crm}}"
            func cases(_ checks: String) async throws -> (Outcome, [Report.Case]) {
                let file = try write(pair, fixture, checks: ", \(checks)")
                let (outcome, report) = try await fixture.drill(file, environment: Self.environment)
                return (outcome, report.drills.first?.cases ?? [])
            }
            let own = "{rows: {table: public.a, exactly: 1000, database: shop}}"
            let (green, asked) = try await cases("\(rows), \(own)")
            #expect(green.code == 0, "\(green.text)")
            #expect(asked.contains { $0.name == "crm lives in crm" && $0.verdict == "passed" }, "\(asked.map(\.name))")
            #expect(asked.contains { $0.name == "rows of public.a: exactly 1000 in shop" && $0.verdict == "passed" })
            // What the existing servers don't hold is no backup's fault, and the drill is not begun.
            let (red, answered) = try await cases(rows.replacing("= crm", with: "= other"))
            #expect(red.code == 2 && answered.first { $0.name == "crm lives in crm" }?.verdict == "error", "\(red.text)")
            let (missing, unasked) = try await cases(rows.replacing("database: crm", with: "database: nosuch"))
            let told = unasked.first { $0.name == "crm lives in nosuch" }
            #expect(missing.code == 2 && told?.verdict == "error", "\(missing.text)")
            #expect(told?.findings.contains { $0.message.contains("nosuch") && $0.hint.contains("GRANT CONNECT") } == true)
        }
    }

    @Test func theLabsDrill() async throws {
        try await Fixture.with { fixture in
            try await LiveSource.shared.with { _ in
                let (outcome, _) = try await fixture.drill(fixture.lab.appendingPathComponent("live/server-failure.yaml"))
                #expect(outcome.code == 0, "\(outcome.text)")
            }
        }
    }

    @Test func whatMustNotBeGivenAway() async throws {
        try await with { pair, fixture in
            try await expect(fixture, try write(pair, fixture, host: pair.primary), code: 2, rule: "existing-not-read-only")
            try await expect(fixture, try write(pair, fixture, user: "postgres"), code: 2, rule: "existing-role-too-strong")
            try await expect(
                fixture, try write(pair, fixture, user: "keeper, password: {env: KEEPER}"), code: 2, rule: "existing-role-too-strong")
            try await expect(
                fixture, try write(pair, fixture, user: "drill_reader, password: {env: KEEPER}"), code: 2, rule: "existing-unreachable")
            try await pair.ask(
                pair.primary, "GRANT pg_signal_backend TO drill_reader; GRANT EXECUTE ON FUNCTION pg_promote TO drill_reader")
            let granted = "SELECT count(*) FROM pg_auth_members WHERE roleid = 'pg_signal_backend'::regrole"
            let deadline = ContinuousClock.now + .seconds(180)
            while try await pair.ask(pair.standby, granted) != "1", ContinuousClock.now < deadline {}
            let drill = try await fixture.expect(
                try write(pair, fixture), code: 2, rule: ["existing-role-too-strong"], environment: Self.environment)
            #expect(drill.findings.contains { $0.actual.contains("pg_signal_backend") && $0.actual.contains("pg_promote") })
        }
    }

    /// Once the application is well.
    @Test func oneThatDoesNotLive() async throws {
        try await with { pair, fixture in
            let socket = "\(pair.standby)/.s.PGSQL.5432"
            let gone = try write(pair, fixture, more: "hooks: {restart: {after: {run: [mv, \(socket), \(socket).gone]}}}")
            try await expect(fixture, gone, code: 2, rule: "existing-gone")
            try FileManager.default.moveItem(atPath: socket + ".gone", toPath: socket)
            let promote = "[psql, -qXAth, \(pair.standby), -U, postgres, -c, 'SELECT pg_promote()', shop]"
            let promoted = try write(pair, fixture, more: "hooks: {restart: {after: {run: \(promote)}}}")
            try await expect(fixture, promoted, code: 1, rule: "existing-not-read-only")
        }
    }

    @Test(arguments: [SIGINT, SIGKILL])
    func stopped(by signal: Int32) async throws {
        try await with { pair, fixture in
            let output = fixture.reports.appendingPathComponent("stopped")
            let running = try fixture.start(
                ["run", try write(pair, fixture, hold: "10m").path, "--output", output.path], environment: Self.environment)
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"restart\"")
            try await Task.sleep(for: .milliseconds(500))
            running.send(signal)
            #expect(await running.outcome().code == (signal == SIGKILL ? 137 : 130))
            if signal == SIGKILL { #expect(try await fixture.run(["clean"]).code == 0) }
            fixture.expectNothingLeft()
            let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'drill_reader'"
            let deadline = ContinuousClock.now + .seconds(180)
            while try await pair.ask(pair.standby, sessions) != "0", ContinuousClock.now < deadline {}
            #expect(try await pair.ask(pair.standby, sessions) == "0")
        }
    }
}
