// A Redis for these tests: filled with keys of every type, frozen as a drill's scratch server is, and damaged on demand.

import DrillModel
import Foundation
import IntegrityChecks
import RedisClient
import RedisRecovery
import Synchronization
import TestSupport

struct FrozenRedis {
    let redis: RedisConnection

    func run(_ commands: String...) async throws {
        for command in commands { try await redis.command(command.split(separator: " ").map(String.init)) }
    }

    /// A replica of nowhere: it neither takes writes nor drops keys whose time has come.
    func freeze() async throws {
        try await redis.command(["REPLICAOF", "127.0.0.1", "1"])
    }

    /// Damages the data, and leaves the server as a drill would find it.
    func damage(_ commands: [String]) async throws {
        try await redis.command(["REPLICAOF", "NO", "ONE"])
        try await redis.command(["SELECT", "0"])
        for command in commands { try await redis.command(command.split(separator: " ").map(String.init)) }
        try await redis.command(["SELECT", "0"])
        try await freeze()
    }

    func truth() async throws -> RedisTruth {
        try await RedisInventory.truth(of: redis)
    }

    func cases(seal: RedisTruth?, declared: [DeclaredCheck] = []) async -> [CaseResult] {
        let results = Mutex<[CaseResult]>([])
        await RedisChecks.run(
            RedisCheckContext(
                connection: redis, service: "redis", seal: seal, unsealedReason: "not sealed", declared: declared,
                emit: { result in results.withLock { $0.append(result) } }))
        return results.withLock { $0 }
    }

    /// Keys of each type, with and without a time to live, in two databases.
    func fill() async throws {
        for number in 1...40 {
            try await run(
                "SET session:\(number) s\(number) EX 100000", "HSET user:\(number) name n\(number) mail m\(number)",
                "RPUSH queue:\(number) a b \(number)", "SADD tags:\(number) x y \(number)", "ZADD board:\(number) 1 a \(number) b",
                "XADD log:\(number) 1-1 field value\(number)", "SET user:\(number):seen yes")
        }
        try await run(
            "XGROUP CREATE log:1 workers 0", "XREADGROUP GROUP workers one COUNT 1 STREAMS log:1 >", "SET config plain", "SET counter 7",
            "SET alice@example.com:cart 3", "SELECT 3", "SET cache:1 a", "SET cache:2 b", "SELECT 0")
    }
}

/// The same of another release than the system's.
func withFrozenRedis<Result: Sendable>(
    _ software: RedisSoftware, _ body: (FrozenRedis) async throws -> Result
) async throws -> Result {
    try await withSourceRedis(software) { try await body(FrozenRedis(redis: $0.connection)) }
}

func withFrozenRedis<Result: Sendable>(
    filled: Bool = true, _ body: (FrozenRedis) async throws -> Result
) async throws -> Result {
    try await withTestRedis { server in
        let redis = FrozenRedis(redis: try await server.connect())
        if filled { try await redis.fill() }
        try await redis.freeze()
        return try await body(redis)
    }
}

extension [CaseResult] {
    var critical: [Finding] { flatMap(\.findings).filter { $0.severity == .critical } }

    /// Each critical finding in a line, without what differs from run to run.
    var redLines: [String] { critical.map { "\($0.rule) \($0.object)" } }

    func verdict(_ group: CaseResult.Group, _ name: String) -> Verdict? {
        first { $0.group == group && $0.name == name }?.verdict
    }
}
