// Entries, and what is found where one was changed.

import Cryptography
import DrillModel
import Foundation
import Testing

@testable import Evidence

struct LedgerTests {
    @Test func runsAreChainedAndVerified() throws {
        let fixture = try LedgerFixture()
        let first = try fixture.run(1)
        let second = try fixture.run(2, facts: [Fact("server-version", "15.15"), Fact("database", "marker-of-a-fact")])
        #expect(first.sequence == 1 && second.sequence == 2 && LedgerHead(second.description) == second)
        let found = try fixture.verify(second)
        #expect(found.verdict == .passed && found.problems.isEmpty && found.notes == [], "\(found)")
        #expect(found.entries == 2 && found.runs == 2 && found.files == 4 && found.head == second)
        #expect(try fixture.verify(first).verdict == .passed)
        // Without a head, that much can't be said.
        #expect(try fixture.verify().notes.contains { $0.contains("--head") })
        let shell = try fixture.shell(fixture.reports.path, fixture.trust.path, second.description)
        #expect(shell.code == 0 && shell.text.contains("head \(second)"), "\(shell.text)")
        #expect(try fixture.shell().text.contains("can't be seen"))

        let statement = try fixture.statement(1)
        #expect(statement["_type"] as? String == "https://in-toto.io/Statement/v1")
        let predicate = try #require(statement["predicate"] as? [String: Any])
        #expect(predicate["previous"] as? String == first.hash && predicate["sequence"] as? Int == 2 && predicate["layout"] as? Int == 1)
        #expect(predicate["verdict"] as? String == "passed" && predicate["interrupted"] as? Bool == false)
        let drill = try #require((predicate["drills"] as? [[String: Any]])?.first)
        #expect((drill["rto"] as? [String: Any])?["achieved"] as? Double == 90.25)
        #expect((drill["rpo"] as? [[String: Any]])?.first?["target"] as? Double == 21_600)
        #expect(drill["versions"] as? [String: String] == ["server-version": "15.15"])
        let input = try #require((predicate["inputs"] as? [[String: Any]])?.first)
        #expect(input["path"] as? String == fixture.estate.file.path && (input["sha256"] as? String)?.count == 64)
        #expect(((predicate["startedBy"] as? [String: Any])?["trigger"] as? [String: Any])?["kind"] as? String == "other")
        #expect(try fixture.statement(0)["predicate"].map { "\($0)" }?.contains("previous") == false)
        // The subject is named as sha256sum and cosign would.
        let subject = try #require((statement["subject"] as? [[String: Any]])?.first)
        #expect(subject["name"] as? String == "\(LedgerFixture.name(2))/events.jsonl")
    }

    @Test func everyAlteredByteIsFound() throws {
        let fixture = try LedgerFixture()
        let head = try (fixture.run(1), fixture.run(2)).1
        let whole = fixture.bytes
        var missed: [Int] = []
        for index in whole.indices {
            var altered = whole
            altered[index] ^= 1
            try fixture.replace(altered)
            if try fixture.verify().verdict != .failed { missed.append(index) }
        }
        // To what means something where it comes to stand.
        for byte in Array("\n\"A".utf8) {
            for index in whole.indices where whole[index] != byte && (index % 29 == 0 || whole[index] < 0x2b || whole[index] > 0x7a) {
                var altered = whole
                altered[index] = byte
                try fixture.replace(altered)
                if try fixture.verify().verdict != .failed { missed.append(index) }
            }
        }
        #expect(missed == [])
        try fixture.replace(whole)
        for number in 1...2 {
            for name in ["report.json", "events.jsonl"] {
                let file = fixture.reports.appending(path: LedgerFixture.name(number)).appending(path: name)
                let text = try Data(contentsOf: file)
                for index in text.indices {
                    var altered = text
                    altered[index] ^= 1
                    try altered.write(to: file)
                    let found = try fixture.verify(head)
                    #expect(found.verdict == .failed && found.problems.map(\.message) == ["altered: \(LedgerFixture.name(number))/\(name)"])
                    if index % 5 == 0 { #expect(try fixture.shell().code == 1) }
                }
                try text.write(to: file)
            }
        }
        #expect(try fixture.verify(head).verdict == .passed)
    }

    @Test func theSecondVerifierFindsThemToo() throws {
        let fixture = try LedgerFixture()
        _ = try (fixture.run(1), fixture.run(2))
        let whole = fixture.bytes
        // Some of each part, and all that holds the parts together.
        let second = (whole.firstIndex(of: 10) ?? 0) - 1
        let places = whole.indices.filter { index in
            index % 211 == 0 || (index > second && !(0x30...0x7a).contains(whole[index]) && whole[index] != 0x2b && whole[index] != 0x2f)
        }
        var missed: [Int] = []
        for (count, index) in places.enumerated() {
            var altered = whole
            altered[index] = count % 3 == 0 ? 10 : count % 3 == 1 ? altered[index] ^ 1 : 0
            if altered == whole { altered[index] ^= 1 }
            try fixture.replace(altered)
            if try fixture.shell().code != 1 { missed.append(index) }
        }
        #expect(places.count > 40 && missed == [])
        // Bits that base64 passes over: another letter, the same bytes.
        var lines = String(decoding: whole, as: UTF8.self).split(separator: "\n").map(String.init)
        let last = try #require(lines.last)
        let sign = try #require(last.range(of: "==\"}]}"))
        let letter = last[last.index(before: sign.lowerBound)]
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let position = try #require(letters.firstIndex(of: letter))
        lines[1] = last.replacingCharacters(
            in: last.index(before: sign.lowerBound)..<sign.lowerBound, with: String(letters[position ^ 1]))
        try fixture.put(lines)
        #expect(try fixture.verify().verdict == .failed)
        #expect(try fixture.shell().code == 1)
    }

    @Test func whatBecameOfTheLinesIsSaid() throws {
        let fixture = try LedgerFixture()
        for number in 1...4 { try fixture.run(number) }
        let lines = fixture.lines
        func found(_ changed: [String], _ words: String..., line: Int?) throws {
            try fixture.put(changed)
            let found = try fixture.verify()
            #expect(found.verdict == .failed)
            #expect(
                found.problems.contains { problem in problem.line == line && words.allSatisfy { problem.description.contains($0) } },
                "\(words): \(found.problems)")
            let shell = try fixture.shell()
            #expect(shell.code == 1, "\(shell.text)")
        }
        try found([lines[0], lines[2], lines[3]], "removed", "entry 2 is missing", LedgerFixture.name(3), line: 2)
        try found([lines[0], lines[3]], "removed", "entries 2 to 3 are missing", line: 2)
        try found(Array(lines.dropFirst()), "removed", "entry 1 is missing", line: 1)
        try found([lines[0], lines[2], lines[1], lines[3]], "reordered", "entry 3", line: 2)
        try found([lines[0], lines[1], lines[1], lines[2], lines[3]], "repeated", "line 2", line: 3)
        try found(lines + [""], "altered", line: 5)
        // By a key that nobody trusts, at the end and in the middle.
        let other = try LedgerFixture()
        for number in 1...5 { try other.run(number) }
        try found(lines + [other.lines[4]], "inserted or replaced", "not trusted", line: 5)
        try found([lines[0], other.lines[1], lines[2], lines[3]], "inserted or replaced", line: 2)
        // By the trusted key, from another ledger: a history that was written anew.
        let again = try LedgerFixture(key: fixture.key)
        for number in 1...4 { try again.run(number) }
        try found([again.lines[0]] + lines.dropFirst(), "replaced", "entry 1 in line 1", line: 2)
        try found(lines + [again.lines[3]], "inserted", "another entry 4", line: 5)
        try fixture.put(lines)
        #expect(try fixture.verify().verdict == .passed)
    }

    @Test func aCutEndIsSeenByAHeadAlone() throws {
        let fixture = try LedgerFixture()
        var heads: [LedgerHead] = []
        for number in 1...3 { heads.append(try fixture.run(number)) }
        let lines = fixture.lines
        try fixture.put(Array(lines.prefix(2)))
        let unanchored = try fixture.verify()
        #expect(unanchored.verdict == .passed)
        #expect(unanchored.notes.contains { $0.contains("cut off the end") })
        #expect(unanchored.notes.contains("\(LedgerFixture.name(3)) is not in the ledger"))
        let anchored = try fixture.verify(heads[2])
        #expect(anchored.problems.map(\.message) == ["cut off: at the end, entry 3 is missing"])
        #expect(try fixture.shell().code == 0)
        #expect(try fixture.shell(fixture.reports.path, fixture.trust.path, heads[2].description).code == 1)
        // Another entry of that number.
        try fixture.run(4)
        #expect(try fixture.verify(heads[2]).problems.contains { $0.message.contains("not the one that --head remembers") })
        #expect(try fixture.shell(fixture.reports.path, fixture.trust.path, heads[2].description).code == 1)
        try fixture.replace(Data())
        #expect(try fixture.verify().verdict == .error)
        #expect(try fixture.verify(heads[0]).verdict == .failed)
        #expect(try fixture.shell().code == 2)
        for text in ["", "3", "0:\(heads[0].hash)", "3:abc", "3:\(heads[0].hash.uppercased())x"] { #expect(LedgerHead(text) == nil) }
    }

    @Test func filesAndRunsThatAreGone() throws {
        let fixture = try LedgerFixture()
        _ = try (fixture.run(1), fixture.run(2))
        let folder = fixture.reports.appending(path: LedgerFixture.name(1))
        let events = folder.appending(path: "events.jsonl")
        try Data("added".utf8).write(to: folder.appending(path: "notes.txt"))
        #expect(try fixture.verify().notes.contains("\(LedgerFixture.name(1))/notes.txt is not in the ledger"))
        try FileManager.default.removeItem(at: events)
        #expect(try fixture.verify(allowsMissingRuns: true).problems.map(\.message) == ["removed: \(LedgerFixture.name(1))/events.jsonl"])
        #expect(try fixture.shell().text.contains("removed: \(LedgerFixture.name(1))/events.jsonl"))
        // A link to an equal file is none of the run's.
        try Data("{\"v\":1}\n".utf8).write(to: fixture.folder.appending(path: "elsewhere"))
        try FileManager.default.createSymbolicLink(at: events, withDestinationURL: fixture.folder.appending(path: "elsewhere"))
        #expect(try fixture.verify().problems.map(\.message) == ["replaced: \(LedgerFixture.name(1))/events.jsonl is no file any more"])
        #expect(try fixture.shell().code == 1)
        try FileManager.default.removeItem(at: folder)
        #expect(try fixture.verify().problems.contains { $0.message.contains("the run's folder is gone") })
        #expect(try fixture.verify(allowsMissingRuns: true).verdict == .passed)
        #expect(try fixture.shell().code == 1)
        #expect(try fixture.shell("--allow-missing-runs", fixture.reports.path, fixture.trust.path).code == 0)
    }

    @Test func onlyTrustedKeysCount() throws {
        let fixture = try LedgerFixture()
        try fixture.run(1)
        let other = try LedgerFixture()
        let foreign = try LedgerVerification(folder: fixture.reports, trusting: [other.trust])
        let own = try fixture.key.publicKey().keyID
        #expect(foreign.verdict == .error && foreign.obstacles.first?.contains(own) == true)
        #expect(try fixture.shell(fixture.reports.path, other.trust.path).code == 2)
        for file in [fixture.file, fixture.folder.appending(path: "none")] {
            #expect(throws: CommandFailure.self) { try LedgerVerification(folder: fixture.reports, trusting: [file]) }
            #expect(try fixture.shell(fixture.reports.path, file.path).code == 2)
        }
        #expect(throws: CommandFailure.self) { try LedgerVerification(folder: other.reports, trusting: [fixture.trust]) }
        #expect(try fixture.shell(other.reports.path, fixture.trust.path).code == 2)
        #expect(try fixture.shell(fixture.reports.path).code == 64)
        // Both keys in one file, as after a change of keys.
        let both = fixture.folder.appending(path: "both.pem")
        try (Data(contentsOf: other.trust) + Data(contentsOf: fixture.trust)).write(to: both)
        #expect(try fixture.shell(fixture.reports.path, both.path).code == 0)
        #expect(try LedgerVerification(folder: fixture.reports, trusting: [other.trust, fixture.trust]).verdict == .passed)
        // The keyid is not signed: one that names another trusted key is no entry of ours.
        let id = try other.key.publicKey().keyID
        try fixture.put([fixture.lines[0].replacing(try fixture.key.publicKey().keyID, with: id)])
        #expect(try LedgerVerification(folder: fixture.reports, trusting: [other.trust, fixture.trust]).verdict == .failed)
        #expect(try fixture.shell(fixture.reports.path, both.path).code == 1)
    }
}
