// Deficiency, fix, retest: what opens a corrective action, and what alone closes it.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Compliance

@Suite struct ActionTests {
    private func actions(
        _ folder: RunFolder, _ plan: ActionPlan = ActionPlan(), quarter: String = "2026-Q4", now: String = "2026-11-30T06:00:00Z"
    ) async throws -> (actions: [ComplianceReport.CorrectiveAction], report: ComplianceReport) {
        let report = try await folder.quarter(quarter, [folder.plan("nightly")], now: now, actions: plan)
        return (report.actions, report)
    }

    @Test func aLaterGreenRunOfTheSameDrillCloses() async throws {
        let folder = try RunFolder()
        let first = try folder.run("nightly", at: "2026-11-01T10:00:00Z", [red()])
        try folder.run("nightly", at: "2026-11-02T10:00:00Z", [red()])
        try folder.run("other", at: "2026-11-03T10:00:00Z")
        #expect(try await actions(folder).actions.map(\.state) == [.open])
        let closing = try folder.run("nightly", at: "2026-11-04T10:00:00Z")
        let action = try #require(try await actions(folder).actions.first)
        #expect(action.state == .closed && action.openedBy == first && action.closedBy == closing && action.occurrences == 2)
    }

    /// One that comes back is another one.
    @Test func itMayOpenAgain() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-11-01T10:00:00Z", [red()])
        try folder.run("nightly", at: "2026-11-02T10:00:00Z")
        try folder.run("nightly", at: "2026-11-03T10:00:00Z", [red()])
        #expect(try await actions(folder).actions.map(\.state) == [.open, .closed])
    }

    /// Under the fast profile an RTO meets no target, so a green run of it mends no missed one.
    @Test func whatAGreenRunPassedOverStaysOpen() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-11-01T10:00:00Z", [red("rto-missed", "nightly", group: .objective, name: "RTO")])
        try folder.run(
            "nightly", at: "2026-11-02T10:00:00Z",
            [green(), .skipped(.objective, service: "postgres", name: "RTO", reason: "the profile is fast")], profile: .fast)
        #expect(try await actions(folder).actions.map(\.state) == [.open])
        try folder.run("nightly", at: "2026-11-03T10:00:00Z", [green(group: .objective, name: "RTO")])
        #expect(try await actions(folder).actions.map(\.state) == [.closed])
    }

    /// What only an inspection that reads the artifacts can see, none that doesn't read them mends.
    @Test func aDeepFindingTakesADeepInspection() async throws {
        let folder = try RunFolder()
        let damage = red("digest-differs", "daily", group: .policy, name: "daily: every artifact reads to its end")
        try folder.run(nil, at: "2026-11-01T10:00:00Z", [damage], facts: [.deepInspection])
        try folder.run(nil, at: "2026-11-02T10:00:00Z", [green(group: .policy, name: "daily: made every day")])
        #expect(try await actions(folder).actions.map(\.state) == [.open])
        try folder.run(
            nil, at: "2026-11-03T10:00:00Z", [green(group: .policy, name: "daily: every artifact reads to its end")],
            facts: [.deepInspection])
        #expect(try await actions(folder).actions.map(\.state) == [.closed])
    }

    @Test func ownersAndDays() async throws {
        let folder = try RunFolder()
        try folder.run(
            "nightly", at: "2026-10-01T10:00:00Z", [red(), red("rows-differ", "public.u", name: "public.u"), red("wal-gap", "w")])
        var plan = ActionPlan(
            entries: [
                ActionPlan.Entry(
                    drill: "nightly", rule: "rows-differ", object: nil, owner: "data", due: try CalendarPeriodTests.day("2026-12-24"),
                    note: nil, line: 3),
                ActionPlan.Entry(
                    drill: "nightly", rule: "rows-differ", object: "public.u", owner: "platform",
                    due: try CalendarPeriodTests.day("2026-11-29"), note: "ticket 7", line: 4),
                ActionPlan.Entry(drill: "nightyl", rule: "wal-gap", object: nil, owner: "x", due: nil, note: nil, line: 9),
            ])
        let (found, report) = try await actions(folder, plan)
        #expect(found.map(\.state) == [.overdue, .overdue, .open])
        #expect(found.map(\.owner) == [nil, "platform", "data"])
        // Thirty days, where nothing says otherwise.
        #expect(found.map { "\($0.due)" } == ["2026-10-31", "2026-11-29", "2026-12-24"])
        #expect(report.verdict == .failed && report.reasons.contains("2 corrective actions are overdue"))
        #expect(
            report.notes.contains { $0.contains("line 9") }
                && report.notes.contains { $0.contains("1 open corrective action has no owner") })
        plan.days = 90
        #expect(try await actions(folder, plan).actions.map(\.state) == [.overdue, .open, .open])
    }

    /// A report of a quarter tells of what was open in it, and of nothing that came later.
    @Test func whatBelongsToAPeriod() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-05-01T10:00:00Z", [red("early", "a")])
        try folder.run("nightly", at: "2026-06-01T10:00:00Z")
        try folder.run("nightly", at: "2026-06-20T10:00:00Z", [red("carried", "b")])
        try folder.run("nightly", at: "2026-08-01T10:00:00Z")
        try folder.run("nightly", at: "2026-10-20T10:00:00Z", [red("later", "c")])
        let (found, _) = try await actions(folder, quarter: "2026-Q3")
        #expect(found.map(\.rule) == ["carried"] && found[0].state == .closed)
        #expect(try await actions(folder, quarter: "2026-Q2").actions.map(\.rule) == ["early", "carried"])
    }

    /// A red case without a finding, an error, and a run that was cut off all have to be looked at.
    @Test func everythingRedOpens() async throws {
        let folder = try RunFolder()
        let bare = CaseResult(.rows, service: "postgres", name: "bare", verdict: .failed)
        let unasked = CaseResult.unasked(
            .rows, name: "t", finding: Finding(Rule("tool-missing"), object: "psql", message: "it is not there", hint: "install it"))
        let step = CaseResult(.step, service: "postgres", name: "restore", verdict: .failed, reason: "see above")
        try folder.run(
            "nightly", at: "2026-11-01T10:00:00Z", [step, bare, unasked, red("seen-twice", "a"), red("seen-twice", "a", name: "b")])
        let found = try await actions(folder).actions
        #expect(Set(found.map { "\($0.rule) \($0.object)" }) == ["case-failed bare", "tool-missing psql", "seen-twice a"])
        let alone = try RunFolder()
        try alone.run("nightly", at: "2026-11-01T10:00:00Z", [step])
        #expect(try await actions(alone).actions.map(\.object) == ["restore"])
        let other = try RunFolder()
        try other.run("nightly", at: "2026-11-01T10:00:00Z", [red()], isCutOff: true)
        #expect(try await actions(other).actions.map(\.rule) == ["rows-differ"])
    }
}
