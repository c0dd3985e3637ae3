// The numbers of a set's parts, where one more or less turns the answer.

import DrillModel
import Foundation
import Testing

@testable import RedisRecovery

@Suite struct AppendOnlySetBorderTests {
    /// - Parameter parts: By name, what stands in them; each is named in the manifest unless it begins with `-`.
    private func with<Value>(_ parts: [String: String], _ body: (AppendOnlySet) throws -> Value) throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var lines: [String] = []
        for (part, content) in parts.sorted(by: { $0.key < $1.key }) {
            let name = part.hasPrefix("-") ? String(part.dropFirst()) : part
            try Data(content.utf8).write(to: folder.appendingPathComponent("a.aof.\(name)"))
            let words = name.split(separator: ".")
            if part == name { lines.append("file a.aof.\(name) seq \(words[0]) type \(words[1] == "base" ? "b" : "i")\n") }
        }
        try Data(lines.joined().utf8).write(to: folder.appendingPathComponent("a.aof.manifest"))
        return try body(AppendOnlySet(in: folder, manifest: "a.aof.manifest"))
    }

    private func isWhole(_ parts: [String: String]) throws -> Bool {
        do {
            return try with(parts) { _ in true }
        } catch let failure as DrillFailure {
            #expect(failure.verdict == .failed && failure.finding.rule.name == "aof-incomplete")
            return false
        }
    }

    /// Where the base is written as commands, a server has begun with nothing: in the first alone.
    @Test(arguments: [("1.base.aof", true), ("1.base.rdb", false), ("2.base.aof", false), ("2.base.rdb", false)])
    func anEmptyBase(_ base: String, _ holds: Bool) throws {
        #expect(try isWhole([base: "", "2.incr.aof": "x"]) == holds)
        #expect(try isWhole([base: "x", "2.incr.aof": "x"]))
    }

    /// Without a base everything is in the increments: from the very first on.
    @Test func noBase() throws {
        #expect(try isWhole(["1.incr.aof": "x", "2.incr.aof": "x"]) && !isWhole(["2.incr.aof": "x", "3.incr.aof": "x"]))
    }

    @Test func aGapBetweenIncrements() throws {
        #expect(try with(["2.base.rdb": "x", "2.incr.aof": "x", "3.incr.aof": "x"], \.gaps) == [])
        #expect(try with(["2.base.rdb": "x", "2.incr.aof": "x", "4.incr.aof": "x"], \.gaps) == ["a.aof.3.incr.aof"])
        #expect(try with(["2.base.rdb": "x", "2.incr.aof": "x", "5.incr.aof": "x"], \.gaps) == ["a.aof.3.incr.aof"])
    }

    @Test func whatNoLineNames() throws {
        let named = ["2.base.rdb": "x", "3.incr.aof": "x"]
        func isWhole(with more: [String: String]) throws -> Bool { try self.isWhole(named.merging(more) { $1 }) }
        func doubtful(with more: [String: String]) throws -> [String] { try with(named.merging(more) { $1 }, \.doubtful) }
        for newer in ["4.incr.aof", "3.base.rdb"] {
            #expect(try !isWhole(with: ["-\(newer)": "x"]) && isWhole(with: ["-\(newer)": ""]), "\(newer)")
        }
        // Of the same number, under the ending of the other kind: what a server with another setting left.
        #expect(try isWhole(with: ["-2.base.aof": "x"]))
        #expect(try doubtful(with: ["-2.base.aof": "x"]) == [] && doubtful(with: ["-2.incr.aof": "x"]) == ["a.aof.2.incr.aof"])
        // A base as old beside it shows that a rewrite superseded both.
        #expect(try doubtful(with: ["-2.incr.aof": "x", "-1.base.rdb": "x"]) == [] && doubtful(with: ["-2.incr.aof": ""]) == [])
    }

    /// What stands under *Not proven*: commands carry no checksum.
    @Test func whetherThereAreCommands() throws {
        let snapshot = "REDIS0010\u{7f}"
        #expect(try !with(["1.base.rdb": snapshot, "1.incr.aof": ""], \.hasCommands))
        #expect(try with(["1.base.rdb": snapshot, "1.incr.aof": "x"], \.hasCommands))
        #expect(
            try with(["1.base.aof": "x", "1.incr.aof": ""], \.hasCommands) && !with(["1.base.aof": "", "1.incr.aof": ""], \.hasCommands))
    }
}
