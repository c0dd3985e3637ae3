// metrics.prom, and the file of a collector that outlives the runs.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct MetricsFileTests {
    private func run(_ drill: String, _ verdict: Verdict) -> EventScript {
        var script = EventScript()
        script.run(drills: 1)
        script.drill(drill)
        script.wait(.seconds(10))
        script.finish(verdict, [], since: .zero)
        script.add(.runFinished(verdict))
        return script
    }

    private func text(_ file: URL) throws -> String { try String(contentsOf: file, encoding: .utf8) }

    private func record(_ script: EventScript, into file: URL) async throws {
        let recorder = MetricsFile(file).recorder()
        for event in script.events { await recorder.record(event) }
        try await recorder.finish()
    }

    private static let labels = "drill=\"a\",estate=\"domainscope\",kind=\"drill\""
    private static let success = "muster_last_success_timestamp_seconds{\(labels)} 1773455410.000\n"

    @Test func aRunTellsWhatItMeasured() throws {
        let text = String(decoding: MetricsReport.render(Fixtures.fullRun.report), as: UTF8.self)
        let drill = "drill=\"database-corruption\",estate=\"domainscope\",kind=\"drill\""
        for line in [
            "muster_verdict{\(drill),verdict=\"passed\"} 1", "muster_verdict{\(drill),verdict=\"failed\"} 0",
            "muster_rto_target_seconds{\(drill)} 14400.000", "muster_rpo_seconds{\(drill),service=\"postgres\"} 21600.000",
            "muster_rpo_worst_case_seconds{\(drill),service=\"postgres\"} 86592.000",
            "muster_recovered_timestamp_seconds{\(drill),service=\"redis\"} 1773435600.000",
            "muster_unproven{drill=\"nightly-integrity\",estate=\"domainscope\",kind=\"drill\"} 2",
        ] { #expect(text.contains(line + "\n"), "\(line)") }
        #expect(text.contains("muster_rto_seconds{\(drill),profile=\"production\"} 917."))
        #expect(text.matches(of: /\nmuster_last_success_timestamp_seconds\{/).count == 1)
        #expect(!text.contains("muster_rto_seconds{drill=\"newest-is-bad\""), "operation was never verified")
        let cut = String(decoding: MetricsReport.render(Fixtures.interruptedRun.report), as: UTF8.self)
        #expect(cut.contains("muster_verdict{drill=\"half-way\",estate=\"domainscope\",kind=\"drill\",verdict=\"error\"} 1\n"))
        #expect(String(decoding: MetricsReport.render(EventScript().report), as: UTF8.self) == "# EOF\n")
    }

    @Test func anInspectionTellsTheNewestBackups() throws {
        var script = EventScript()
        script.run(drills: 1)
        script.add(
            .drillStarted(
                DrillInfo(
                    kind: .inspection, name: "i", estate: "e", scenario: .databaseCorruption, profile: .production,
                    disaster: EventScript.start, timeZone: EventScript.zone)))
        script.add(.fact(Fact("postgres.daily.newest", Readable.time(EventScript.start, in: EventScript.zone))))
        script.add(.fact(Fact("postgres.daily.oldest", Readable.time(EventScript.start, in: EventScript.zone))))
        script.finish(.passed, [], since: .zero)
        let text = String(decoding: MetricsReport.render(script.report), as: UTF8.self)
        let labels = "drill=\"i\",estate=\"e\",kind=\"inspection\",backup=\"postgres.daily\""
        #expect(text.contains("muster_newest_backup_timestamp_seconds{\(labels)} 1773455400.000\n"))
        #expect(text.matches(of: /\nmuster_newest/).count == 1)
    }

    /// What counts is when it was green last, and not whether it is.
    @Test func theLastSuccessOutlivesARedRun() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "muster.prom")
            #expect(try MetricsFile(file).examine() == nil)
            try await record(run("a", .passed), into: file)
            try await record(run("b", .failed), into: file)
            let both = try text(file)
            #expect(both.contains(Self.success), "another drill's run leaves it alone")
            #expect(both.contains("{\(Self.labels),verdict=\"passed\"} 1\n"))
            for verdict in [Verdict.failed, .error] {
                try await record(run("a", verdict), into: file)
                let red = try text(file)
                #expect(red.contains(Self.success) && red.contains("{\(Self.labels),verdict=\"\(verdict.rawValue)\"} 1\n"))
                #expect(red.contains("drill=\"b\"") && !red.contains("success_timestamp_seconds{drill=\"b\""))
            }
            #expect(try MetricsFile(file).examine() == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["muster.prom"], "nothing stays beside it")
        }
    }

    /// Names come back from the file as they were.
    @Test func namesSurviveTheFile() async throws {
        for name in ["a\"b", "a\\", "\\\"", "a} 1\nb", "a,b=\"c\"", "é😀", "# EOF", " ", String(repeating: "x\\", count: 500)] {
            try await withFolder { folder in
                let file = folder.appending(path: "muster.prom")
                try await record(run(name, .passed), into: file)
                let green = try text(file).split(separator: "\n").filter { $0.hasPrefix("muster_last_success") }
                #expect(try MetricsFile(file).examine() == nil, "\(name)")
                try await record(run(name, .failed), into: file)
                let red = try text(file).split(separator: "\n").filter { $0.hasPrefix("muster_last_success") }
                #expect(green.count == 1 && red == green, "\(name)")
            }
        }
    }

    /// A value that somebody changed, half a file, one of a time to come: nothing of it is believed, and that is said before the run.
    @Test(arguments: [
        ("{drill=\"a\"", "{drill=a"), ("# EOF\n", ""), ("1773455410.000\n", "17734554x0.000\n"), ("1773455410.000\n", "4773455410.000\n"),
        ("1773455410.000\n", "-5\n"), ("muster_verdict{", "muster_verdicts{"), ("# HELP muster_unproven", "# HELP muster_unproven x"),
        ("muster_unproven{", "node_x{a=\"b\"} 1\nmuster_unproven{"), ("1773455410.000\n", "1773455410.000\n\n"),
    ])
    func aDamagedFileIsNotBelieved(from: String, to: String) async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "muster.prom")
            try await record(run("a", .passed), into: file)
            let good = try text(file)
            let bad = good.replacing(from, with: to)
            try #require(good != bad)
            try Data(bad.utf8).write(to: file)
            let warning = try MetricsFile(file).examine()
            #expect(warning?.contains("is damaged in line ") == true, "\(warning ?? "")")
            try await record(run("a", .failed), into: file)
            #expect(try !text(file).contains("last_success"))
            #expect(try MetricsFile(file).examine() == nil)
        }
    }

    @Test func somebodyElsesFileStaysAsItIs() async throws {
        try await withFolder { folder in
            for foreign in ["# TYPE node_x gauge\nnode_x 1\n", "root:x:0:0\n", "\u{0}"] {
                let file = folder.appending(path: "other.prom")
                try Data(foreign.utf8).write(to: file)
                #expect(throws: ReportError.self) { try MetricsFile(file).examine() }
                await #expect(throws: ReportError.self) { try await record(run("a", .passed), into: file) }
                #expect(try text(file) == foreign)
            }
            for path in ["metrics.txt", "none/m.prom"] {
                let error = #expect(throws: ReportError.self) { try MetricsFile(folder.appending(path: path)).examine() }
                #expect(error?.hint.isEmpty == false)
            }
        }
    }

    /// A collector shows one of two equal lines, whichever it likes.
    @Test func noLineIsThereTwice() throws {
        var script = EventScript()
        script.run(drills: 2)
        for verdict in [Verdict.passed, .failed] {
            script.drill("same")
            script.finish(verdict, [], since: script.now)
        }
        let lines = String(decoding: MetricsReport.render(script.report), as: UTF8.self).split(separator: "\n")
        let names = lines.filter { !$0.hasPrefix("#") }.map { $0.prefix { $0 != "}" } }
        #expect(Set(names).count == names.count && lines.contains { $0.contains("drill=\"same (2)\"") })
    }

    @Test(arguments: ["2026-03-14 08:00:00 +05:30", "2026-03-13 23:00:00 -03:30"])
    func aMomentReadsBack(text: String) throws {
        #expect(Readable.moment(text) == EventScript.start)
        #expect(Readable.moment(String(text.dropLast())) == nil)
    }
}
