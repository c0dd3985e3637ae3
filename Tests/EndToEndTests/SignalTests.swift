// Stopped by a signal, or killed: nothing of it stays, and what was known by then is in the reports.

import Foundation
import Glibc
import Testing

struct SignalTests {
    /// A question that outlasts any test: without it a drill may be over before the signal comes.
    private static let slowCheck = "- sql: {name: slow, query: \"select pg_sleep(600)\", expect: is not null}"
    private static let slow = "checks:\n  postgres:\n    \(slowCheck)"

    /// The moments: while both services restore, and while the rows are compared.
    @Test(arguments: [(2 as Int32, 130 as Int32), (15, 143), (1, 143)])
    func aSignalEndsTheDrillInOrder(signal: Int32, code: Int32) async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("stopped")
            let drill = fixture.drills.appendingPathComponent("database-corruption.yaml")
            try fixture.edit(drill, "checks:\n  postgres:\n", "checks:\n  postgres:\n    \(Self.slowCheck)\n")
            let running = try fixture.start(["run", drill.path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"restore\"", "\"postgres\"")
            try await Task.sleep(for: .milliseconds(signal == SIGINT ? 400 : 50))
            let sent = ContinuousClock.now
            running.send(signal)
            let outcome = await running.outcome()
            #expect(outcome.code == code, "\(outcome.text)")
            #expect(ContinuousClock.now - sent < .seconds(300))
            fixture.expectNothingLeft()
            try await expectInterrupted(try Fixture.runFolder(in: output))
        }
    }

    private func expectInterrupted(_ run: RunFolder) async throws {
        let report = try run.report()
        #expect(report.run.interrupted && report.run.verdict == "error")
        let drill = try #require(report.drills.first)
        #expect(drill.verdict == "error")
        #expect(!drill.cases(of: "objective").contains { $0.verdict == "passed" })
        try await JUnitSchema.expectValid(run)
        #expect(try run.text("junit.xml").contains("<error"))
        #expect(try !run.events().isEmpty)
    }

    /// Ctrl-C goes to everything on the terminal: a second and a third one must not break the clean-up off.
    @Test func impatience() async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("stopped")
            let running = try fixture.start(["run", try fixture.drillFile("postgres", more: Self.slow).path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"restore\"")
            for _ in 1...5 {
                running.send(SIGINT)
                try await Task.sleep(for: .milliseconds(30))
            }
            #expect(await running.outcome().code == 130)
        }
    }

    /// A key's command that hangs must not hold up whoever wants to leave.
    @Test func aHangingKeyCommand() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("backup: {file: keys/backup.key}", "backup: {command: [sleep, \"640.1001\"]}")
            let output = fixture.reports.appendingPathComponent("stopped")
            let running = try fixture.start(["run", try fixture.drillFile().path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"identify\"")
            try await Task.sleep(for: .milliseconds(300))
            let sent = ContinuousClock.now
            running.send(SIGINT)
            #expect(await running.outcome().code == 130)
            #expect(ContinuousClock.now - sent < .seconds(300))
            #expect(!ProcessList.all().contains { $0.arguments.contains("640.1001") })
        }
    }

    @Test(arguments: [
        ("retrieve", 0), ("restore", 0), ("restore", 300), ("restore", 900), ("verify", 0),
    ])
    func killedAndCleaned(step: String, later milliseconds: Int) async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("killed")
            let running = try fixture.start(["run", try fixture.drillFile("postgres", more: Self.slow).path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"\(step)\"")
            try await Task.sleep(for: .milliseconds(milliseconds))
            running.send(SIGKILL)
            #expect(await running.outcome().code == 137)
            let left = try FileManager.default.contentsOfDirectory(atPath: fixture.scratch.path)
            let remains = try #require(left.first)
            #expect(left.count == 1, "\(left)")
            // What was known stays readable, line by line.
            _ = try Fixture.runFolder(in: output).events()
            let shown = try await fixture.run(["clean", "--dry-run"])
            #expect(shown.code == 0 && shown.out.contains("would remove"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.scratch.path) == left)
            let cleaned = try await fixture.run(["clean"])
            #expect(cleaned.code == 0 && cleaned.out.contains("removed \(fixture.scratch.path)/\(remains)"), "\(cleaned.text)")
            fixture.expectNothingLeft()
            let again = try await fixture.run(["clean"])
            #expect(again.code == 0 && again.out.contains("nothing to clean"))
        }
    }

    @Test func theNextRunCleansToo() async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("killed")
            let running = try fixture.start(["run", try fixture.drillFile("postgres", more: Self.slow).path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"restore\"")
            try await Task.sleep(for: .milliseconds(500))
            running.send(SIGKILL)
            _ = await running.outcome()
            let left = try FileManager.default.contentsOfDirectory(atPath: fixture.scratch.path)
            let (next, _) = try await fixture.drill(try fixture.drillFile())
            #expect(next.code == 0)
            let remains = try #require(left.first)
            #expect(left.count == 1 && next.err.contains(remains), "\(next.err)")
        }
    }

    @Test func cleaningLeavesALivingRunAlone() async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("living")
            // It lives until the others are through.
            let gate = fixture.folder.appendingPathComponent("through")
            let waiting = "hooks: {verify: {after: {run: [sh, -c, 'until [ -e \(gate.path) ]; do sleep 0.1; done'], timeout: 4m}}}"
            let running = try fixture.start(["run", try fixture.drillFile("postgres", more: waiting).path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"restore\"")
            let cleaned = try await fixture.run(["clean", "--kept"])
            #expect(cleaned.code == 0 && cleaned.out.contains("its run still lives"), "\(cleaned.text)")
            #expect(!cleaned.out.contains("removed "))
            // Neither does another run.
            let (other, _) = try await fixture.drill(try fixture.drillFile())
            #expect(other.code == 0 && other.err == "")
            try Data().write(to: gate)
            let outcome = await running.outcome()
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    /// A folder that only looks like one of ours, and a process that works in it, are somebody else's.
    @Test func cleaningTouchesNothingElse() async throws {
        try await Fixture.with { fixture in
            let stranger = fixture.scratch.appendingPathComponent("muster-0123456789ab")
            try FileManager.default.createDirectory(at: stranger, withIntermediateDirectories: true)
            try Data("{\"tool\":\"other\"}".utf8).write(to: stranger.appendingPathComponent(".muster-scratch.json"))
            let process = try Program.start(["sleep", "60"], folder: stranger)
            let cleaned = try await fixture.run(["clean", "--kept"])
            #expect(cleaned.code == 0 && cleaned.out.contains("nothing to clean"), "\(cleaned.text)")
            #expect(FileManager.default.fileExists(atPath: stranger.path) && kill(process.pid, 0) == 0)
            process.send(SIGKILL)
            _ = await process.outcome()
            try FileManager.default.removeItem(at: stranger)
        }
    }

    /// Sabotage and the lab make scratch servers too.
    @Test func otherCommandsStopInOrder() async throws {
        try await Fixture.with { fixture in
            let sabotage = try fixture.start(["sabotage", try fixture.drillFile("postgres").path])
            try await Task.sleep(for: .seconds(2))
            sabotage.send(SIGINT)
            let stopped = await sabotage.outcome()
            #expect(stopped.code == 130, "\(stopped.text)")
            fixture.expectNothingLeft()
            let folder = fixture.folder.appendingPathComponent("new")
            let lab = try fixture.start(["lab", "create", folder.path, "--days", "30", "--rows", "500"])
            try await Task.sleep(for: .seconds(2))
            lab.send(SIGTERM)
            let ended = await lab.outcome()
            #expect(ended.code == 143, "\(ended.text)")
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }
}
