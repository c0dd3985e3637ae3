// Append-only files in all their forms, and what stands behind a snapshot.

import DrillModel
import Foundation
import RedisClient
import ScratchHost
import TestSupport
import Testing

@testable import RedisRecovery

@Suite(
    .serialized, .enabled(if: RedisRelease.areHere(.redis6) && TestMachine.hasRedis, "no redis 6 is here: scripts/setup-tests brings one"))
struct SingleAppendOnlyTests {
    private static let preamble = Task { try await Written.by(RedisRelease.redis6.software, ["--appendonly", "yes"]) }
    private static let commands = Task {
        try await Written.by(RedisRelease.redis6.software, ["--appendonly", "yes", "--aof-use-rdb-preamble", "no"])
    }

    @Test func comesBackWhole() async throws {
        for written in [try await Self.preamble.value, try await Self.commands.value] {
            for software in [systemRedis, RedisRelease.redis6.software] {
                let outcome = try await Trial(software: software).single(written.single)
                #expect(outcome.digest == written.digest && outcome.keys == [0: 90] && outcome.findings.isEmpty)
                // In a data folder, beside a snapshot that is older.
                let folder = try await Trial(software: software).parts([
                    "appendonly.aof": written.single, "dump.rdb": Array(written.single.prefix(30)),
                ])
                #expect(folder.digest == written.digest)
            }
        }
        #expect(try await Self.preamble.value.single.starts(with: Array("REDIS".utf8)))
        #expect(try await Self.commands.value.single.starts(with: Array("*2\r\n".utf8)))
    }

    @Test(.enabled(if: RedisRelease.areHere(.valkey9), "no valkey 9 is here")) func alsoByValkey() async throws {
        let written = try await Self.preamble.value
        #expect(try await Trial(software: RedisRelease.valkey9.software).single(written.single).keys == [0: 90])
    }

    @Test func aCutOneFails() async throws {
        for written in [try await Self.preamble.value, try await Self.commands.value] {
            let cut = await failure { try await Trial(software: systemRedis).single(Array(written.single.dropLast(5))) }
            #expect(cut?.verdict == .failed && cut?.finding.rule.name == "redis-data-damaged")
            #expect(cut?.finding.hint.contains("aof-load-truncated") == true)
        }
    }

    /// As a snapshot it would come back without its commands.
    @Test func itIsNoSnapshot() async throws {
        let written = try await Self.preamble.value
        for failure in [
            await failure { try await Trial(software: systemRedis).snapshot(written.single) },
            await Trial(software: systemRedis).reading(written.single, kind: .rdb),
        ] {
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-not-a-redis-backup")
            #expect(failure?.finding.hint.contains("kind: aof") == true)
        }
    }

    /// By itself an increment would load, and bring back a few keys of many.
    @Test(arguments: ["a/appendonlydir/appendonly.aof.2.incr.aof", "appendonly.aof.1.base.rdb.gz"]) func aPartIsNoBackup(_ name: String)
        async throws
    {
        let written = try await Self.commands.value
        let failure = await failure { try await Trial(software: systemRedis).single(written.single, name: name) }
        #expect(failure?.verdict == .failed && failure?.finding.actual == "one part of a set")
    }
}

@Suite(.serialized, .enabled(if: TestMachine.hasRedis, "no redis server is installed")) struct TrailingBytesTests {
    private static let maker = Task { try await Written.by(systemRedis) }

    @Test func twoSnapshotsInOneFail() async throws {
        let snapshot = try await Self.maker.value.snapshot
        for failure in [
            await failure { try await Trial(software: systemRedis).snapshot(snapshot + snapshot) },
            await Trial(software: systemRedis).reading(snapshot + snapshot, kind: .rdb),
        ] {
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "redis-trailing-bytes")
        }
    }

    @Test func zerosAreAWarning() async throws {
        let snapshot = try await Self.maker.value.snapshot
        let outcome = try await Trial(software: systemRedis).snapshot(snapshot + [UInt8](repeating: 0, count: 3 << 20))
        #expect(outcome.findings.map(\.rule.name) == ["redis-trailing-bytes"] && outcome.findings.map(\.severity) == [.warning])
        let hidden = await failure {
            try await Trial(software: systemRedis).snapshot(snapshot + [UInt8](repeating: 0, count: 3 << 20) + [1])
        }
        #expect(hidden?.verdict == .failed)
    }

    /// What `redis-cli --rdb` of Redis 4 left behind.
    @Test func theMarkOfAStreamIsInnocent() async throws {
        let written = try await Self.maker.value
        let outcome = try await Trial(software: systemRedis).snapshot(
            written.snapshot + Array("0123456789abcdef0123456789abcdef01234567".utf8))
        #expect(outcome.findings.isEmpty && outcome.digest == written.digest)
    }

    /// One digit more or less, and what is none, is something else.
    @Test(arguments: [39, 41, 40]) func whatIsNoMark(_ count: Int) async throws {
        let snapshot = try await Self.maker.value.snapshot
        let digits = [UInt8](repeating: UInt8(ascii: "7"), count: count)
        for last in count == 40 ? Array("/:`g".utf8) : Array("7".utf8) {
            let failure = await failure { try await Trial(software: systemRedis).snapshot(snapshot + digits.dropLast() + [last]) }
            #expect(failure?.finding.rule.name == "redis-trailing-bytes", "\(last)")
        }
    }

    @Test func withoutAChecksumItIsSaid() async throws {
        let written = try await Written.by(systemRedis, ["--rdbchecksum", "no"])
        let outcome = try await Trial(software: systemRedis).snapshot(written.snapshot)
        #expect(outcome.digest == written.digest && outcome.findings.map(\.rule.name) == ["redis-checksum-missing"])
    }
}

@Suite(.serialized, .enabled(if: TestMachine.hasRedis, "no redis server is installed")) struct AppendOnlySetTests {
    /// Two increments behind the base, since a second rewrite was begun and not ended.
    private static let maker = Task { () -> Written in
        var written = try await Written.by(systemRedis, ["--appendonly", "yes"])
        let parts = written.parts
        guard let incr = parts.first(where: { $0.key.hasSuffix(".2.incr.aof") }) else { return written }
        let commands = Array("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$5\r\nthird\r\n$1\r\n1\r\n".utf8)
        written.files["appendonlydir/" + incr.key.replacing(".2.incr", with: ".3.incr")] = commands
        written.files["appendonlydir/appendonly.aof.manifest"]?.append(
            contentsOf: Array("file appendonly.aof.3.incr.aof seq 3 type i\n".utf8))
        return written
    }

    private let trial = Trial(software: systemRedis)

    private func changed(_ change: (inout [String: [UInt8]]) -> Void) async throws -> [String: [UInt8]] {
        var parts = try await Self.maker.value.parts
        change(&parts)
        return parts
    }

    private func lines(_ parts: inout [String: [UInt8]], _ change: (inout [String]) -> Void) {
        var lines = String(decoding: parts["appendonly.aof.manifest"] ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
        change(&lines)
        parts["appendonly.aof.manifest"] = Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    @Test func comesBackWhole() async throws {
        #expect(try await trial.parts(try await changed { _ in }).keys == [0: 91])
        // A whole data folder, with the set in a folder of it.
        let data = try await Self.maker.value.files.filter { $0.key.hasPrefix("appendonlydir/") || $0.key == "dump.rdb" }
        #expect(try await trial.parts(data).keys == [0: 91])
    }

    @Test func anEmptyBaseFails() async throws {
        let parts = try await changed { $0["appendonly.aof.2.base.rdb"] = [] }
        let failure = await failure { try await trial.parts(parts) }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "aof-incomplete")
        #expect(failure?.finding.actual == "appendonly.aof.2.base.rdb of 0 bytes")
    }

    @Test(arguments: [0, 2]) func aLineThatIsLostFails(_ line: Int) async throws {
        let parts = try await changed { lines(&$0) { $0.remove(at: line) } }
        let failure = await failure { try await trial.parts(parts) }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "aof-incomplete", "\(String(describing: failure))")
    }

    /// A rewrite leaves such files for a moment, so it may be one.
    @Test func aLineThatIsLostFromTheMiddleIsAWarning() async throws {
        let outcome = try await trial.parts(try await changed { lines(&$0) { $0.remove(at: 1) } })
        #expect(outcome.findings.map(\.object) == ["appendonly.aof.2.incr.aof"] && outcome.findings.map(\.severity) == [.warning])
    }

    /// An increment that a rewrite has just begun, and what an older one superseded.
    @Test func whatHoldsNothingNewIsInnocent() async throws {
        let parts = try await changed {
            $0["appendonly.aof.4.incr.aof"] = []
            $0["appendonly.aof.1.base.rdb"] = Array("old".utf8)
            $0["appendonly.aof.1.incr.aof"] = Array("old".utf8)
            $0["temp-rewriteaof-bg-12.aof"] = Array("old".utf8)
        }
        #expect(try await trial.parts(parts).keys == [0: 91])
    }

    @Test func anEmptyIncrementInTheMiddleIsAWarning() async throws {
        let outcome = try await trial.parts(try await changed { $0["appendonly.aof.2.incr.aof"] = [] })
        #expect(outcome.findings.map(\.object) == ["appendonly.aof.2.incr.aof"] && outcome.findings.map(\.severity) == [.warning])
        let last = try await trial.parts(try await changed { $0["appendonly.aof.3.incr.aof"] = [] })
        #expect(last.findings.isEmpty)
    }

    @Test func aHistoryFileMayBeGone() async throws {
        let parts = try await changed { lines(&$0) { $0.append("file appendonly.aof.1.incr.aof seq 1 type h") } }
        #expect(try await trial.parts(parts).keys == [0: 91])
    }

    @Test(arguments: ["my data.aof", "z\u{e4}hler.aof"]) func quotedNamesAreRead(_ name: String) async throws {
        let written = try await Written.by(systemRedis, ["--appendonly", "yes", "--appendfilename", name])
        let manifest = try #require(written.parts["\(name).manifest"])
        #expect(String(decoding: manifest, as: UTF8.self).contains("file \""))
        #expect(try await trial.parts(written.parts).digest == written.digest)
    }

    /// A server with fewer databases refuses the SELECT without a word, and puts the key into another.
    @Test func databasesBeyondTheUsual() async throws {
        let fill: @Sendable (SourceRedis) async throws -> Void = { source in
            try await source.run("SELECT", "2500")
            try await source.run("SET", "far", "away")
        }
        for settings in [["--appendonly", "yes"], ["--appendonly", "yes", "--aof-use-rdb-preamble", "no"]] {
            let written = try await Written.by(systemRedis, ["--databases", "3000"] + settings, fill)
            #expect(try await trial.parts(written.parts).keys == [0: 90, 2500: 1])
            let outcome = try await trial.snapshot(written.snapshot)
            #expect(outcome.keys == [0: 90, 2500: 1] && outcome.digest == written.digest)
        }
        let base = try await Written.by(systemRedis, ["--databases", "3000", "--appendonly", "yes"]) { source in
            try await fill(source)
            try await source.rewrite()
            try await source.run("SELECT", "0")
            try await source.run("SET", "near", "by")
        }
        #expect(try await trial.parts(base.parts).keys == [0: 91, 2500: 1])
    }

    @Test func aCommandThatNobodyKnowsIsNamed() {
        func judged(_ command: String) -> DrillFailure {
            RedisLog("# Unknown command '\(command)' reading the append only file appendonly.aof.1.incr.aof")
                .failure(of: .appendOnly(folder: "a", stem: "b"), ending: ToolResult(exitCode: 1, signal: nil, output: ""))
        }
        #expect(judged("JSON.SET").verdict == .error && judged("JSON.SET").finding.actual == "the command JSON.SET")
        #expect(judged("S\u{c8}T").verdict == .failed)
    }

    @Test func aModuleIsNamed() {
        let log = RedisLog("# The RDB file contains module data I can't load: no matching module type 'ReJSON-RL'")
        let finding = log.failure(of: .snapshot, ending: ToolResult(exitCode: 0, signal: nil, output: "")).finding
        #expect(finding.message.contains("RedisJSON, of type ReJSON-RL") && finding.hint.contains("modules"))
    }

    /// A module that can't be loaded is no fault of the backup's.
    @Test func aDeclaredModuleThatIsMissing() async throws {
        let written = try await Self.maker.value
        var software = systemRedis
        software.modules = [ServerModule(path: "/nowhere/rejson.so", arguments: ["A", "1"])]
        let failure = await failure { try await Trial(software: software).snapshot(written.snapshot) }
        #expect(failure?.verdict == .error && failure?.finding.actual == "rejson.so", "\(String(describing: failure))")
    }
}

@Suite struct AppendOnlyScanTests {
    private func highest(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { AppendOnlyScan.highestDatabase($0, from: 0) }
    }

    @Test func valuesAreNotLookedAt() {
        let value = "*2\r\n$6\r\nSELECT\r\n$4\r\n4000\r\n"
        let set = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$\(value.utf8.count)\r\n\(value)\r\n"
        #expect(highest("*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n#TS:1\r\n" + set) == 7)
        #expect(highest(set) == nil)
        #expect(highest("*2\r\n$6\r\nSELECT\r\n$2\r\n70\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n*3\r\n$3\r\nSE") == 70)
        for text in ["", "*", "*1\r\n$", "*1\r\n$99999999999999\r\nx", "*-1\r\n", "junk"] { #expect(highest(text) == nil) }
    }
}
