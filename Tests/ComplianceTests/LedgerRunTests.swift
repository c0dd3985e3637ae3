// What the ledger's word is worth to a report.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Compliance

@Suite struct LedgerRunTests {
    private let now = "2026-11-30T06:00:00Z"

    /// A clock that is set back fills no quarter that is over.
    @Test func backdated() async throws {
        for (recorded, state) in [("2026-08-01T11:00:00Z", ComplianceReport.Coverage.State.unverified), ("2026-10-01T10:50:00Z", .kept)] {
            let folder = try RunFolder(hasLedger: true)
            try folder.run("other", at: "2026-10-01T10:00:00Z", recordedAt: "2026-10-01T11:00:00Z")
            try folder.run("nightly", at: "2026-08-01T10:00:00Z", recordedAt: recorded)
            let report = try await folder.quarter("2026-Q3", [folder.plan("nightly")], now: now)
            #expect(report.coverage[0].windows[0].state == state, "\(recorded)")
            #expect(report.runs.map(\.record) == [state == .kept ? .vouched : .backdated])
            #expect(report.notes.contains { $0.contains("clock set back") } == (state != .kept))
        }
    }

    /// A rehearsal estate may have the name, and the keys, of the one that it stands in for.
    @Test func aStandInThatIsRecorded() async throws {
        let folder = try RunFolder(hasLedger: true)
        let rehearsal = try RunFolder(hasLedger: true)
        // An entry of the estate's key, for a drill that ran against another file of that name.
        try folder.run("nightly", at: "2026-08-01T10:00:00Z", recordedAt: "2026-08-01T11:00:00Z", entryOf: rehearsal.estate.file)
        let report = try await folder.quarter("2026-Q3", [folder.plan("nightly")], now: now)
        #expect(report.ledger?.entries == 1 && report.ledger?.verdict == .passed, "\(report.reasons)")
        #expect(report.runs.isEmpty && report.verdict == .error, "\(report.reasons)")
    }

    /// A red run whose report is of a newer version has found something, whatever that is; a green one of that kind closes nothing.
    @Test func aReportThatCantBeRead() async throws {
        let folder = try RunFolder(hasLedger: true)
        try folder.run("nightly", at: "2026-11-01T10:00:00Z", [red()], layout: 2)
        try folder.run("nightly", at: "2026-11-02T10:00:00Z", layout: 2)
        try folder.run("nightly", at: "2026-11-03T10:00:00Z", [red("wal-gap", "w")])
        let report = try await folder.quarter("2026-Q4", [folder.plan("nightly")], now: now)
        #expect(Set(report.actions.map(\.rule)) == ["findings-gone", "wal-gap"] && report.actions.allSatisfy { $0.state == .open })
    }

    /// Nor does it keep a promise, or show a backup.
    @Test func anInspectionThatIsNotRecorded() async throws {
        let folder = try RunFolder(hasLedger: true)
        let fact = Fact(
            "postgres.daily\(DaysSeen.suffix)",
            DaysSeen([try RunFolder.time("2026-11-01T10:00:00Z")], until: try RunFolder.time("2026-11-01T20:00:00Z"), in: folder.zone).text)
        try folder.run("nightly", at: "2026-11-01T10:00:00Z")
        try folder.run(nil, at: "2026-11-01T20:00:00Z", [green(group: .policy, name: "daily: made")], facts: [fact], isRecorded: false)
        let report = try await folder.quarter("2026-Q4", [folder.plan("nightly")], now: now)
        #expect(!report.promises.contains { $0.name == "daily: made" })
        #expect(report.calendar.days.allSatisfy { $0.inspection == nil } && report.calendar.series[0].counts.allSatisfy { $0 == nil })
    }
}
