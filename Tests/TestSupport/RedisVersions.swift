// Redis and Valkey of other versions than the system's, for tests: scripts/setup-tests brings them.

public import Foundation
import Glibc
public import RedisClient
public import RedisRecovery
public import ScratchHost
import ServerVersions

/// A release that tests are run with. Each lies in a folder of its own, and nothing but tests uses it.
public enum RedisRelease: String, Sendable, Hashable, CaseIterable {
    /// The last line with a single append-only file.
    case redis6 = "redis-6.2"
    case redis7 = "redis-7.4"
    case redis8 = "redis-8.2"
    case valkey9 = "valkey-9.1"

    /// nil where it isn't on this machine.
    public var folder: String? { installation.bin }

    private var installation: Installation {
        switch self {
        case .redis6: .redis62
        case .redis7: .redis74
        case .redis8: .redis82
        case .valkey9: .valkey91
        }
    }

    public var isValkey: Bool { self == .valkey9 }

    /// Locally its absence skips; in CI it fails, since CI installs it.
    public static func areHere(_ releases: RedisRelease...) -> Bool { TestMachine.inCI || releases.allSatisfy { $0.folder != nil } }

    /// The software that a service of the estate with this folder as its `binaries` has.
    public var software: RedisSoftware { RedisSoftware(binaries: URL(fileURLWithPath: folder ?? "/opt/muster-test/\(rawValue)/bin")) }
}

/// What the system itself has.
public let systemRedis = RedisSoftware(binaries: URL(fileURLWithPath: "/usr/bin"))

/// A running server as production would run it, with settings of its own.
public struct SourceRedis: Sendable {
    public let folder: URL
    public let socketPath: String
    public let connection: RedisConnection
    public let host: ScratchHost

    public func run(_ words: String...) async throws { try await connection.command(words) }

    /// Until no rewrite is under way.
    public func rewrite() async throws {
        try await run("BGREWRITEAOF")
        for _ in 0..<4000 {
            let text = try await connection.command(["INFO", "persistence"]).text ?? ""
            if text.contains("aof_rewrite_in_progress:0"), text.contains("aof_rewrite_scheduled:0") { return }
            try await Task.sleep(for: .milliseconds(25))
        }
    }
}

/// Starts a server of some software, with settings as on its command line.
public func withSourceRedis<Result: Sendable>(
    _ software: RedisSoftware, _ settings: [String] = [], _ body: (SourceRedis) async throws -> Result
) async throws -> Result {
    try await withScratchHost("source") { host in
        let binaries = try software.preferred()
        let folder = try host.folder.privateFolder("src")
        let socket = folder.appendingPathComponent("s").path
        var words = [binaries.path(.server), "--port", "0", "--unixsocket", socket, "--dir", folder.path, "--save", ""] + settings
        if binaries.version.major >= 7 { words += ["--enable-debug-command", "yes"] }
        let process = try await host.start(words, workingFolder: folder, log: folder.appendingPathComponent("log"))
        var connection: RedisConnection?
        for _ in 0..<4000 where connection == nil {
            connection = try? await RedisConnection.connect(unixSocket: socket)
            if connection == nil { try await Task.sleep(for: .milliseconds(25)) }
        }
        do {
            guard let connection else { throw RedisError(.cannotConnect, message: "the source did not start", hint: "") }
            let result = try await body(SourceRedis(folder: folder, socketPath: socket, connection: connection, host: host))
            connection.close()
            await process.stop([(SIGKILL, .seconds(5))])
            return result
        } catch {
            await process.stop([(SIGKILL, .seconds(5))])
            throw error
        }
    }
}
