// Snapshots and append-only files of a real server come back key for key; broken ones are refused, and say why.

import DrillModel
import Foundation
import Glibc
import RedisClient
import ScratchHost
import TestSupport
import Testing

@testable import RedisRecovery

/// What a real server wrote, and what it held at that instant.
struct Snapshot: Sendable {
    let rdb: [UInt8]
    let parts: [String: [UInt8]]
    let keys: [Int64]
    let digest: String

    static func made() async throws -> Snapshot { try await maker.value }
    private static let maker = Task { try await make() }

    static func keys(_ connection: RedisConnection) async throws -> [Int64] {
        var keys: [Int64] = []
        for database in [0, 3] {
            _ = try await connection.command(["SELECT", String(database)])
            keys.append(try #require(try await connection.command(["DBSIZE"]).integer))
        }
        return keys
    }

    static func digest(_ connection: RedisConnection) async throws -> String {
        try #require(try await connection.command(["DEBUG", "DIGEST"]).text)
    }

    private static func rewritten(_ connection: RedisConnection) async throws {
        for _ in 0..<3000 {
            let text = try await connection.command(["INFO", "persistence"]).text ?? ""
            if text.contains("aof_rewrite_in_progress:0"), text.contains("aof_rewrite_scheduled:0") { break }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func make() async throws -> Snapshot {
        try await withTestRedis { server in
            let connection = try await server.connect()
            defer { connection.close() }
            func run(_ words: String...) async throws { _ = try await connection.command(words) }
            try await run("CONFIG", "SET", "appendonly", "yes")
            // Nothing may vanish by itself between counting and saving.
            try await run("DEBUG", "SET-ACTIVE-EXPIRE", "0")
            for index in 1...300 { try await run("SET", "key:\(index)", "value \(index)") }
            // Switching it on rewrites too, and two at a time are refused.
            try await rewritten(connection)
            try await run("BGREWRITEAOF")
            try await rewritten(connection)
            try await run("HSET", "hash", "a", "1", "b", "")
            try await run("RPUSH", "list", "x", "y", "x")
            try await run("SADD", "set", "1", "2", "three")
            try await run("ZADD", "zset", "1.5", "one", "-inf", "low")
            try await run("XADD", "stream", "1-1", "f", "v")
            try await run("SET", "long", String(repeating: "z", count: 5000))
            try await run("SET", "soon", "gone", "PX", "1")
            try await run("SET", "later", "there", "EX", "100000")
            try await run("SELECT", "3")
            try await run("SET", "other", "database", "PX", "1")
            try await run("SET", "bytes\u{0}\n", "x")
            try await Task.sleep(for: .milliseconds(50))
            let (keys, digest) = (try await keys(connection), try await digest(connection))
            try await run("SAVE")
            let folder = URL(fileURLWithPath: server.socketPath).deletingLastPathComponent()
            let rdb = Array(try Data(contentsOf: folder.appendingPathComponent("dump.rdb")))
            let parts = folder.appendingPathComponent("appendonlydir")
            let names = try FileManager.default.contentsOfDirectory(atPath: parts.path)
            return Snapshot(
                rdb: rdb,
                parts: try names.reduce(into: [:]) { $0[$1] = Array(try Data(contentsOf: parts.appendingPathComponent($1))) },
                keys: keys, digest: digest)
        }
    }

    /// Restores the snapshot, changed where asked.
    func restore(
        _ change: (inout [UInt8]) -> Void = { _ in }, _ body: (RestoredRedis, ScratchHost) async throws -> Void = { _, _ in }
    ) async throws {
        try await withScratchHost("redis") { host in
            var bytes = rdb
            change(&bytes)
            let file = try host.folder.privateFolder("f").appendingPathComponent("artifact")
            try Data(bytes).write(to: file)
            let folder = try host.folder.privateFolder("r")
            let restorer = RedisRestorer(host: host, folder: folder, service: "cache")
            let restored = try await restorer.restoreSnapshot(file, isSnapshot: true) { _, _ in }
            do { try await body(restored, host) } catch {
                await restored.server.stop()
                throw error
            }
            await restored.server.stop()
        }
    }

    /// Restores the append-only files, changed where asked.
    func restoreParts(
        _ change: (inout [String: [UInt8]]) -> Void = { _ in }, _ body: (RestoredRedis, ScratchHost) async throws -> Void = { _, _ in }
    ) async throws {
        try await withScratchHost("redis") { host in
            var parts = parts
            change(&parts)
            let source = try host.folder.privateFolder("f")
            for (name, bytes) in parts { try Data(bytes).write(to: source.appendingPathComponent(name)) }
            let restorer = RedisRestorer(host: host, folder: try host.folder.privateFolder("r"), service: "cache")
            let restored = try await restorer.restoreAppendOnly(source, isFolder: true) { _, _ in }
            do { try await body(restored, host) } catch {
                await restored.server.stop()
                throw error
            }
            await restored.server.stop()
        }
    }

    func failure(_ change: (inout [UInt8]) -> Void) async -> DrillFailure? {
        do { try await restore(change) } catch { return error as? DrillFailure }
        return nil
    }

    func partsFailure(_ change: (inout [String: [UInt8]]) -> Void) async -> DrillFailure? {
        do { try await restoreParts(change) } catch { return error as? DrillFailure }
        return nil
    }

    func name(_ part: String) -> String { parts.keys.first { $0.contains(part) } ?? "" }
}

@Suite(.serialized, .enabled(if: TestMachine.hasRedis, "no redis server is installed")) struct RedisRestoreTests {
    @Test func aSnapshotComesBackKeyForKey() async throws {
        let snapshot = try await Snapshot.made()
        #expect(snapshot.keys == [308, 2], "keys past their time included")
        try await snapshot.restore({ _ in }) { restored, host in
            #expect(restored.cases.map(\.verdict) == [.passed])
            let connection = try await RedisConnection.connect(unixSocket: restored.server.socketPath)
            defer { connection.close() }
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await Snapshot.digest(connection) == snapshot.digest)
            #expect(try await Snapshot.keys(connection) == snapshot.keys)
        }
    }

    @Test func appendOnlyFilesComeBackKeyForKey() async throws {
        let snapshot = try await Snapshot.made()
        #expect(snapshot.parts.count == 3)
        try await snapshot.restoreParts({ _ in }) { restored, host in
            #expect(restored.cases.map(\.verdict) == [.passed])
            let connection = try await RedisConnection.connect(unixSocket: restored.server.socketPath)
            defer { connection.close() }
            #expect(try await Snapshot.digest(connection) == snapshot.digest)
            #expect(try await Snapshot.keys(connection) == snapshot.keys)
        }
    }

    @Test(arguments: [1, 2, 3, 9, 10]) func aCutSnapshotNeverPasses(_ tenth: Int) async throws {
        let snapshot = try await Snapshot.made()
        let failure = await snapshot.failure { $0.removeLast(tenth == 10 ? 1 : $0.count * tenth / 10) }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "redis-data-damaged")
        // Which one depends on what lay where it was cut: a length that is cut itself reads as a wrong one.
        #expect(["a cut file", "a damaged file"].contains(failure?.finding.actual))
    }

    @Test(arguments: [3, 5, 8]) func aFlippedBitIsSeen(_ tenth: Int) async throws {
        let snapshot = try await Snapshot.made()
        let failure = await snapshot.failure { $0[$0.count * tenth / 10] ^= 4 }
        #expect(failure?.verdict == .failed && failure?.finding.rule.name == "redis-data-damaged")
    }

    /// Its head names a release that this machine can't know; that of a known one would contradict the format.
    @Test func aNewerSnapshotIsThisMachinesFault() async throws {
        func makeNewer(_ bytes: inout [UInt8]) {
            bytes.replaceSubrange(5..<9, with: "0099".utf8)
            guard let word = bytes.firstRange(of: Array("redis-ver".utf8)) else { return }
            // Behind the length of the number.
            bytes[word.upperBound + 1] = UInt8(ascii: "9")
        }
        let snapshot = try await Snapshot.made()
        let failure = await snapshot.failure { makeNewer(&$0) }
        #expect(failure?.verdict == .error && failure?.finding.rule.name == "redis-too-old")
        let parts = await snapshot.partsFailure { files in
            var base = files[snapshot.name(".base.")] ?? []
            makeNewer(&base)
            files[snapshot.name(".base.")] = base
        }
        #expect(parts?.verdict == .error && parts?.finding.rule.name == "redis-too-old")
    }

    @Test func whatIsNoSnapshotFails() async throws {
        try await withScratchHost { host in
            let folder = try host.folder.privateFolder("r")
            let restorer = RedisRestorer(host: host, folder: folder, service: "cache")
            for isFolder in [false, true] {
                let failure = await #expect(throws: DrillFailure.self) {
                    if isFolder {
                        try await restorer.restoreAppendOnly(folder, isFolder: true) { _, _ in }
                    } else {
                        try await restorer.restoreSnapshot(folder, isSnapshot: false) { _, _ in }
                    }
                }
                #expect(failure?.verdict == .failed && failure?.finding.rule.name == "artifact-not-a-redis-backup")
            }
            let file = await #expect(throws: DrillFailure.self) {
                try await restorer.restoreAppendOnly(folder, isFolder: false) { _, _ in }
            }
            #expect(file?.verdict == .failed)
        }
        let snapshot = try await Snapshot.made()
        let junk = await snapshot.failure { $0 = Array("REDIS0010 and nothing that makes sense".utf8) }
        #expect(junk?.verdict == .failed)
    }

    @Test func aMissingPartIsNamed() async throws {
        let snapshot = try await Snapshot.made()
        for part in [".base.", ".incr."] {
            let failure = await snapshot.partsFailure { $0[snapshot.name(part)] = nil }
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "aof-incomplete")
            #expect(failure?.finding.actual.contains(snapshot.name(part)) == true)
        }
        let empty = await snapshot.partsFailure { $0[snapshot.name("manifest")] = [] }
        #expect(empty?.verdict == .failed && empty?.finding.rule.name == "aof-incomplete")
    }

    @Test(arguments: [".base.", ".incr."]) func aCutOrChangedPartFails(_ part: String) async throws {
        let snapshot = try await Snapshot.made()
        let name = snapshot.name(part)
        let cut = await snapshot.partsFailure { $0[name]?.removeLast(7) }
        #expect(cut?.verdict == .failed && cut?.finding.rule.name == "redis-data-damaged")
        // The increments carry no checksum: a value changed inside of them shows by a seal alone.
        guard part == ".base." else { return }
        #expect(cut?.finding.actual == "a cut file")
        let changed = await snapshot.partsFailure { parts in
            if let middle = parts[name].map({ $0.count / 2 }) {
                parts[name]?.replaceSubrange(middle..<(middle + 30), with: Array(repeating: 0x24, count: 30))
            }
        }
        #expect(changed?.verdict == .failed && changed?.finding.rule.name == "redis-data-damaged")
    }

    @Test func anUnknownCommandIsThisMachinesFault() async throws {
        let snapshot = try await Snapshot.made()
        let failure = await snapshot.partsFailure { $0[snapshot.name(".incr.")]? += Array("*2\r\n$7\r\nFT.LOAD\r\n$1\r\nx\r\n".utf8) }
        #expect(failure?.verdict == .error && failure?.finding.rule.name == "redis-module-missing")
    }

    @Test func theQuarantineIsGreen() async throws {
        let snapshot = try await Snapshot.made()
        try await snapshot.restore({ _ in }) { restored, host in
            let demand = QuarantineDemand(network: host.isolation.isWhole, files: host.isolation.isWhole)
            let cases = await RedisQuarantine.ask(restored.server, service: "cache", host: host, demand: demand)
            #expect(cases.count == 10)
            #expect(cases.allSatisfy { $0.verdict == .passed || !host.isolation.isWhole && $0.verdict == .skipped }, "\(cases)")
        }
    }

    @Test func whatIsArmedIsRed() async throws {
        let snapshot = try await Snapshot.made()
        try await snapshot.restore({ _ in }) { restored, host in
            let connection = try await RedisConnection.connect(unixSocket: restored.server.socketPath)
            defer { connection.close() }
            _ = try await connection.command(["CONFIG", "SET", "save", "60 1"])
            _ = try await connection.command(["REPLICAOF", "NO", "ONE"])
            let cases = await RedisQuarantine.ask(restored.server, service: "cache", host: host, demand: QuarantineDemand())
            let red = cases.filter { $0.verdict == .failed }.map(\.name)
            #expect(red == ["no snapshot is written", "no replication source can replace the data"])
            await restored.server.stop()
            let gone = await RedisQuarantine.ask(restored.server, service: "cache", host: host, demand: QuarantineDemand())
            #expect(gone.contains { $0.verdict == .error })
        }
    }

    @Test func cancellingLeavesNoServer() async throws {
        let snapshot = try await Snapshot.made()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await snapshot.restore()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func aFolderWithABlankInItsNameWorks() async throws {
        try await withScratchHost { host in
            let server = try await ScratchRedis.start(on: host, in: try host.folder.privateFolder("a \"b"), content: .nothing)
            await server.stop()
        }
    }
}

@Suite struct RedisLogTests {
    @Test(arguments: [
        ("# Can't handle RDB format version 99\n# Fatal error loading the DB: Invalid argument. Exiting.", Verdict.error, "redis-too-old"),
        ("# The RDB file contains module data I can't load: no matching module type 'ReJSON-RL'", .error, "redis-module-missing"),
        ("# Short read or OOM loading DB. Unrecoverable error, aborting now.", .failed, "redis-data-damaged"),
        ("# Wrong RDB checksum expected: (1) but got (2). Aborting now.", .failed, "redis-data-damaged"),
        ("# Out Of Memory allocating 99999 bytes!\n# Short read or OOM loading DB.", .error, "scratch-server-failed"),
        (
            "# FATAL: Data file was created with a Redis server configured to handle more than 1024 databases. Exiting", .error,
            "scratch-server-failed"
        ),
        ("* Reading RDB base file on AOF loading...\n* DB loaded from append only file: 0.0 seconds", .error, "scratch-server-failed"),
        (
            "# RDB file was saved with checksum disabled: no check performed.\n# Failed opening Unix socket: bind: No space", .error,
            "scratch-server-failed"
        ),
        ("", .error, "scratch-server-failed"),
    ])
    func whoseFaultItIs(_ text: String, _ verdict: Verdict, _ rule: String) {
        let failure = RedisLog(text).failure(of: .snapshot, ending: ToolResult(exitCode: 1, signal: nil, output: ""))
        #expect(failure.verdict == verdict && failure.finding.rule.name == rule)
    }

    @Test func aKilledServerSaysNothingOfTheBackup() {
        let log = RedisLog("# Short read or OOM loading DB. Unrecoverable error, aborting now.")
        #expect(log.failure(of: .snapshot, ending: ToolResult(exitCode: nil, signal: 9, output: "")).verdict == .error)
    }
}
