// The untouched backup: green, whole and plausible, time after time.

import Foundation
import Testing

struct GoodDrillTests {
    @Test func everythingIsThere() async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("good", isDirectory: true)
            let outcome = try await fixture.run(
                ["run", fixture.drills.appendingPathComponent("database-corruption.yaml").path, "--output", output.path])
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(outcome.err == "")
            let run = try Fixture.runFolder(in: output)
            let report = try run.report()
            #expect(report.schemaVersion == 1)
            #expect(report.run.verdict == "passed" && !report.run.interrupted)
            let drill = try #require(report.drills.first)
            #expect(report.drills.count == 1 && drill.verdict == "passed" && drill.unproven.isEmpty)

            #expect(drill.steps.map(\.step) == ["identify", "stop", "retrieve", "restore", "verify", "restart"])
            #expect(drill.steps.map(\.verdict) == ["passed", "skipped", "passed", "passed", "passed", "skipped"])
            // Only the two steps that need an application may be skipped: nothing of the content.
            let skipped = drill.cases.filter { $0.verdict == "skipped" }
            #expect(Set(skipped.map(\.name)) == ["stop", "restart"], "\(skipped)")
            #expect(drill.cases.allSatisfy { $0.verdict == "passed" || $0.verdict == "skipped" })
            let groups = [
                "postgres": ["quarantine", "backup", "restore", "rows", "content", "schema", "declared", "objective"],
                "redis": ["quarantine", "backup", "restore", "keys", "content", "declared", "objective"],
            ]
            for (service, names) in groups {
                for name in names { #expect(!drill.cases(of: name, service: service).isEmpty, "\(service) \(name)") }
            }
            #expect(drill.cases(of: "content", service: "postgres").count >= 10)
            expectPlausible(try #require(drill.objectives), of: drill)
            try expectWhole(run, drill)
            try await expectValid(run)
        }
    }

    private func expectPlausible(_ objectives: Report.Objectives, of drill: Report.Drill) {
        let rto = objectives.rto
        let steps = drill.steps.reduce(0) { $0 + $1.duration }
        let measured = rto.measured ?? -1
        #expect(measured > 0.1 && measured < 180)
        // Services recover at once, so the whole lasts at least as long as its longest step, and not much longer than all of them.
        #expect(measured >= drill.steps.map(\.duration).max() ?? .infinity)
        #expect(measured <= steps + 2)
        // Fifteen minutes to decide and ten to switch over.
        #expect(abs((rto.achieved ?? 0) - measured - 1500) < 0.01)
        #expect(rto.target == 4 * 3600 && rto.verdict == "passed" && rto.profile == "production")
        for service in ["postgres", "redis"] {
            let accepting = rto.accepting[service] ?? -1
            #expect(accepting > 0 && accepting <= measured)
        }
        // The lab's incident is 3 h 40 min after its newest backup, to the second; of a lab that is made sooner after 02:00 in India, as it is made.
        let sinceNight = (Date().timeIntervalSince1970 + 3.5 * 3600).truncatingRemainder(dividingBy: 86_400)
        #expect(objectives.rpo.map(\.service).sorted() == ["postgres", "redis"])
        for rpo in objectives.rpo {
            let achieved = rpo.achieved ?? -1
            #expect(sinceNight > 5 * 3600 ? achieved == 13_200 : achieved >= 0 && achieved <= 13_200)
            #expect(rpo.target == 6 * 3600 && rpo.verdict == "passed" && rpo.timeSource == "seal")
        }
        #expect(objectives.skew == 0)
    }

    private func expectWhole(_ run: RunFolder, _ drill: Report.Drill) throws {
        let events = try run.events()
        #expect(events.compactMap { $0["seq"] as? Int } == Array(1...events.count))
        #expect(events.first?["event"] as? String == "run-started")
        #expect(events.last?["event"] as? String == "run-finished")
        #expect(events.filter { $0["event"] as? String == "case-finished" }.count == drill.cases.count)
        let elapsed = events.compactMap { $0["elapsed"] as? Double }
        #expect(elapsed.count == events.count && elapsed == elapsed.sorted())
    }

    private func expectValid(_ run: RunFolder) async throws {
        try await JUnitSchema.expectValid(run)
        let xml = try run.text("junit.xml")
        #expect(xml.contains("failures=\"0\"") && xml.contains("errors=\"0\"") && !xml.contains("<failure"))
    }

    /// Ten of ten: a check that depends on the hour, on an order or on luck would be red now and then.
    @Test func staysGreen() async throws {
        try await Fixture.with { fixture in
            let file = fixture.drills.appendingPathComponent("database-corruption.yaml")
            try fixture.edit(file, "profile: production", "profile: fast")
            for round in 1...(Program.inCI ? 10 : 3) {
                let (outcome, report) = try await fixture.drill(file)
                #expect(outcome.code == 0, "round \(round): \(outcome.out)")
                #expect(report.drills.first?.cases.contains { $0.verdict == "failed" || $0.verdict == "error" } == false)
            }
        }
    }

    @Test func appendOnlyFilesToo() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("redis-aof.yaml"))
            #expect(outcome.code == 0, "\(outcome.out)")
            #expect(report.drills.first?.cases(of: "content").contains { $0.verdict == "passed" } == true)
        }
    }
}

/// The schema that junit.xml keeps to, read by an independent validator.
enum JUnitSchema {
    static let xmllint = "/usr/bin/xmllint"
    /// The one that the reports' own tests hold, so that there is one truth.
    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ReportsTests/Schema/junit.xsd").path

    static func expectValid(_ run: RunFolder, location: SourceLocation = #_sourceLocation) async throws {
        // setup installs it; at a fixture without it the rest of the test still counts.
        guard FileManager.default.isExecutableFile(atPath: xmllint) || Program.inCI else { return }
        let junit = run.url.appendingPathComponent("junit.xml").path
        let outcome = try await Program.run([xmllint, "--noout", "--schema", file, junit])
        #expect(outcome.code == 0, "\(outcome.err)", sourceLocation: location)
    }
}
