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
        let findings = (1...15).map { Finding(Rule("r"), object: "object-\($0)", message: "m", hint: "h") }
        var script = EventScript()
        script.drill("d")
        for name in ["a", "b", "c"] { script.add(.caseFinished(.judged(.rows, name: name, findings: findings))) }
        script.finish(.failed, [], since: .zero)
        let text = try await show(script, plain).joined()
        #expect(text.components(separatedBy: "    r  object-").count - 1 == 20)
        #expect(text.contains("… 25 more findings: see report.json"))
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
