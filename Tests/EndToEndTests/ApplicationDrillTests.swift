// The application started again: after a lost server, after a corrupt database; well, not well, dead, and with the living services lost.

import Foundation
import Glibc
import TestPrograms
import Testing

struct ApplicationDrillTests {
    private static let serves = "print(\"listening\", flush=True)"

    /// The plan's six steps, each with its times and with what was done.
    private func expectSixSteps(_ drill: Report.Drill, _ verdicts: [String]) {
        #expect(drill.steps.map(\.step) == ["identify", "stop", "retrieve", "restore", "verify", "restart"])
        #expect(drill.steps.map(\.verdict) == verdicts)
        for activity in drill.steps.flatMap(\.activities) {
            #expect(activity.start >= 0 && activity.end >= activity.start && !activity.detail.isEmpty, "\(activity)")
        }
        #expect(drill.steps.allSatisfy { !$0.activities.isEmpty })
    }

    // MARK: A lost server

    @Test func aLostServer() async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("good", isDirectory: true)
            let outcome = try await fixture.run(["run", fixture.serverFailure.path, "--output", output.path])
            #expect(outcome.code == 0 && outcome.err == "", "\(outcome.text)")
            let run = try Fixture.runFolder(in: output)
            let drill = try #require(try run.report().drills.first)
            expectSixSteps(drill, ["passed", "passed", "skipped", "skipped", "passed", "passed"])
            // Two seconds of holding, and twenty minutes of people; what the stand-ins took is not in it.
            let rto = try #require(drill.objectives?.rto)
            let measured = try #require(rto.measured)
            #expect(measured >= 2 && measured < 120 && abs((rto.achieved ?? 0) - measured - 1200) < 0.01 && rto.verdict == "passed")
            #expect(try #require(rto.accepting["web-folder"]) <= measured - 2 && drill.objectives?.rpo.isEmpty == true)
            for name in ["lives before the incident", "nothing but muster is connected", "holds what it held before the incident"] {
                #expect(drill.cases(of: "operation").filter { $0.name == name && $0.verdict == "passed" }.count == 2, "\(name)")
            }
            #expect(drill.cases(of: "operation", service: "web-folder").map(\.name) == ["is well", "still runs"])
            #expect(drill.cases(of: "quarantine", service: "web-folder").allSatisfy { $0.verdict != "failed" && $0.verdict != "error" })
            try await JUnitSchema.expectValid(run)
        }
    }

    @Test func onAPortOfItsOwn() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("LISTEN: \"{application.socket}\"", "LISTEN: \"{application.port}\"")
            try fixture.editEstate(
                "- http: {path: /health,",
                "- tcp: {port: 9100}\n        - command: {run: [curl, -sf, \"http://127.0.0.1:{application.port}/health\"]}\n        "
                    + "- http: {path: /health, port: 9100,")
            let (outcome, report) = try await fixture.drill(fixture.serverFailure)
            if ProcessInfo.processInfo.environment["CI"] != nil || outcome.code != 2 {
                #expect(outcome.code == 0, "\(outcome.text)")
            } else {
                #expect(report.drills.first?.findings.contains { $0.rule == "application-network-missing" } == true)
            }
        }
    }

    @Test func theWrongBody() async throws {
        try await Fixture.with { fixture in
            try fixture.edit(
                fixture.application, "self.reply(200 if report[\"status\"] == \"ok\" else 503, report)",
                "self.reply(200, {\"status\": \"hunter2\"})")
            try fixture.editEstate("within: 60s", "within: 20s")
            let drill = try await fixture.expect(fixture.serverFailure, code: 1, rule: ["application-unhealthy"])
            let finding = try #require(drill.findings.first { $0.rule == "application-unhealthy" })
            #expect(finding.object == "web-folder: GET /health" && finding.actual.contains("status 200") && !"\(drill)".contains("hunter2"))
            expectSixSteps(drill, ["passed", "passed", "skipped", "skipped", "passed", "failed"])
            #expect(drill.objectives?.rto.measured == nil && drill.objectives?.rto.verdict == "failed")
        }
    }

    /// 503, until a database that holds no domain holds one: never.
    @Test func anEmptyDatabaseIsNotWell() async throws {
        try await Fixture.with { fixture in
            try fixture.edit(fixture.application, "SELECT count(*) FROM public.domains", "SELECT count(*) FROM public.domains WHERE id < 0")
            try fixture.editEstate("within: 60s", "within: 20s")
            let drill = try await fixture.expect(fixture.serverFailure, code: 1, rule: ["application-unhealthy"])
            #expect(drill.findings.contains { $0.actual == "status 503" })
        }
    }

    @Test(arguments: ["sys.exit(7)", "threading.Timer(1.0, lambda: os._exit(7)).start()"])
    func anApplicationThatDies(how: String) async throws {
        try await Fixture.with { fixture in
            try fixture.edit(fixture.application, Self.serves, how)
            let drill = try await fixture.expect(fixture.serverFailure, code: 1, rule: ["application-died"])
            #expect(drill.findings.contains { $0.rule == "application-died" && $0.actual == "exit 7" })
        }
    }

    @Test func aMissingInterpreter() async throws {
        try await Fixture.with { fixture in
            let text = try String(contentsOf: fixture.estate, encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.contains("start: [") })
            try fixture.editEstate(String(line), "    start: [muster-no-such-python, app.py]")
            try await fixture.expect(fixture.serverFailure, code: 2, rule: ["application-tool-missing"])
            let looked = try await fixture.run(["doctor", fixture.estate.path], environment: NewerPostgres.environment)
            #expect(looked.code == 2 && looked.out.contains("✗ muster-no-such-python"), "\(looked.out)")
        }
    }

    // MARK: What should have lived

    @Test func noExistingDatabase() async throws {
        try await Fixture.with { fixture in
            for name in try FileManager.default.contentsOfDirectory(atPath: fixture.dumps.path) {
                try FileManager.default.removeItem(at: fixture.dumps.appendingPathComponent(name))
            }
            let drill = try await fixture.expect(fixture.serverFailure, code: 2, rule: ["precondition-not-met"])
            #expect(drill.findings.contains { $0.rule == "no-recovery-point" })
            expectSixSteps(drill, Array(repeating: "skipped", count: 6))
        }
    }

    /// That the backup is bad is a matter of another drill: this one could not be held.
    @Test func aDamagedStandIn() async throws {
        try await Fixture.with { fixture in
            try fixture.edit(fixture.serverFailure, "{from: daily}", "{from: daily, select: latest}")
            try fixture.change(fixture.newest("postgres")) { $0.removeLast(500) }
            try await fixture.expect(fixture.serverFailure, code: 2, rule: ["precondition-not-met"])
        }
    }

    @Test func anApplicationThatClearsWhatItFinds() async throws {
        try await Fixture.with { fixture in
            try fixture.edit(fixture.application, Self.serves, "database.rows(\"DELETE FROM public.import_lines\")")
            let drill = try await fixture.expect(fixture.serverFailure, code: 1, rule: ["existing-lost"])
            #expect(drill.findings.contains { $0.object == "public.import_lines" } && drill.objectives?.rto.measured == nil)
        }
    }

    @Test(arguments: ["cache.ask([\"FLUSHALL\"])", "database.rows(\"SELECT setval(s::regclass, 1, false) FROM own\")", "views"])
    func anApplicationThatBreaksWhatItFinds(how: String) async throws {
        try await Fixture.with { fixture in
            let names = "SELECT format('%I.%I', schemaname, sequencename) AS s FROM pg_sequences WHERE last_value > 1 AND increment_by > 0"
            let code =
                how == "views"
                ? "[database.rows(\"DROP VIEW \" + row[0] + \" CASCADE\") for row in database.rows(\"SELECT format('%I.%I', schemaname, viewname) "
                    + "FROM pg_views WHERE schemaname = 'public' LIMIT 1\")]"
                : how.replacing("SELECT setval", with: "WITH own AS (\(names) AND NOT cycle LIMIT 1) SELECT setval")
            try fixture.edit(fixture.application, Self.serves, code + "; " + Self.serves)
            try fixture.editEstate("within: 60s", "within: 20s")
            try await fixture.expect(fixture.serverFailure, code: 1, rule: ["existing-lost"])
        }
    }

    /// While hooks take their time.
    @Test func anApplicationThatFallsIllAgain() async throws {
        try await Fixture.with { fixture in
            try addHooks(fixture, "restart: {after: {run: [sh, -c, 'cd \(fixture.scratch.path)/muster-*/a/files && touch ill; sleep 1']}}")
            try fixture.edit(
                fixture.application, "self.reply(200 if report[\"status\"] == \"ok\" else 503, report)",
                "self.reply(503 if os.path.exists(\"ill\") else 200, report)")
            let drill = try await fixture.expect(fixture.serverFailure, code: 1, rule: ["application-unhealthy"])
            #expect(drill.findings.contains { $0.message == "the application was well, and is no longer" && $0.actual == "status 503" })
            #expect(drill.objectives?.rto.measured == nil)
        }
    }

    /// What it writes as it starts is noted, and no loss.
    @Test func anApplicationThatWrites() async throws {
        try await Fixture.with { fixture in
            try fixture.edit(
                fixture.application, Self.serves, "database.rows(\"INSERT INTO public.import_lines (line, position) VALUES ('x', 1)\")")
            let (outcome, report) = try await fixture.drill(fixture.serverFailure)
            #expect(outcome.code == 0, "\(outcome.text)")
            let finding = try #require(report.drills.first?.findings.first { $0.rule == "existing-changed" })
            #expect(finding.severity == "note" && finding.object == "public.import_lines")
        }
    }

    @Test func anExistingDatabaseThatIsLost() async throws {
        try await Fixture.with { fixture in
            let script = ProcessList.killingPostgres(below: fixture.scratch.path) + "; sleep 1"
            try addHooks(fixture, "retrieve: {before: {run: [sh, -c, '\(script)']}}")
            let drill = try await fixture.expect(fixture.serverFailure, code: 1, rule: ["existing-gone"])
            #expect(drill.steps.last?.verdict == "skipped")
        }
    }

    @Test func aStrangerOnTheDatabase() async throws {
        try await Fixture.with { fixture in
            let script = "psql -h \(fixture.scratch.path)/muster-*/p*/s -U postgres -c \"select pg_sleep(60)\" domainscope & sleep 1"
            try addHooks(fixture, "stop: {before: {run: [sh, -c, '\(script)']}}")
            try await fixture.expect(fixture.serverFailure, code: 1, rule: ["still-connected"])
        }
    }

    /// By an out-of-memory kill, say: the application can't be well then, and is not to blame.
    @Test(arguments: ["postgres", "redis"]) func aScratchServerThatEndsUnderTheApplication(service: String) async throws {
        try await Fixture.with { fixture in
            let file = fixture.drills.appendingPathComponent("corruption-restart.yaml")
            // As long as it takes to be seen.
            try fixture.editEstate("hold: 2s", "hold: 30s")
            let output = fixture.reports.appendingPathComponent("ended")
            let running = try fixture.start(["run", file.path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"restart\"")
            let server = ProcessList.mentioning(fixture.scratch.path).first {
                $0.name == (service == "redis" ? "redis-server" : "postgres")
                    && ProcessList.isServer($0.pid)
            }
            Glibc.kill(try #require(server?.pid), SIGKILL)
            let outcome = await running.outcome()
            let drill = try #require(try Fixture.runFolder(in: output, outcome).report().drills.first)
            #expect(outcome.code == 2, "\(outcome.text)")
            #expect(drill.findings.contains { $0.rule == "scratch-server-failed" && $0.object == service }, "\(drill.findings)")
            #expect(!drill.findings.contains { $0.rule == "application-unhealthy" || $0.rule == "application-died" })
            #expect(drill.objectives?.rto.measured == nil)
        }
    }

    // MARK: A corrupt database

    @Test func bothServicesAndThenTheApplication() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("corruption-restart.yaml"))
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            expectSixSteps(drill, Array(repeating: "passed", count: 6))
            #expect(drill.cases(of: "operation").filter { $0.name == "nothing but muster is connected" }.count == 2)
            let restart = try #require(drill.steps.last?.activities.first)
            #expect(try #require(drill.objectives?.rto.measured) >= restart.end - 0.01)
            // In the order of the plan, whatever ran side by side.
            let ends = drill.steps.filter { $0.step != "stop" }.compactMap { $0.activities.map(\.end).max() }
            #expect(ends == ends.sorted())
        }
    }

    /// The pages' checksums are read of a server that has ended, and the application needs one that runs.
    @Test func aPointInTimeAndThenTheApplication() async throws {
        try await Fixture.with { fixture in
            let file = fixture.drills.appendingPathComponent("point-in-time.yaml")
            try fixture.edit(file, "recover:\n", "application: web-folder\nrecover:\n  redis: {from: rdb}\n")
            try fixture.edit(file, "rpo: 5m", "rpo: 9d")
            let (outcome, report) = try await fixture.drill(file)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(report.drills.first?.steps.last?.verdict == "passed")
        }
    }

    @Test func nothingIsStartedOnABadDatabase() async throws {
        try await Fixture.with { fixture in
            let file = fixture.drills.appendingPathComponent("corruption-restart.yaml")
            try fixture.edit(file, "select: latest-healthy", "select: latest")
            try fixture.change(fixture.newest("postgres")) { $0.removeLast(500) }
            let (outcome, report) = try await fixture.drill(file)
            #expect(outcome.code == 1 && report.drills.first?.steps.last?.verdict == "skipped", "\(outcome.text)")
        }
    }

    // MARK: Hooks

    private func addHooks(_ fixture: Fixture, _ lines: String) throws {
        try fixture.edit(fixture.serverFailure, "existing:\n", "hooks:\n  \(lines)\nexisting:\n")
    }

    @Test func aHookThatHangsIsEnded() async throws {
        try await Fixture.with { fixture in
            try addHooks(fixture, "stop: {before: {run: [sh, -c, 'trap \"\" TERM; setsid sleep 640.2001 & sleep 640.2001'], timeout: 1s}}")
            let (outcome, report) = try await fixture.drill(fixture.serverFailure)
            #expect(outcome.code == 2, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.rules == ["hook-timed-out"] && drill.steps.last?.verdict == "passed")
            #expect(!ProcessList.all().contains { $0.arguments.contains("640.2001") })
        }
    }

    @Test func hooksKnowTheirPlaceAndNoSecret() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("backup: {file: keys/backup.key}", "backup: {env: ME2E_KEY}")
            let key = String(decoding: try Data(contentsOf: fixture.passphrase), as: UTF8.self).trimmingCharacters(in: .newlines)
            let script = fixture.drills.appendingPathComponent("hook.sh")
            let seen = fixture.folder.appendingPathComponent("seen")
            try writeProgram("#!/bin/sh\nenv >> \(seen.path)\npwd >> \(seen.path)\necho spoken-word\nexit 3\n", to: script)
            try addHooks(fixture, "restart: {after: {run: [./hook.sh]}}")
            let (outcome, report) = try await fixture.drill(fixture.serverFailure, environment: ["ME2E_KEY": key])
            #expect(outcome.code == 2, "\(outcome.text)")
            let finding = try #require(report.drills.first?.findings.first { $0.rule == "hook-failed" })
            #expect(finding.object == "hook after restart" && finding.actual == "exit 3")
            let text = String(decoding: try Data(contentsOf: seen), as: UTF8.self)
            for line in ["MUSTER_DRILL=server-failure", "MUSTER_STEP=restart", "MUSTER_SCENARIO=server-failure", fixture.drills.path] {
                #expect(text.contains(line + "\n"), "\(text)")
            }
            #expect(!text.contains(key) && !text.contains("ME2E_KEY") && !outcome.text.contains("spoken-word"))
        }
    }

    @Test func aHookThatIsNotThere() async throws {
        try await Fixture.with { fixture in
            try addHooks(fixture, "stop: {before: {run: [./nowhere.sh]}}")
            let (outcome, report) = try await fixture.drill(fixture.serverFailure)
            #expect(outcome.code == 2 && report.drills.first?.rules == ["hook-not-started"], "\(outcome.text)")
        }
    }

    // MARK: Stopped and killed

    private enum Moment: String, CaseIterable {
        case preparing, hook, restart
    }

    /// How long a hook of this fixture's sleeps: no other test's process has it among its arguments.
    private func time(_ fixture: Fixture) -> String { "640.\(getpid())\(fixture.folder.lastPathComponent.dropFirst())" }

    /// Brings a drill to a moment that lasts.
    private func running(_ fixture: Fixture, at moment: Moment, _ output: URL) async throws -> Running {
        let flag = fixture.folder.appendingPathComponent("flag")
        switch moment {
        case .preparing:
            try fixture.edit(
                fixture.serverFailure, "checks:\n  postgres:\n",
                "checks:\n  postgres:\n    - sql: {name: slow, query: \"select pg_sleep(600)\", expect: is not null}\n")
        case .hook:
            try addHooks(
                fixture,
                "stop: {before: {run: [sh, -c, 'setsid sleep \(time(fixture)) & touch \(flag.path); sleep \(time(fixture))'], timeout: 5m}}"
            )
        case .restart: try fixture.editEstate("hold: 2s\n      within: 60s", "hold: 5m\n      within: 10m")
        }
        let running = try fixture.start(["run", fixture.serverFailure.path, "--output", output.path])
        switch moment {
        case .preparing: try await fixture.wait(in: output, for: "\"point-chosen\"", "\"postgres\"")
        case .hook:
            let deadline = ContinuousClock.now + .seconds(180)
            while !FileManager.default.fileExists(atPath: flag.path), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(10))
            }
        case .restart:
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"restart\"")
            try await Task.sleep(for: .seconds(1))
        }
        return running
    }

    @Test(arguments: ["preparing", "hook", "restart"])
    func stoppedByCtrlC(moment: String) async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("stopped")
            let running = try await running(fixture, at: try #require(Moment(rawValue: moment)), output)
            let sent = ContinuousClock.now
            running.send(SIGINT)
            let outcome = await running.outcome()
            #expect(outcome.code == 130 && ContinuousClock.now - sent < .seconds(300), "\(outcome.text)")
            fixture.expectNothingLeft()
            #expect(!ProcessList.all().contains { $0.arguments.contains(time(fixture)) })
            let report = try Fixture.runFolder(in: output).report()
            #expect(report.run.interrupted && report.drills.first?.cases(of: "objective").isEmpty == true)
        }
    }

    @Test(arguments: ["preparing", "hook", "restart"])
    func killedAndCleaned(moment: String) async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("killed")
            let running = try await running(fixture, at: try #require(Moment(rawValue: moment)), output)
            running.send(SIGKILL)
            #expect(await running.outcome().code == 137)
            let cleaned = try await fixture.run(["clean"])
            #expect(cleaned.code == 0 && cleaned.out.contains("removed \(fixture.scratch.path)"), "\(cleaned.text)")
            fixture.expectNothingLeft()
            #expect(!ProcessList.all().contains { $0.arguments.contains(time(fixture)) })
        }
    }

    // MARK: People

    /// On a terminal of its own, which `script` gives it.
    @Test func aLiveDrillAsksWhoDidIt() async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("live", isDirectory: true)
            let command = "\(Program.muster) run \(fixture.serverFailure.path) --live --output \(output.path)"
            // Lines that come before any question confirm nothing. The second answer is an empty line: whoever is logged in.
            let script = """
                cd "$1" && mkfifo typed && touch shown
                { script -qec "$0" /dev/null <typed >shown; echo "$?" >code; } & exec 3>typed
                sleep 0.5; echo >&3; echo >&3
                answer() { for i in $(seq 1800); do grep -q "$1" shown && sleep 0.5 && echo "$2" >&3 && return; sleep 0.1; done; }
                answer "decide, allowed" Asha; answer "switch-address, allowed" ""; wait; cat shown; exit "$(cat code)"
                """
            let outcome = try await Program.run(
                ["sh", "-c", script, command, fixture.folder.path],
                environment: ["MUSTER_SCRATCH_ROOT": fixture.scratch.path, "USER": "ravi"])
            let report = try Fixture.runFolder(in: output, outcome).report()
            let drill = try #require(report.drills.first)
            #expect(report.run.verdict == "passed", "\(outcome.text)")
            #expect(drill.fact("manual.decide")?.hasPrefix("confirmed by Asha at 20") == true)
            #expect(drill.fact("manual.switch-address")?.hasPrefix("confirmed by ravi at 20") == true)
            // The time that they took instead of the twenty minutes.
            let rto = try #require(drill.objectives?.rto)
            #expect(rto.achieved == rto.measured && rto.measured ?? 0 >= 2 && rto.measured ?? 999 < 300)
        }
    }

    @Test func aLiveDrillNeedsATerminal() async throws {
        try await Fixture.with { fixture in
            let outcome = try await fixture.run(["run", fixture.serverFailure.path, "--live"])
            #expect(outcome.code == 64 && outcome.err.contains("--live"), "\(outcome.text)")
        }
    }

    @Test func aDryRunShowsThem() async throws {
        try await Fixture.with { fixture in
            let outcome = try await fixture.run(["run", fixture.drills.path, "--dry-run"])
            for words in ["starts     web-folder:", "hook       before stop: sh, 30.0 s", "manual     identify: decide", "lives on"] {
                #expect(outcome.out.contains(words), "\(words) \(outcome.out)")
            }
        }
    }
}
