// summary.md: short enough for where it goes, and it says so where it was cut.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct MarkdownReportTests {
    @Test func aRunLooksAsAgreed() throws {
        try Golden.expect(MarkdownReport.render(Fixtures.fullRun.report), "run.summary.md")
    }

    @Test func anInterruptedRunLooksAsAgreed() throws {
        try Golden.expect(MarkdownReport.render(Fixtures.interruptedRun.report), "interrupted.summary.md")
    }

    @Test func manyFindingsAreCounted() {
        var script = EventScript()
        script.run(drills: 1)
        script.drill("wide")
        for index in 1...10_000 {
            let finding = Finding(
                Rule("rows-differ"), object: "public.t\(index)", message: String(repeating: "m", count: 3_000), hint: "h",
                diff: ["-a", "+b"])
            script.add(.caseFinished(.judged(.rows, service: "postgres", name: "public.t\(index)", findings: [finding])))
        }
        script.finish(.failed, [], since: .zero)
        let text = MarkdownReport.render(script.report)
        let isCounted = text.contains("9,980 more findings")
        #expect(text.utf8.count <= MarkdownReport.largest && isCounted)
    }

    @Test(arguments: [3_000, 1_000, 200])
    func whatDoesNotFitIsCutWithAWord(largest: Int) {
        let text = MarkdownReport.render(Fixtures.fullRun.report, largest: largest)
        #expect(text.utf8.count <= largest + 20)
        #expect(text.hasSuffix("**This summary was cut here: report.html and report.json, beside this file, have all of it.**\n"))
        // An open fence would swallow it.
        #expect(text.matches(of: /(?m)^ *```/).count % 2 == 0)
    }
}
