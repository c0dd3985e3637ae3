// The lab's Redis, which asks for a password since it is replicated over TCP, and its replica.

import Foundation
import Glibc
import RedisClient
import ScratchHost

/// The two Redis servers of a running lab.
struct LabReplica: Sendable {
    let servers: LabServers
    let user: UnprivilegedUser?

    private var places: LabPlaces { servers.places }
    private var replicaSocket: String { servers.mark.secondZone.appending(path: "redis.sock").path }

    /// Starts what isn't running, and has the replica follow.
    func start() async throws {
        guard let text = try? String(contentsOf: places.redisPassword, encoding: .utf8) else {
            throw LabError(
                .usage, "the lab has no \(places.redisPassword.path)", hint: "destroy the lab, and create it anew with this muster")
        }
        let password = text.trimmingCharacters(in: .newlines)
        let port = try await primary(password)
        if await speak(replicaSocket, password, { _ in true }) == nil { try await startReplica(of: port, password) }
        // One that runs may follow where nobody is any more.
        let follows: @Sendable () async -> Bool = {
            await speak(replicaSocket, password) { redis in
                let info = try await redis.command(["INFO", "replication"]).text ?? ""
                if info.contains("master_port:\(port)\r") { return info.contains("master_link_status:up") }
                try await redis.command(["REPLICAOF", "127.0.0.1", String(port)])
                return false
            } ?? false
        }
        guard await servers.wait(until: follows) else {
            try Task.checkCancellation()
            throw LabError(.server, "the lab's redis replica does not follow", hint: "look into \(places.replicaData.path)/server.log")
        }
    }

    /// - Returns: The loopback port that the replica reaches it by.
    private func primary(_ password: String) async throws -> Int {
        if let port = await port(password) {
            if port != 0 { return port }
            // Cut off by a drill that was killed.
            return try await reopen(password)
        }
        // A port that is free when it is looked for may be taken by the time it is used.
        for _ in 1...3 {
            let file = places.redisData.appending(path: "live.conf")
            try write(
                [
                    "include \"\(places.redisData.appending(path: "redis.conf").path)\"", "bind 127.0.0.1", "port \(try Self.freePort())",
                    "requirepass \(password)",
                ], to: file)
            guard try await servers.run(user, [servers.redisServer, file.path]) else { continue }
            if await servers.wait(until: { await port(password) != nil }), let port = await port(password) { return port }
            try Task.checkCancellation()
        }
        throw LabError(.server, "the lab's redis did not start", hint: "look into \(places.redisData.path)/server.log")
    }

    private func reopen(_ password: String) async throws -> Int {
        for _ in 1...3 {
            let port = try Self.freePort()
            let answer = await speak(servers.redisSocket, password) { try await $0.command(["CONFIG", "SET", "port", String(port)]) }
            if answer == .status("OK") { return port }
        }
        throw LabError(.server, "the lab's redis opens no port", hint: "look into \(places.redisData.path)/server.log")
    }

    private func port(_ password: String) async -> Int? {
        await speak(servers.redisSocket, password) { redis in
            guard try await redis.command(["PING"]) == .status("PONG") else { return nil }
            return try await redis.command(["CONFIG", "GET", "port"]).array?.last?.text.flatMap { Int($0) }
        } ?? nil
    }

    private func startReplica(of port: Int, _ password: String) async throws {
        try servers.makeFolder(places.replicaData, for: user)
        let file = places.replicaData.appending(path: "redis.conf")
        try write(
            [
                "port 0", "unixsocket \(replicaSocket)", "unixsocketperm 700", "dir \"\(places.replicaData.path)\"", "appendonly no",
                "save \"\"", "daemonize yes", "logfile server.log", "enable-debug-command local", "repl-diskless-sync-delay 0",
                "replicaof 127.0.0.1 \(port)", "masterauth \(password)", "requirepass \(password)",
            ], to: file)
        guard try await servers.run(user, [servers.redisServer, file.path]) else {
            throw LabError(.server, "the lab's redis replica did not start", hint: "look into \(places.replicaData.path)/server.log")
        }
    }

    /// For its owner's eyes alone, from the first byte on.
    private func write(_ lines: [String], to file: URL) throws {
        try? FileManager.default.removeItem(at: file)
        let text = Data((lines.joined(separator: "\n") + "\n").utf8)
        guard FileManager.default.createFile(atPath: file.path, contents: text, attributes: [.posixPermissions: 0o600]) else {
            throw LabError(.storage, "cannot write \(file.path)", hint: "check free space and permissions")
        }
        if let user { chown(file.path, user.userID, user.groupID) }
    }

    /// - Returns: What the body says; nil where the server doesn't answer, or loads still.
    private func speak<Value: Sendable>(
        _ socket: String, _ password: String, _ body: (RedisConnection) async throws -> Value
    ) async -> Value? {
        guard let redis = try? await RedisConnection.connect(unixSocket: socket, timeout: .seconds(2)) else { return nil }
        defer { redis.close() }
        guard (try? await redis.command(["AUTH", password])) != nil else { return nil }
        return try? await body(redis)
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard descriptor >= 0, isBound else {
            throw LabError(.server, "no free loopback port for the lab's redis", hint: "check that this machine has a loopback device")
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
