// An inspection in the reports: no scenario, no steps, each promise a row.

import DrillModel
import Foundation
import Synchronization
import Testing

@testable import Reports

@Suite struct InspectionReportTests {
    private static let start = Date(timeIntervalSince1970: 1_773_455_400)

    private var events: [Event] {
        let zone = TimeZone(identifier: "Asia/Kolkata") ?? .gmt
        let estate = Estate(
            name: "domainscope", timeZone: zone, stores: [:], keys: [:], services: [:], seals: SealPolicy(),
            file: URL(fileURLWithPath: "/estate.yaml"))
        let missing = Finding(
            Rule("backup-missing"), object: "postgres/daily of 2026-03-09 02:00", expected: "a backup", actual: "none",
            message: "the backup of 2026-03-09 02:00 is missing", hint: "look at the job's log")
        let kinds: [Event.Kind] = [
            .runStarted(RunInfo(musterVersion: "1", host: "h", runID: "run-1", drills: 1)),
            .drillStarted(.inspection(of: estate, name: "inspection of domainscope", asOf: Self.start)),
            .caseFinished(.judged(.policy, service: "postgres", name: "daily: made every day at 02:00", findings: [missing])),
            .caseFinished(.judged(.policy, service: "postgres", name: "daily: 30 daily backups kept", findings: [])),
            .caseFinished(.skipped(.policy, name: "code-in-git", reason: "asked by hand")),
            .drillFinished(DrillOutcome(verdict: .failed, duration: .seconds(1), steps: [], objectives: nil, unproven: ["code-in-git"])),
            .runFinished(.failed),
        ]
        return kinds.enumerated().map {
            Event(time: Self.start.addingTimeInterval(Double($0.offset)), elapsed: .seconds($0.offset), kind: $0.element)
        }
    }

    private var report: RunReport {
        var report = RunReport()
        events.forEach { report.apply($0) }
        return report
    }

    @Test func jsonNamesTheKindAndNoScenario() throws {
        let document = try #require(try JSONSerialization.jsonObject(with: JSONReport.render(report)) as? [String: Any])
        let drill = try #require((document["drills"] as? [[String: Any]])?.first)
        #expect(drill["kind"] as? String == "inspection")
        #expect(drill["scenario"] == nil && drill["profile"] == nil && drill["objectives"] == nil)
        #expect((drill["cases"] as? [[String: Any]])?.map { $0["group"] as? String } == ["policy", "policy", "policy"])
    }

    @Test func junitHasACaseForEachPromise() {
        let text = JUnitReport.render(report)
        #expect(text.contains("testsuite name=\"inspection of domainscope\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""))
        #expect(text.contains("<testcase name=\"postgres policy: daily: made every day at 02:00\""))
        #expect(text.contains("type=\"backup-missing\""))
        #expect(text.contains("name=\"drill.kind\" value=\"inspection\""))
        #expect(!text.contains("drill.scenario"))
    }

    @Test func theConsoleShowsEachPromise() async {
        let output = Mutex<String>("")
        let console = ConsoleReport(options: ConsoleOptions(live: false, color: false)) { text in output.withLock { $0 += text } }
        for event in events { await console.record(event) }
        let text = output.withLock { $0 }
        #expect(text.contains("Inspection of domainscope · nothing is restored"))
        #expect(text.contains("judged as of 2026-03-14 "))
        #expect(text.contains("✗ postgres  daily: made every day at 02:00  1 finding"))
        #expect(text.contains("✓ postgres  daily: 30 daily backups kept"))
        #expect(text.contains("code-in-git  skipped"))
        #expect(!text.contains("scenario") && !text.contains("disaster"))
    }

    @Test func theEventLogNamesTheKind() throws {
        let document = EventDocument(events[1], seq: 1, drill: nil)
        #expect(document.drillStart?.kind == "inspection")
        #expect(document.drillStart?.scenario == nil && document.drillStart?.profile == nil)
    }
}
