import Foundation
import RedisClient
import TestSupport
import Testing

@Suite("redis connection", .enabled(if: TestMachine.hasRedis, "redis-server is not installed"))
struct RedisConnectionTests {
    @Test("answers of every kind come back")
    func values() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            #expect(try await redis.command(["PING"]) == .status("PONG"))
            #expect(try await redis.command(["SET", "k", "v"]) == .status("OK"))
            #expect(try await redis.command(["GET", "k"]) == .bulk(Array("v".utf8)))
            #expect(try await redis.command(["GET", "missing"]) == .null)
            #expect(try await redis.command(["INCRBY", "n", "9223372036854775807"]) == .integer(.max))
            #expect(
                try await redis.command(["EVAL", "return {1, {'two', false}, {}}", "0"])
                    == .array([.integer(1), .array([.bulk(Array("two".utf8)), .null]), .array([])]))
            #expect(try await redis.command(["SMEMBERS", "missing"]) == .array([]))
            redis.close()
        }
    }

    @Test("keys and values may be any bytes")
    func binary() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            let key: [UInt8] = [0, 255, 10, 13, 0]
            let value = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try await redis.command([Array("SET".utf8), key, value])
            #expect(try await redis.command([Array("GET".utf8), key]) == .bulk(value))
            #expect(try await redis.command([Array("SET".utf8), [], []]) == .status("OK"))
            #expect(try await redis.command([Array("GET".utf8), []]) == .bulk([]))
            #expect(try await redis.command(["DBSIZE"]) == .integer(2))
        }
    }

    @Test("a pipeline's answers keep their order, refusals in their places")
    func pipeline() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            var commands: [[[UInt8]]] = (0..<5000).map { [Array("SET".utf8), Array("k\($0)".utf8), Array("\($0)".utf8)] }
            commands.append([Array("LPOP".utf8), Array("k1".utf8)])
            commands += (0..<5000).map { [Array("GET".utf8), Array("k\($0)".utf8)] }
            let answers = try await redis.pipeline(commands)
            #expect(answers.count == 10001)
            guard case .error(let text) = answers[5000] else {
                Issue.record("not refused")
                return
            }
            #expect(text.hasPrefix("WRONGTYPE"))
            for number in stride(from: 0, to: 5000, by: 499) {
                #expect(answers[5001 + number].text == "\(number)")
            }
            #expect(try await redis.pipeline([]) == [])
        }
    }

    @Test("tasks may share a connection")
    func shared() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask { try await redis.command(["ECHO", "\(number)"]).text == "\(number)" }
                }
                for try await same in group { #expect(same) }
            }
        }
    }

    @Test("a refusal is an error that quotes no argument, and the connection goes on")
    func refusal() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            let error = await #expect(throws: RedisError.self) { try await redis.command(["AUTH", "hunter2-secret"]) }
            #expect(error?.kind == .refused(code: "ERR"))
            #expect(error?.message == "the server refused AUTH with ERR")
            let other = await #expect(throws: RedisError.self) { try await redis.command(["hunter2", "x"]) }
            #expect(other?.description.contains("x ") == false)
            let third = await #expect(throws: RedisError.self) { try await redis.command(["CONFIG", "SET", "port", "secret"]) }
            #expect(third?.message == "the server refused CONFIG SET with ERR")
            #expect(try await redis.command(["PING"]) == .status("PONG"))
            await #expect(throws: RedisError.self) { try await redis.command([String]()) }
        }
    }

    @Test("nobody listens: an error, at once")
    func cannotConnect() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID().uuidString)").path
        let first = await #expect(throws: RedisError.self) { try await RedisConnection.connect(unixSocket: path) }
        #expect(first?.kind == .cannotConnect)
        #expect(first?.message.contains(path) == true)
        let second = await #expect(throws: RedisError.self) { try await RedisConnection.connect(host: "127.0.0.1", port: 1) }
        #expect(second?.kind == .cannotConnect)
        let third = await #expect(throws: RedisError.self) {
            try await RedisConnection.connect(unixSocket: "/" + String(repeating: "x", count: 200))
        }
        #expect(third?.kind == .cannotConnect)
        await #expect(throws: RedisError.self) { try await RedisConnection.connect(host: "127.0.0.1", port: 70000) }
    }

    @Test("another program in a scratch server's place: an error, before anything is said to it")
    func anotherProgramInTheServersPlace() async throws {
        try await withTestRedis { server in
            let error = await #expect(throws: RedisError.self) {
                try await RedisConnection.connect(unixSocket: server.socketPath, listener: getpid())
            }
            #expect(error?.kind == .cannotConnect && error?.message.contains("in the scratch server's place") == true)
            #expect(await !RedisConnection.answers(unixSocket: server.socketPath, listener: getpid()))
        }
    }

    @Test("a server that hangs ends in a timeout, and the connection is then of no use")
    func timeout() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            let clock = ContinuousClock()
            let start = clock.now
            let error = await #expect(throws: RedisError.self) {
                try await redis.command(["BLPOP", "nothing", "0"], timeout: .milliseconds(200))
            }
            #expect(error?.kind == .timedOut)
            #expect(clock.now - start < .seconds(180))
            let later = await #expect(throws: RedisError.self) { try await redis.command(["PING"]) }
            #expect(later?.kind == .disconnected)
            // Another connection gets the server's whole attention, and its own time.
            let other = try await server.connect()
            #expect(try await other.command(["PING"], timeout: .seconds(180)) == .status("PONG"))
        }
    }

    @Test("a server that dies is an error, not a hang and not a signal")
    func death() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            let killer = try await server.connect()
            async let waiting = redis.command(["BLPOP", "nothing", "0"])
            try await Task.sleep(for: .milliseconds(100))
            await #expect(throws: RedisError.self) { try await killer.command(["SHUTDOWN", "NOSAVE", "NOW"]) }
            do {
                _ = try await waiting
                Issue.record("an answer from a dead server")
            } catch let error as RedisError {
                #expect(error.kind == .disconnected)
            }
            for connection in [redis, killer] {
                let error = await #expect(throws: RedisError.self) {
                    try await connection.command([Array("SET".utf8), [1], [UInt8](repeating: 0, count: 4_000_000)])
                }
                #expect(error?.kind == .disconnected)
            }
        }
    }

    @Test("a client that the server throws out may still write: no signal kills this process")
    func thrownOut() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            let other = try await server.connect()
            let id = try #require(try await redis.command(["CLIENT", "ID"]).integer)
            try await other.command(["CLIENT", "KILL", "ID", "\(id)"])
            let error = await #expect(throws: RedisError.self) {
                try await redis.command([Array("SET".utf8), [1], [UInt8](repeating: 0, count: 4_000_000)])
            }
            #expect(error?.kind == .disconnected)
        }
    }

    @Test("closing and cancelling end a command that waits")
    func cancelled() async throws {
        try await withTestRedis { server in
            let redis = try await server.connect()
            let task = Task { try await redis.command(["BLPOP", "nothing", "0"]) }
            try await Task.sleep(for: .milliseconds(100))
            task.cancel()
            let error = await #expect(throws: RedisError.self) { try await task.value }
            #expect(error?.kind == .cancelled)

            let other = try await server.connect()
            let waiting = Task { try await other.command(["BLPOP", "nothing", "0"]) }
            try await Task.sleep(for: .milliseconds(100))
            other.close()
            other.close()
            let second = await #expect(throws: RedisError.self) { try await waiting.value }
            #expect(second?.kind == .disconnected)
        }
    }
}
