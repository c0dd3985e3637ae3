// The console: calm, honest without colour, and not to be moved by what a backup holds.

import DrillModel
import Foundation
import Synchronization
import Testing

@testable import Reports

@Suite struct ConsoleReportTests {
    private let plain = ConsoleOptions(live: false, color: false)
    private let terminal = ConsoleOptions(live: true, color: true, width: 80)

    @Test func aRunLooksAsAgreed() async throws {
        try Golden.expect(try await show(Fixtures.fullRun, plain).joined(), "run.console.txt")
    }

    @Test func anInterruptedRunLooksAsAgreed() async throws {
        try Golden.expect(try await show(Fixtures.interruptedRun, plain).joined(), "interrupted.console.txt")
    }

    @Test func plainOutputHoldsNoControlCharacter() async throws {
        let text = try await show(Fixtures.fullRun, plain).joined()
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }

    @Test func passedTablesAreCountedAndNotListed() async throws {
        var script = EventScript()
        script.drill("d")
        for index in 1...300 {
            script.add(.caseFinished(CaseResult(.content, service: "postgres", name: "public.t\(index)", verdict: .passed)))
        }
        script.finish(.passed, [], since: .zero)
        let text = try await show(script, plain).joined()
        #expect(!text.contains("public.t1"))
        #expect(text.contains("✓ content    postgres  300 passed"))
    }

    @Test func everyVerdictHasItsOwnSignAndWord() async throws {
        #expect(Set(Verdict.allCases.map(\.sign)).count == 4)
        for verdict in Verdict.allCases {
            var script = EventScript()
            script.drill("d")
            script.add(.caseFinished(CaseResult(.rows, name: "t", verdict: verdict, reason: "r")))
            script.finish(verdict, [], since: .zero)
            script.add(.runFinished(verdict))
            let lines = try await show(script, plain).joined().split(separator: "\n")
            for other in Verdict.allCases {
                let isShown = lines.contains { $0.hasPrefix("\(other.sign) \(other.rawValue.uppercased())  d in ") }
                #expect(isShown == (other == verdict), "\(verdict) \(other)")
            }
        }
    }

    @Test func theLiveLineIsRedrawnTenTimesASecondAtMost() async throws {
        var script = EventScript()
        script.add(.stepStarted(.restore, service: "postgres"))
        for index in 1...2_000 {
            script.wait(.milliseconds(1))
            script.add(.progress(Fixtures.restoring(Int64(index) * 30_000)))
        }
        let drawn = try await show(script, terminal, finish: false).filter { $0.contains("restore") }
        #expect((18...21).contains(drawn.count))
        #expect(drawn.allSatisfy { $0.hasPrefix("\r\u{1B}[2K") && !$0.contains("\n") })
        let last = try #require(drawn.last)
        #expect(last.contains("MB/s") && last.contains("left") && last.contains("█") && last.contains("80 %"))
    }

    @Test(arguments: [20, 40, 60, 80, 200])
    func theLiveLineKeepsToTheWidth(width: Int) async throws {
        var script = EventScript()
        let long = "public." + String(repeating: "表", count: 40)
        script.add(.stepStarted(.verify, service: "postgres"))
        for index in 1...5 {
            script.wait(.seconds(1))
            script.add(
                .progress(
                    DrillModel.Progress(
                        step: .verify, service: "postgres", label: long, completed: Int64(index) * 1_000_000, total: 9_000_000, unit: .bytes
                    )))
        }
        let lines = try await show(script, ConsoleOptions(live: true, color: false, width: width), finish: false)
        for line in lines { #expect(ConsoleLine.width(of: line.replacing("\r\u{1B}[2K", with: "")) < width) }
    }

    @Test func theLiveLineIsGoneBeforeALineThatStays() async throws {
        var script = EventScript()
        script.drill("d")
        script.add(.stepStarted(.restore, service: "postgres"))
        script.add(.caseFinished(CaseResult(.rows, name: "t", verdict: .failed)))
        let chunks = try await show(script, terminal)
        let index = try #require(chunks.firstIndex { $0.contains("rows") })
        #expect(chunks[index - 1] == "\r\u{1B}[2K")
        #expect(chunks[index].hasSuffix("\n"))
        // And nothing is left of it at the end.
        #expect(chunks.last { $0.contains("restore") || $0 == "\r\u{1B}[2K" } == "\r\u{1B}[2K")
    }

    @Test func aNameCannotMoveTheCursor() async throws {
        let evil = "t\u{1B}[2J\r\n\u{7}\u{9B}2J\u{202E}gnp\u{2028}::error::x"
        let finding = Finding(Rule("r"), object: evil, expected: evil, actual: evil, message: evil, hint: evil, diff: ["-" + evil])
        var script = EventScript()
        script.drill(evil)
        script.point(evil, hoursBefore: 1, .seal, sealed: nil, path: evil)
        let activity = script.step(.restore, evil, takes: .seconds(1), .failed, evil)
        script.add(.caseFinished(.judged(.rows, service: evil, name: evil, findings: [finding])))
        script.add(.caseFinished(.skipped(.keys, service: evil, name: evil, reason: evil)))
        let objectives = Objectives(
            rto: RecoveryTime(
                measured: .zero, allowances: [Allowance(name: evil, duration: .zero)], target: nil, profile: .fast, accepting: [evil: .zero]
            ),
            rpo: [.fixture(evil, hours: 1, .seal, target: nil)], skew: nil)
        script.finish(.failed, [activity], since: .zero, objectives: objectives, unproven: [evil])
        let text = try await show(script, plain).joined()
        let bad = text.unicodeScalars.filter { $0 != "\n" && [.control, .format, .lineSeparator].contains($0.properties.generalCategory) }
        #expect(bad.isEmpty)
        #expect(!text.split(separator: "\n").contains { $0.drop { $0 == " " }.hasPrefix("::") })
    }

    @Test func onlyTwentyFindingsAreShownInFull() async throws {
        let findings = (1...15).map { Finding(Rule("r\($0)"), object: "object-\($0)", message: "m", hint: "h") }
        var script = EventScript()
        script.drill("d")
        for name in ["a", "b", "c"] { script.add(.caseFinished(.judged(.rows, name: name, findings: findings))) }
        script.finish(.failed, [], since: .zero)
        let text = try await show(script, plain).joined()
        #expect(text.matches(of: #/    r\d+  object-/#).count == 20)
        #expect(text.contains("… 25 more findings: see report.json"))
    }

    /// Twenty of what weighs little hide nothing: seven files of one rule are one line, and what is critical comes first.
    @Test func manyOfOneRuleAreOneLine() async throws {
        var script = EventScript()
        script.drill("d")
        let days = 21...27
        for (service, series) in [("db", "daily"), ("cache", "rdb"), ("db2", "hourly")] {
            let readable = days.map {
                Finding(Rule("world-readable"), .warning, object: "\(series)/x-2026-11-\($0).dump", message: "m", hint: "close it")
            }
            script.add(.caseFinished(.judged(.policy, service: service, name: "closed to others", findings: readable)))
        }
        let mixed =
            days.map { Finding(Rule("late"), .note, object: "x-\($0)", message: "late by \($0)", hint: "h") }
            + [Finding(Rule("artifact-not-encrypted"), object: "daily/x-2026-11-24.dump", message: "plain", hint: "h")]
        script.add(.caseFinished(.judged(.policy, service: "db", name: "encrypted", findings: mixed)))
        script.finish(.failed, [], since: .zero)
        let text = FindingsSection(cases: script.report.drills[0].cases, isInspection: true).lines().map { $0.rendered(color: false) }
            .joined(separator: "\n")
        #expect(
            text.contains("world-readable (warning)  7 files, oldest daily/x-2026-11-21.dump, newest daily/x-2026-11-27.dump"), "\(text)")
        #expect(text.components(separatedBy: "world-readable").count - 1 == 3 && !text.contains("more finding"))
        let plain = try #require(text.range(of: "artifact-not-encrypted"))
        #expect(text[..<plain.lowerBound].components(separatedBy: "\n").count == 4, "the first that is read: \(text)")
        #expect(text.contains("late (note)  7 of them, from x-21 to x-27") && text.contains("late by 21 (the first of them)"))
    }

    /// Which is the oldest, the date in its name says, and not the word that a name begins with.
    @Test func theOldestIsByItsDate() {
        let names = ["globals of nas:x-20261127.dump", "nas:x-20261121.dump", "nas:x-20261124.dump", "nas:x-20261122.dump"]
        let findings = names.map { Finding(Rule("r"), .warning, object: $0, message: "m", hint: "h") }
        let lines = FindingsSection(cases: [.judged(.policy, service: "s", name: "n", findings: findings)], isInspection: true).lines()
        let text = lines.map { $0.rendered(color: false) }.joined(separator: "\n")
        #expect(text.contains("r (warning)  4 files, oldest nas:x-20261121.dump, newest globals of nas:x-20261127.dump"), "\(text)")
    }

    /// Lines are broken between words; nothing of them is lost, and tables hold.
    @Test(arguments: [50, 80]) func linesWrapAndTablesHold(_ columns: Int) async throws {
        func text(_ wrap: Int?) async throws -> String {
            try await show(Fixtures.fullRun, ConsoleOptions(live: false, color: false, width: columns, wrap: wrap)).joined()
        }
        let (wide, narrow) = (try await text(nil), try await text(columns))
        let lines = narrow.components(separatedBy: "\n")
        // A word alone may be wider, such as a path.
        #expect(lines.filter { $0.count > columns && $0.split(separator: " ").count > 1 } == [])
        #expect(wide.components(separatedBy: "\n").contains { $0.count > columns })
        let words = { (text: String) in text.split(whereSeparator: \.isWhitespace).map(String.init) }
        // A narrow table needs no heading for what stands beside its sign.
        #expect(Set(words(wide)).subtracting(words(narrow)).subtracting(["verdict"]) == [])
        for line in lines where line.hasPrefix("  ✓ RPO") || line.hasPrefix("  ✗ RPO") { #expect(line.count <= columns) }
    }

    @Test func quietSaysALineADrillAndWhatIsRed() async throws {
        let quiet = ConsoleOptions(live: false, color: false, quiet: true)
        var script = EventScript()
        script.run(drills: 2)
        for (drill, verdict) in [("green", Verdict.passed), ("red", .failed)] {
            script.drill(drill)
            let findings = verdict == .failed ? [Finding(Rule("rows-differ"), object: "t", message: "m", hint: "h")] : []
            script.add(.caseFinished(.judged(.rows, name: "t", findings: findings)))
            script.add(
                .caseFinished(.judged(.rows, name: "u", findings: [Finding(Rule("n"), .note, object: "o", message: "m", hint: "h")])))
            script.finish(verdict, [], since: .zero)
        }
        script.add(.runFinished(.failed))
        let lines = try await show(script, quiet).joined().components(separatedBy: "\n")
        #expect(lines.first?.hasPrefix("✓ PASSED  green in ") == true, "\(lines)")
        #expect(lines[1].hasPrefix("✗ FAILED  red in ") && lines.contains { $0.contains("rows-differ") })
        #expect(lines.count == 7 && !lines.contains { $0.contains("(note)") }, "\(lines)")
    }

    @Test func aMissedTargetNeverLooksMet() {
        let over = Duration.seconds(6 * 3600) + .milliseconds(250)
        let rto = RecoveryTime(measured: over, allowances: [], target: .seconds(6 * 3600), profile: .production, accepting: [:])
        let lines = ObjectivesSection(rows: ObjectiveRow.rows(of: Objectives(rto: rto, rpo: [], skew: nil), in: .gmt), skew: nil).lines()
        let text = lines.map { $0.rendered(color: false) }.joined(separator: "\n")
        #expect(text.contains("6h 0m 0.250s"))
        #expect(text.contains("✗ RTO"))
    }

    @Test func aLogThatNobodyWatchesHearsOfProgressEveryHalfMinute() async throws {
        var script = EventScript()
        script.add(.stepStarted(.restore, service: "postgres"))
        for second in 1...90 {
            script.wait(.seconds(1))
            script.add(.progress(Fixtures.restoring(Int64(second) * 500_000)))
        }
        let lines = try await show(script, plain, finish: false)
        #expect(lines.count == 4)
        #expect(lines.last == "    … restore postgres restoring: 60 %  45.0 MB  500.0 kB/s  58 s left\n")
    }

    @Test func theFooterNamesTheReports() async throws {
        let output = Mutex<[String]>([])
        let console = ConsoleReport(options: plain) { text in output.withLock { $0.append(text) } }
        await console.footer(paths: ["reports/x/report.json"])
        #expect(output.withLock { $0.joined() } == "\nReports\n  reports/x/report.json\n")
    }

    @Test func theEnvironmentDecides() {
        #expect(ConsoleOptions(isTerminal: true, environment: ["TERM": "xterm"]) == ConsoleOptions(live: true, color: true, width: 80))
        #expect(ConsoleOptions(isTerminal: false, environment: ["TERM": "xterm"]) == ConsoleOptions(live: false, color: false, width: 80))
        #expect(ConsoleOptions(isTerminal: true, environment: ["NO_COLOR": "1"]) == ConsoleOptions(live: true, color: false, width: 80))
        #expect(ConsoleOptions(isTerminal: true, environment: ["NO_COLOR": ""]).color)
        #expect(ConsoleOptions(isTerminal: true, environment: ["TERM": "dumb"]) == ConsoleOptions(live: false, color: false, width: 80))
        #expect(!ConsoleOptions(isTerminal: true, environment: ["CI": "true"]).live)
        #expect(ConsoleOptions(isTerminal: true, environment: ["COLUMNS": "132"]).width == 132)
        #expect(ConsoleOptions(isTerminal: true, environment: ["COLUMNS": "-1"]).width == 80)
        #expect(ConsoleOptions(isTerminal: true, environment: ["COLUMNS": "132"], width: 100).width == 100)
    }

    /// What reached the sink, call by call.
    private func show(_ script: EventScript, _ options: ConsoleOptions, finish: Bool = true) async throws -> [String] {
        let output = Mutex<[String]>([])
        let console = ConsoleReport(options: options) { text in output.withLock { $0.append(text) } }
        for event in script.events { await console.record(event) }
        if finish { await console.finish() }
        return output.withLock { $0 }
    }
}
