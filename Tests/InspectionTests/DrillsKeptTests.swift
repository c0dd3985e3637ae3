// Are drills overdue? Asked of a folder of runs.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Inspection

@Suite struct DrillsKeptTests {
    private func time(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }

    private func withRuns(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "muster-kept-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private func run(_ name: String, _ verdict: Verdict?, at text: String, in folder: URL, estate: String = "shop") throws {
        let start = try time(text)
        let run = "run-\(text.replacing("-", with: "").replacing(":", with: ""))-0a1b"
        var events: [Event.Kind] = [
            .runStarted(RunInfo(musterVersion: "0.1.0", host: "h", runID: run, drills: 1)),
            .drillStarted(
                DrillInfo(name: name, estate: estate, scenario: .databaseCorruption, profile: .production, disaster: start, timeZone: .gmt)),
        ]
        if let verdict {
            events += [
                .drillFinished(DrillOutcome(verdict: verdict, duration: .seconds(1), steps: [], objectives: nil, unproven: [])),
                .runFinished(verdict),
            ]
        }
        var report = RunReport()
        for kind in events { report.apply(Event(time: start, elapsed: .seconds(1), kind: kind)) }
        try FileManager.default.createDirectory(at: folder.appending(path: run), withIntermediateDirectories: true)
        try JSONReport.render(report).write(to: folder.appending(path: "\(run)/report.json"))
    }

    private func ask(
        _ folder: URL, _ cadence: Cadence? = Cadence(.quarterly), formerly: [String] = [], now: String = "2026-11-30T06:00:00Z"
    )
        async throws -> CaseResult
    {
        let estate = Estate(
            name: "shop", timeZone: .gmt, stores: [:], keys: [:], services: [:], seals: SealPolicy(),
            file: URL(fileURLWithPath: "/srv/estate.yaml"))
        var plan = DrillPlan(
            name: "nightly", scenario: .databaseCorruption, estate: estate, recover: [], file: URL(fileURLWithPath: "/srv/nightly.yaml"))
        plan.cadence = cadence
        plan.formerNames = formerly
        let kept = DrillsKept(plans: [plan], unreadable: [], history: RunHistory(folder: folder), folder: "reports")
        let cases = await kept.ask(of: estate, now: try time(now))
        return try #require(cases.first)
    }

    /// What can't be read may be the one drill that is due.
    @Test func nobodyKnowsWhetherOneIsDue() async throws {
        try await withRuns { folder in
            let estate = Estate(
                name: "shop", timeZone: .gmt, stores: [:], keys: [:], services: [:], seals: SealPolicy(),
                file: URL(fileURLWithPath: "/srv/estate.yaml"))
            let kept = DrillsKept(
                plans: [], unreadable: [], doubts: ["old.yaml can't be read"], history: RunHistory(folder: folder), folder: "reports")
            let cases = await kept.ask(of: estate, now: try time("2026-11-30T06:00:00Z"))
            #expect(cases.map(\.verdict) == [.skipped] && cases[0].name == "drills are not overdue")
        }
    }

    /// A run that failed was drilled: that it failed is told elsewhere.
    @Test(arguments: [("2026-10-01T00:00:00Z", Verdict.passed), ("2026-07-01T00:00:00Z", .passed), ("2026-11-29T00:00:00Z", .failed)])
    func drilled(_ text: String, _ verdict: Verdict) async throws {
        try await withRuns { folder in
            try run("nightly", verdict, at: text, in: folder)
            #expect(try await ask(folder).verdict == .passed)
        }
    }

    @Test(arguments: [
        ("nightly", Optional(Verdict.passed), "2026-06-30T23:59:59Z", "shop"), ("nightly", .error, "2026-11-01T00:00:00Z", "shop"),
        ("nightly", nil, "2026-11-01T00:00:00Z", "shop"), ("other", .passed, "2026-11-01T00:00:00Z", "shop"),
    ])
    func overdue(_ name: String, _ verdict: Verdict?, _ text: String, _ estate: String) async throws {
        try await withRuns { folder in
            try run(name, verdict, at: text, in: folder, estate: estate)
            let found = try await ask(folder)
            #expect(found.verdict == .failed && found.findings.map(\.rule.name) == ["drill-overdue"])
            #expect(found.name == "nightly: drilled quarterly")
        }
    }

    /// Without a history nobody knows: a folder that was named wrongly must not read as kept, nor as overdue.
    @Test func withoutAHistory() async throws {
        try await withRuns { folder in
            #expect(try await ask(folder).verdict == .error)
            #expect(try await ask(folder.appending(path: "none")).findings.map(\.rule.name) == ["no-history"])
            try run("nightly", .passed, at: "2026-11-01T00:00:00Z", in: folder, estate: "elsewhere")
            #expect(try await ask(folder).verdict == .error)
        }
    }

    @Test func aDamagedRunMayHaveBeenTheLast() async throws {
        try await withRuns { folder in
            try run("nightly", .passed, at: "2026-11-01T00:00:00Z", in: folder)
            try run("nightly", .passed, at: "2026-05-01T00:00:00Z", in: folder)
            try Data("{}".utf8).write(to: folder.appending(path: "run-20261101T000000Z-0a1b/report.json"))
            #expect(try await ask(folder).verdict == .error)
            // It doesn't matter where another one keeps the promise.
            try run("nightly", .passed, at: "2026-10-01T00:00:00Z", in: folder)
            #expect(try await ask(folder).verdict == .passed)
        }
    }

    @Test func beforeTheFirstPeriodIsOver() async throws {
        try await withRuns { folder in
            let day = try #require(CalendarDay(parsing: "2026-11-15"))
            let found = try await ask(folder, Cadence(.quarterly, since: day))
            #expect(found.verdict == .skipped && found.reason == "it is due for the first time by 2026-12-31")
            #expect(try await ask(folder, nil).verdict == .skipped)
        }
    }

    @Test func aFormerNameCounts() async throws {
        try await withRuns { folder in
            try run("old", .passed, at: "2026-11-01T00:00:00Z", in: folder)
            #expect(try await ask(folder, formerly: ["old"]).verdict == .passed)
            // Judged as of a day before it ran.
            #expect(try await ask(folder, formerly: ["old"], now: "2026-10-20T00:00:00Z").verdict == .error)
        }
    }
}
