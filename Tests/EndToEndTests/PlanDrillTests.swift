// The drills of DomainScope's plan, as they are shipped and without a change, in the lab: green, red, stopped and killed.

import Foundation
import Glibc
import TestPrograms
import Testing

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/git"), "the plan's application is started from a git bundle"))
struct PlanDrillTests {
    private static let shipped = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("drills/domainscope", isDirectory: true)
    private static let sixSteps = ["identify", "stop", "retrieve", "restore", "verify", "restart"]

    private func shipped(_ name: String) -> URL { Self.shipped.appendingPathComponent(name + ".yaml") }

    // MARK: Green

    @Test func allOfThemOnAFreshLab() async throws {
        try await Fixture.with { fixture in
            let lab = fixture.folder.appendingPathComponent("fresh", isDirectory: true)
            let made = try await fixture.run(["lab", "create", lab.path, "--days", "3", "--rows", "60"])
            #expect(made.code == 0, "\(made.text)")
            let estate = lab.appendingPathComponent("estate.yaml").path
            let (outcome, report) = try await fixture.drill(Self.shipped, ["--estate", estate])
            #expect(outcome.code == 0 && report.run.verdict == "passed", "\(outcome.text)")
            #expect(outcome.took < .seconds(1200))
            #expect(
                report.drills.map(\.name) == ["daily-dump", "data-center-outage", "database-corruption", "redis-loss", "server-failure"])
            #expect(
                Set(report.drills.compactMap(\.scenario)) == ["server-failure", "database-corruption", "data-center-outage"],
                "each scenario of the plan's section 2.1")
            for drill in report.drills { expectSixSteps(drill) }
            // Whoever reads the report sees that it was the lab, and what the drills name.
            #expect(report.drills.allSatisfy { $0.estateFile == estate })
            #expect(report.drills.allSatisfy { $0.estateFileNamed == Self.shipped.appendingPathComponent("estate.yaml").path })
            #expect(outcome.out.contains("against \(estate), named by --estate in place of"))
            let corruption = try #require(report.drills.first { $0.name == "database-corruption" })
            #expect(corruption.cases(of: "objective", service: "postgres").map(\.verdict) == ["passed"], "RPO < 6 h")
            #expect(corruption.objectives?.rto.verdict == "passed" && corruption.objectives?.rto.target == 4 * 3600)
            let outage = try #require(report.drills.first { $0.name == "data-center-outage" })
            #expect(outage.cases.contains { $0.name == "outage: cut ksdc off" && $0.verdict == "passed" })
            let loss = try #require(report.drills.first { $0.name == "redis-loss" })
            #expect(loss.cases.contains { $0.name == "the repopulation command succeeds" && $0.verdict == "passed" })
            let inspected = try await fixture.run(["inspect", estate])
            #expect(inspected.code == 0 && inspected.out.contains("six-hourly: made every 6h"), "\(inspected.text)")
            let looked = try await fixture.run(["doctor", estate])
            #expect(looked.code == 0 && looked.out.contains("mv"), "\(looked.text)")
            #expect(try await fixture.run(["lab", "destroy", lab.path]).code == 0)
        }
    }

    /// Each with its start, its end and what was done.
    private func expectSixSteps(_ drill: Report.Drill, _ location: SourceLocation = #_sourceLocation) {
        #expect(drill.steps.map(\.step) == Self.sixSteps, "\(drill.name)", sourceLocation: location)
        for step in drill.steps {
            // The nightly look at the dump alone starts no application, and says so.
            let skipped = drill.name == "daily-dump" && ["stop", "restart"].contains(step.step)
            #expect(step.verdict == (skipped ? "skipped" : "passed"), "\(drill.name) \(step.step)", sourceLocation: location)
            #expect(!step.activities.isEmpty, "\(drill.name) \(step.step)", sourceLocation: location)
            for activity in step.activities {
                #expect(
                    activity.start >= 0 && activity.end >= activity.start && !activity.detail.isEmpty, "\(drill.name) \(step.step)",
                    sourceLocation: location)
            }
        }
    }

    /// A hook's relative path starts at the drill's folder, whichever estate is read; the same drill without the option is read against its own.
    @Test func whatIsRelativeStaysWhereItWas() async throws {
        try await Fixture.with { fixture in
            let folder = fixture.folder.appendingPathComponent("elsewhere", isDirectory: true)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let hook = folder.appendingPathComponent("hook")
            try writeProgram("#!/bin/sh\npwd >here\n", to: hook)
            let file = folder.appendingPathComponent("own.yaml")
            try Data(
                """
                version: 1
                drill: own
                estate: nobody-s.yaml
                scenario: database-corruption
                profile: fast
                recover: {redis: {from: rdb}}
                hooks: {stop: {before: {run: [./hook]}}}

                """.utf8
            ).write(to: file)
            let (outcome, _) = try await fixture.drill(file, ["--estate", fixture.estate.path])
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(try String(contentsOf: folder.appendingPathComponent("here"), encoding: .utf8).contains("elsewhere"))
            let alone = try await fixture.run(["run", file.path])
            #expect(alone.code == 64 && alone.err.contains("own.yaml:3:9: estate file \"nobody-s.yaml\" does not exist"), "\(alone.text)")
            let sabotage = try await fixture.run(["sabotage", file.path, "--estate", fixture.estate.path, "--damage", "flipped-bit"])
            #expect(sabotage.code == 0, "\(sabotage.text)")
            let dry = try await fixture.run(["run", file.path, "--estate", fixture.estate.path, "--dry-run"])
            #expect(dry.code == 0 && dry.out.contains("estate     \(fixture.estate.path), named by --estate"), "\(dry.text)")
        }
    }

    // MARK: Red

    @Test func anEstateThatLacksWhatTheDrillNames() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("      six-hourly:", "      hourly:")
            let outcome = try await fixture.run(["run", shipped("database-corruption").path, "--estate", fixture.estate.path])
            #expect(outcome.code == 64)
            #expect(outcome.err.contains("database-corruption.yaml:16:20: unknown backup \"six-hourly\""), "\(outcome.err)")
            #expect(outcome.err.contains("read against \(fixture.estate.path), which --estate names"), "\(outcome.err)")
        }
    }

    /// Before the night of the drill, and not in it.
    @Test func theDoctorMissesWhatCutsAZoneOff() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("cut: {run: [mv, -T,", "cut: {run: [./no-such-cut, -T,")
            try fill(fixture, "[no-such-filler]")
            let outcome = try await fixture.run(["doctor", fixture.estate.path])
            #expect(outcome.code == 2 && outcome.out.contains("./no-such-cut: needed to cut off zone ksdc"), "\(outcome.text)")
            #expect(outcome.out.contains("no-such-filler: needed for application web"), "\(outcome.text)")
        }
    }

    @Test func theNewestDumpIsCorrupt() async throws {
        try await Fixture.with { fixture in
            let newest = try #require(try fixture.artifacts(in: fixture.sixHourly).first)
            try fixture.change(newest) { $0[$0.count / 2] ^= 1 }
            let (outcome, report) = try await fixture.drill(shipped("database-corruption"), ["--estate", fixture.estate.path])
            #expect(outcome.code == 1, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.findings.contains { $0.rule == "artifact-digest-differs" && $0.object.contains(newest.lastPathComponent) })
            let point = try #require(drill.recoveryPoints.last { $0.service == "postgres" })
            let next = try fixture.artifacts(in: fixture.sixHourly)[1]
            #expect(point.rejected == 1 && point.path.hasSuffix(next.lastPathComponent))
            // What was lost is counted from the one that was used, and held against six hours.
            let rpo = try #require(drill.objectives?.rpo.first { $0.service == "postgres" })
            let lost = try #require(rpo.achieved)
            #expect(rpo.target == 6 * 3600 && rpo.verdict == (lost < 6 * 3600 ? "passed" : "failed"))
            #expect(lost > 5 * 3600 && lost < 13 * 3600)
        }
    }

    private static let filling = "app.py, repopulate], timeout: 1m"

    @Test func aRepopulationThatHangs() async throws {
        try await Fixture.with { fixture in
            try hang(fixture, "640.2301", timeout: "1s")
            let drill = try await fixture.expect(
                shipped("redis-loss"), code: 1, rule: ["repopulation-failed"], more: ["--estate", fixture.estate.path])
            #expect(drill.findings.contains { $0.actual == "no end in time" })
            #expect(!ProcessList.all().contains { $0.arguments.contains("640.2301") })
        }
    }

    private func hang(_ fixture: Fixture, _ seconds: String, timeout: String = "1m") throws {
        try fill(fixture, "[sleep, \"\(seconds)\"], timeout: \(timeout)")
    }

    /// Another command of the estate's for the cache.
    private func fill(_ fixture: Fixture, _ run: String) throws {
        var lines = try String(contentsOf: fixture.estate, encoding: .utf8).components(separatedBy: "\n")
        let line = try #require(lines.firstIndex { $0.contains(Self.filling) })
        lines[line] = "      redis: {run: \(run)}"
        try Data(lines.joined(separator: "\n").utf8).write(to: fixture.estate)
    }

    // MARK: Stopped and killed

    @Test(arguments: [(SIGINT, 130, "640.2302"), (SIGKILL, 137, "640.2303")] as [(Int32, Int32, String)])
    func whileTheCacheIsFilled(signal: Int32, code: Int32, seconds: String) async throws {
        try await Fixture.with { fixture in
            try hang(fixture, seconds)
            let output = fixture.reports.appendingPathComponent("stopped")
            let running = try fixture.start(
                ["run", shipped("redis-loss").path, "--estate", fixture.estate.path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"verify\"", "\"redis\"")
            let deadline = ContinuousClock.now + .seconds(180)
            while !ProcessList.all().contains(where: { $0.arguments.contains(seconds) }), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(ProcessList.all().contains { $0.arguments.contains(seconds) })
            running.send(signal)
            #expect(await running.outcome().code == code)
            if signal == SIGKILL { #expect(try await fixture.run(["clean"]).code == 0) }
            fixture.expectNothingLeft()
            #expect(!ProcessList.all().contains { $0.arguments.contains(seconds) })
        }
    }

    @Test(arguments: [(SIGINT, 130), (SIGKILL, 137)] as [(Int32, Int32)])
    func whileTheZoneIsCutOff(signal: Int32, code: Int32) async throws {
        try await Fixture.with { fixture in
            try fixture.useBothStores()
            try fixture.editEstate("hold: 2s", "hold: 50s")
            let output = fixture.reports.appendingPathComponent("stopped")
            let drill = ["run", shipped("data-center-outage").path, "--estate", fixture.estate.path, "--output", output.path]
            let running = try fixture.start(drill)
            try await fixture.wait(in: output, for: "\"step-started\"", "\"restart\"")
            let files = FileManager.default
            #expect(!files.fileExists(atPath: fixture.store.path))
            running.send(signal)
            #expect(await running.outcome().code == code)
            if signal == SIGKILL {
                #expect(!files.fileExists(atPath: fixture.store.path), "nobody was left to bring it back")
                // As docs/recovery.md has it: the killed drill left word of how the zone comes back.
                let cleaned = try await fixture.run(["clean"])
                #expect(cleaned.code == 0 && cleaned.text.contains("zone ksdc"), "\(cleaned.text)")
            }
            fixture.expectNothingLeft()
            #expect(files.fileExists(atPath: fixture.store.path) && !files.fileExists(atPath: fixture.store.path + ".lost"))
            try fixture.editEstate("hold: 50s", "hold: 1s")
            let again = try await fixture.drill(shipped("data-center-outage"), ["--estate", fixture.estate.path])
            #expect(again.0.code == 0, "\(again.0.text)")
        }
    }

    /// The estate's way back that fails names the file in which it stands.
    @Test func aZoneThatDoesNotComeBack() async throws {
        try await Fixture.with { fixture in
            try fixture.useBothStores()
            try fixture.editEstate("restore: {run: [mv, -T, backups/primary.lost, backups/primary]", "restore: {run: [\"false\"]")
            let (outcome, report) = try await fixture.drill(shipped("data-center-outage"), ["--estate", fixture.estate.path])
            #expect(outcome.code == 2)
            let finding = try #require(report.drills.first?.findings.first { $0.rule == "lost-zone-not-restored" })
            #expect(finding.hint.contains("restore of zone ksdc in estate.yaml by hand"))
        }
    }
}
