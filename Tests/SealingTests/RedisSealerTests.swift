// The truth of Redis backups, from a scratch server.

import DrillModel
import Foundation
import RedisClient
import ScratchHost
import Sealing
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasRedis, "needs redis-server"))
struct RedisSealerTests {
    @Test func truthIsThatOfTheSnapshotWithItsExpiredKeys() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            for command in [
                ["DEBUG", "SET-ACTIVE-EXPIRE", "0"], ["SET", "stays", "a"], ["HSET", "user:1", "name", "b"],
                ["SET", "goes", "c", "PX", "30"],
            ] { try await redis.command(command) }
            let digest = try await redis.command(["DEBUG", "DIGEST"]).text
            try await redis.command(["SAVE"])
            let folder = try await redis.command(["CONFIG", "GET", "dir"]).array?.last?.text
            redis.close()
            // By now a server that loads it as a master would drop the third key.
            try await Task.sleep(for: .milliseconds(60))
            let rdb = URL(fileURLWithPath: try #require(folder)).appending(path: "dump.rdb")
            let truth = try await withScratchHost { host in try await RedisSealer(host: host).truth(ofSnapshot: rdb) }
            #expect(truth.digest == digest)
            #expect(truth.databases.map(\.keys) == [3])
        }
    }

    @Test func whatDoesNotLoadHasNoTruth() async throws {
        try await withScratchHost { host in
            let folder = try host.folder.privateFolder("given")
            let rdb = folder.appending(path: "broken.rdb")
            try Data("REDIS0010 and then nothing of use".utf8).write(to: rdb)
            let broken = await #expect(throws: SealingError.self) { try await RedisSealer(host: host).truth(ofSnapshot: rdb) }
            #expect(broken?.kind == .scratch)
            let missing = await #expect(throws: SealingError.self) {
                try await RedisSealer(host: host).truth(ofSnapshot: folder.appending(path: "none.rdb"))
            }
            #expect(missing?.kind == .storage)
            let unmarked = await #expect(throws: SealingError.self) {
                try await RedisSealer(host: host).truth(ofAppendOnly: folder, isFolder: true)
            }
            #expect(unmarked?.kind == .storage)
        }
    }
}
