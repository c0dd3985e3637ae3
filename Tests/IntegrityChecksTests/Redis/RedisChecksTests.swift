import DrillModel
import Foundation
import IntegrityChecks
import RedisClient
import TestSupport
import Testing

@Suite("redis checks", .enabled(if: TestMachine.hasRedis, "redis-server is not installed"))
struct RedisChecksTests {
    @Test("what is as sealed stays green, and every group was asked")
    func green() async throws {
        try await withFrozenRedis { frozen in
            let seal = try await frozen.truth()
            for _ in 1...3 {
                let cases = await frozen.cases(
                    seal: seal,
                    declared: [
                        .keys(database: 0, pattern: "user:*", bounds: Bounds(atLeast: 80, atMost: 80)),
                        .key(database: 0, name: "user:1", type: "hash"), .key(database: 3, name: "cache:1", type: nil),
                        .rows(table: "public.domains", bounds: Bounds(atLeast: 1)),
                    ])
                #expect(cases.allSatisfy { $0.verdict == .passed && $0.findings.isEmpty })
                #expect(Set(cases.map(\.group)) == [.restore, .keys, .content, .declared])
                #expect(Set(cases.map { "\($0.group) \($0.name)" }).count == cases.count, "two cases of one name")
                #expect(cases.filter { $0.group == .content }.count == 10)
                #expect(cases.filter { $0.group == .declared }.count == 3)
            }
        }
    }

    @Test(
        "each damage is one finding that names the prefix",
        arguments: [
            (["HSET user:7 mail changed"], "content-differs db0 user:* (hash)"),
            (["HDEL user:7 mail"], "content-differs db0 user:* (hash)"),
            (["HSET user:7 extra x"], "content-differs db0 user:* (hash)"),
            (["DEL user:7"], "keys-differ db0 user:* (hash)"),
            (["HSET user:41 name x"], "keys-differ db0 user:* (hash)"),
            (["RENAME user:7 user:77"], "content-differs db0 user:* (hash)"),
            (["RENAME user:7 t:1", "RENAME user:8 user:7", "RENAME t:1 user:8"], "content-differs db0 user:* (hash)"),
            (["SET user:7:seen no"], "content-differs db0 user:* (string)"),
            (["LSET queue:3 0 b", "LSET queue:3 1 a"], "content-differs db0 queue:* (list)"),
            (["SREM tags:3 x"], "content-differs db0 tags:* (set)"),
            (["ZADD board:3 1.5 a"], "content-differs db0 board:* (zset)"),
            (["XADD log:3 2-1 field more"], "content-differs db0 log:* (stream)"),
            (["XACK log:1 workers 1-1"], "content-differs db0 log:* (stream)"),
            (["XGROUP DESTROY log:1 workers"], "content-differs db0 log:* (stream)"),
            (["SET config other"], "content-differs db0 keys without a prefix (string)"),
            (["DEL counter"], "keys-differ db0 keys without a prefix (string)"),
            (["INCR alice@example.com:cart"], "content-differs db0 other keys (string)"),
            (["SELECT 3", "SET cache:1 other"], "content-differs db3 cache:* (string)"),
            (["SELECT 3", "FLUSHDB"], "keys-differ db3"),
            (["SELECT 5", "SET new 1"], "keys-differ db5"),
            (["SET audit:1 x"], "keys-differ db0 audit:* (string)"),
            (["DEL session:5"], "ttl-keys-differ db0"),
            (["SET session:41 s EX 1000"], "ttl-keys-differ db0"),
            (["SET session:5 other KEEPTTL"], "digest-differs keys with a time to live"),
            (["RENAME session:5 session:55"], "digest-differs keys with a time to live"),
        ])
    func red(commands: [String], expected: String) async throws {
        try await withFrozenRedis { frozen in
            let seal = try await frozen.truth()
            try await frozen.damage(commands)
            let cases = await frozen.cases(seal: seal)
            #expect(cases.redLines == [expected])
            #expect(Verdict.combined(cases.map(\.verdict)) == .failed)
            #expect(cases.allSatisfy { ($0.verdict == .skipped) == !$0.reason.isEmpty })
            #expect(cases.critical.allSatisfy { !$0.hint.isEmpty && !$0.expected.isEmpty && !$0.actual.isEmpty })
            // A dataset that differs never has a digest that passed, save for what the digest doesn't cover.
            if !commands.contains(where: { $0.hasPrefix("X") && !$0.hasPrefix("XADD") }) {
                #expect(cases.verdict(.content, "digest of the dataset") != .passed)
            }
        }
    }

    @Test("several damages are several findings, none of which hides another")
    func several() async throws {
        try await withFrozenRedis { frozen in
            let seal = try await frozen.truth()
            try await frozen.damage(["DEL user:7", "SET user:8:seen no", "DEL session:1", "PERSIST session:2"])
            let cases = await frozen.cases(seal: seal)
            #expect(
                cases.redLines.sorted() == [
                    "content-differs db0 user:* (string)", "keys-differ db0 session:* (string)", "keys-differ db0 user:* (hash)",
                    "ttl-keys-differ db0",
                ])
            let total = try #require(cases.first { $0.name == "db0" })
            #expect(total.verdict == .skipped && total.reason.contains("explained by"))
        }
    }

    @Test("no key name and no value stands in any finding")
    func discreet() async throws {
        try await withFrozenRedis { frozen in
            let seal = try await frozen.truth()
            try await frozen.damage(["HSET user:7 mail othermail", "DEL alice@example.com:cart", "DEL counter", "SET config secretvalue"])
            let text = "\(await frozen.cases(seal: seal))" + "\(seal)"
            for word in ["user:7", "alice", "counter", "config", "secretvalue", "othermail"] {
                #expect(!text.contains(word), "\(word)")
            }
        }
    }

    @Test("keys whose time has come since the backup change nothing")
    func expired() async throws {
        try await withFrozenRedis { frozen in
            try await frozen.damage(["SET short:1 v PX 400", "SET short:2 v PX 400"])
            let seal = try await frozen.truth()
            #expect(seal.databases.first?.expiring == 42)
            try await Task.sleep(for: .milliseconds(600))
            #expect(try await frozen.redis.command(["EXISTS", "short:1"]) == .integer(0))
            let cases = await frozen.cases(seal: seal)
            #expect(cases.redLines == [])
            #expect(cases.allSatisfy { $0.verdict == .passed })
            #expect(try await frozen.truth() == seal)
        }
    }

    @Test("declared keys: bounds, presence and type, each red and green")
    func declared() async throws {
        try await withFrozenRedis { frozen in
            try await frozen.damage(["SET short:1 v PX 300"])
            try await Task.sleep(for: .milliseconds(500))
            let cases = await frozen.cases(
                seal: nil,
                declared: [
                    .keys(database: 0, pattern: "user:*", bounds: Bounds(atLeast: 81)),
                    .keys(database: 0, pattern: "user:*", bounds: Bounds(atMost: 79)),
                    .keys(database: 0, pattern: "user:*", bounds: Bounds(atLeast: 80, atMost: 80)),
                    .keys(database: 3, pattern: "*", bounds: Bounds(atLeast: 2, atMost: 2)),
                    .keys(database: 7, pattern: "*", bounds: Bounds(atLeast: 1)),
                    .keys(database: 0, pattern: "short:*", bounds: Bounds(atLeast: 1)),
                    .key(database: 0, name: "config", type: "string"), .key(database: 0, name: "config", type: "hash"),
                    .key(database: 0, name: "nope", type: nil), .key(database: 0, name: "short:1", type: "string"),
                    .key(database: 3, name: "config", type: nil),
                ])
            let declared = cases.filter { $0.group == .declared }
            #expect(declared.count == 11)
            #expect(
                declared.redLines == [
                    "keys-out-of-bounds db0 user:*", "keys-out-of-bounds db0 user:*", "keys-out-of-bounds db7 *",
                    "keys-out-of-bounds db0 short:*", "key-type-differs db0 config", "key-missing db0 nope", "key-missing db0 short:1",
                    "key-missing db3 config",
                ])
            let hidden = declared.critical.filter { $0.object == "db0 short:*" }
            #expect(hidden.first?.hint.contains("1 keys of db0 are past their time") == true)
            let gone = declared.critical.first { $0.object == "db0 short:1" }
            #expect(gone?.actual == "a key past its time to live")
            #expect(declared.critical.first { $0.object == "db0 nope" }?.actual == "no such key")
        }
    }

    @Test("a database that the server doesn't have is an error, not a pass")
    func noSuchDatabase() async throws {
        try await withFrozenRedis { frozen in
            let cases = await frozen.cases(
                seal: nil,
                declared: [
                    .keys(database: 99_999, pattern: "*", bounds: Bounds(atMost: 5)), .key(database: 99_999, name: "x", type: nil),
                ])
            #expect(cases.filter { $0.group == .declared }.map(\.verdict) == [.error, .error])
        }
    }

    @Test("without a seal each group says that it was not asked")
    func unsealed() async throws {
        try await withFrozenRedis { frozen in
            let cases = await frozen.cases(seal: nil)
            #expect(cases.map(\.group) == [.restore, .keys, .content])
            #expect(cases.map(\.verdict) == [.passed, .skipped, .skipped])
            #expect(cases.dropFirst().allSatisfy { $0.reason == "not sealed" })
        }
    }

    @Test("an empty server is red, with and without a seal, and one finding only")
    func nothing() async throws {
        let seal = try await withFrozenRedis { try await $0.truth() }
        try await withFrozenRedis(filled: false) { frozen in
            let sealed = await frozen.cases(seal: seal)
            #expect(sealed.redLines == ["nothing-restored redis"])
            #expect(sealed.filter { $0.group != .restore }.allSatisfy { $0.verdict == .skipped })
            #expect(await frozen.cases(seal: nil).redLines == ["nothing-restored redis"])
            let empty = try await frozen.truth()
            #expect(empty.databases.isEmpty)
            let cases = await frozen.cases(seal: empty)
            #expect(cases.redLines == [])
            #expect(cases.flatMap(\.findings).map(\.rule.name) == ["nothing-sealed"])
        }
        try await withFrozenRedis { frozen in
            let empty = RedisTruth(serverVersion: "7.0.15", digest: String(repeating: "0", count: 40), databases: [])
            #expect(await frozen.cases(seal: empty).redLines == ["keys-differ db0", "keys-differ db3"])
        }
    }

    @Test("a server that died is an error in every group")
    func dead() async throws {
        try await withFrozenRedis { frozen in
            let seal = try await frozen.truth()
            _ = try? await frozen.redis.command(["SHUTDOWN", "NOSAVE", "NOW"])
            let cases = await frozen.cases(seal: seal, declared: [.key(database: 0, name: "config", type: nil)])
            #expect(Set(cases.map(\.group)) == [.restore, .keys, .content, .declared])
            #expect(cases.allSatisfy { $0.verdict == .error && $0.findings.map(\.rule.name) == ["redis-command-failed"] })
        }
    }

    @Test("a server that drops keys as their time comes is refused")
    func master() async throws {
        try await withFrozenRedis { frozen in
            let seal = try await frozen.truth()
            try await frozen.redis.command(["REPLICAOF", "NO", "ONE"])
            await #expect(throws: RedisError.self) { try await frozen.truth() }
            let cases = await frozen.cases(seal: seal)
            #expect(cases.filter { $0.group == .keys || $0.group == .content }.allSatisfy { $0.verdict == .error })
            // Without such keys there is nothing to drop.
            try await frozen.redis.command(["FLUSHALL"])
            try await frozen.run("SET a:1 x")
            #expect(try await frozen.truth().databases.first?.keys == 1)
        }
    }

    @Test("without DEBUG the inventory is an error")
    func noDebug() async throws {
        try await withFrozenRedis { frozen in
            let seal = try await frozen.truth()
            try await frozen.redis.command(["ACL", "SETUSER", "default", "-debug"])
            let cases = await frozen.cases(seal: seal)
            #expect(cases.filter { $0.group == .keys || $0.group == .content }.allSatisfy { $0.verdict == .error })
            #expect(cases.contains { $0.group == .keys } && cases.contains { $0.group == .content })
            try await frozen.redis.command(["ACL", "SETUSER", "default", "+debug"])
        }
    }
}
