// Entries, and what is found where one was changed.

import Cryptography
import DrillModel
import Foundation
import Testing

@testable import Evidence

struct LedgerTests {
    @Test func runsAreChainedAndVerified() throws {
        let desk = try LedgerDesk()
        let first = try desk.run(1)
        let second = try desk.run(2, facts: [Fact("server-version", "15.15"), Fact("database", "marker-of-a-fact")])
        #expect(first.sequence == 1 && second.sequence == 2 && LedgerHead(second.description) == second)
        let found = try desk.verify(second)
        #expect(found.verdict == .passed && found.problems.isEmpty && found.notes == [], "\(found)")
        #expect(found.entries == 2 && found.runs == 2 && found.files == 4 && found.head == second)
        #expect(try desk.verify(first).verdict == .passed)
        // Without a head, that much can't be said.
        #expect(try desk.verify().notes.contains { $0.contains("--head") })
        let shell = try desk.shell(desk.reports.path, desk.trust.path, second.description)
        #expect(shell.code == 0 && shell.text.contains("head \(second)"), "\(shell.text)")
        #expect(try desk.shell().text.contains("can't be seen"))

        let statement = try desk.statement(1)
        #expect(statement["_type"] as? String == "https://in-toto.io/Statement/v1")
        let predicate = try #require(statement["predicate"] as? [String: Any])
        #expect(predicate["previous"] as? String == first.hash && predicate["sequence"] as? Int == 2 && predicate["layout"] as? Int == 1)
        #expect(predicate["verdict"] as? String == "passed" && predicate["interrupted"] as? Bool == false)
        let drill = try #require((predicate["drills"] as? [[String: Any]])?.first)
        #expect((drill["rto"] as? [String: Any])?["achieved"] as? Double == 90.25)
        #expect((drill["rpo"] as? [[String: Any]])?.first?["target"] as? Double == 21_600)
        #expect(drill["versions"] as? [String: String] == ["server-version": "15.15"])
        let input = try #require((predicate["inputs"] as? [[String: Any]])?.first)
        #expect(input["path"] as? String == desk.estate.file.path && (input["sha256"] as? String)?.count == 64)
        #expect(((predicate["startedBy"] as? [String: Any])?["trigger"] as? [String: Any])?["kind"] as? String == "other")
        #expect(try desk.statement(0)["predicate"].map { "\($0)" }?.contains("previous") == false)
        // The subject is named as sha256sum and cosign would.
        let subject = try #require((statement["subject"] as? [[String: Any]])?.first)
        #expect(subject["name"] as? String == "\(LedgerDesk.name(2))/events.jsonl")
    }

    @Test func everyAlteredByteIsFound() throws {
        let desk = try LedgerDesk()
        let head = try (desk.run(1), desk.run(2)).1
        let whole = desk.bytes
        var missed: [Int] = []
        for index in whole.indices {
            var altered = whole
            altered[index] ^= 1
            try desk.replace(altered)
            if try desk.verify().verdict != .failed { missed.append(index) }
        }
        // To what means something where it comes to stand.
        for byte in Array("\n\"A".utf8) {
            for index in whole.indices where whole[index] != byte && (index % 29 == 0 || whole[index] < 0x2b || whole[index] > 0x7a) {
                var altered = whole
                altered[index] = byte
                try desk.replace(altered)
                if try desk.verify().verdict != .failed { missed.append(index) }
            }
        }
        #expect(missed == [])
        try desk.replace(whole)
        for number in 1...2 {
            for name in ["report.json", "events.jsonl"] {
                let file = desk.reports.appending(path: LedgerDesk.name(number)).appending(path: name)
                let text = try Data(contentsOf: file)
                for index in text.indices {
                    var altered = text
                    altered[index] ^= 1
                    try altered.write(to: file)
                    let found = try desk.verify(head)
                    #expect(found.verdict == .failed && found.problems.map(\.message) == ["altered: \(LedgerDesk.name(number))/\(name)"])
                    if index % 5 == 0 { #expect(try desk.shell().code == 1) }
                }
                try text.write(to: file)
            }
        }
        #expect(try desk.verify(head).verdict == .passed)
    }

    @Test func theSecondVerifierFindsThemToo() throws {
        let desk = try LedgerDesk()
        _ = try (desk.run(1), desk.run(2))
        let whole = desk.bytes
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
            try desk.replace(altered)
            if try desk.shell().code != 1 { missed.append(index) }
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
        try desk.put(lines)
        #expect(try desk.verify().verdict == .failed)
        #expect(try desk.shell().code == 1)
    }

    @Test func whatBecameOfTheLinesIsSaid() throws {
        let desk = try LedgerDesk()
        for number in 1...4 { try desk.run(number) }
        let lines = desk.lines
        func found(_ changed: [String], _ words: String..., line: Int?) throws {
            try desk.put(changed)
            let found = try desk.verify()
            #expect(found.verdict == .failed)
            #expect(
                found.problems.contains { problem in problem.line == line && words.allSatisfy { problem.description.contains($0) } },
                "\(words): \(found.problems)")
            let shell = try desk.shell()
            #expect(shell.code == 1, "\(shell.text)")
        }
        try found([lines[0], lines[2], lines[3]], "removed", "entry 2 is missing", LedgerDesk.name(3), line: 2)
        try found([lines[0], lines[3]], "removed", "entries 2 to 3 are missing", line: 2)
        try found(Array(lines.dropFirst()), "removed", "entry 1 is missing", line: 1)
        try found([lines[0], lines[2], lines[1], lines[3]], "reordered", "entry 3", line: 2)
        try found([lines[0], lines[1], lines[1], lines[2], lines[3]], "repeated", "line 2", line: 3)
        try found(lines + [""], "altered", line: 5)
        // By a key that nobody trusts, at the end and in the middle.
        let other = try LedgerDesk()
        for number in 1...5 { try other.run(number) }
        try found(lines + [other.lines[4]], "inserted or replaced", "not trusted", line: 5)
        try found([lines[0], other.lines[1], lines[2], lines[3]], "inserted or replaced", line: 2)
        // By the trusted key, from another ledger: a history that was written anew.
        let again = try LedgerDesk(key: desk.key)
        for number in 1...4 { try again.run(number) }
        try found([again.lines[0]] + lines.dropFirst(), "replaced", "entry 1 in line 1", line: 2)
        try found(lines + [again.lines[3]], "inserted", "another entry 4", line: 5)
        try desk.put(lines)
        #expect(try desk.verify().verdict == .passed)
    }

    @Test func aCutEndIsSeenByAHeadAlone() throws {
        let desk = try LedgerDesk()
        var heads: [LedgerHead] = []
        for number in 1...3 { heads.append(try desk.run(number)) }
        let lines = desk.lines
        try desk.put(Array(lines.prefix(2)))
        let unanchored = try desk.verify()
        #expect(unanchored.verdict == .passed)
        #expect(unanchored.notes.contains { $0.contains("cut off the end") })
        #expect(unanchored.notes.contains("\(LedgerDesk.name(3)) is not in the ledger"))
        let anchored = try desk.verify(heads[2])
        #expect(anchored.problems.map(\.message) == ["cut off: at the end, entry 3 is missing"])
        #expect(try desk.shell().code == 0)
        #expect(try desk.shell(desk.reports.path, desk.trust.path, heads[2].description).code == 1)
        // Another entry of that number.
        try desk.run(4)
        #expect(try desk.verify(heads[2]).problems.contains { $0.message.contains("not the one that --head remembers") })
        #expect(try desk.shell(desk.reports.path, desk.trust.path, heads[2].description).code == 1)
        try desk.replace(Data())
        #expect(try desk.verify().verdict == .error)
        #expect(try desk.verify(heads[0]).verdict == .failed)
        #expect(try desk.shell().code == 2)
        for text in ["", "3", "0:\(heads[0].hash)", "3:abc", "3:\(heads[0].hash.uppercased())x"] { #expect(LedgerHead(text) == nil) }
    }

    @Test func filesAndRunsThatAreGone() throws {
        let desk = try LedgerDesk()
        _ = try (desk.run(1), desk.run(2))
        let folder = desk.reports.appending(path: LedgerDesk.name(1))
        let events = folder.appending(path: "events.jsonl")
        try Data("added".utf8).write(to: folder.appending(path: "notes.txt"))
        #expect(try desk.verify().notes.contains("\(LedgerDesk.name(1))/notes.txt is not in the ledger"))
        try FileManager.default.removeItem(at: events)
        #expect(try desk.verify(allowsMissingRuns: true).problems.map(\.message) == ["removed: \(LedgerDesk.name(1))/events.jsonl"])
        #expect(try desk.shell().text.contains("removed: \(LedgerDesk.name(1))/events.jsonl"))
        // A link to an equal file is none of the run's.
        try Data("{\"v\":1}\n".utf8).write(to: desk.folder.appending(path: "elsewhere"))
        try FileManager.default.createSymbolicLink(at: events, withDestinationURL: desk.folder.appending(path: "elsewhere"))
        #expect(try desk.verify().problems.map(\.message) == ["replaced: \(LedgerDesk.name(1))/events.jsonl is no file any more"])
        #expect(try desk.shell().code == 1)
        try FileManager.default.removeItem(at: folder)
        #expect(try desk.verify().problems.contains { $0.message.contains("the run's folder is gone") })
        #expect(try desk.verify(allowsMissingRuns: true).verdict == .passed)
        #expect(try desk.shell().code == 1)
        #expect(try desk.shell("--allow-missing-runs", desk.reports.path, desk.trust.path).code == 0)
    }

    @Test func onlyTrustedKeysCount() throws {
        let desk = try LedgerDesk()
        try desk.run(1)
        let other = try LedgerDesk()
        let foreign = try LedgerVerification(folder: desk.reports, trusting: [other.trust])
        let own = try desk.key.publicKey().keyID
        #expect(foreign.verdict == .error && foreign.obstacles.first?.contains(own) == true)
        #expect(try desk.shell(desk.reports.path, other.trust.path).code == 2)
        for file in [desk.file, desk.folder.appending(path: "none")] {
            #expect(throws: CommandFailure.self) { try LedgerVerification(folder: desk.reports, trusting: [file]) }
            #expect(try desk.shell(desk.reports.path, file.path).code == 2)
        }
        #expect(throws: CommandFailure.self) { try LedgerVerification(folder: other.reports, trusting: [desk.trust]) }
        #expect(try desk.shell(other.reports.path, desk.trust.path).code == 2)
        #expect(try desk.shell(desk.reports.path).code == 64)
        // Both keys in one file, as after a change of keys.
        let both = desk.folder.appending(path: "both.pem")
        try (Data(contentsOf: other.trust) + Data(contentsOf: desk.trust)).write(to: both)
        #expect(try desk.shell(desk.reports.path, both.path).code == 0)
        #expect(try LedgerVerification(folder: desk.reports, trusting: [other.trust, desk.trust]).verdict == .passed)
        // The keyid is not signed: one that names another trusted key is no entry of ours.
        let id = try other.key.publicKey().keyID
        try desk.put([desk.lines[0].replacing(try desk.key.publicKey().keyID, with: id)])
        #expect(try LedgerVerification(folder: desk.reports, trusting: [other.trust, desk.trust]).verdict == .failed)
        #expect(try desk.shell(desk.reports.path, both.path).code == 1)
    }
}
