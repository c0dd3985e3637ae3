// What a server does with commands that it can't take, and with heads and manifests that contradict themselves.

import DrillModel
import Foundation
import RedisClient
import ScratchHost
import TestSupport
import Testing

@testable import RedisRecovery

@Suite struct ManifestOrderTests {
    private static let base = "file a.aof.2.base.rdb seq 2 type b"
    private static let second = "file a.aof.2.incr.aof seq 2 type i"
    private static let third = "file a.aof.3.incr.aof seq 3 type i"

    private func failure(_ lines: String...) -> DrillFailure? {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for name in ["a.aof.2.base.rdb", "a.aof.3.base.rdb", "a.aof.2.incr.aof", "a.aof.3.incr.aof"] where lines.joined().contains(name)
            {
                try Data("x".utf8).write(to: folder.appendingPathComponent(name))
            }
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: folder.appendingPathComponent("a.aof.manifest"))
            _ = try AppendOnlySet(in: folder, manifest: "a.aof.manifest")
        } catch { return error as? DrillFailure }
        return nil
    }

    /// 7.0 and Valkey 9.1: `Found a non-monotonic sequence number`, `Found duplicate base file information`.
    @Test func whatNoServerTakesFails() {
        for failure in [
            failure(Self.base, Self.second, Self.second, Self.third), failure(Self.base, Self.third, Self.second),
            failure(Self.base, Self.base, Self.second, Self.third),
            failure(Self.base, "file a.aof.3.base.rdb seq 3 type b", Self.second, Self.third),
        ] { #expect(failure?.verdict == .failed && failure?.finding.rule.name == "aof-incomplete") }
    }

    /// A server loads the base first, wherever its line stands, and passes history by.
    @Test func theBasesOwnPlaceIsFree() {
        #expect(failure(Self.base, Self.second, Self.third) == nil)
        #expect(failure(Self.second, Self.third, Self.base) == nil)
        #expect(failure("file x seq 9 type h", "file y seq 1 type h", Self.base, Self.second, Self.third) == nil)
    }
}

@Suite struct ContradictoryOriginTests {
    @Test(arguments: [
        (RedisVersion(.redis, 7, 0, 15), 10, false), (RedisVersion(.redis, 7, 0, 15), 9, false), (RedisVersion(.redis, 7, 0, 15), 18, true),
        (RedisVersion(.redis, 7, 0, 15), 11, true), (RedisVersion(.redis, 7, 0, 15), 2, true), (RedisVersion(.valkey, 9, 1, 2), 80, false),
        (RedisVersion(.valkey, 9, 1, 2), 11, false), (RedisVersion(.valkey, 9, 1, 2), 90, true), (RedisVersion(.valkey, 8, 1), 80, true),
        // Releases that aren't known here may write anything.
        (RedisVersion(.redis, 8, 8), 15, false), (RedisVersion(.valkey, 9, 2), 81, false), (RedisVersion(.redis, 6, 3, 4), 12, false),
    ])
    func known(_ version: RedisVersion, _ rdb: Int, _ contradicts: Bool) {
        #expect(RedisOrigin(version: version, rdb: rdb).contradictsItself == contradicts)
    }
}

@Suite(.serialized, .enabled(if: TestMachine.hasRedis, "no redis server is installed")) struct ContradictoryHeadTests {
    private static let maker = Task { try await Written.by(systemRedis) }

    private func changed(_ version: String) async throws -> [UInt8] {
        var bytes = try await Self.maker.value.snapshot
        bytes.replaceSubrange(5..<9, with: Array(version.utf8))
        return bytes
    }

    /// No redis 7.0 writes such a format: it isn't of a newer one.
    @Test(arguments: ["0018", "0090", "1010"]) func aChangedFormatIsDamage(_ version: String) async throws {
        let bytes = try await changed(version)
        for failure in [
            await failure { try await Trial(software: systemRedis).snapshot(bytes) },
            await Trial(software: systemRedis).reading(bytes, kind: .rdb),
        ] {
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "redis-data-damaged", "\(String(describing: failure))")
            #expect(failure?.finding.message.contains("contradict") == true)
        }
    }

    /// A server that reads the format finds its checksum wrong.
    @Test(.enabled(if: RedisRelease.areHere(.redis7), "no redis 7.4 is here")) func whereAServerReadsItItsChecksumTells() async throws {
        let bytes = try await changed("0012")
        let failure = await failure { try await Trial(software: RedisRelease.redis7.software).snapshot(bytes) }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "redis-data-damaged", "\(String(describing: failure))")
    }

    @Test(.enabled(if: RedisRelease.areHere(.valkey9), "no valkey 9 is here")) func ofValkeyToo() async throws {
        var bytes = try await Written.by(RedisRelease.valkey9.software).snapshot
        bytes.replaceSubrange(6..<9, with: Array("090".utf8))
        let failure = await failure { try await Trial(software: RedisRelease.valkey9.software).snapshot(bytes) }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "redis-data-damaged", "\(String(describing: failure))")
    }
}

@Suite(.serialized, .enabled(if: TestMachine.hasRedis, "no redis server is installed")) struct CommandReplayTests {
    private func commands(_ lines: [String]...) -> [UInt8] {
        lines.flatMap { words in
            Array("*\(words.count)\r\n".utf8) + words.flatMap { Array("$\($0.utf8.count)\r\n\($0)\r\n".utf8) }
        }
    }

    /// The server comes up without what they would have written, and only its log says so.
    @Test(arguments: [["INCR", "a"], ["SET", "b", "x", "zzz"], ["RPUSH", "a", "x"]]) func aRefusedCommandFails(_ command: [String])
        async throws
    {
        let bytes = commands(["SELECT", "0"], ["SET", "a", "x"], command)
        for software in [systemRedis] + (RedisRelease.redis6.folder == nil ? [] : [RedisRelease.redis6.software]) {
            let failure = await failure { try await Trial(software: software).single(bytes) }
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "redis-commands-refused", "\(String(describing: failure))")
            #expect(failure?.finding.actual.contains(command[0].lowercased()) == true)
        }
    }

    /// Before 7 a script is appended as it was called, and ends with the error that its caller got. Every server from 7 on crashes at that.
    @Test(.enabled(if: RedisRelease.areHere(.redis6), "no redis 6 is here")) func aScriptsOwnErrorIsAWarning() async throws {
        let bytes = commands(
            ["SELECT", "0"], ["SET", "a", "x"], ["EVAL", "redis.call('SET', 'b', '1') return redis.call('INCR', 'a')", "0"],
            ["SET", "c", "1"])
        let outcome = try await Trial(software: RedisRelease.redis6.software).single(bytes)
        #expect(outcome.keys == [0: 3])
        #expect(outcome.findings.map(\.rule.name) == ["redis-commands-refused"] && outcome.findings.map(\.severity) == [.warning])
        let crash = await failure { try await Trial(software: systemRedis).single(bytes) }
        #expect(crash?.verdict == .error && crash?.finding.hint.contains("redis 6") == true, "\(String(describing: crash))")
    }

    @Test(.enabled(if: RedisRelease.areHere(.redis6), "no redis 6 is here")) func timesNeedANewerServer() async throws {
        let bytes = Array("#TS:1795974976\r\n".utf8) + commands(["SELECT", "0"], ["SET", "a", "x"])
        let failure = await failure { try await Trial(software: RedisRelease.redis6.software).single(bytes) }
        #expect(failure?.verdict == .error && failure?.finding.rule.name == "redis-too-old", "\(String(describing: failure))")
        #expect(
            failure?.finding.message.contains("redis 7 or newer") == true && failure?.finding.hint.contains("redis 7.0 or newer") == true)
        #expect(try await Trial(software: systemRedis).single(bytes).keys == [0: 1])
    }

    /// What was written since stood in other files.
    @Test func theBaseOfASetIsNoSingleFile() async throws {
        let written = try await Written.by(systemRedis, ["--appendonly", "yes"])
        let base = try #require(written.parts.first { $0.key.hasSuffix(".base.rdb") }?.value)
        let failure = await failure { try await Trial(software: systemRedis).single(base, name: "backup.aof") }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-not-a-redis-backup")
        // With the commands behind it, as `cat` makes it, it is whole.
        let commands = try #require(written.parts.first { $0.key.hasSuffix(".incr.aof") }?.value)
        #expect(try await Trial(software: systemRedis).single(base + commands, name: "backup.aof").keys == [0: 90])
    }

    /// Another installation's checker may be older than the server.
    @Test(.enabled(if: RedisRelease.areHere(.redis8), "no redis 8 is here")) func aServerWithoutItsCheckers() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let release = RedisRelease.redis8.software
        let program = try #require(release.binaries).appendingPathComponent("redis-server")
        try FileManager.default.createSymbolicLink(at: folder.appendingPathComponent("redis-server"), withDestinationURL: program)
        let written = try await Written.by(release)
        let failure = await failure { try await Trial(software: RedisSoftware(binaries: folder)).snapshot(written.snapshot) }
        #expect(failure?.verdict == .error && failure?.finding.rule.name == "redis-missing", "\(String(describing: failure))")
        #expect(failure?.finding.message.contains("\(folder.path) has no redis-check-rdb") == true)
    }

    @Test func theNextServerIsTriedInTheirOrder() throws {
        let software = RedisSoftware()
        guard software.installed().count > 1 else { return }
        let (first, others) = try software.candidates(for: RedisOrigin())
        #expect(!others.contains(first) && Set(others + [first]) == Set(software.installed()))
    }
}
