// Fields of hashes with a time to live of their own, and values that take long to digest.

import DrillModel
import IntegrityChecks
import RedisClient
import TestSupport
import Testing

@Suite(.enabled(if: RedisRelease.areHere(.valkey9, .redis8), "no valkey 9 and redis 8 are here: scripts/setup-tests brings them"))
struct RedisFieldTimeTests {
    /// Valkey's digests leave out a field whose time has come, also on a replica.
    @Test(arguments: [RedisRelease.valkey9, .redis8]) func theTruthIsThatOfAnyLaterDay(_ release: RedisRelease) async throws {
        try await withFrozenRedis(release.software) { frozen in
            try await frozen.run("HSET h a 1 b 2", "HSET plain a 1", "SET goes x PX 1200", "SET stays y", "HPEXPIRE h 1200 FIELDS 1 a")
            try await frozen.freeze()
            let sealed = try await frozen.truth()
            try await Task.sleep(for: .milliseconds(1500))
            let later = try await frozen.truth()
            #expect(later == sealed)
            #expect(await frozen.cases(seal: sealed).critical.isEmpty)
            // It is a replica again, that drops nothing.
            let info = try await frozen.redis.command(["INFO", "replication"]).text ?? ""
            #expect(info.contains("role:slave"))
            #expect(sealed.serverVersion.hasPrefix(release.isValkey ? "valkey 9" : "8."))
        }
    }

    /// What the field held is still compared.
    @Test func aChangedFieldIsSeen() async throws {
        try await withFrozenRedis(RedisRelease.valkey9.software) { frozen in
            try await frozen.run("HSET h a 1 b 2", "HEXPIRE h 1000 FIELDS 1 a")
            try await frozen.freeze()
            let sealed = try await frozen.truth()
            try await frozen.damage(["HSET h a 3 b 2", "HEXPIRE h 1000 FIELDS 1 a"])
            #expect(await frozen.cases(seal: sealed).redLines.contains { $0.hasPrefix("content-differs") })
        }
    }
}

@Suite(.enabled(if: TestMachine.hasRedis, "needs redis-server")) struct RedisLargeValueTests {
    /// One value's digest may outlast what any other command may take.
    @Test func aLargeValueIsWaitedFor() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            try await redis.command(
                ["EVAL", "for i = 1, 400000 do redis.call('ZADD', 'large', i, 'member:' .. i) end", "0"], timeout: .seconds(60))
            try await redis.command(["REPLICAOF", "127.0.0.1", "1"])
            redis.close()
            let hasty = try await RedisConnection.connect(unixSocket: server.socketPath, timeout: .milliseconds(100))
            defer { hasty.close() }
            let truth = try await RedisInventory.truth(of: hasty)
            #expect(truth.databases.map(\.keys) == [1])
            // It does take longer than the connection waits for anything else.
            let again = try await RedisConnection.connect(unixSocket: server.socketPath, timeout: .milliseconds(100))
            defer { again.close() }
            await #expect(throws: RedisError.self) { try await again.command(["DEBUG", "DIGEST-VALUE", "large"]) }
        }
    }
}
