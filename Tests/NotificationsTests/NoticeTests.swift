// What is worth telling of a run, and whom.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Notifications

@Suite struct NoticeTests {
    private let estate = Fixtures.estate()
    private static let run = "run-20260314T023000Z-0a1b"

    private func notice(
        _ report: RunReport, of estate: Estate? = nil, planned: [String] = [], in folder: URL = URL(fileURLWithPath: "/nowhere"),
        problem: String? = nil
    ) async -> Notice {
        await Notice(
            report, of: estate ?? self.estate, planned: planned, history: RunHistory(folder: folder), run: Self.run,
            reportPath: "/reports/\(Self.run)/report.html", ledger: nil, problem: problem)
    }

    @Test func redIsWhatFailedAndWhatCouldNotBeVerified() async {
        let drills = [
            Fixtures.drill("good", of: estate, .passed),
            Fixtures.drill("broken", of: estate, .error, cases: [Fixtures.red(verdict: .error)]),
            Fixtures.drill("bad", of: estate, .failed, cases: [Fixtures.red("rows-differ")]),
        ]
        let told = await notice(Fixtures.run(drills, .failed)).restricted(to: [.red])
        #expect(told?.drills.map(\.name) == ["bad", "broken"] && told?.verdict == .failed && told?.occasions == [.red])
        #expect(told.map { NoticeText($0).title } == "✗ failed: bad; not verified: broken. Estate shop")
        #expect(await notice(Fixtures.run([drills[0]], .passed)).restricted(to: [.red, .recovery, .overdue]) == nil)
    }

    @Test func aRunThatWasCutOffIsRedToItsLastDrill() async throws {
        let cut = Fixtures.run([Fixtures.drill("first", of: estate, .passed), Fixtures.drill("second", of: estate, nil)], nil)
        let told = try #require(await notice(cut, planned: ["first", "second", "third"]).restricted(to: [.red]))
        #expect(told.drills.map(\.name) == ["second", "third"] && told.isInterrupted && told.verdict == .error)
        #expect(NoticeText(told).plain.contains("\nsecond: cut off\n\nthird: never began\n"))
        // An inspection of which nothing is known yet.
        let early = try #require(await notice(Fixtures.run([], nil)).restricted(to: [.red]))
        #expect(NoticeText(early).title == "! the run was cut off before its end. Estate shop")
        #expect(await notice(Fixtures.run([], nil)).restricted(to: [.recovery, .overdue]) == nil)
    }

    @Test func anOverdueDrillIsNoBadBackup() async throws {
        func inspection(_ cases: [CaseResult], _ verdict: Verdict? = .failed) -> RunReport {
            Fixtures.run([Fixtures.drill("inspection of shop", of: estate, verdict, kind: .inspection, cases: cases)], verdict)
        }
        let late = Fixtures.red("drill-overdue")
        #expect(await notice(inspection([late])).occasions == [.overdue])
        #expect(await notice(inspection([late])).restricted(to: [.red]) == nil)
        #expect(await notice(inspection([late, Fixtures.red("backup-missing")])).occasions == [.red, .overdue])
        #expect(await notice(inspection([late, Fixtures.red()])).occasions == [.red, .overdue])
        #expect(await notice(inspection([late], .error)).occasions == [.red, .overdue])
        // As a warning it is told, too.
        let warned = CaseResult(
            .policy, name: "drills", verdict: .passed, findings: [Fixtures.finding("drill-overdue", "drill nightly", .warning)])
        let told = try #require(await notice(inspection([warned], .passed)).restricted(to: [.overdue]))
        #expect(NoticeText(told).plain.contains("• drill-overdue drill nightly: it is not as sealed\nhint: look at it"))
    }

    @Test func recoveryIsGreenAfterRed() async throws {
        try await withFolder { folder in
            func write(_ name: String, _ verdict: Verdict?, of estate: Estate, started: Date) throws {
                let place = folder.appendingPathComponent(name, isDirectory: true)
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
                let report = Fixtures.run([Fixtures.drill("nightly", of: estate, verdict, started: started)], verdict)
                try JSONReport.render(report).write(to: place.appendingPathComponent("report.json"))
            }
            let green = Fixtures.run([Fixtures.drill("nightly", of: estate, .passed)], .passed)
            func isRecovery() async -> Bool { await notice(green, in: folder).occasions == [.recovery] }
            #expect(await !isRecovery(), "without a past there is nothing to recover from")
            let start = Fixtures.start
            try write("run-20260313T023000Z-0000", .failed, of: estate, started: start - 86_400)
            #expect(await isRecovery())
            // Its own report is there already, and so is one that began later.
            try write(Self.run, .passed, of: estate, started: start)
            try write("run-20260314T033000Z-0000", .failed, of: estate, started: start + 3600)
            #expect(await isRecovery())
            try write("run-20260313T033000Z-ffff", .passed, of: estate, started: start - 82_800)
            #expect(await !isRecovery())
            // Within one second names tell no order.
            try write("run-20260313T033000Z-0000", nil, of: estate, started: start - 82_799.5)
            #expect(await isRecovery())
            // Another estate's drill of that name is another drill; a report that can't be read tells nothing.
            try write("run-20260313T043000Z-0000", .passed, of: Fixtures.estate("other"), started: start - 79_200)
            try write("run-20260313T053000Z-0000", .passed, of: estate, started: start - 75_600)
            try Data("{".utf8).write(to: folder.appendingPathComponent("run-20260313T053000Z-0000/report.json"))
            let told = try #require(await notice(green, in: folder).restricted(to: [.recovery]))
            #expect(NoticeText(told).title == "✓ recovered: nightly. Estate shop")
            #expect(NoticeText(told).plain.contains("nightly: passed, error before"))
        }
    }

    @Test func eachEstateHearsOfItsOwn() async {
        let other = Fixtures.estate("other")
        let report = Fixtures.run(
            [Fixtures.drill("a", of: estate, .failed, cases: [Fixtures.red("x")]), Fixtures.drill("b", of: other, .failed)], .failed)
        #expect(await notice(report).drills.map(\.name) == ["a"])
        #expect(await notice(report, of: other).drills.map(\.name) == ["b"])
    }

    @Test func lostReportsAreRed() async {
        let green = Fixtures.run([Fixtures.drill("nightly", of: estate, .passed)], .passed)
        let told = await notice(green, problem: "the disk is full").restricted(to: [.red])
        #expect(told.map { NoticeText($0).title } == "! the disk is full. Estate shop" && told?.verdict == .error)
    }

    /// What was expected and what was found may hold more than a chat should.
    @Test func noValueLeaves() async throws {
        let drill = Fixtures.drill("bad", of: estate, .failed, cases: [Fixtures.red("rows-differ")], objectives: Fixtures.objectives)
        let told = try #require(await notice(Fixtures.run([drill], .failed)).restricted(to: [.red]))
        let mail = NotifyChannel.Mail(to: ["a@b"], from: "c@d", sendmail: "x")
        let texts = try [
            NoticeDocument.text(told), SlackBody.text(told), TeamsBody.text(told), MattermostBody.text(told),
            MailMessage(told, mail: mail, date: Fixtures.start, id: "1").text,
        ]
        for text in texts { #expect(text.contains("rows-differ") && !text.contains("row-value"), "\(text)") }
        let plain = NoticeText(told).plain
        #expect(plain.contains("RTO 13m 20s, target < 4h: passed\nRPO postgres 7h, target < 6h: failed"), "\(plain)")
    }
}
