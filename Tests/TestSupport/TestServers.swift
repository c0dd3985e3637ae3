// Real servers for tests: started in a second, reached over a Unix socket, gone when the body ends.

import DrillModel
import Foundation
public import Glibc
public import PostgresClient
import PostgresRecovery
public import RedisClient
import RedisRecovery
public import ScratchHost

/// A running scratch Postgres.
public struct TestPostgres: Sendable {
    public let socketFolder: String
    public let port = 5432
    public let superuser = "postgres"
    public let host: ScratchHost
    public let binFolder: String

    public func connect(database: String = "postgres", settings: [String: String] = [:]) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            PostgresConfiguration(host: socketFolder, port: port, database: database, user: superuser, settings: settings))
    }
}

/// A running scratch Redis, as a drill starts it.
public struct TestRedis: Sendable {
    public let socketPath: String
    public let host: ScratchHost

    public func connect() async throws -> RedisConnection {
        try await RedisConnection.connect(unixSocket: socketPath)
    }
}

/// Whether a server that a test needs is here. Locally its absence skips; in CI it fails, since CI installs it.
public enum TestMachine {
    public static var inCI: Bool { ProcessInfo.processInfo.environment["CI"] != nil }
    public static var hasPostgres: Bool { inCI || !PostgresBinaries.installed().isEmpty }
    public static var hasRedis: Bool { inCI || ScratchHost.locate("redis-server") != nil }
}

extension ScratchHost {
    /// Our number for a process that a server of this host names by its own; nil where there is none.
    public func processID(of inner: Int) -> pid_t? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.first { pid in
            let folder = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) ?? ""
            let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
            return folder.hasPrefix(self.folder.url.path + "/") && line?.split(whereSeparator: \.isWhitespace).last == "\(inner)"
        }
    }
}

/// A private folder and what runs in it, removed whatever the body does.
public func withScratchHost<Result: Sendable>(
    _ purpose: String = "test", _ body: (ScratchHost) async throws -> Result
) async throws -> Result {
    let host = try await ScratchHost.prepare(in: ScratchRoot(), purpose: purpose)
    do {
        let result = try await body(host)
        try await host.remove()
        return result
    } catch {
        try? await host.remove()
        throw error
    }
}

/// A fresh Postgres cluster with fsync off.
public func withTestPostgres<Result: Sendable>(_ body: (TestPostgres) async throws -> Result) async throws -> Result {
    try await withScratchHost { host in
        let binaries = try PostgresBinaries.suitable(forDumpOf: nil)
        let server = try await ScratchPostgres.start(
            on: host, in: try host.folder.privateFolder("p"), binaries: binaries, profile: .fast)
        do {
            let result = try await body(
                TestPostgres(socketFolder: server.socketFolder.path, host: host, binFolder: binaries.folder))
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }
}

/// A fresh, empty Redis that takes writes.
public func withTestRedis<Result: Sendable>(_ body: (TestRedis) async throws -> Result) async throws -> Result {
    try await withScratchHost { host in
        let server = try await ScratchRedis.start(on: host, in: try host.folder.privateFolder("r"), content: .nothing)
        do {
            let result = try await body(TestRedis(socketPath: server.socketPath, host: host))
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }
}
