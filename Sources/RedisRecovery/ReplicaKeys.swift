// A replica whose link is down, copied key by key: it refuses to send a snapshot then, and nothing changes in it.

import DrillModel
import Foundation
import RedisClient
import ScratchHost

extension Rule {
    static let replicaMoved = Rule("replica-moved")
}

/// Copies all keys of a replica that stands still, by way of a scratch server that writes the snapshot.
struct ReplicaKeys: Sendable {
    /// Keys that are asked for at once; a list of a million entries is one of them.
    private static let batch = 100

    var host: ScratchHost
    /// A private folder of the host's.
    var folder: URL
    var replica: LiveRedis
    var service: String
    var software: RedisSoftware

    /// - Parameter before: What the replica said just before.
    func copy(_ before: ReplicaState, progress: @escaping @Sendable (Int64, Int64?) -> Void) async throws -> ReplicaSnapshot {
        guard before.isReadOnly else { throw moved("a replica that takes writes of its own") }
        let part: URL
        do {
            part = try host.folder.privateFolder(folder.lastPathComponent + "k")
        } catch {
            throw DrillFailure.error(Finding(.scratchUnusable, object: service, message: error.message, hint: error.hint))
        }
        // A value's serialized form has a version of its own.
        let binaries = try software.suitable(for: RedisOrigin(version: before.release))
        let server = try await ScratchRedis.start(
            on: host, in: part, content: .nothing, binaries: binaries, modules: software.modules,
            databases: (before.keys.keys.max() ?? 0) + 1)
        do {
            let gone = try await fill(server, before, progress)
            let after = try await ReplicaProbe(replica: replica, service: service).state()
            guard !after.isLinked, after.history == before.history, after.offset == before.offset, after.keys == before.keys else {
                throw moved("one whose link came back")
            }
            await server.stop()
            let file = folder.appendingPathComponent("replica.rdb")
            try FileManager.default.moveItem(at: part.appendingPathComponent("dump.rdb"), to: file)
            try? FileManager.default.removeItem(at: part)
            let keys = before.keys.merging(gone) { $0 - $1 }.filter { $0.value > 0 }
            return ReplicaSnapshot(file: file, way: .keyByKey, keys: keys, expired: gone.values.reduce(0, +))
        } catch {
            await server.stop()
            if Task.isCancelled { throw CancellationError() }
            if host.folder.isFull { throw ReplicaCopy.full(host) }
            guard let error = error as? RedisError else { throw error }
            throw DrillFailure.error(
                Finding(
                    .cloneFailed, object: "\(service)'s replica", expected: "its keys, one by one", actual: "a refusal",
                    message: "its link is down, so it sends no snapshot, and its keys can't be read: \(error.message)",
                    hint: error.hint))
        }
    }

    /// - Returns: How many keys of each database were not copied since their time had run out. A replica counts them, and shows them to nobody.
    private func fill(
        _ server: ScratchRedis, _ before: ReplicaState, _ progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> [Int: Int64] {
        let source = try await replica.connect()
        defer { source.close() }
        // Nothing that is read here may look younger to an eviction. Known from 7.2 on, and not everybody may ask for it.
        _ = try? await source.command(["CLIENT", "NO-TOUCH", "ON"])
        let target = try await server.connect()
        defer { target.close() }
        // A replica of nowhere that is written to, and forgets no key on its own: one whose time comes meanwhile still stays.
        try await target.command(["REPLICAOF", "127.0.0.1", "1"])
        try await target.command(["CONFIG", "SET", "replica-read-only", "no"])
        try await target.command(["DEBUG", "SET-ACTIVE-EXPIRE", "0"])
        if before.major >= 7 {
            guard let functions = try await source.command(["FUNCTION", "DUMP"]).bytes else { throw unreadable }
            try await target.command([Array("FUNCTION".utf8), Array("RESTORE".utf8), functions])
        }
        let total = before.keys.values.reduce(0, +)
        var done: Int64 = 0
        for database in before.keys.keys.sorted() {
            try await source.command(["SELECT", String(database)])
            try await target.command(["SELECT", String(database)])
            var cursor = "0"
            repeat {
                try Task.checkCancellation()
                guard let answer = try await source.command(["SCAN", cursor, "COUNT", String(Self.batch)]).array, answer.count == 2,
                    let next = answer[0].text, let keys = answer[1].array?.compactMap(\.bytes)
                else { throw unreadable }
                try await copy(keys, source, target, major: before.major)
                done += Int64(keys.count)
                progress(min(done, total), total)
                cursor = next
            } while cursor != "0"
        }
        // Hours of a large dataset: no answer before it is written.
        try await target.command(["SAVE"], timeout: .seconds(86_400))
        let fields = try await LiveRedis.info(target)
        return Self.expired(before, keys: LiveRedis.keys(fields), expiring: LiveRedis.expiring(fields))
    }

    /// Where every key without a time to live came over, what is missing of those with one had run out; where not, nothing explains it.
    private static func expired(_ before: ReplicaState, keys: [Int: Int64], expiring: [Int: Int64]) -> [Int: Int64] {
        var expired: [Int: Int64] = [:]
        for (database, count) in before.keys {
            let (wanted, found) = (before.expiring[database] ?? 0, expiring[database] ?? 0)
            if count - wanted == (keys[database] ?? 0) - found, wanted > found { expired[database] = wanted - found }
        }
        return expired
    }

    private func copy(_ keys: [[UInt8]], _ source: RedisConnection, _ target: RedisConnection, major: Int) async throws {
        guard !keys.isEmpty else { return }
        func word(_ text: String) -> [UInt8] { Array(text.utf8) }
        // The moment itself, where the server can tell it: what is left of it would be a little later in the copy.
        let isAbsolute = major >= 7
        let values = try await source.pipeline(
            keys.flatMap { [[word("DUMP"), $0], [word(isAbsolute ? "PEXPIRETIME" : "PTTL"), $0]] })
        var restores: [[[UInt8]]] = []
        for (index, key) in keys.enumerated() {
            switch (values[2 * index], values[2 * index + 1]) {
            // Its time ran out just now.
            case (.null, _): break
            case (.bulk(let value), .integer(let time)):
                let ending = time > 0 && isAbsolute ? [word("ABSTTL")] : []
                restores.append([word("RESTORE"), key, word(String(max(0, time))), value, word("REPLACE")] + ending)
            case (.error(let text), _), (_, .error(let text)): throw RedisError.refusal(text, of: "DUMP")
            default: throw unreadable
            }
        }
        guard !restores.isEmpty else { return }
        for case .error(let text) in try await target.pipeline(restores) {
            throw DrillFailure.error(
                Finding(
                    .redisTooOld, object: "redis", expected: "a server that reads the replica's values",
                    actual: RedisError.refusal(text, of: "RESTORE").message,
                    message: "a key of the replica can't be put into a scratch server",
                    hint: "install the redis version, and the modules, that production runs"))
        }
    }

    private var unreadable: RedisError {
        RedisError(.unexpectedAnswer, message: "the replica's answer is not understood", hint: "is it a redis, of version 6 or later?")
    }

    private func moved(_ actual: String) -> DrillFailure {
        .error(
            Finding(
                .replicaMoved, object: service, expected: "a replica whose link is down, and which stands still", actual: actual,
                message: "the replica changed while it was copied key by key, so what was copied is of no one moment",
                hint: "run the drill again"))
    }
}
