// What a verified ledger gives out of its runs, and what it says of those that were altered.

import DrillModel
import Foundation
import Testing

@testable import Evidence

struct LedgerRecordTests {
    @Test func anEntryIsGivenOutAsItWasWritten() throws {
        let fixture = try LedgerFixture()
        try fixture.run(1, environment: ["INVOCATION_ID": String(repeating: "0a", count: 16)])
        #expect(try fixture.verify().records.isEmpty)
        let record = try #require(try fixture.records().first)
        let start = Date(timeIntervalSince1970: 1_773_455_400)
        #expect(record.sequence == 1 && record.line == 1 && record.run == LedgerFixture.name(1) && record.estate == "shop")
        #expect(record.started == start && record.finished == start && abs(record.recorded.timeIntervalSinceNow) < 60)
        #expect(record.verdict == .passed && !record.interrupted && record.isIntact && !record.isFolderGone)
        #expect(record.host == "drill-host" && record.trigger == "systemd" && record.job?.count == 32 && !record.user.isEmpty)
        let drill = try #require(record.drills.first)
        #expect(drill.kind == "drill" && drill.name == "nightly" && drill.profile == "production" && drill.verdict == .passed)
        #expect(drill.rto == LedgerRecord.Objective(achieved: .milliseconds(90_250), target: .seconds(14_400), verdict: .passed))
        #expect(drill.rpo == ["postgres": LedgerRecord.Objective(achieved: .seconds(3600), target: .seconds(21_600), verdict: .passed)])
    }

    @Test func whatWasAlteredIsNotIntact() throws {
        let fixture = try LedgerFixture()
        for number in 1...4 { try fixture.run(number) }
        func intact() throws -> [Bool] { try fixture.records().map(\.isIntact) }
        #expect(try intact() == [true, true, true, true])
        let folder = fixture.reports.appending(path: LedgerFixture.name(2))
        let events = folder.appending(path: "events.jsonl")
        try Data("{\"v\":2}\n".utf8).write(to: events)
        #expect(try intact() == [true, false, true, true])
        try FileManager.default.removeItem(at: events)
        #expect(try intact() == [true, false, true, true])
        try FileManager.default.removeItem(at: folder)
        #expect(try intact() == [true, true, true, true])
        #expect(try fixture.records().map(\.isFolderGone) == [false, true, false, false])

        let lines = fixture.lines
        // What follows a gap is as it was written.
        try fixture.put([lines[0], lines[2], lines[3]])
        #expect(try fixture.records().map(\.sequence) == [1, 3, 4] && intact() == [true, true, true])
        try fixture.put([lines[0], lines[2], lines[1], lines[3]])
        #expect(try fixture.records().map(\.sequence) == [1, 2, 3, 4] && intact() == [true, false, false, true])
        try fixture.put([lines[0], lines[1], lines[1]])
        #expect(try fixture.records().map(\.sequence) == [1, 2])
        // Signed by the trusted key, and of another history: which of the two is the true one can't be said.
        let again = try LedgerFixture(key: fixture.key)
        for number in 1...4 { try again.run(number) }
        try fixture.put([again.lines[0]] + lines.dropFirst())
        #expect(try intact() == [false, false, true, true])
        try fixture.put(lines + [again.lines[3]])
        #expect(try fixture.records().map(\.sequence) == [1, 2, 3, 4, 4] && intact() == [true, true, true, false, false])
        try fixture.put([lines[0], lines[1].replacing("\"sig\":\"", with: "\"sig\":\"A")])
        #expect(try fixture.records().map(\.sequence) == [1])
    }

    /// More lines than one part has: the order in which parts are ready shows nowhere.
    @Test func manyEntriesKeepTheirOrder() throws {
        let fixture = try LedgerFixture()
        for number in 1...150 { try fixture.run(number) }
        for number in [7, 90, 150] {
            let file = fixture.reports.appending(path: LedgerFixture.name(number)).appending(path: "report.json")
            try Data("altered".utf8).write(to: file)
        }
        let found = try LedgerVerification(folder: fixture.reports, trusting: [fixture.trust], collectingRecords: true)
        #expect(found.problems.map(\.line) == [7, 90, 150] && found.files == 297 && found.entries == 150 && found.runs == 150)
        #expect(found.records.map(\.sequence) == Array(1...150))
        #expect(found.records.filter { !$0.isIntact }.map(\.sequence) == [7, 90, 150])
    }

    @Test func aSignedEntryThatSaysNothingIsAnObstacleOnlyForWhoAsks() throws {
        let fixture = try LedgerFixture()
        let predicate = #"{"layout":1,"sequence":1,"recorded":"2026-03-14T02:30:00.000Z","run":"\#(LedgerFixture.name(1))"}"#
        let payload = Data(#"{"predicateType":"urn:muster:run:v1","subject":[],"predicate":\#(predicate)}"#.utf8)
        try fixture.put([LedgerLine(signing: payload, with: fixture.key).text])
        #expect(try fixture.verify(allowsMissingRuns: true).verdict == .passed)
        let found = try LedgerVerification(
            folder: fixture.reports, trusting: [fixture.trust], allowsMissingRuns: true, collectingRecords: true)
        #expect(found.verdict == .error && found.records.isEmpty && found.obstacles.first?.hasPrefix("line 1: ") == true)
    }

    @Test func canonicalMeansThatItEncodesToTheSameAgain() {
        var random = Letters(state: 7)
        let letters = Array("AQgwBEIMcZz09+/=".utf8)
        var seen = 0
        var wrong: [String] = []
        for length in 0...13 {
            for _ in 0..<1500 {
                var text = (0..<length).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] }
                // Signs at the end are rare by chance.
                let signs = Int.random(in: 0...3, using: &random)
                if signs <= length { text.replaceSubrange((length - signs)..., with: repeatElement(UInt8(ascii: "="), count: signs)) }
                let words = String(decoding: text, as: UTF8.self)
                let isSame = Data(base64Encoded: words)?.base64EncodedString() == words
                seen += isSame ? 1 : 0
                if text.withUnsafeBytes({ LedgerLine.isCanonical($0) }) != isSame { wrong.append(words) }
            }
        }
        #expect(wrong == [] && seen > 200)
    }
}

/// SplitMix64: the same letters in every run.
private struct Letters: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
