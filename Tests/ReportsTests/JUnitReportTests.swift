// junit.xml: what it looks like, and that no input makes it invalid.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct JUnitReportTests {
    /// Two services at once: what both take is halved, and the questions within carry nothing, so that the sum is the drill's own time.
    @Test func timesAddUpToTheDrill() {
        func activity(_ step: Step, _ service: String, _ from: Int, _ to: Int) -> StepActivity {
            StepActivity(step: step, service: service, start: .seconds(from), end: .seconds(to), verdict: .passed, detail: "")
        }
        let activities = [activity(.retrieve, "a", 0, 4), activity(.retrieve, "b", 2, 6), activity(.verify, "a", 6, 10)]
        #expect(JUnitTimes.shares(of: activities) == [.seconds(3), .seconds(3), .seconds(4)])
        var drill = Fixtures.fullRun.report.drills[0]
        let steps = [Step.retrieve, .verify].map { step in
            StepResult(step: step, verdict: .passed, duration: .zero, activities: activities.filter { $0.step == step })
        }
        drill.outcome = DrillOutcome(verdict: .passed, duration: .seconds(10), steps: steps, objectives: nil, unproven: [])
        let cases = [
            CaseResult(.step, service: "a", name: "retrieve", verdict: .passed, duration: .seconds(4)),
            CaseResult(.step, service: "b", name: "retrieve (x in y)", verdict: .passed, duration: .seconds(4)),
            CaseResult(.rows, service: "a", name: "t", verdict: .passed, duration: .seconds(3)),
            CaseResult(.step, service: "a", name: "verify", verdict: .passed, duration: .seconds(4)),
        ]
        #expect(JUnitTimes(of: cases, in: drill, lasting: .seconds(10)).times == [.seconds(3), .seconds(3), .zero, .seconds(4)])
        // Without steps, as in an inspection, the questions carry their own.
        #expect(JUnitTimes(of: [cases[2]], in: drill, lasting: .seconds(10)).times == [.seconds(3)])
        #expect(JUnitTimes(of: [cases[2], cases[2]], in: drill, lasting: .seconds(3)).times.reduce(.zero, +) <= .seconds(3))
    }

    @Test func aRunLooksAsAgreed() throws {
        try Golden.expect(JUnitReport.render(Fixtures.fullRun.report), "run.junit.xml")
    }

    @Test func anInterruptedRunLooksAsAgreed() throws {
        try Golden.expect(JUnitReport.render(Fixtures.interruptedRun.report), "interrupted.junit.xml")
    }

    @Test func theCountsAreThoseOfTheCases() {
        let xml = JUnitReport.render(Fixtures.fullRun.report)
        #expect(xml.contains("<testsuites name=\"muster\" tests=\"23\" failures=\"5\" errors=\"2\""))
        #expect(xml.components(separatedBy: "<testcase ").count - 1 == 23)
        #expect(xml.components(separatedBy: "<failure ").count - 1 == 5)
        #expect(xml.components(separatedBy: "<error ").count - 1 == 2)
    }

    @Test func equalNamesAreToldApart() {
        var script = EventScript()
        script.run(drills: 2)
        for _ in 1...2 {
            script.drill("twice")
            for _ in 1...3 { script.add(.caseFinished(CaseResult(.rows, service: "a", name: "t", verdict: .passed))) }
            // What a second one is renamed to may itself be taken.
            script.add(.caseFinished(CaseResult(.rows, service: "a", name: "t (2)", verdict: .passed)))
            script.finish(.passed, [], since: .zero)
        }
        script.add(.runFinished(.passed))
        let xml = JUnitReport.render(script.report)
        for name in ["a rows: t", "a rows: t (2)", "a rows: t (3)", "a rows: t (2) (2)"] {
            #expect(xml.components(separatedBy: "<testcase name=\"\(name)\"").count - 1 == 2, "\(name)")
        }
        #expect(xml.contains("<testsuite name=\"twice (2)\""))
        #expect(xml.contains("classname=\"muster.twice-(2).a.rows\""))
    }

    @Test(arguments: [Verdict.failed, .error])
    func aRedDrillWithoutARedCaseIsRed(verdict: Verdict) {
        var script = EventScript()
        script.run(drills: 1)
        script.drill("quiet")
        script.add(.caseFinished(CaseResult(.rows, name: "t", verdict: .passed)))
        script.finish(verdict, [], since: .zero)
        script.add(.runFinished(verdict))
        let xml = JUnitReport.render(script.report)
        #expect(xml.contains(verdict == .failed ? "failures=\"1\" errors=\"0\"" : "failures=\"0\" errors=\"1\""))
    }

    @Test func aDrillThatAskedNothingIsAnError() {
        var script = EventScript()
        script.run(drills: 1)
        script.drill("empty")
        script.finish(.passed, [], since: .zero)
        script.add(.runFinished(.passed))
        #expect(JUnitReport.render(script.report).contains("the drill asked nothing"))
    }

    @Test func aRunOfNoDrillsIsAnError() {
        var script = EventScript()
        script.run(drills: 0)
        script.add(.runFinished(.error))
        let xml = JUnitReport.render(script.report)
        #expect(xml.contains("tests=\"1\" failures=\"0\" errors=\"1\""))
        #expect(xml.contains("no drill ran"))
    }

    @Test func aRunOfWhichNothingIsKnownIsAnError() {
        #expect(JUnitReport.render(RunReport()).contains("errors=\"1\""))
    }

    @Test func aGreenRunHasNothingRed() {
        var script = EventScript()
        script.run(drills: 1)
        script.drill("green")
        script.add(.caseFinished(CaseResult(.rows, name: "t", verdict: .passed)))
        script.finish(.passed, [], since: .zero)
        script.add(.runFinished(.passed))
        let xml = JUnitReport.render(script.report)
        #expect(xml.contains("<testsuites name=\"muster\" tests=\"1\" failures=\"0\" errors=\"0\""))
        #expect(!xml.contains("<failure") && !xml.contains("<error"))
    }

    @Test func textsAreShortenedUntilTheFileIsSmallEnough() {
        let finding = Finding(
            Rule("long"), object: "t", message: "m", hint: "h", diff: Array(repeating: "-" + String(repeating: "x", count: 99), count: 200))
        var script = EventScript()
        script.drill("long")
        for index in 1...60 { script.add(.caseFinished(.judged(.schema, name: "t\(index)", findings: [finding, finding]))) }
        let whole = JUnitReport.render(script.report)
        #expect(whole.utf8.count > 2_000_000)
        #expect(!whole.contains("see report.json"))
        let small = JUnitReport.render(script.report, largest: 200_000)
        #expect(small.utf8.count < 200_000)
        #expect(small.contains("… 1 more finding: see report.json"))
        #expect(small.components(separatedBy: "<failure ").count - 1 == 60)
    }

    @Test func whatXMLCannotHoldIsReplaced() {
        let nasty = "a\u{0}b\u{1B}[31m\u{FFFE}\u{85}<&>\"'\n\t\r]]>😀"
        #expect(XMLText.body(nasty) == "a\u{FFFD}b\u{FFFD}[31m\u{FFFD}\u{FFFD}&lt;&amp;&gt;\"'\n\t&#13;]]&gt;😀")
        #expect(XMLText.attribute(nasty) == "a\u{FFFD}b\u{FFFD}[31m\u{FFFD}\u{FFFD}&lt;&amp;&gt;&quot;'&#10;&#9;&#13;]]&gt;😀")
        // A line break and a carriage return side by side are one Swift character, and two of XML's.
        #expect(XMLText.attribute("\r\n") == "&#13;&#10;")
    }
}
