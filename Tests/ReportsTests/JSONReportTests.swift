// report.json: what it looks like, and that its numbers and times are exact.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct JSONReportTests {
    @Test func aRunLooksAsAgreed() throws {
        try Golden.expect(String(decoding: JSONReport.render(Fixtures.fullRun.report), as: UTF8.self), "run.report.json")
    }

    @Test func anInterruptedRunLooksAsAgreed() throws {
        try Golden.expect(String(decoding: JSONReport.render(Fixtures.interruptedRun.report), as: UTF8.self), "interrupted.report.json")
    }

    @Test func whatWasCutOffIsAnError() {
        let document = ReportDocument(Fixtures.interruptedRun.report)
        #expect(document.run.verdict == .error)
        #expect(document.run.interrupted)
        #expect(document.drills.map(\.verdict) == [.passed, .error])
        #expect(document.drills.last?.reason == "the run was interrupted")
        #expect(document.drills.last?.duration == Seconds(.milliseconds(3_031)))
    }

    @Test func aFailureOutweighsTheInterruption() {
        var script = EventScript()
        script.drill("red")
        script.finish(.failed, [], since: .zero)
        script.drill("cut off")
        #expect(ReportDocument(script.report).run.verdict == .failed)
    }

    @Test func itReadsBackAsItWasWritten() throws {
        let report = Fixtures.fullRun.report
        let document = try JSONDecoder().decode(ReportDocument.self, from: JSONReport.render(report))
        #expect(document == ReportDocument(report))
        #expect(document.schemaVersion == 1)
    }

    @Test(arguments: [
        (Duration.milliseconds(1), "0.001"), (.milliseconds(4_200), "4.2"), (.seconds(900), "900"), (.microseconds(1_499), "0.001"),
        (.microseconds(1_500), "0.002"), (.milliseconds(-250), "-0.25"), (.seconds(31_536_000) + .milliseconds(1), "31536000.001"),
    ])
    func secondsHaveThreeDecimalsAtMost(duration: Duration, text: String) throws {
        #expect(String(decoding: try JSONEncoder().encode([Seconds(duration)]), as: UTF8.self) == "[\(text)]")
    }

    @Test(arguments: [
        (1_773_455_400.25, "2026-03-14T02:30:00.250Z"), (1_773_455_400.9996, "2026-03-14T02:30:01.000Z"),
        (0.001, "1970-01-01T00:00:00.001Z"),
        (-0.25, "1969-12-31T23:59:59.750Z"),
    ])
    func timesAreRoundedToTheMillisecond(seconds: Double, text: String) throws {
        let date = Date(timeIntervalSince1970: seconds)
        #expect(Timestamp.iso(date) == text)
        let back = try JSONDecoder().decode([Timestamp].self, from: Data("[\"\(text)\"]".utf8))
        #expect(abs(back[0].date.timeIntervalSince(date)) < 0.001)
    }
}
