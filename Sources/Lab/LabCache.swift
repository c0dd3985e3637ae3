// The lab's live Redis while its history is made.

import Foundation
import RedisClient
import RedisRecovery
import ScratchHost

/// One server and one session. It is a replica of nowhere that takes writes: such a server lets keys stay whose time has run out by the
/// machine's clock, though not by the simulated one.
struct LabCache: Sendable {
    private let server: ScratchRedis
    private let session: RedisConnection
    private let rows: Int

    static func open(on host: ScratchHost, rows: Int, before first: Date) async throws -> LabCache {
        let folder = try host.folder.privateFolder("lab-rd")
        let server = try await ScratchRedis.start(on: host, in: folder, content: .nothing)
        let session = try await RedisConnection.connect(unixSocket: server.socketPath)
        for command in [
            ["REPLICAOF", "127.0.0.1", "1"], ["CONFIG", "SET", "replica-read-only", "no"], ["DEBUG", "SET-ACTIVE-EXPIRE", "0"],
            ["CONFIG", "SET", "appendfsync", "no"], ["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"],
        ] { try await session.command(command) }
        // Redis 6 knows no functions.
        if server.binaries.version >= RedisVersion(.redis, 7) { try await session.command(["FUNCTION", "LOAD", LabKeyspace.library]) }
        let cache = LabCache(server: server, session: session, rows: rows)
        try await cache.play(night: 0, at: first)
        return cache
    }

    /// Makes what happened in the day before a night.
    func play(night: Int, at instant: Date) async throws {
        try await session.command([
            "EVAL", LabKeyspace.day, "0", String(night), String(Int(instant.timeIntervalSince1970)), String(rows),
        ])
    }

    /// Has the server write an RDB file, and copies it with the simulated time in it.
    func snapshot(at instant: Date, to target: URL) async throws {
        try await session.command(["SAVE"])
        try Self.copy(server.folder.appending(path: "dump.rdb"), to: target, at: instant)
    }

    /// Begins an append-only folder: what is there becomes its base, what follows its increment.
    func beginAppendOnly() async throws {
        try await session.command(["CONFIG", "SET", "appendonly", "yes"])
        try await waitForRewrite()
    }

    /// Folds what was appended into a new base, as a server does when the increment has grown.
    func rewriteAppendOnly() async throws {
        try await session.command(["BGREWRITEAOF"])
        try await waitForRewrite()
    }

    /// Copies the append-only folder as it stands.
    ///
    /// - Parameter base: The simulated instant at which its base was written.
    func appendOnly(to target: URL, base: Date) throws {
        let source = server.folder.appending(path: "appendonlydir", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path) {
            let file = source.appending(path: name)
            if name.hasSuffix(".base.rdb") {
                try Self.copy(file, to: target.appending(path: name), at: base)
            } else {
                try FileManager.default.copyItem(at: file, to: target.appending(path: name))
            }
        }
    }

    /// Ends it and moves its files.
    func close(keepingDataAt target: URL) async throws {
        session.close()
        await server.stop()
        for name in ["muster.conf", "server.log", "redis.sock"] {
            try? FileManager.default.removeItem(at: server.folder.appending(path: name))
        }
        try await LabServers.move(server.folder, to: target)
    }

    private func waitForRewrite() async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            let info = try await session.command(["INFO", "persistence"]).text ?? ""
            if ["aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0", "aof_last_bgrewrite_status:ok"].allSatisfy(info.contains) {
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw LabError(.server, "redis did not rewrite its append-only files in time", hint: "check the machine's load and free memory")
    }

    private static func copy(_ rdb: URL, to target: URL, at instant: Date) throws {
        var bytes = [UInt8](try Data(contentsOf: rdb))
        guard SnapshotClock.set(&bytes, to: instant) else {
            throw LabError(
                .server, "the installed redis writes RDB files of an unknown head", hint: "install redis 7 as Debian has it")
        }
        try Data(bytes).write(to: target)
    }
}
