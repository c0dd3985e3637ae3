// What streams hold beside their entries, and functions: what no digest of the server's covers.

import DrillModel
import IntegrityChecks
import RedisClient
import TestSupport
import Testing

@Suite("redis streams and functions", .enabled(if: TestMachine.hasRedis, "redis-server is not installed"))
struct RedisStreamTests {
    /// Two groups, three consumers of the first, of whom one holds nothing.
    private func fill(_ frozen: FrozenRedis) async throws {
        for number in 1...5 { try await frozen.run("XADD job:1 \(number)-1 f v\(number)", "XADD job:2 \(number)-1 f w\(number)") }
        try await frozen.run(
            "XDEL job:1 5-1", "XGROUP CREATE job:1 g 0", "XGROUP CREATE job:1 other 0", "XGROUP CREATE job:2 g 0",
            "XGROUP CREATECONSUMER job:1 g c3",
            "XREADGROUP GROUP g c1 COUNT 2 STREAMS job:1 >", "XREADGROUP GROUP g c2 COUNT 1 STREAMS job:1 >",
            "XREADGROUP GROUP g c1 COUNT 1 STREAMS job:2 >", "XREADGROUP GROUP g c2 COUNT 1 STREAMS job:2 >")
    }

    private func withStreams<Result: Sendable>(_ body: (FrozenRedis) async throws -> Result) async throws -> Result {
        try await withFrozenRedis(filled: false) { frozen in
            try await frozen.redis.command(["REPLICAOF", "NO", "ONE"])
            try await fill(frozen)
            try await frozen.freeze()
            return try await body(frozen)
        }
    }

    @Test(
        "each change beside the entries is one finding",
        arguments: [
            ["XCLAIM job:1 g c2 0 1-1 JUSTID"],
            // As many pending entries as before, and another one.
            ["XACK job:1 g 1-1", "XCLAIM job:1 g c1 0 4-1 FORCE JUSTID", "XCLAIM job:1 g c1 0 4-1 RETRYCOUNT 1 JUSTID"],
            ["XCLAIM job:1 g c1 0 1-1 RETRYCOUNT 7 JUSTID"], ["XCLAIM job:1 g c1 0 1-1"],
            ["XGROUP DELCONSUMER job:1 g c3", "XGROUP CREATECONSUMER job:1 g c4"],
            ["XSETID job:1 9-1"], ["XADD job:1 6-1 f v", "XDEL job:1 6-1"], ["XSETID job:1 5-1 ENTRIESADDED 50 MAXDELETEDID 5-1"],
            // Two streams have changed places with what is pending in them.
            ["XCLAIM job:2 g c2 0 1-1 JUSTID", "XCLAIM job:2 g c1 0 2-1 JUSTID"],
        ])
    func red(_ commands: [String]) async throws {
        try await withStreams { frozen in
            let seal = try await frozen.truth()
            try await frozen.damage(commands)
            let cases = await frozen.cases(seal: seal)
            #expect(cases.redLines == ["content-differs db0 job:* (stream)"])
            #expect(cases.critical.allSatisfy { !$0.hint.isEmpty && !$0.expected.isEmpty && !$0.actual.isEmpty })
            // The server's own digest doesn't tell.
            #expect(cases.verdict(.content, "digest of the dataset") == .passed)
        }
    }

    @Test("when an entry was delivered doesn't count, and neither does asking")
    func green() async throws {
        try await withStreams { frozen in
            let seal = try await frozen.truth()
            #expect(seal.databases.first?.prefixes.first?.additions != nil)
            try await frozen.damage(["XCLAIM job:1 g c1 0 1-1 RETRYCOUNT 1 JUSTID", "XGROUP CREATECONSUMER job:1 g c3"])
            let cases = await frozen.cases(seal: seal)
            #expect(cases.redLines == [] && cases.allSatisfy { $0.verdict == .passed })
            #expect(try await frozen.truth() == seal)
        }
    }

    /// As a muster before 2026-12 wrote it.
    private func older(_ seal: RedisTruth) -> RedisTruth {
        var seal = seal
        seal.functions = nil
        for database in seal.databases.indices {
            for prefix in seal.databases[database].prefixes.indices {
                seal.databases[database].prefixes[prefix].consumption = nil
                seal.databases[database].prefixes[prefix].additions = nil
            }
        }
        return seal
    }

    @Test("an older seal still holds, and what it can't tell is said")
    func anOlderSeal() async throws {
        try await withStreams { frozen in
            try await load(frozen, "lib", returning: 1)
            let seal = older(try await frozen.truth())
            let cases = await frozen.cases(seal: seal)
            #expect(cases.redLines == [])
            #expect(cases.verdict(.content, "consumers and last IDs of streams") == .skipped)
            #expect(cases.verdict(.content, "libraries of functions") == .skipped)
            #expect(cases.filter { $0.verdict == .skipped }.count == 2)
            // What it does tell is still compared.
            try await frozen.damage(["XACK job:1 g 1-1"])
            #expect(await frozen.cases(seal: seal).redLines == ["content-differs db0 job:* (stream)"])
        }
    }

    @Test("pending entries beyond the first page count")
    func manyPending() async throws {
        try await withFrozenRedis(filled: false) { frozen in
            try await frozen.redis.command(["REPLICAOF", "NO", "ONE"])
            for start in [0, 1000, 2000] {
                _ = try await frozen.redis.pipeline(
                    (start..<start + 1000).map { ["XADD", "long", "7-\($0 + 1)", "f", "v"].map { Array($0.utf8) } })
            }
            try await frozen.run(
                "XGROUP CREATE long g 0", "XGROUP CREATECONSUMER long g two", "XREADGROUP GROUP g one COUNT 3000 STREAMS long >")
            try await frozen.freeze()
            let seal = try await frozen.truth()
            #expect(await frozen.cases(seal: seal).redLines == [])
            try await frozen.damage(["XCLAIM long g two 0 7-3000 JUSTID"])
            #expect(await frozen.cases(seal: seal).redLines == ["content-differs db0 keys without a prefix (stream)"])
        }
    }

    /// Redis 6 counts no entries: what it knows is the same, and the rest is skipped.
    @Test(.enabled(if: RedisRelease.areHere(.redis6, .redis8, .valkey9), "no redis 6 is here: scripts/setup-tests brings one"))
    func fromReleaseToRelease() async throws {
        func truth(_ release: RedisRelease) async throws -> RedisTruth {
            try await withFrozenRedis(release.software) { frozen in
                try await fill(frozen)
                try await frozen.freeze()
                return try await frozen.truth()
            }
        }
        let (six, eight, valkey) = (try await truth(.redis6), try await truth(.redis8), try await truth(.valkey9))
        #expect(six.functions == [])
        try await withStreams { frozen in
            for seal in [eight, valkey] {
                let cases = await frozen.cases(seal: seal)
                #expect(cases.redLines == [] && cases.allSatisfy { $0.verdict == .passed })
            }
            let cases = await frozen.cases(seal: six)
            #expect(cases.redLines == [])
            #expect(cases.filter { $0.verdict == .skipped }.map(\.name) == ["counters of streams"])
        }
    }

    private func load(_ frozen: FrozenRedis, _ name: String, returning number: Int) async throws {
        try await frozen.redis.command(["REPLICAOF", "NO", "ONE"])
        let code = "#!lua name=\(name)\nredis.register_function('\(name)_f', function(keys, args) return \(number) end)"
        try await frozen.redis.command(["FUNCTION", "LOAD", "REPLACE", code])
        try await frozen.freeze()
    }

    @Test("a library of functions that is missing, changed or added is one finding that names it")
    func functions() async throws {
        try await withStreams { frozen in
            let without = try await frozen.truth()
            try await load(frozen, "first", returning: 1)
            try await load(frozen, "second", returning: 2)
            #expect(await frozen.cases(seal: without).redLines == ["functions-differ library first", "functions-differ library second"])
            let seal = try await frozen.truth()
            #expect(seal.functions?.map(\.name) == ["first", "second"])
            let cases = await frozen.cases(seal: seal)
            #expect(cases.redLines == [] && cases.verdict(.content, "libraries of functions") == .passed)
            try await load(frozen, "second", returning: 3)
            #expect(await frozen.cases(seal: seal).redLines == ["functions-differ library second"])
            try await load(frozen, "second", returning: 2)
            #expect(await frozen.cases(seal: seal).redLines == [])
            try await frozen.damage(["FUNCTION DELETE first"])
            #expect(await frozen.cases(seal: seal).redLines == ["functions-differ library first"])
        }
    }

    @Test("where nothing came back, functions alone are still asked for")
    func functionsAlone() async throws {
        try await withFrozenRedis(filled: false) { frozen in
            try await load(frozen, "only", returning: 1)
            let seal = try await frozen.truth()
            #expect(seal.databases.isEmpty)
            #expect(await frozen.cases(seal: seal).redLines == [])
            try await frozen.damage(["FUNCTION FLUSH"])
            #expect(await frozen.cases(seal: seal).redLines == ["functions-differ library only"])
        }
    }
}
