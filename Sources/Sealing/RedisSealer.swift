// Computes what a Redis backup holds on a scratch server of its own, so that the source never does the work.

public import DrillModel
public import Foundation
import IntegrityChecks
import RedisClient
import RedisRecovery
public import ScratchHost

/// Turns a Redis backup, in plain, into the truth of its seal.
///
/// The scratch server is a replica of nowhere: such a server keeps the keys whose time has run out, so that the truth is that of the
/// snapshot and not that of the hour in which it is sealed.
public struct RedisSealer: Sendable {
    /// Where the scratch server runs.
    public var host: ScratchHost

    public init(host: ScratchHost) {
        self.host = host
    }

    /// What an RDB file holds.
    public func truth(ofSnapshot rdb: URL) async throws(SealingError) -> RedisTruth {
        try await load(.snapshot) { folder in
            try FileManager.default.copyItem(at: rdb, to: folder.appending(path: "dump.rdb"))
        }
    }

    /// What a multi-part append-only folder holds: the one with the manifest in it.
    public func truth(ofAppendOnlyFolder source: URL) async throws(SealingError) -> RedisTruth {
        let suffix = ".manifest"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: source.path)) ?? []
        guard let manifest = names.first(where: { $0.hasSuffix(suffix) }) else {
            throw SealingError(.storage, "\(source.path) holds no manifest", hint: "name the folder that redis calls appenddirname")
        }
        return try await load(.appendOnly(folder: "appendonlydir", stem: String(manifest.dropLast(suffix.count)))) { folder in
            try FileManager.default.copyItem(at: source, to: folder.appending(path: "appendonlydir", directoryHint: .isDirectory))
        }
    }

    private func load(_ content: ScratchRedis.Content, _ fill: (URL) throws -> Void) async throws(SealingError) -> RedisTruth {
        do {
            // Short, since a socket lies in it, and of a name that nobody else uses.
            let folder = try host.folder.privateFolder("seal-" + String(UInt32.random(in: 0 ... .max), radix: 36))
            defer { try? FileManager.default.removeItem(at: folder) }
            try fill(folder)
            try giveAway(folder)
            let server = try await ScratchRedis.start(on: host, in: folder, content: content)
            do {
                let connection = try await RedisConnection.connect(unixSocket: server.socketPath)
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
        for case let name as String in FileManager.default.enumerator(atPath: folder.path) ?? .init() {
            try host.folder.own(folder.appending(path: name))
        }
    }
}
