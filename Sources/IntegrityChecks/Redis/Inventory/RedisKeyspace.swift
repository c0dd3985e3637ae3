// What a server says about itself: how many keys each database holds, and whether it can be counted at all.

import DrillModel
import RedisClient

/// INFO, as far as the checks need it.
struct RedisKeyspace: Sendable, Hashable {
    struct Counts: Sendable, Hashable {
        var keys: Int64
        var expiring: Int64
    }
    var serverVersion: String
    var isReplica: Bool
    /// Keys that the server dropped while it loaded, since their time had come.
    var expiredWhileLoading: Int64
    /// By index; only databases that hold keys.
    var databases: [Int: Counts]

    var keys: Int64 { databases.values.reduce(0) { $0 + $1.keys } }

    /// Throws while the server still loads: its counts are those of a part.
    static func read(_ connection: RedisConnection) async throws(RedisError) -> RedisKeyspace {
        var fields: [Substring: Substring] = [:]
        for section in ["server", "replication", "persistence", "keyspace"] {
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
            databases[index] = Counts(keys: keys, expiring: expires)
        }
        return RedisKeyspace(
            serverVersion: String(version), isReplica: role == "slave",
            expiredWhileLoading: fields["rdb_last_load_keys_expired"].flatMap { Int64($0) } ?? 0, databases: databases)
    }

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
