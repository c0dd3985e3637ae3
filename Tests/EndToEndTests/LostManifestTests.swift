// Append-only files that lost something, and those that only look so, drilled by the built program on real servers.

import Foundation
import Testing

@Suite(.enabled(if: RedisVersion.system.bin != nil || Program.inCI, "no redis-server is here"))
struct LostManifestTests {
    /// A set of a real server: a base, and commands behind it.
    private func set(_ source: RedisSource, as name: String = "aof-1") async throws -> URL {
        for i in 0..<30 { try await source.ask("SET", "page:\(i)", "content \(i)") }
        try await source.ask("BGREWRITEAOF")
        try await source.wait(for: "aof_rewrite_in_progress:0", in: "persistence")
        try await source.ask("SET", "page:30", "after")
        try await Task.sleep(for: .milliseconds(1200))
        let target = source.fixture.store.appendingPathComponent(name)
        try await Program.require(["cp", "-r", source.data.appendingPathComponent("appendonlydir").path, target.path])
        return target
    }

    private static let pages = "{keys: {pattern: \"page:*\", at-least: 1}}"

    /// One part that is left would load by itself, and be a part of the data.
    @Test(arguments: [false, true]) func withoutItsManifest(inATar: Bool) async throws {
        try await RedisSource.with(.system, arguments: ["--appendonly", "yes"]) { source in
            let folder = try await set(source)
            try await Program.require(["sh", "-c", "rm '\(folder.path)'/*.manifest"])
            if inATar {
                try await Program.require(["sh", "-c", "cd '\(folder.path)' && tar cf ../aof-2.tar . && cd .. && rm -r aof-1"])
            }
            let (outcome, drill) = try await source.drill("aof", checks: Self.pages)
            #expect(outcome.code == 1, "\(outcome.text)")
            #expect(
                drill.findings.contains { $0.rule == "artifact-not-a-redis-backup" && $0.actual.contains("manifest") }, "\(outcome.text)")
            let sealed = try await source.seal("aof", ["--existing", "latest"])
            #expect(sealed.code != 0, "\(sealed.text)")
        }
    }

    /// With commands in place of a snapshot, the first base is empty where the server began with nothing.
    @Test(arguments: [RedisVersion.system, .redis74, .redis82, .valkey91].filter { $0.bin != nil || Program.inCI })
    func anEmptyFirstBaseOfCommandsIsWhole(version: RedisVersion) async throws {
        try await RedisSource.with(version, arguments: ["--appendonly", "yes", "--aof-use-rdb-preamble", "no"]) { source in
            for i in 0..<30 { try await source.ask("SET", "page:\(i)", "content \(i)") }
            try await Task.sleep(for: .milliseconds(1200))
            let target = source.fixture.store.appendingPathComponent("aof-1")
            try await Program.require(["cp", "-r", source.data.appendingPathComponent("appendonlydir").path, target.path])
            let names = try FileManager.default.contentsOfDirectory(atPath: target.path)
            let base = try #require(names.first { $0.hasSuffix(".base.aof") })
            #expect(try Data(contentsOf: target.appendingPathComponent(base)).isEmpty, "otherwise this asks nothing")
            let (outcome, _) = try await source.drill("aof", checks: "{keys: {pattern: \"page:*\", at-least: 30}}")
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    /// The base alone as a snapshot lacks what was written since.
    @Test func aBaseIsNoSnapshot() async throws {
        try await RedisSource.with(.system, arguments: ["--appendonly", "yes"]) { source in
            let folder = try await set(source)
            try await Program.require(["sh", "-c", "cp '\(folder.path)'/*.base.rdb '\(source.fixture.store.path)/a.rdb'"])
            let (outcome, drill) = try await source.drill("rdb", checks: Self.pages)
            #expect(outcome.code == 1 && drill.findings.contains { $0.hint.contains("kind: aof") }, "\(outcome.text)")
            // Nor does init take it for one, or for a single append-only file.
            try await Program.require(["sh", "-c", "rm '\(folder.path)'/*.manifest"])
            let begun = try await source.fixture.run(["init", source.fixture.store.path, "--output", source.fixture.folder.path + "/new"])
            #expect(!begun.out.contains("found ") && begun.text.contains("a part of append-only files"), "\(begun.text)")
        }
    }

    /// Nothing but a seal notices a changed value among commands.
    @Test func commandsWithoutASealAreNotProven() async throws {
        try await RedisSource.with(.system, arguments: ["--appendonly", "yes"]) { source in
            _ = try await set(source)
            let (outcome, drill) = try await source.drill("aof", checks: Self.pages)
            #expect(outcome.code == 0 && drill.unproven.contains { $0.contains("carry no checksum") }, "\(outcome.text)")
            _ = try await source.seal("aof", ["--existing", "latest"])
            let (sealed, other) = try await source.drill("aof", checks: Self.pages)
            #expect(sealed.code == 0 && !other.unproven.contains { $0.contains("carry no checksum") }, "\(sealed.text)")
        }
    }

    /// What was cut between two commands loads as a whole one: said, unless something vouches for the bytes.
    @Test func aCutBetweenTwoCommandsIsNotSeen() async throws {
        try await RedisSource.with(.system, arguments: ["--appendonly", "yes"]) { source in
            let folder = try await set(source)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            let file = folder.appendingPathComponent(try #require(names.first { $0.hasSuffix(".incr.aof") }))
            let whole = try String(contentsOf: file, encoding: .utf8)
            let last = try #require(whole.range(of: "*3", options: .backwards))
            try Data(whole[..<last.lowerBound].utf8).write(to: file)
            let (outcome, drill) = try await source.drill("aof", checks: Self.pages)
            #expect(outcome.code == 0 && drill.unproven.contains { $0.contains("the last of them are missing") }, "\(outcome.text)")
            let note = try #require(drill.findings.first { $0.rule == "content-unchecked" }, "\(drill.findings)")
            #expect(note.severity == "note" && note.message.contains("cut between two commands"), "\(note)")
            // A compression's own checksum is over all that was there when it was packed.
            try await Program.require(["sh", "-c", "cd '\(folder.path)' && tar czf ../aof-2.tar.gz . && cd .. && rm -r aof-1"])
            let (packed, other) = try await source.drill("aof", checks: Self.pages)
            #expect(packed.code == 0 && !other.findings.contains { $0.rule == "content-unchecked" }, "\(packed.text)")
        }
    }

    /// Commands don't tell their writer: of two servers here, the second knows what the first doesn't.
    @Test(.enabled(if: RedisVersion.redis82.bin != nil || Program.inCI, "no redis 8 is here"))
    func aServerThatKnowsTheCommandIsTaken() async throws {
        try await RedisSource.with(.redis82, arguments: ["--appendonly", "yes", "--aof-use-rdb-preamble", "no"]) { source in
            for i in 0..<5 { try await source.ask("HSET", "page:\(i)", "title", "t") }
            try await source.ask("HEXPIRE", "page:1", "1000", "FIELDS", "1", "title")
            try await source.ask("BGREWRITEAOF")
            try await source.wait(for: "aof_rewrite_in_progress:0", in: "persistence")
            try await Program.require([
                "cp", "-r", source.data.appendingPathComponent("appendonlydir").path,
                source.fixture.store.appendingPathComponent("aof-1").path,
            ])
            let file = try source.fixture.drillFile(
                "redis", from: "aof", more: "checks: {redis: [{keys: {pattern: \"page:*\", at-least: 5}}]}")
            let (outcome, _) = try await source.fixture.drill(file, environment: ["MUSTER_REDIS_BIN": "/usr/bin:\(source.bin)"])
            #expect(outcome.code == 0, "\(outcome.text)")
            // Where no other is, it is this machine's lack, and what to name is said.
            try source.fixture.editEstate("engine: redis", "engine: redis\n    binaries: /usr/bin")
            let (alone, drill) = try await source.fixture.drill(file)
            #expect(alone.code == 2, "\(alone.text)")
            #expect(drill.drills.first?.findings.contains { $0.hint.contains("binaries of the service") } == true, "\(alone.text)")
        }
    }

    /// A checker that can't run has found nothing.
    @Test(arguments: [126, 127]) func aCheckerThatCannotRunIsThisMachines(code: Int) async throws {
        try await RedisSource.with(.system) { source in
            try await source.ask("SET", "page:1", "x")
            try await source.ask("SAVE")
            try await Program.require([
                "cp", source.data.appendingPathComponent("dump.rdb").path, source.fixture.store.appendingPathComponent("a.rdb").path,
            ])
            let bin = source.folder.appendingPathComponent("bin")
            try await Program.require([
                "sh", "-c",
                "mkdir '\(bin.path)' && cp \(source.bin)/redis-server '\(bin.path)' && cp \(source.bin)/redis-check-aof '\(bin.path)' "
                    + "&& printf '#!/bin/sh\\nexit \(code)\\n' > '\(bin.path)/redis-check-rdb' && chmod -R a+rx '\(bin.path)'",
            ])
            try source.fixture.editEstate("engine: redis", "engine: redis\n    binaries: \(bin.path)")
            let (outcome, drill) = try await source.drill("rdb", checks: Self.pages)
            #expect(outcome.code == 2 && !drill.cases.contains { $0.verdict == "failed" && $0.group == "backup" }, "\(outcome.text)")
        }
    }
}
