// `muster attach`: a kept server is looked into inside the quarantine, and nothing of it is left running.

import Foundation
import Glibc
import Testing

struct AttachCommandTests {
    /// What a test keeps goes with it.
    private static func with(_ body: @escaping @Sendable (Fixture) async throws -> Void) async throws {
        try await Fixture.with { fixture in
            try await body(fixture)
            #expect(try await fixture.run(["clean", "--kept", "--yes"]).code == 0)
        }
    }

    private func keep(_ service: String, _ fixture: Fixture) async throws -> (run: String, folder: String, said: String) {
        let (outcome, report) = try await fixture.drill(try fixture.drillFile(service), ["--keep"])
        #expect(outcome.code == 0, "\(outcome.text)")
        return (report.run.id, try #require(report.drills.first?.fact("scratch.kept")), outcome.out)
    }

    private func expectEnded(_ fixture: Fixture, _ folder: String, _ location: SourceLocation = #_sourceLocation) {
        #expect(ProcessList.mentioning(fixture.scratch.path).isEmpty, sourceLocation: location)
        #expect(FileManager.default.fileExists(atPath: folder), sourceLocation: location)
    }

    @Test func postgres() async throws {
        try await Self.with { fixture in
            let kept = try await keep("postgres", fixture)
            // What is to be typed is told, and it works as it is told.
            #expect(kept.said.contains("muster attach \(kept.run) --service postgres"), "\(kept.said)")
            #expect(kept.said.contains("psql -X -h \(kept.folder)/p0-1p/s -p 5432 -U postgres -d "))
            let count = try await fixture.run(["attach", kept.run, "--command", "select 40 + count(*) from pg_database", "--", "-At"])
            #expect(count.code == 0 && Int(count.out.trimmingCharacters(in: .newlines)) ?? 0 > 42, "\(count.text)")
            expectEnded(fixture, kept.folder)
            // A script comes by standard input; its first error is told by the end.
            let attach = "'\(Program.muster)' attach \(kept.run) --scratch '\(fixture.scratch.path)' -- -At"
            let words = "echo 'select 41 + 1; select 1/0; select 43' | \(attach)"
            let script = try await Program.run(["sh", "-c", words], folder: fixture.folder)
            #expect(script.code == 3 && script.out == "42\n" && script.err.contains("division by zero"), "\(script.text)")
            expectEnded(fixture, kept.folder)
        }
    }

    /// What the dump's code, or whoever looked before, has left in the data folder changes nothing of how it is started.
    @Test func theQuarantineHoldsAgain() async throws {
        try await Self.with { fixture in
            let kept = try await keep("postgres", fixture)
            let armed = try await fixture.run(["attach", kept.run, "--command", "alter system set listen_addresses = '*'"])
            #expect(armed.code == 0, "\(armed.text)")
            let armedToo = try await fixture.run(["attach", kept.run, "--command", "alter system set unix_socket_directories = '/tmp'"])
            #expect(armedToo.code == 0, "\(armedToo.text)")
            let asked = try await fixture.run([
                "attach", kept.run, "--command",
                """
                select current_setting('listen_addresses') = '', current_setting('unix_socket_directories') like '%/p0-1p/s',
                    current_setting('archive_mode'),
                    pg_stat_file('\(fixture.passphrase.path)', true) is null, pg_stat_file('\(fixture.store.path)', true) is null
                """, "--", "-At",
            ])
            #expect(asked.code == 0 && asked.out == "t|t|off|t|t\n", "\(asked.text)")
            // The client as well: what it is told to run is in there.
            let client = try await fixture.run([
                "attach", kept.run, "--", "-c",
                "\\! ls -d '\(fixture.passphrase.path)' '\(fixture.store.path)' 2>/dev/null; id -u; echo end",
            ])
            let lines = client.out.split(separator: "\n")
            #expect(lines.count == 2 && lines.last == "end", "\(client.text)")
            if geteuid() == 0 { #expect(lines.first != "0") }
        }
    }

    @Test func redis() async throws {
        try await Self.with { fixture in
            let kept = try await keep("redis", fixture)
            #expect(kept.said.contains("redis-cli -s \(kept.folder)/r0-1/redis.sock"), "\(kept.said)")
            let size = try await fixture.run(["attach", kept.folder, "--command", "DBSIZE"])
            #expect(size.code == 0 && Int(size.out.trimmingCharacters(in: .newlines)) ?? 0 > 10, "\(size.text)")
            let quoted = try await fixture.run(["attach", kept.run, "--command", "ECHO 'two words'"])
            #expect(quoted.code == 0 && quoted.out == "two words\n", "\(quoted.text)")
            let after = try await fixture.run(["attach", kept.run, "--", "ECHO", "three small words"])
            #expect(after.out == "three small words\n", "\(after.text)")
            let wrong = try await fixture.run(["attach", kept.run, "--command", "NOSUCH"])
            #expect(wrong.code == 1, "\(wrong.text)")
            #expect(try await fixture.run(["attach", kept.run, "--command", "ECHO 'open"]).code == 64)
            expectEnded(fixture, kept.folder)
        }
    }

    @Test func severalServersAreToldApart() async throws {
        try await Self.with { fixture in
            let file = try fixture.drillFile()
            try fixture.edit(file, "recover:\n", "recover:\n  postgres: {from: daily, select: latest}\n")
            let (outcome, report) = try await fixture.drill(file, ["--keep"])
            let run = report.run.id
            #expect(outcome.out.contains("attach \(run) --service postgres") && outcome.out.contains("attach \(run) --service redis"))
            let unclear = try await fixture.run(["attach", run])
            #expect(unclear.code == 64 && unclear.err.contains("--service: postgres, redis"), "\(unclear.text)")
            let unknown = try await fixture.run(["attach", run, "--service", "nosuch"])
            #expect(unknown.code == 64 && unknown.err.contains("there are: postgres, redis"), "\(unknown.text)")
            #expect(try await fixture.run(["attach", run, "--service", "redis", "--command", "PING"]).out == "PONG\n")
            let gone = try await fixture.run(["attach", "run-0"])
            #expect(gone.code == 64 && gone.err.contains(run), "\(gone.text)")
            #expect(try await fixture.run(["clean", "--kept", run]).code == 0)
            #expect(try await fixture.run(["attach", run, "--service", "redis"]).code == 64)
        }
    }

    /// As people copy or read it: its end, or its beginning where no other begins so.
    @Test func aRunIsNamedInShort() async throws {
        try await Self.with { fixture in
            let one = try await keep("redis", fixture).run
            let two = try await keep("redis", fixture).run
            let ping = ["--command", "PING"]
            for short in [String(two.suffix(4)), String(one.dropLast(2)), String(one.dropFirst(4))] {
                let answered = try await fixture.run(["attach", short] + ping)
                #expect(answered.code == 0 && answered.out == "PONG\n", "\(short): \(answered.text)")
            }
            for command in [["attach", "run-2"] + ping, ["clean", "--kept", "run-2"]] {
                let unclear = try await fixture.run(command)
                #expect(unclear.code == 64 && unclear.err.contains(one) && unclear.err.contains(two), "\(command): \(unclear.text)")
            }
            #expect(try await fixture.run(["clean", "--kept", "run"]).code == 64)
            #expect(try await fixture.run(["clean", "--kept", String(one.suffix(4))]).code == 0)
            #expect(try await fixture.run(["attach", one] + ping).code == 64)
            #expect(try await fixture.run(["clean", "--kept", String(two.dropLast(1))]).code == 0)
        }
    }

    @Test func aSignalEndsAllOfIt() async throws {
        try await Self.with { fixture in
            let kept = try await keep("postgres", fixture)
            for signal in [SIGTERM, SIGINT] {
                let running = try fixture.start(["attach", kept.run, "--command", "select pg_sleep(600)"])
                try await waitForClient(fixture)
                // Meanwhile nobody else has it, and nobody cleans it up.
                let second = try await fixture.run(["attach", kept.run, "--command", "select 1"])
                #expect(second.code == 64 && second.err.contains("in use"), "\(second.text)")
                #expect(try await fixture.run(["clean", "--kept", "--yes"]).code == 0)
                #expect(try await fixture.run(["clean", "--kept", kept.run]).code == 64)
                running.send(signal)
                let outcome = await running.outcome()
                #expect(outcome.code == (signal == SIGTERM ? 143 : 130), "\(outcome.text)")
                expectEnded(fixture, kept.folder)
            }
        }
    }

    /// What a killed one leaves running ends with the next command that cleans up; the folder stays kept.
    @Test func aKilledOneIsEndedLater() async throws {
        try await Self.with { fixture in
            let kept = try await keep("postgres", fixture)
            let running = try fixture.start(["attach", kept.run, "--command", "select pg_sleep(600)"])
            try await waitForClient(fixture)
            running.send(SIGKILL)
            _ = await running.outcome()
            let cleaned = try await fixture.run(["clean"])
            #expect(cleaned.code == 0 && cleaned.out.contains("kept on purpose"), "\(cleaned.text)")
            expectEnded(fixture, kept.folder)
            #expect(try await fixture.run(["attach", kept.run, "--command", "select 42", "--", "-At"]).out == "42\n")
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script"), "script is missing: it lends the test a terminal"))
    func aTerminalIsThePrograms() async throws {
        try await Self.with { fixture in
            let kept = try await keep("postgres", fixture)
            // The answer 4242 isn't typed. A Ctrl-C in between ends the query alone.
            let typed = """
                { until ls '\(kept.folder)/p0-1p/s/.s.PGSQL.5432' >/dev/null 2>&1; do sleep 0.2; done; sleep 5
                printf 'select pg_sleep(600);\\n'; sleep 4; printf '\\003'; sleep 2; printf 'select 42 || 42::text;\\n\\\\q\\n'; sleep 2; }
                """
            // A shell that waits beside it would take the Ctrl-C for its own end.
            let words = "exec '\(Program.muster)' attach \(kept.run) --scratch '\(fixture.scratch.path)' -- -P pager=off"
            let outcome = try await Program.run(
                ["sh", "-c", "\(typed) | script -qec \"\(words)\" /dev/null"], environment: ["TERM": "xterm"], folder: fixture.folder)
            #expect(outcome.code == 0 && outcome.out.contains("4242"), "\(outcome.code) \(outcome.text)")
            #expect(outcome.out.contains("canceling statement due to user request"), "\(outcome.text)")
            expectEnded(fixture, kept.folder)
        }
    }

    private func waitForClient(_ fixture: Fixture) async throws {
        for _ in 0..<600 {
            if ProcessList.mentioning(fixture.scratch.path).contains(where: { $0.name == "psql" && $0.arguments.contains("pg_sleep") }) {
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("psql was never opened")
    }
}
