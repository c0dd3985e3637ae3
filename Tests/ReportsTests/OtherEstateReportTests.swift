// A drill that was read against another estate than the one that it names says so, in every report.

import DrillModel
import Foundation
import Synchronization
import Testing

@testable import Reports

@Suite struct OtherEstateReportTests {
    private func script(named: String?) -> EventScript {
        var script = EventScript()
        script.run(drills: 1)
        script.add(
            .drillStarted(
                DrillInfo(
                    name: "d", estate: "lab", estateFile: "/lab/estate.yaml", namedEstateFile: named, scenario: .databaseCorruption,
                    profile: .production, disaster: EventScript.start, timeZone: EventScript.zone)))
        script.finish(.passed, [], since: .zero)
        script.add(.runFinished(.passed))
        return script
    }

    @Test(arguments: ["/drills/estate.yaml", nil])
    func everyReportNamesTheFiles(named: String?) async throws {
        let script = script(named: named)
        let document = ReportDocument(script.report)
        #expect(document.drills.first?.estateFile == "/lab/estate.yaml" && document.drills.first?.estateFileNamed == named)
        let xml = JUnitReport.render(script.report)
        #expect(xml.contains("name=\"drill.estate-file\" value=\"/lab/estate.yaml\""))
        #expect(xml.contains("name=\"drill.estate-file.named\" value=\"/drills/estate.yaml\"") == (named != nil))
        let started = try #require(script.events.dropFirst().first)
        let event = EventDocument(started, seq: 1, drill: "d")
        #expect(event.drillStart?.estateFile == "/lab/estate.yaml" && event.drillStart?.estateFileNamed == named)
        let told = Mutex("")
        let console = ConsoleReport(options: ConsoleOptions(live: false, color: false)) { text in told.withLock { $0 += text } }
        for event in script.events { await console.record(event) }
        let line = "against /lab/estate.yaml, named by --estate in place of /drills/estate.yaml"
        #expect(told.withLock { $0 }.contains(line) == (named != nil))
    }
}
