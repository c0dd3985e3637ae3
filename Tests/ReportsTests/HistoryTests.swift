// Past runs: a log read back makes the same reports, and a folder of runs is a table.

import DrillModel
import Foundation
import Synchronization
import Testing

@testable import Reports

/// Everything that a run writes, as the run itself writes it.
private func leave(_ script: EventScript, in folder: URL, withReports: Bool = true) async throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let recorders =
        withReports ? try RecorderGroup(folder: folder) : RecorderGroup([try EventLog(file: folder.appending(path: "events.jsonl"))])
    for event in script.events { await recorders.record(event) }
    try await recorders.finish()
}

@Suite struct EventReplayTests {
    /// The console, report.json and junit.xml of the log are those of the run, byte for byte.
    @Test(arguments: [Fixtures.fullRun, Fixtures.interruptedRun])
    func aLogMakesTheSameReports(_ script: EventScript) async throws {
        try await withFolder { folder in
            try await leave(script, in: folder)
            var report = RunReport()
            let text = Mutex("")
            let console = ConsoleReport(options: ConsoleOptions(live: false, color: false)) { line in text.withLock { $0 += line } }
            let ending = try await EventReplay.read(folder.appending(path: "events.jsonl")) {
                report.apply($0)
                await console.record($0)
            }
            await console.finish()
            #expect(ending == (script.report.verdict == nil ? .broken : .whole))
            #expect(try JSONReport.render(report) == JSONReport.render(script.report))
            #expect(JUnitReport.render(report) == JUnitReport.render(script.report))
            let seen = Mutex("")
            let original = ConsoleReport(options: ConsoleOptions(live: false, color: false)) { line in seen.withLock { $0 += line } }
            for event in script.events { await original.record(event) }
            await original.finish()
            // Of progress the log has a line a second.
            func lines(_ text: String) -> [Substring] { text.split(separator: "\n").filter { !$0.contains("… ") } }
            #expect(lines(text.withLock { $0 }) == lines(seen.withLock { $0 }))
        }
    }

    /// A kill may cut the last line anywhere: what stood before it is shown.
    @Test func aLogThatBreaksOffIsReadAsFarAsItGoes() async throws {
        try await withFolder { folder in
            try await leave(Fixtures.fullRun, in: folder)
            let file = folder.appending(path: "events.jsonl")
            let data = try Data(contentsOf: file)
            let lines = data.split(separator: UInt8(ascii: "\n")).count
            for cut in [1, 2, 40, data.count - 1] {
                try data.dropLast(cut).write(to: file)
                var count = 0
                #expect(try await EventReplay.read(file) { _ in count += 1 } == (cut == 1 ? .whole : .broken))
                #expect(count == (cut == 1 ? lines : cut == data.count - 1 ? 0 : lines - 1), "\(cut)")
            }
        }
    }

    /// A damaged line in the middle is told by its number, and so is a word that no version wrote.
    @Test(arguments: [
        ("{\"v\":1,", "{\"v\":1"), ("\"step\":\"retrieve\"", "\"step\":\"wait\""), ("\"verdict\":\"passed\"", "\"verdict\":\"fine\""),
    ])
    func aDamagedLineIsNamed(_ text: String, _ other: String) async throws {
        try await withFolder { folder in
            try await leave(Fixtures.fullRun, in: folder)
            let file = folder.appending(path: "events.jsonl")
            var lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
            let index = try #require(lines.firstIndex { $0.contains(text.hasPrefix("{") ? "\"seq\"" : text) })
            lines[index] = text.hasPrefix("{") ? "no JSON" : lines[index].replacing(text, with: other)
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
            let error = await #expect(throws: ReplayError.self) { _ = try await EventReplay.read(file) { _ in } }
            #expect(error?.message.contains("line \(index + 1) of ") == true, "\(String(describing: error))")
        }
    }

    @Test func whatANewerVersionWrote() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "events.jsonl")
            try Data(#"{"v":1,"seq":1,"time":"2026-03-14T02:30:00.000Z","elapsed":0,"event":"sun-rose"}"#.appending("\n").utf8).write(
                to: file)
            var count = 0
            #expect(try await EventReplay.read(file) { _ in count += 1 } == .broken)
            #expect(count == 0, "a kind that was added is passed over")
            try Data("{\"v\":2}\n".utf8).write(to: file)
            let error = await #expect(throws: ReplayError.self) { _ = try await EventReplay.read(file) { _ in } }
            #expect(error?.message.contains("newer version") == true)
        }
    }
}

@Suite struct RunHistoryTests {
    private func script(_ name: String, minutes: Int, verdict: Verdict = .passed, profile: Profile = .production) -> EventScript {
        var script = EventScript()
        script.run(drills: 1)
        script.drill(name, profile: profile)
        script.wait(.seconds(minutes * 60))
        let objectives = Objectives(
            rto: RecoveryTime(measured: .seconds(minutes * 60), allowances: [], target: .seconds(600), profile: profile, accepting: [:]),
            rpo: [
                RecoveryPointAge(
                    service: "postgres", disaster: EventScript.start, recovered: EventScript.start - 3600, source: .seal, worstCase: nil,
                    target: .seconds(7200)),
                RecoveryPointAge(
                    service: "redis", disaster: EventScript.start, recovered: EventScript.start - 1800, source: .seal, worstCase: nil,
                    target: .seconds(900)),
            ], skew: nil)
        script.finish(verdict, [], since: .zero, objectives: objectives)
        script.add(.runFinished(verdict))
        return script
    }

    /// Fetched is not restored, and a run in error says nothing.
    @Test func whichBackupsWereRestored() async throws {
        try await withFolder { folder in
            func run(_ name: String, _ verdict: Verdict, _ facts: [(String, String)], refused: [String] = []) async throws {
                var script = EventScript()
                script.run(drills: 1)
                script.drill("nightly")
                for (name, value) in facts { script.add(.fact(Fact(name, value))) }
                for name in refused {
                    script.add(
                        .caseFinished(
                            CaseResult(.restore, service: "shop", name: CaseResult.canBeRestored + name, verdict: .failed, duration: .zero))
                    )
                }
                script.finish(verdict, [], since: .zero)
                script.add(.runFinished(verdict))
                try await leave(script, in: folder.appending(path: name))
            }
            try await run("run-20260101T000000Z-0001", .passed, [("shop.artifact", "a.dump"), ("shop.databases", "a, b")])
            try await run(
                "run-20260102T000000Z-0001", .failed,
                [
                    ("shop.artifact", "b.dump"), ("shop.artifact (c.dump in one)", "c.dump"),
                    ("shop.databases (c.dump in one)", "crm, shop"),
                ],
                refused: [""])
            try await run("run-20260103T000000Z-0001", .error, [("shop.artifact", "d.dump")])
            try await run("run-20260104T000000Z-0001", .passed, [("other.artifact", "e.dump")])
            let shop = Service(name: "shop", engine: .postgres, source: nil, backups: [:])
            let estate = Estate(
                name: "domainscope", timeZone: .gmt, stores: [:], keys: [:], services: ["shop": shop], seals: SealPolicy(),
                file: URL(fileURLWithPath: "/e.yaml"))
            let restored = await RunHistory(folder: folder).restored(of: estate)
            #expect(restored.backups == ["shop/a.dump", "shop/c.dump"])
            // Of each drill the newest that says which, whatever came of older ones.
            #expect(restored.databases == ["nightly": ["shop": ["crm", "shop"]]])
        }
    }

    @Test func theNewestStandsFirstWithItsTrend() async throws {
        try await withFolder { folder in
            let runs: [(String, EventScript)] = [
                ("run-20260101T000000Z-0001", script("nightly", minutes: 4)), ("run-20260102T000000Z-0001", script("other", minutes: 1)),
                ("run-20260103T000000Z-0001", script("nightly", minutes: 1, profile: .fast)),
                ("run-20260104T000000Z-0001", script("nightly", minutes: 5, verdict: .failed)),
                ("run-20260105T000000Z-0001", script("nightly", minutes: 5)),
            ]
            for (name, script) in runs { try await leave(script, in: folder.appending(path: name)) }
            // Neither is a run.
            for name in ["notes", "run-of-the-mill"] {
                try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
            }
            let history = RunHistory(folder: folder)
            let (rows, unreadable) = try await history.rows(last: 20)
            #expect(unreadable.isEmpty)
            #expect(rows.map(\.run) == runs.map(\.0).reversed())
            #expect(rows[1].verdict == .failed && rows[0].recoveryTime?.verdict == .passed)
            #expect(rows[0].recoveryPoints["redis"]?.verdict == .failed)
            #expect(try await history.rows(drill: "nightly", last: 2).rows.map(\.run) == [runs[4].0, runs[3].0])
            let lines = HistoryTable(rows: rows).lines(color: false)
            #expect(lines.count == 6 && lines[0].hasPrefix("when "))
            #expect(lines[1].contains("nightly") && lines[1].contains(" = ") && lines[1].contains("30m"), "\(lines[1])")
            #expect(lines[2].contains("✗ failed") && lines[2].contains("+25 %"), "\(lines[2])")
            #expect(!lines[3].contains("%"), "of another profile: \(lines[3])")
            #expect(!lines[5].contains("%"), "the first: \(lines[5])")
            // The zone is the estate's.
            #expect(lines[1].hasPrefix("2026-03-14 08:00  "))
            let json = try HistoryJSON.render(rows)
            #expect(json.contains(#""achieved" : 300"#) && json.contains(#""unfinished" : false"#))
        }
    }

    @Test(arguments: [(60, 50, "+20 %"), (50, 60, "−17 %"), (1000, 1001, "="), (10, 0, "")])
    func trends(now: Int, before: Int, words: String) {
        #expect(HistoryTable.trend(.seconds(now), .seconds(before)) == words)
        #expect(HistoryTable.trend(nil, .seconds(before)).isEmpty && HistoryTable.trend(.seconds(now), nil).isEmpty)
    }

    /// A killed run has its log alone; a damaged one is told by its name, and hides no other.
    @Test func killedAndDamagedRuns() async throws {
        try await withFolder { folder in
            try await leave(script("a", minutes: 1), in: folder.appending(path: "run-20260101T000000Z-0001"))
            try await leave(Fixtures.interruptedRun, in: folder.appending(path: "run-20260102T000000Z-0001"), withReports: false)
            let damaged = folder.appending(path: "run-20260103T000000Z-0001")
            try await leave(script("a", minutes: 1), in: damaged)
            let report = damaged.appending(path: "report.json")
            let text = try String(contentsOf: report, encoding: .utf8)
            try Data(text.dropLast(20).utf8).write(to: report)
            try FileManager.default.createDirectory(
                at: folder.appending(path: "run-20260104T000000Z-0001"), withIntermediateDirectories: true)
            // A kill before the first drill began.
            let early = folder.appending(path: "run-20260105T000000Z-0001")
            try FileManager.default.createDirectory(at: early, withIntermediateDirectories: true)
            try Data().write(to: early.appending(path: "events.jsonl"))
            #expect(try await RunHistory(folder: folder).rows(last: 20).unreadable.map(\.run).contains(early.lastPathComponent))
            try FileManager.default.removeItem(at: early)
            var (rows, unreadable) = try await RunHistory(folder: folder).rows(last: 20)
            #expect(unreadable.map(\.run) == ["run-20260104T000000Z-0001", "run-20260103T000000Z-0001"])
            #expect(rows.count == 3 && rows[0].isUnfinished && rows[0].verdict == .error && !rows[1].isUnfinished)
            #expect(HistoryTable(rows: rows).lines(color: false)[1].contains("! unfinished"))
            // A number that no span can be.
            try Data(text.replacing("\"achieved\" : 60", with: "\"achieved\" : 1e300").utf8).write(to: report)
            #expect(text.contains("\"achieved\" : 60"))
            (rows, unreadable) = try await RunHistory(folder: folder).rows(last: 20)
            #expect(unreadable.count == 2 && rows.count == 3)
            try Data(text.replacing("\"schemaVersion\" : 1", with: "\"schemaVersion\" : 2").utf8).write(to: report)
            (rows, unreadable) = try await RunHistory(folder: folder).rows(last: 20)
            #expect(unreadable.last?.problem.message.contains("newer") == true)
        }
    }

    @Test func aRunIsFoundByItsNames() async throws {
        try await withFolder { folder in
            let history = RunHistory(folder: folder)
            #expect(throws: ReplayError.self) { _ = try history.log(of: "latest") }
            for name in ["run-20260101T000000Z-0001", "run-20260102T000000Z-00ff"] {
                try await leave(script("a", minutes: 1), in: folder.appending(path: name))
            }
            let newest = folder.appending(path: "run-20260102T000000Z-00ff/events.jsonl").path
            for name in ["latest", "00ff", "run-20260102T000000Z-00ff", folder.appending(path: "run-20260102T000000Z-00ff").path] {
                #expect(try history.log(of: name).path == newest, "\(name)")
            }
            let error = #expect(throws: ReplayError.self) { _ = try history.log(of: "0002") }
            #expect(error?.kind == .notFound)
            #expect(throws: ReplayError.self) { _ = try RunHistory(folder: folder.appending(path: "none")).runs() }
        }
    }

    /// What somebody has put something into, and what is not over, is left.
    @Test func theOldestGo() async throws {
        try await withFolder { folder in
            let names = (1...5).map { "run-2026010\($0)T000000Z-0001" }
            for name in names { try await leave(script("a", minutes: 1), in: folder.appending(path: name)) }
            try Data().write(to: folder.appending(path: "\(names[0])/notes.txt"))
            try FileManager.default.removeItem(at: folder.appending(path: "\(names[1])/report.json"))
            #expect(RunHistory(folder: folder).keep(2, with: names[4]).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [names[0], names[1], names[3], names[4]])
            #expect(RunHistory(folder: folder).keep(9, with: names[4]).isEmpty)
            #expect(try RunHistory(folder: folder).runs().count == 4)
            // The clock was set back: the run that asks has the earliest name.
            let early = "run-20250101T000000Z-0001"
            try await leave(script("a", minutes: 1), in: folder.appending(path: early))
            #expect(RunHistory(folder: folder).keep(1, with: early).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [early, names[0], names[1]])
        }
    }
}
