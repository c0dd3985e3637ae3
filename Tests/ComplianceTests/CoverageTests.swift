// What becomes of a period in which a drill was due.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Compliance

@Suite struct CoverageTests {
    private func state(_ folder: RunFolder, _ quarter: String = "2026-Q3", now: String = "2026-11-30T06:00:00Z") async throws
        -> (ComplianceReport.Coverage.Window, ComplianceReport)
    {
        let report = try await folder.quarter(quarter, [folder.plan("nightly")], now: now)
        return (try #require(report.coverage.first?.windows.first), report)
    }

    @Test func kept() async throws {
        let folder = try RunFolder()
        let run = try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        let (window, report) = try await state(folder)
        #expect(window.state == .kept && window.run == run && window.passed == 1)
        #expect(report.verdict == .passed, "\(report.reasons)")
    }

    /// A missing quarter is itself a failure.
    @Test func missing() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-11-01T10:00:00Z")
        let (window, report) = try await state(folder)
        #expect(window.state == .missing)
        #expect(report.verdict == .failed)
        #expect(report.reasons == ["nightly was not drilled in 2026-Q3"])
    }

    /// The estate's zone counts: this run began in the third quarter of UTC, and in the fourth of Kolkata.
    @Test func theEstatesZoneCounts() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-09-30T19:00:00Z")
        #expect(try await state(folder).0.state == .missing)
        #expect(try await state(folder, "2026-Q4").0.state == .kept)
    }

    @Test func notOver() async throws {
        let folder = try RunFolder()
        try folder.run("other", at: "2026-10-30T19:00:00Z")
        let (window, report) = try await state(folder, "2026-Q4")
        #expect(window.state == .open && !report.isOver)
        // Nothing is wrong, and nothing has been shown to be right.
        #expect(report.verdict == .error && report.reasons == ["none of the drills that are due has passed yet"])
        let other = folder.plan("other")
        let half = try await folder.quarter("2026-Q4", [folder.plan("nightly"), other], now: "2026-11-30T06:00:00Z")
        #expect(half.verdict == .passed, "\(half.reasons)")
    }

    /// How it stands at the end counts.
    @Test func greenFirstAndRedLater() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        try folder.run("nightly", at: "2026-09-01T10:00:00Z", [red()])
        let (window, report) = try await state(folder)
        #expect(window.state == .failed && report.verdict == .failed, "\(report.reasons)")
        try folder.run("nightly", at: "2026-09-02T10:00:00Z")
        #expect(try await state(folder).0.state == .kept)
    }

    /// Anybody can put a folder beside the others: with a ledger, a run that it doesn't name proves nothing good.
    @Test func whatTheLedgerDoesntNameIsNoProof() async throws {
        let folder = try RunFolder(hasLedger: true)
        try folder.run("nightly", at: "2026-05-01T10:00:00Z")
        try folder.run("nightly", at: "2026-06-01T10:00:00Z", [red()])
        try folder.run("nightly", at: "2026-08-01T10:00:00Z", isRecorded: false)
        let (window, report) = try await state(folder)
        #expect(window.state == .unverified && report.verdict == .failed, "\(report.reasons)")
        #expect(report.runs.map(\.record) == [.unrecorded] && report.actions.map(\.state) == [.overdue])
        #expect(report.ledger?.verdict == .passed && report.notes.contains { $0.contains("no proof") })
        #expect(report.controls.allSatisfy { !$0.hasEvidence }, "nor is it evidence for any clause")
        let earlier = try await state(folder, "2026-Q2")
        #expect(earlier.1.runs.map(\.record) == [.vouched, .vouched])
        // What is red is believed of anybody.
        try folder.run("nightly", at: "2026-08-02T10:00:00Z", [red()], isRecorded: false)
        #expect(try await state(folder).0.state == .failed)
        try folder.run("nightly", at: "2026-08-03T10:00:00Z")
        #expect(try await state(folder).1.verdict == .passed)
    }

    /// A ledger that was spoilt is told, also where nothing else is left.
    @Test func anEmptiedFolderWithASpoiltLedger() async throws {
        let folder = try RunFolder(hasLedger: true)
        let run = try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        try FileManager.default.removeItem(at: folder.folder.appending(path: run))
        let ledger = folder.folder.appending(path: "ledger.jsonl")
        var bytes = try Data(contentsOf: ledger)
        bytes[40] ^= 1
        try bytes.write(to: ledger)
        let report = try await state(folder).1
        #expect(report.verdict != .passed && report.reasons.contains { $0.contains("ledger") }, "\(report.reasons)")
    }

    /// A drill that isn't due may have an owner for its findings all the same.
    @Test func aDrillWithoutDueIsNoStranger() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        let plan = ActionPlan(
            entries: [ActionPlan.Entry(drill: "quick", rule: "wal-gap", object: nil, owner: "x", due: nil, note: nil, line: 4)])
        let report = try await folder.quarter(
            "2026-Q3", [folder.plan("nightly"), folder.plan("quick", nil)], now: "2026-11-30T06:00:00Z", actions: plan)
        #expect(report.coverage.map(\.drill) == ["nightly"] && !report.notes.contains { $0.contains("line 4") })
    }

    @Test func aPeriodBeforeThePromiseIsNotPassed() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        let plan = folder.plan("nightly", Cadence(.quarterly, since: try CalendarPeriodTests.day("2027-01-01")))
        let report = try await folder.quarter("2026-Q3", [plan], now: "2026-11-30T06:00:00Z")
        #expect(report.verdict == .error && report.reasons == ["no drill was due in the period"])
    }

    /// A run that nobody can read may have been the one.
    @Test func anUnreadableRunIsNotAMissingOne() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-05-01T10:00:00Z")
        let run = try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        try Data("{".utf8).write(to: folder.folder.appending(path: "\(run)/report.json"))
        let (window, report) = try await state(folder)
        #expect(window.state == .unverified && report.verdict == .error, "\(report.reasons)")
    }

    /// What ran behind the report's last day is none of it.
    @Test func aPartOfAQuarter() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-01-20T10:00:00Z", [red()])
        try folder.run("nightly", at: "2026-03-20T10:00:00Z")
        let period = CalendarPeriod(from: try CalendarPeriodTests.day("2026-01-15"), to: try CalendarPeriodTests.day("2026-02-15"))
        let report = try await folder.report(period, [folder.plan("nightly")], now: "2026-11-30T06:00:00Z")
        #expect(report.coverage[0].windows.map(\.state) == [.retested] && report.coverage[0].windows[0].passed == 0)
    }

    @Test(arguments: [true, false])
    func failedAndRetested(_ isRetested: Bool) async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-08-01T10:00:00Z", [red()])
        if isRetested { try folder.run("nightly", at: "2026-10-02T10:00:00Z") }
        let (window, report) = try await state(folder)
        #expect(window.state == (isRetested ? .retested : .failed))
        #expect(report.verdict == (isRetested ? .passed : .failed), "\(report.reasons)")
    }

    /// Neither an error nor a run that was cut off is a drill, however much of it was green.
    @Test(arguments: [true, false])
    func whatCameToNoVerdict(_ isCutOff: Bool) async throws {
        let folder = try RunFolder()
        let unasked = CaseResult.unasked(
            .rows, name: "t", finding: Finding(Rule("tool-missing"), object: "psql", message: "it is not there", hint: "install it"))
        try folder.run("nightly", at: "2026-08-01T10:00:00Z", isCutOff ? [green()] : [green(), unasked], isCutOff: isCutOff)
        let (window, report) = try await state(folder)
        #expect(window.state == .unverified && window.unverified == 1)
        #expect(report.verdict == .failed)
    }

    @Test func beforeThePromiseNothingIsDue() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        let plan = folder.plan("nightly", Cadence(.quarterly, since: try CalendarPeriodTests.day("2026-07-15")))
        let year = CalendarPeriod(.yearly, containing: try CalendarPeriodTests.day("2026-01-01"))
        let report = try await folder.report(year, [plan], now: "2026-11-30T06:00:00Z")
        #expect(report.coverage[0].windows.map(\.period.label) == ["2026-Q3", "2026-Q4"])
        #expect(report.coverage[0].windows.map(\.state) == [.kept, .open])
    }

    /// A yearly drill isn't missing in a quarter that ends before the year does.
    @Test func aLongerPeriodIsJudgedAtItsEnd() async throws {
        let folder = try RunFolder()
        try folder.run("other", at: "2025-08-01T10:00:00Z")
        for (quarter, state) in [("2025-Q3", ComplianceReport.Coverage.State.open), ("2025-Q4", .missing)] {
            let report = try await folder.quarter(quarter, [folder.plan("nightly", Cadence(.yearly))], now: "2026-11-30T06:00:00Z")
            #expect(report.coverage.first { $0.drill == "nightly" }?.windows.map(\.state) == [state], "\(quarter)")
        }
    }

    @Test func anotherEstatesRunsAreNone() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-08-01T10:00:00Z", estate: "other")
        #expect(try await state(folder).0.state == .missing)
    }

    /// The lab may be called as the estate is.
    @Test func aStandInIsNotTheEstate() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-08-01T10:00:00Z", standIn: "/tmp/lab/estate.yaml")
        #expect(try await state(folder).0.state == .missing)
    }

    @Test func aFormerNameCounts() async throws {
        let folder = try RunFolder()
        try folder.run("daily", at: "2026-08-01T10:00:00Z")
        let report = try await folder.quarter("2026-Q3", [folder.plan("nightly", formerly: ["daily"])], now: "2026-11-30T06:00:00Z")
        #expect(report.coverage.map(\.drill) == ["nightly"] && report.coverage[0].windows[0].state == .kept)
        #expect(report.runs.map(\.formerName) == ["daily"])
    }

    /// What nobody promised, and what nobody can read, is not passed.
    @Test func nothingPromisedAndNothingRead() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        let unpromised = try await folder.quarter("2026-Q3", [folder.plan("nightly", nil)], now: "2026-11-30T06:00:00Z")
        #expect(unpromised.verdict == .error && unpromised.reasons[0].contains("how often it is due"))
        let run = try folder.run("nightly", at: "2026-08-02T10:00:00Z")
        try Data("{}".utf8).write(to: folder.folder.appending(path: "\(run)/report.json"))
        let (window, report) = try await state(folder)
        #expect(window.state == .kept && report.verdict == .error && report.reasons[0].contains(run))
        // A folder that was emptied, as a CI server's may be.
        let empty = try RunFolder()
        let none = try await empty.quarter("2026-Q3", [empty.plan("nightly")], now: "2026-11-30T06:00:00Z")
        #expect(none.verdict == .error && none.reasons[0].contains("no run of the estate lies in"))
    }
}
