// A replica whose link is down is copied key by key, and the copy is what it held; what it shows to nobody is counted.

import DrillModel
import Foundation
import RedisClient
import ScratchHost
import TestSupport
import Testing

@testable import RedisRecovery

@Suite struct ReplicaTests {
    /// A replica of nowhere is one whose link was never up. What has run out in it stays in it, and is in no copy.
    private func withReplica(_ body: (ScratchRedis, RedisConnection, ScratchHost) async throws -> Void) async throws {
        let snapshot = try await Snapshot.made()
        try await snapshot.restore { _ in
        } _: { restored, host in
            let connection = try await RedisConnection.connect(unixSocket: restored.server.socketPath)
            defer { connection.close() }
            try await body(restored.server, connection, host)
        }
    }

    @Test func keyByKey() async throws {
        try await withReplica { replica, connection, host in
            // As long as it takes no writes but from its primary, nothing changes in it.
            try await connection.command(["CONFIG", "SET", "replica-read-only", "no"])
            try await connection.command(["FUNCTION", "LOAD", "#!lua name=own\nredis.register_function('own', function() return 1 end)"])
            try await connection.command(["CONFIG", "SET", "replica-read-only", "yes"])
            let copy = ReplicaCopy(
                host: host, folder: try host.folder.privateFolder("c"), replica: LiveRedis(host: replica.socketPath), service: "cache")
            let taken = try await copy.take { _, _ in }
            #expect(taken.way == .keyByKey && taken.expired == 2)
            let before = try await Snapshot.keys(connection)
            #expect(taken.keys == [0: before[0] - 1, 3: before[1] - 1])
            let clone = try await RedisRestorer(host: host, folder: copy.folder, service: "cache")
                .restoreSnapshot(taken.file, isSnapshot: true) { _, _ in }
            let other = try await RedisConnection.connect(unixSocket: clone.server.socketPath)
            defer { other.close() }
            #expect(try await Snapshot.keys(other) == [before[0] - 1, before[1] - 1])
            #expect(try await other.command(["FUNCTION", "LIST"]).array?.count == 1)
            let moments = [connection, other]
            var ends: [Int64?] = []
            for each in moments {
                try await each.command(["SELECT", "0"])
                ends.append(try await each.command(["PEXPIRETIME", "later"]).integer)
            }
            #expect(ends[0] == ends[1] && (ends[0] ?? 0) > 0)
            // Without those two, both hold the same, to the byte: the copy, and what a promoted replica would hold.
            let promotion = try await ReplicaFailover(server: replica, service: "cache").run()
            #expect(promotion < .seconds(600))
            for (database, key) in [("0", "soon"), ("3", "other")] {
                try await connection.command(["SELECT", database])
                #expect(try await connection.command(["EXISTS", key]).integer == 0)
            }
            #expect(try await Snapshot.digest(connection) == Snapshot.digest(other))
            await clone.server.stop()
        }
    }

    @Test func oneThatTakesWritesOfItsOwn() async throws {
        try await withReplica { replica, connection, host in
            try await connection.command(["CONFIG", "SET", "replica-read-only", "no"])
            let copy = ReplicaCopy(
                host: host, folder: try host.folder.privateFolder("c"), replica: LiveRedis(host: replica.socketPath), service: "cache")
            let failure = await #expect(throws: DrillFailure.self) { try await copy.take { _, _ in } }
            #expect(failure?.verdict == .error && failure?.finding.rule == .replicaMoved)
        }
    }

    /// It can't say of when it is, and what it says is bounded from above where its link was up once.
    @Test func age() async throws {
        try await withReplica { replica, _, _ in
            let state = try await ReplicaProbe(replica: LiveRedis(host: replica.socketPath), service: "cache").state()
            #expect(!state.isLinked && state.linkDown == nil && state.age == nil)
            var down = state
            down.linkDown = .seconds(5)
            down.patience = .seconds(9)
            #expect(down.age == .seconds(14))
            down.patience = nil
            #expect(down.age == .seconds(65))
            down.isLinked = true
            down.silence = .seconds(3)
            #expect(down.age == .seconds(3))
        }
    }

    /// A snapshot is sent without touching the server's own file, unless it says otherwise of itself.
    @Test(arguments: [true, false]) func whatASnapshotDoesToTheServer(isDiskless: Bool) async throws {
        try await withTestRedis { server in
            let connection = try await server.connect()
            defer { connection.close() }
            let folder = try #require(try await connection.command(["CONFIG", "GET", "dir"]).array?.last?.text)
            for (name, value) in [("repl-diskless-sync", isDiskless ? "yes" : "no"), ("repl-diskless-sync-delay", "0")] {
                try await connection.command(["CONFIG", "SET", name, value])
            }
            try await connection.command(["SET", "a", "1"])
            try await connection.command(["SAVE"])
            let file = URL(fileURLWithPath: folder).appendingPathComponent("dump.rdb")
            let before = try Data(contentsOf: file)
            try await connection.command(["SET", "b", "2"])
            let live = LiveRedis(host: server.socketPath)
            let taken = try await ToolRunner.spawn(
                ["redis-cli"] + live.words + ["--rdb", server.host.folder.url.appendingPathComponent("taken.rdb").path], environment: [:],
                output: .discard, errors: .discard)
            #expect(taken.succeeded)
            #expect(try (Data(contentsOf: file) == before) == isDiskless)
            #expect(await live.renewsOwnFile() == !isDiskless)
        }
    }
}
