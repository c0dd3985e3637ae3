// What a server says about itself: how many keys each database holds, and whether it can be counted at all.

import DrillModel
import RedisClient

/// INFO, as far as the checks need it.
struct RedisKeyspace: Sendable, Hashable {
    struct Counts: Sendable, Hashable {
        var keys: Int64
        var expiring: Int64
        /// Keys of Valkey's with parts that have a time to live of their own: fields of hashes.
        var volatile: Int64 = 0
    }
    var serverVersion: String
    var isValkey: Bool
    /// Bytes that the dataset takes in memory.
    var size: Int64
    var isReplica: Bool
    /// Keys that the server dropped while it loaded, since their time had come.
    var expiredWhileLoading: Int64
    /// By index; only databases that hold keys.
    var databases: [Int: Counts]

    var keys: Int64 { databases.values.reduce(0) { $0 + $1.keys } }

    /// Throws while the server still loads: its counts are those of a part.
    static func read(_ connection: RedisConnection) async throws(RedisError) -> RedisKeyspace {
        var fields: [Substring: Substring] = [:]
        for section in ["server", "memory", "replication", "persistence", "keyspace"] {
            guard let text = try await connection.command(["INFO", section]).text else { throw .unexpected("INFO") }
            for line in text.split(whereSeparator: \.isNewline) {
                guard let colon = line.firstIndex(of: ":") else { continue }
                fields[line[..<colon]] = line[line.index(after: colon)...]
            }
        }
        guard let version = fields["redis_version"], let role = fields["role"], let loading = fields["loading"] else {
            throw .unexpected("INFO")
        }
        guard loading == "0" else {
            throw RedisError(.refused(code: "LOADING"), message: "the server still loads its dataset", hint: "wait until it has loaded")
        }
        var databases: [Int: Counts] = [:]
        for (name, value) in fields where name.hasPrefix("db") {
            guard let index = Int(name.dropFirst(2)) else { continue }
            var counts: [Substring: Int64] = [:]
            for part in value.split(separator: ",") {
                let pair = part.split(separator: "=")
                if pair.count == 2 { counts[pair[0]] = Int64(pair[1]) }
            }
            guard let keys = counts["keys"], let expires = counts["expires"] else { throw .unexpected("INFO keyspace") }
            databases[index] = Counts(keys: keys, expiring: expires, volatile: counts["keys_with_volatile_items"] ?? 0)
        }
        return RedisKeyspace(
            serverVersion: fields["valkey_version"].map { "valkey \($0)" } ?? String(version), isValkey: fields["valkey_version"] != nil,
            size: fields["used_memory"].flatMap { Int64($0) } ?? 0, isReplica: role == "slave",
            expiredWhileLoading: fields["rdb_last_load_keys_expired"].flatMap { Int64($0) } ?? 0, databases: databases)
    }

    /// How long one value's digest, or that of all, may take, during which the server answers nothing else: a few microseconds a key, and some
    /// tenths of a second a megabyte on a busy machine. A sorted set of six million members took a minute.
    var patience: Duration { .seconds(60) + .microseconds(100 * keys) + .microseconds(size) }

    /// Valkey's digests leave out a hash's field once its time has come, also on a replica.
    var hidesExpiredFields: Bool { isValkey && databases.values.contains { $0.volatile > 0 } }

    /// Valkey is a fork of Redis 7.2.
    var knowsFunctions: Bool { isValkey || (serverVersion.split(separator: ".").first.flatMap { Int($0) } ?? 0) >= 7 }

    /// A master drops keys as their time comes, so what it holds now is not what the backup held.
    var keepsExpiredKeys: Bool {
        isReplica || (expiredWhileLoading == 0 && databases.values.allSatisfy { $0.expiring == 0 })
    }
}

extension RedisError {
    static func unexpected(_ command: String) -> RedisError {
        RedisError(
            .unexpectedAnswer, message: "the server's answer to \(command) is not understood", hint: "is it a redis, of version 6 or later?"
        )
    }
}
