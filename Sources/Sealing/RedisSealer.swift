// Computes what a Redis backup holds on a scratch server of its own, so that the source never does the work.

public import DrillModel
public import Foundation
import IntegrityChecks
import RedisClient
public import RedisRecovery
public import ScratchHost

/// Turns a Redis backup, in plain, into the truth of its seal.
///
/// The scratch server is a replica of nowhere: such a server keeps the keys whose time has run out, so that the truth is that of the
/// snapshot and not that of the hour in which it is sealed.
public struct RedisSealer: Sendable {
    /// Where the scratch server runs.
    public var host: ScratchHost
    /// What it may be.
    public var software: RedisSoftware

    public init(host: ScratchHost, software: RedisSoftware = RedisSoftware()) {
        self.host = host
        self.software = software
    }

    /// What an RDB file holds.
    public func truth(ofSnapshot rdb: URL) async throws(SealingError) -> RedisTruth {
        try await load { restorer in
            let copy = restorer.folder.appending(path: "dump.rdb")
            try FileManager.default.copyItem(at: rdb, to: copy)
            return try await restorer.restoreSnapshot(copy, isSnapshot: true) { _, _ in }
        }
    }

    /// What append-only files hold: a folder with a manifest in it, or the one file of Redis 2 to 6.
    ///
    /// - Parameter name: The artifact's own, where it is a file.
    public func truth(ofAppendOnly source: URL, isFolder: Bool, name: String? = nil) async throws(SealingError) -> RedisTruth {
        guard AppendOnlySource(source, isFolder: isFolder) != nil else {
            throw SealingError(
                .storage, "\(source.path) holds no \(isFolder ? "manifest" : "append-only file")",
                hint: "name the folder that redis calls appenddirname")
        }
        return try await load { restorer in
            let copy = restorer.folder.appending(path: isFolder ? "given" : "given.aof")
            try FileManager.default.copyItem(at: source, to: copy)
            try giveAway(copy)
            return try await restorer.restoreAppendOnly(copy, isFolder: isFolder, name: name) { _, _ in }
        }
    }

    /// Restored as a drill restores it: what a drill would refuse gets no seal.
    private func load(_ restore: (RedisRestorer) async throws -> RestoredRedis) async throws(SealingError) -> RedisTruth {
        do {
            // Short, since a socket lies in it, and of a name that nobody else uses.
            let folder = try host.folder.privateFolder("seal-" + String(UInt32.random(in: 0 ... .max), radix: 36))
            defer { try? FileManager.default.removeItem(at: folder) }
            let server = try await restore(RedisRestorer(host: host, folder: folder, service: "redis", software: software)).server
            do {
                let connection = try await server.connect()
                defer { connection.close() }
                let truth = try await RedisInventory.truth(of: connection)
                await server.stop()
                return truth
            } catch {
                await server.stop()
                throw error
            }
        } catch {
            throw SealingError(error, doing: "computing the truth of a redis backup")
        }
    }

    private func giveAway(_ folder: URL) throws(ScratchError) {
        try host.folder.own(folder)
        for case let name as String in FileManager.default.enumerator(atPath: folder.path) ?? .init() {
            try host.folder.own(folder.appending(path: name))
        }
    }
}
