// events.jsonl: there as it happens, and loud when it can't be written.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct EventLogTests {
    @Test func aRunLooksAsAgreed() async throws {
        try Golden.expect(try await log(Fixtures.fullRun.events), "run.events.jsonl")
    }

    @Test func eachLineIsInTheFileBeforeTheNextEvent() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "events.jsonl")
            let recorder = try EventLog(file: file)
            for (index, event) in Fixtures.interruptedRun.events.enumerated() where !event.isProgress {
                await recorder.record(event)
                let text = try String(contentsOf: file, encoding: .utf8)
                #expect(text.hasSuffix("}\n"))
                #expect(text.contains("\"elapsed\":"), "event \(index)")
            }
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == Fixtures.interruptedRun.events.count { !$0.isProgress })
        }
    }

    @Test func linesAreNumberedAndStandAlone() async throws {
        let finding = Finding(Rule("r"), object: "two\nlines\u{2028}and\u{0}more", message: "m", hint: "h")
        var script = EventScript()
        script.drill("d")
        script.add(.caseFinished(.judged(.rows, name: "n", findings: [finding])))
        script.add(.runFinished(.failed))
        let lines = try await log(script.events).split(separator: "\n").map {
            try JSONDecoder().decode(EventDocument.self, from: Data($0.utf8))
        }
        #expect(lines.map(\.seq) == [1, 2, 3])
        #expect(lines.map(\.event) == ["drill-started", "case-finished", "run-finished"])
        #expect(lines.map(\.drill) == ["d", "d", nil])
        #expect(lines[1].case?.findings[0].object == finding.object)
    }

    @Test func progressIsThinnedOutToOneLineASecond() async throws {
        var script = EventScript()
        for index in 0...500 {
            script.add(.progress(Fixtures.restoring(Int64(index) * 1_000, of: 500_000)))
            script.wait(.milliseconds(10))
        }
        let lines = try await log(script.events).split(separator: "\n")
        #expect(lines.count == 6)
        // The end is told even when it comes soon after the line before.
        script.wait(.milliseconds(10))
        script.add(.progress(Fixtures.restoring(500_000, of: 500_000)))
        #expect(try await log(script.events).split(separator: "\n").count == 7)
    }

    @Test func aFolderThatIsNotThereIsAnError() {
        let file = URL(filePath: "/nonexistent-folder/events.jsonl")
        #expect(throws: ReportError.self) { _ = try EventLog(file: file) }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func aFullDiskSurfacesAtTheEnd() async throws {
        let recorder = try EventLog(file: URL(filePath: "/dev/full"))
        for event in Fixtures.fullRun.events { await recorder.record(event) }
        let error = await #expect(throws: ReportError.self) { try await recorder.finish() }
        #expect(error?.path == "/dev/full")
        #expect(error?.hint.isEmpty == false)
    }

    private func log(_ events: [Event]) async throws -> String {
        try await withFolder { folder in
            let file = folder.appending(path: "events.jsonl")
            let recorder = try EventLog(file: file)
            for event in events { await recorder.record(event) }
            try await recorder.finish()
            return try String(contentsOf: file, encoding: .utf8)
        }
    }
}

extension Event {
    var isProgress: Bool {
        if case .progress = kind { true } else { false }
    }
}
