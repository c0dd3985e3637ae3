// Damage to a Redis dataset.

import DrillModel
import RedisClient

extension Damage {
    static let redisDamages: [Damage] = [
        Damage(
            "changed-field", "one field of one hash is changed",
            .redis { connection in
                try await onKey(connection, type: "hash", rule: "content-differs") { key in
                    guard let field = try await connection.command(["HKEYS", key]).array?.first?.text else { return false }
                    _ = try await connection.command(["HSET", key, field, "changed by sabotage"])
                    return true
                }
            }),
        Damage(
            "missing-key", "one key is missing",
            .redis { connection in
                try await onKey(connection, type: "string", rule: "keys-differ") { key in
                    try await connection.command(["DEL", key]).integer == 1
                }
            }),
        Damage(
            "reordered-list", "two elements of a list have changed places",
            .redis { connection in
                try await onKey(connection, type: "list", rule: "content-differs") { key in
                    guard let elements = try await connection.command(["LRANGE", key, "0", "1"]).array?.compactMap(\.text),
                        elements.count == 2, elements[0] != elements[1]
                    else { return false }
                    _ = try await connection.command(["LSET", key, "0", elements[1]])
                    _ = try await connection.command(["LSET", key, "1", elements[0]])
                    return true
                }
            }),
        Damage(
            "stolen-entry", "a pending entry of a stream is in another consumer's hands",
            .redis { connection in
                try await onKey(connection, type: "stream", rule: "content-differs") { key in
                    for group in try await connection.command(["XINFO", "GROUPS", key]).array ?? [] {
                        guard let name = group.array?.dropFirst().first?.text else { continue }
                        let consumers = try await connection.command(["XINFO", "CONSUMERS", key, name]).array ?? []
                        let names = consumers.compactMap { $0.array?.dropFirst().first?.text }
                        for entry in try await connection.command(["XPENDING", key, name, "-", "+", "100"]).array ?? [] {
                            guard let parts = entry.array, parts.count == 4, let id = parts[0].text, let holder = parts[1].text,
                                let other = names.first(where: { $0 != holder })
                            else { continue }
                            // Without an entry, of which nothing but the mark is left, there is nothing to claim.
                            let claimed = try await connection.command(["XCLAIM", key, name, other, "0", id, "JUSTID"]).array ?? []
                            if !claimed.isEmpty { return true }
                        }
                    }
                    return false
                }
            }),
        Damage(
            "lost-library", "a library of functions is missing",
            .redis { connection in
                // Redis 6 knows none.
                guard let libraries = try? await connection.command(["FUNCTION", "LIST"]).array,
                    let name = libraries.first?.array?.dropFirst().first?.text
                else { return nil }
                _ = try await connection.command(["FUNCTION", "DELETE", name])
                return Harm(Rule("functions-differ"), object: name)
            }),
        Damage(
            "lost-expiry", "a key has lost its time to live",
            .redis { connection in
                var cursor = "0"
                repeat {
                    let reply = try await connection.command(["SCAN", cursor, "COUNT", "500"]).array ?? []
                    cursor = reply.first?.text ?? "0"
                    for key in (reply.last?.array ?? []).compactMap(\.text) {
                        if try await connection.command(["PERSIST", key]).integer == 1 {
                            return Harm(
                                // It is now one more among the keys that never vanish.
                                Rule("ttl-keys-differ"), object: "db0", consequences: [Rule("keys-differ"), Rule("content-differs")])
                        }
                    }
                } while cursor != "0"
                return nil
            }),
    ]

    /// Damages the first key of a type that has no time to live and a prefix: the finding must name that prefix.
    private static func onKey(
        _ connection: RedisConnection, type: String, rule: String, _ change: (String) async throws -> Bool
    ) async throws -> Harm? {
        var cursor = "0"
        repeat {
            let reply = try await connection.command(["SCAN", cursor, "COUNT", "500", "TYPE", type]).array ?? []
            cursor = reply.first?.text ?? "0"
            for key in (reply.last?.array ?? []).compactMap(\.text) {
                guard let colon = key.firstIndex(of: ":"), try await connection.command(["PTTL", key]).integer == -1 else { continue }
                if try await change(key) { return Harm(Rule(rule), object: "db0 \(key[..<colon]):") }
            }
        } while cursor != "0"
        return nil
    }
}
