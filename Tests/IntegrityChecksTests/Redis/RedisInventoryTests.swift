import DrillModel
import Foundation
import IntegrityChecks
import RedisClient
import Synchronization
import TestSupport
import Testing

@Suite("redis inventory", .enabled(if: TestMachine.hasRedis, "redis-server is not installed"))
struct RedisInventoryTests {
    @Test("counts by database, time to live, prefix and type")
    func counts() async throws {
        try await withFrozenRedis { frozen in
            let truth = try await frozen.truth()
            #expect(truth.databases.map(\.index) == [0, 3])
            let first = try #require(truth.databases.first)
            #expect(first.keys == 283 && first.expiring == 40)
            let counts = first.prefixes.map { "\($0.prefix) \($0.type) \($0.keys)" }
            #expect(
                counts == [
                    " string 2", "* string 1", "board zset 40", "log stream 40", "queue list 40", "tags set 40", "user hash 40",
                    "user string 40",
                ])
            #expect(truth.digest.count == 40)
            #expect(truth.serverVersion.contains("."))
        }
    }

    @Test("the order in which keys were written, and their encoding in memory, change nothing")
    func order() async throws {
        let first = try await withFrozenRedis(filled: false) { frozen in
            try await frozen.damage(["HSET h:1 a 1 b 2", "SET s:1 123", "SADD set:1 1 2 3", "SET s:2 x", "RPUSH l:1 a b"])
            return try await frozen.truth()
        }
        let second = try await withFrozenRedis(filled: false) { frozen in
            try await frozen.damage([
                "CONFIG SET hash-max-listpack-entries 0", "CONFIG SET set-max-intset-entries 0", "SET s:2 x", "RPUSH l:1 b", "LPUSH l:1 a",
                "SADD set:1 3 1 2", "APPEND s:1 12", "APPEND s:1 3", "HSET h:1 b 2 a 1",
            ])
            return try await frozen.truth()
        }
        #expect(first == second)
    }

    @Test("more keys than one SCAN gives, while progress is told")
    func many() async throws {
        try await withFrozenRedis(filled: false) { frozen in
            try await frozen.redis.command(["REPLICAOF", "NO", "ONE"])
            for start in stride(from: 0, to: 30_000, by: 5000) {
                let commands = (start..<start + 5000).map { number in
                    ["SET", number % 3 == 0 ? "item:\(number)" : "other:\(number)", "\(number)"].map { Array($0.utf8) }
                }
                _ = try await frozen.redis.pipeline(commands)
            }
            try await frozen.freeze()
            let told = Mutex<[Int64]>([])
            let truth = try await RedisInventory.truth(of: frozen.redis) { done, total in
                told.withLock { $0.append(done) }
                #expect(total == 30_000)
            }
            #expect(truth.databases.first?.prefixes.map(\.keys) == [10_000, 20_000])
            let counts = told.withLock { $0 }
            #expect(counts.last == 30_000 && counts == counts.sorted() && counts.count >= 20)
        }
    }

    @Test("beyond a thousand prefixes the rest is one group, the same on both sides whatever the order")
    func manyPrefixes() async throws {
        func truth(_ numbers: some Sequence<Int>, comparableWith seal: RedisTruth? = nil) async throws -> RedisTruth {
            let keys = numbers.map { "tenant\($0):x" }
            return try await withFrozenRedis(filled: false) { frozen in
                try await frozen.redis.command(["REPLICAOF", "NO", "ONE"])
                _ = try await frozen.redis.pipeline(keys.map { key in ["SET", key, "v"].map { Array($0.utf8) } })
                try await frozen.freeze()
                return try await RedisInventory.truth(of: frozen.redis, comparableWith: seal)
            }
        }
        let seal = try await truth(1...3000)
        let prefixes = try #require(seal.databases.first?.prefixes)
        #expect(prefixes.count == 1001)
        #expect(prefixes.first { $0.prefix == "*" }?.keys == 2000)
        #expect(try await truth((1...3000).reversed()) == seal)
        #expect(try await truth(1...3000, comparableWith: seal) == seal)

        // One key less of a named prefix leaves all other groups as they were.
        let named = try #require(prefixes.first { $0.prefix != "*" }?.prefix)
        let number = try #require(Int(named.dropFirst("tenant".count)))
        let damaged = try #require(try await truth((1...3000).filter { $0 != number }, comparableWith: seal).databases.first?.prefixes)
        #expect(damaged == prefixes.filter { $0.prefix != named })
    }

    @Test("keys of any bytes are counted; what could be a person's name has none in the seal")
    func oddKeys() async throws {
        try await withFrozenRedis(filled: false) { frozen in
            try await frozen.redis.command(["REPLICAOF", "NO", "ONE"])
            let keys: [[UInt8]] = [
                [], [0, 255, 58, 1], Array(":x".utf8), Array("a@b.c:x".utf8), Array("12345:x".utf8), Array("tel12345:x".utf8),
                Array("zwölf:x".utf8), Array("with space:x".utf8), Array("*:x".utf8), Array("{tag}:x".utf8),
                Array(String(repeating: "x", count: 49).utf8) + Array(":x".utf8),
            ]
            for key in keys { try await frozen.redis.command([Array("SET".utf8), key, [1]]) }
            try await frozen.freeze()
            let prefixes = try await frozen.truth().databases.first?.prefixes.map { "\($0.prefix) \($0.keys)" }
            #expect(prefixes == [" 1", "* 9", "{tag} 1"])
        }
    }
}
