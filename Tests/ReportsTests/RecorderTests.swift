// The files of a run: all there, whole or not at all, and never lost in silence.

import DrillModel
import Foundation
import Synchronization
import Testing

@testable import Reports

@Suite struct RecorderTests {
    @Test func everyFormatLeavesItsFile() async throws {
        try await withFolder { folder in
            let group = try RecorderGroup(folder: folder)
            for event in Fixtures.fullRun.events { await group.record(event) }
            try await group.finish()
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            #expect(names == ReportFormat.all.map(\.fileName).sorted())
            let junit = try String(contentsOf: folder.appending(path: "junit.xml"), encoding: .utf8)
            #expect(junit == JUnitReport.render(Fixtures.fullRun.report))
        }
    }

    @Test func theFinalReportIsWholeOrTheOldOne() async throws {
        struct Refusal: Error {}
        try await withFolder { folder in
            let file = folder.appending(path: "report.json")
            try Data("old".utf8).write(to: file)
            let bad = FinalReport(file: file) { _ in throw Refusal() }
            await #expect(throws: ReportError.self) { try await bad.finish() }
            #expect(try String(contentsOf: file, encoding: .utf8) == "old")
            try await FinalReport(file: file) { _ in Data("new".utf8) }.finish()
            #expect(try String(contentsOf: file, encoding: .utf8) == "new")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["report.json"])
        }
    }

    @Test func aFailingRecorderDoesNotTakeTheOthersAlong() async throws {
        try await withFolder { folder in
            let good = folder.appending(path: "good.json")
            let group = RecorderGroup([
                FinalReport(file: URL(filePath: "/nonexistent-folder/a.json"), render: JSONReport.render),
                FinalReport(file: good, render: JSONReport.render),
                FinalReport(file: URL(filePath: "/nonexistent-folder/b.json"), render: JSONReport.render),
            ])
            let error = await #expect(throws: ReportError.self) { try await group.finish() }
            #expect(error?.path == "/nonexistent-folder/a.json")
            #expect(error?.message.contains("1 more") == true)
            #expect(FileManager.default.fileExists(atPath: good.path))
        }
    }
}

@Suite struct ReadableTests {
    @Test(arguments: [
        (Duration.milliseconds(812), "812 ms"), (.milliseconds(4_200), "4.2 s"), (.milliseconds(59_949), "59.9 s"),
        (.milliseconds(59_950), "1m"),
        (.seconds(192), "3m 12s"), (.seconds(13_200), "3h 40m"), (.seconds(14_400), "4h"), (.seconds(3_599.6), "1h"), (.zero, "0 ms"),
        (.seconds(26 * 3600), "26h"), (.seconds(53 * 3600), "2d 5h"), (.seconds(-90), "-1m 30s"),
    ])
    func durations(duration: Duration, text: String) {
        #expect(Readable.duration(duration) == text)
    }

    @Test(arguments: [
        (Int64(0), "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (74_213_004, "74.2 MB"), (999_950, "1.0 MB"), (999_949, "999.9 kB"),
        (-1_500, "-1.5 kB"),
        (.max, "9223.4 PB"),
    ])
    func sizes(bytes: Int64, text: String) {
        #expect(Readable.bytes(bytes) == text)
    }

    @Test func countsAndTimes() {
        #expect(Readable.count(1_204_000) == "1,204,000")
        #expect(Readable.count(Int64(-999)) == "-999")
        #expect(Readable.count(1, "table") == "1 table")
        #expect(Readable.count(14, "table") == "14 tables")
        #expect(Readable.time(EventScript.start, in: EventScript.zone) == "2026-03-14 08:00:00 +05:30")
        #expect(Readable.time(EventScript.start, in: TimeZone(secondsFromGMT: -12_600) ?? .gmt) == "2026-03-13 23:00:00 -03:30")
        #expect(Readable.preciseDuration(.seconds(14_400) + .milliseconds(250)) == "4h 0m 0.250s")
    }
}
