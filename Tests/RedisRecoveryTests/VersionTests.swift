// Files of other releases: each is loaded by a server that reads it, or is an error of this machine that says which server wrote it.

import DrillModel
import Foundation
import RedisClient
import ScratchHost
import TestPrograms
import TestSupport
import Testing

@testable import RedisRecovery

/// The files that a server of some release wrote, and the digest of what it held then.
struct Written: Sendable {
    /// By their path below the server's folder.
    var files: [String: [UInt8]] = [:]
    var digest = ""

    /// - Parameter fill: Beside what is always written.
    static func by(
        _ software: RedisSoftware, _ settings: [String] = [], _ fill: (SourceRedis) async throws -> Void = { _ in }
    ) async throws -> Written {
        try await withSourceRedis(software, settings) { source in
            for index in 1...50 { try await source.run("SET", "key:\(index)", "value \(index)") }
            if settings.contains("--appendonly") { try await source.rewrite() }
            for index in 51...90 { try await source.run("SET", "key:\(index)", "value \(index)") }
            try await fill(source)
            try await source.run("SAVE")
            var written = Written()
            written.digest = try await source.connection.command(["DEBUG", "DIGEST"]).text ?? ""
            for case let name as String in FileManager.default.enumerator(atPath: source.folder.path) ?? .init() {
                guard let data = try? Data(contentsOf: source.folder.appendingPathComponent(name)), !name.hasPrefix("s") else { continue }
                written.files[name] = Array(data)
            }
            return written
        }
    }

    var snapshot: [UInt8] { files["dump.rdb"] ?? [] }
    var single: [UInt8] { files["appendonly.aof"] ?? [] }
    /// Of the set, by name.
    var parts: [String: [UInt8]] {
        files.reduce(into: [:]) { if $1.key.hasPrefix("appendonlydir/") { $0[String($1.key.dropFirst(14))] = $1.value } }
    }
}

/// Restores files and tells what is there then.
struct Trial: Sendable {
    var software: RedisSoftware

    struct Outcome: Sendable {
        var digest: String
        var keys: [Int: Int64]
        var findings: [Finding]
        var server: RedisVersion
    }

    func snapshot(_ bytes: [UInt8]) async throws -> Outcome {
        try await run { restorer, given in
            let file = given.appendingPathComponent("artifact")
            try Data(bytes).write(to: file)
            try? await restorer.readThrough(file, isSnapshot: true, isFolder: false, kind: .rdb)
            return try await restorer.restoreSnapshot(file, isSnapshot: true) { _, _ in }
        }
    }

    func parts(_ files: [String: [UInt8]]) async throws -> Outcome {
        try await run { restorer, given in
            for (name, bytes) in files {
                let file = given.appendingPathComponent(name)
                try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(bytes).write(to: file)
            }
            try? await restorer.readThrough(given, isSnapshot: false, isFolder: true, kind: .aof)
            return try await restorer.restoreAppendOnly(given, isFolder: true) { _, _ in }
        }
    }

    func single(_ bytes: [UInt8], name: String = "appendonly.aof") async throws -> Outcome {
        try await run { restorer, given in
            let file = given.appendingPathComponent("artifact")
            try Data(bytes).write(to: file)
            try? await restorer.readThrough(file, isSnapshot: false, isFolder: false, kind: .aof, name: name)
            return try await restorer.restoreAppendOnly(file, isFolder: false, name: name) { _, _ in }
        }
    }

    /// What a look without a server says.
    func reading(_ bytes: [UInt8], kind: BackupSet.Kind) async -> DrillFailure? {
        do {
            try await withScratchHost("redis") { host in
                let file = try host.folder.privateFolder("f").appendingPathComponent("artifact")
                try Data(bytes).write(to: file)
                let restorer = RedisRestorer(host: host, folder: try host.folder.privateFolder("r"), service: "cache", software: software)
                try await restorer.readThrough(file, isSnapshot: true, isFolder: false, kind: kind)
            }
        } catch { return error as? DrillFailure }
        return nil
    }

    private func run(_ restore: @Sendable (RedisRestorer, URL) async throws -> RestoredRedis) async throws -> Outcome {
        try await withScratchHost("redis") { host in
            let restorer = RedisRestorer(host: host, folder: try host.folder.privateFolder("r"), service: "cache", software: software)
            let restored = try await restore(restorer, try host.folder.privateFolder("f"))
            do {
                let connection = try await RedisConnection.connect(unixSocket: restored.server.socketPath)
                defer { connection.close() }
                let outcome = Outcome(
                    digest: try await connection.command(["DEBUG", "DIGEST"]).text ?? "",
                    keys: try await LiveRedis(host: restored.server.socketPath).keys(), findings: restored.cases.flatMap(\.findings),
                    server: restored.server.binaries.version)
                await restored.server.stop()
                return outcome
            } catch {
                await restored.server.stop()
                throw error
            }
        }
    }
}

func failure<Value>(_ body: () async throws -> Value) async -> DrillFailure? {
    do { _ = try await body() } catch { return error as? DrillFailure }
    return nil
}

@Suite struct RedisChoiceTests {
    private func installed(_ versions: String...) -> [RedisBinaries] {
        versions.compactMap { text in
            let words = text.split(separator: " ")
            guard let flavour = RedisVersion.Flavour(rawValue: String(words[0])), let version = RedisVersion(flavour, words[1]) else {
                return nil
            }
            return RedisBinaries(version: version, folder: "/\(text)", prefix: flavour.rawValue)
        }
    }

    private static let all = ["redis 7.0.15", "redis 6.2.5", "redis 8.2.3", "valkey 9.1.2", "redis 7.4.1", "valkey 8.1.0"]

    @Test(arguments: [
        // Its own release, of whatever patch; else the oldest newer one of its project.
        ("redis 7.4.9", 12, "redis 7.4.1"), ("redis 7.2.0", 11, "redis 7.4.1"), ("redis 8.0.2", 12, "redis 8.2.3"),
        ("redis 6.0.16", 9, "redis 6.2.5"), ("valkey 9.0.1", 80, "valkey 9.1.2"), ("valkey 8.0.1", 11, "valkey 8.1.0"),
        // Newer than any, in a format that an older one reads.
        ("redis 8.4.0", 12, "redis 8.2.3"),
    ])
    func theWritersOwn(_ writer: String, _ rdb: Int, _ chosen: String) throws {
        let words = writer.split(separator: " ")
        let flavour = try #require(RedisVersion.Flavour(rawValue: String(words[0])))
        let origin = RedisOrigin(version: RedisVersion(flavour, words[1]), rdb: rdb)
        let all = Self.all.flatMap { installed($0) }
        #expect(try RedisSoftware().suitable(for: origin, among: all).version.description == chosen)
    }

    @Test func theOtherProjectsWhereItReadsTheFormat() throws {
        let origin = RedisOrigin(version: RedisVersion(.redis, 7, 2), rdb: 11)
        #expect(
            try RedisSoftware().suitable(for: origin, among: installed("redis 7.0.15", "valkey 9.1.2", "valkey 8.1.0")).version
                == RedisVersion(.valkey, 8, 1, 0))
        let valkey = RedisOrigin(version: RedisVersion(.valkey, 8, 1), rdb: 11)
        #expect(
            try RedisSoftware().suitable(for: valkey, among: installed("redis 7.0.15", "redis 7.4.1")).version
                == RedisVersion(.redis, 7, 4, 1))
    }

    @Test(arguments: [
        ("redis", "8.2.3", 12, ["valkey 9.1.2", "redis 7.0.15"]), ("valkey", "9.1.2", 80, ["redis 8.2.3", "valkey 8.1.0"]),
        ("redis", "9.0.0", 14, ["redis 8.2.3"]),
    ])
    func noneIsAnErrorThatNamesAll(_ flavour: String, _ version: String, _ rdb: Int, _ machine: [String]) throws {
        let flavour = try #require(RedisVersion.Flavour(rawValue: flavour))
        let origin = RedisOrigin(version: RedisVersion(flavour, version), rdb: rdb)
        let failure = #expect(throws: DrillFailure.self) {
            try RedisSoftware().suitable(for: origin, among: machine.flatMap { installed($0) })
        }
        let finding = try #require(failure?.finding)
        #expect(failure?.verdict == .error && finding.rule.name == "redis-too-old")
        #expect(finding.message.contains("\(flavour.rawValue) \(version) (RDB \(rdb))") && finding.hint.contains("MUSTER_REDIS_BIN"))
        #expect(machine.allSatisfy(finding.actual.contains))
    }

    @Test func whereNothingIsSaidTheFirst() throws {
        #expect(try RedisSoftware().suitable(for: RedisOrigin(), among: installed("valkey 9.1.2", "redis 7.0.15")).prefix == "valkey")
        // Only Redis is as old as that.
        #expect(try RedisSoftware().suitable(for: RedisOrigin(rdb: 6), among: installed("valkey 9.1.2", "redis 7.0.15")).prefix == "redis")
        // Redis 6 reads no manifest.
        #expect(
            try RedisSoftware().suitable(for: RedisOrigin(needsSeven: true), among: installed("redis 6.2.5", "redis 7.0.15")).version
                == RedisVersion(.redis, 7, 0, 15))
        let none = #expect(throws: DrillFailure.self) { try RedisSoftware().suitable(for: RedisOrigin(), among: []) }
        #expect(none?.verdict == .error && none?.finding.rule.name == "redis-missing")
    }

    @Test func aProgramsOwnWordSaysWhoseItIs() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // As Fedora's valkey-compat-redis has it: the other project's name.
        for (name, says) in [("redis-server", "Valkey server v=9.1.2 sha=0"), ("valkey-server", "Valkey server v=8.0.1 sha=0")] {
            try writeProgram("#!/bin/sh\necho '\(says)'\n", to: folder.appendingPathComponent(name))
        }
        let found = RedisBinaries.installed(in: [folder.path])
        #expect(found.map(\.version) == [RedisVersion(.valkey, 9, 1, 2), RedisVersion(.valkey, 8, 0, 1)])
        #expect(found.map(\.prefix) == ["redis", "valkey"])
        let empty = folder.appendingPathComponent("none")
        let failure = #expect(throws: DrillFailure.self) { try RedisSoftware(binaries: empty).preferred() }
        #expect(failure?.verdict == .error && failure?.finding.message.contains(empty.path) == true)
    }
}

@Suite(
    .serialized, .enabled(if: RedisRelease.areHere(.valkey9) && TestMachine.hasRedis, "no valkey 9 is here: scripts/setup-tests brings one")
)
struct ValkeyTests {
    private static let maker = Task { try await Written.by(RedisRelease.valkey9.software, ["--appendonly", "yes"]) }

    @Test func aSnapshotComesBack() async throws {
        let written = try await Self.maker.value
        #expect(written.snapshot.starts(with: Array("VALKEY0".utf8)))
        let outcome = try await Trial(software: RedisRelease.valkey9.software).snapshot(written.snapshot)
        #expect(outcome.digest == written.digest && outcome.keys == [0: 90])
        #expect(outcome.server.flavour == .valkey)
    }

    /// valkey-check-aof 9.1.2 refuses such a base itself.
    @Test func itsAppendOnlySetComesBack() async throws {
        let written = try await Self.maker.value
        #expect(written.parts.contains { $0.key.hasSuffix(".base.rdb") && $0.value.starts(with: Array("VALKEY0".utf8)) })
        let outcome = try await Trial(software: RedisRelease.valkey9.software).parts(written.parts)
        #expect(outcome.digest == written.digest && outcome.keys == [0: 90])
    }

    @Test(arguments: [".base.rdb", ".incr.aof"]) func itsDamageIsStillSeen(_ part: String) async throws {
        let written = try await Self.maker.value
        var parts = written.parts
        let name = try #require(parts.keys.first { $0.hasSuffix(part) })
        parts[name]?.removeLast(5)
        let cut = await failure { try await Trial(software: RedisRelease.valkey9.software).parts(parts) }
        #expect(cut?.verdict == .failed && cut?.finding.rule.name == "redis-data-damaged", "\(String(describing: cut))")
        guard part == ".base.rdb" else { return }
        var changed = written.parts
        changed[name]?[80] ^= 4
        let flipped = await failure { try await Trial(software: RedisRelease.valkey9.software).parts(changed) }
        #expect(flipped?.verdict == .failed, "\(String(describing: flipped))")
    }

    /// What is merely foreign is no damage.
    @Test func redisCantReadIt() async throws {
        let written = try await Self.maker.value
        for failure in [
            await failure { try await Trial(software: systemRedis).snapshot(written.snapshot) },
            await failure { try await Trial(software: systemRedis).parts(written.parts) },
            await Trial(software: systemRedis).reading(written.snapshot, kind: .rdb),
        ] {
            let finding = try #require(failure?.finding)
            #expect(failure?.verdict == .error && finding.rule.name == "redis-too-old", "\(finding)")
            #expect(finding.message.contains("valkey 9.1"), "\(finding)")
        }
        // Nor where nobody asked before: the server's and the checker's own words.
        let wrong = RedisLog("# Wrong signature trying to load DB from file\n# Fatal error loading the DB: Invalid argument. Exiting.")
        #expect(wrong.failure(of: .snapshot, ending: ToolResult(exitCode: 1, signal: nil, output: "")).verdict == .error)
    }

    /// valkey-check-rdb 9.1.2 ends with 0 on what its server refuses.
    @Test(.enabled(if: RedisRelease.areHere(.redis8), "no redis 8 is here")) func itCantReadRedis8() async throws {
        let written = try await Written.by(RedisRelease.redis8.software)
        let failure = await failure { try await Trial(software: RedisRelease.valkey9.software).snapshot(written.snapshot) }
        #expect(failure?.verdict == .error && failure?.finding.message.contains("redis 8.2") == true, "\(String(describing: failure))")
        try await withScratchHost("redis") { host in
            let folder = try host.folder.privateFolder("r")
            let file = folder.appendingPathComponent("dump.rdb")
            try Data(written.snapshot).write(to: file)
            try host.folder.own(file)
            let check = RedisFileCheck(
                host: host, workingFolder: folder, service: "cache", binaries: try RedisRelease.valkey9.software.preferred(),
                origin: RedisOrigin())
            let passed = await #expect(throws: DrillFailure.self) { try await check.snapshot(file) }
            #expect(passed?.verdict == .error)
        }
    }

    /// A client gets RDB version 11, which has no place for what a hash's fields have.
    @Test func itWithholdsASnapshotFromClients() async throws {
        try await withSourceRedis(RedisRelease.valkey9.software) { source in
            let live = LiveRedis(host: source.socketPath)
            try await source.run("HSET", "h", "a", "1", "b", "2")
            #expect(await live.withholdsSnapshot() == false)
            try await source.run("HEXPIRE", "h", "1000", "FIELDS", "1", "a")
            #expect(await live.withholdsSnapshot())
            let file = source.folder.appendingPathComponent("taken.rdb")
            let taken = try await source.host.run(["redis-cli"] + live.words + ["--rdb", file.path], workingFolder: source.folder)
            #expect(!taken.succeeded, "once it does, the finding is out of date")
        }
    }
}

@Suite(
    .serialized, .enabled(if: RedisRelease.areHere(.redis8) && TestMachine.hasRedis, "no redis 8 is here: scripts/setup-tests brings one"))
struct Redis8Tests {
    /// Its manifest says more: `startoffset`.
    @Test func comesBackByItsOwnServer() async throws {
        let written = try await Written.by(RedisRelease.redis8.software, ["--appendonly", "yes"])
        let manifest = try #require(written.parts.first { $0.key.hasSuffix(".manifest") })
        #expect(String(decoding: manifest.value, as: UTF8.self).contains("startoffset"))
        let trial = Trial(software: RedisRelease.redis8.software)
        #expect(try await trial.parts(written.parts).digest == written.digest)
        #expect(try await trial.snapshot(written.snapshot).digest == written.digest)
        let old = await failure { try await Trial(software: systemRedis).snapshot(written.snapshot) }
        #expect(old?.verdict == .error && old?.finding.message.contains("redis 8.2") == true)
    }
}
