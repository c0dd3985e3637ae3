// Finds the installations of Redis and Valkey on this machine, and asks each for its version.

import DrillModel
import Foundation
import Glibc
import ScratchHost

/// One installed server, and the programs that came with it.
public struct RedisBinaries: Sendable, Hashable, Codable {
    public enum Program: String, Sendable, Hashable, CaseIterable {
        case server
        case checkRDB = "check-rdb"
        case checkAOF = "check-aof"
        case cli
    }
    public var version: RedisVersion
    public var folder: String
    /// What its programs' names begin with: `valkey`, or `redis`, which Valkey goes by as well where a distribution wants that.
    public var prefix: String

    public init(version: RedisVersion, folder: String, prefix: String) {
        self.version = version
        self.folder = folder
        self.prefix = prefix
    }

    /// `valkey-check-rdb`.
    public func name(_ program: Program) -> String { "\(prefix)-\(program.rawValue)" }

    /// Where it lies: beside the server, or else by its name alone, for PATH to find.
    public func path(_ program: Program) -> String { isBeside(program) ? "\(folder)/\(name(program))" : name(program) }

    private func isBeside(_ program: Program) -> Bool { ScratchHost.locate("\(folder)/\(name(program))") != nil }

    /// Whether it came with the server, or is at least of its version. Another's checker may not know what this server reads.
    public func isOwn(_ program: Program) -> Bool {
        if isBeside(program) { return true }
        guard let found = ScratchHost.locate(name(program)).map({ URL(fileURLWithPath: $0) }) else { return false }
        let server = URL(fileURLWithPath: "\(folder)/\(name(.server))")
        // Most often all are one program. Of the checkers, that of snapshots alone tells its version, from 7 on.
        if found.resolvingSymlinksInPath() == server.resolvingSymlinksInPath() { return true }
        let teller = found.deletingLastPathComponent().appendingPathComponent(name(.checkRDB))
        return ScratchHost.version(of: teller.path)?.contains(version.number) ?? false
    }

    /// All installations, in the order in which they are looked for; of two of the same version the first.
    ///
    /// Looked for in `MUSTER_REDIS_BIN` (folders parted by colons), PATH, and `/opt/redis*/bin` and `/opt/valkey*/bin`.
    public static func installed() -> [RedisBinaries] {
        let environment = ProcessInfo.processInfo.environment
        var folders = (environment["MUSTER_REDIS_BIN"] ?? "").split(separator: ":").map(String.init)
        folders += (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map(String.init)
        folders += ((try? FileManager.default.contentsOfDirectory(atPath: "/opt")) ?? []).sorted()
            .filter { $0.hasPrefix("redis") || $0.hasPrefix("valkey") }.map { "/opt/\($0)/bin" }
        return installed(in: folders)
    }

    /// Those in some folders.
    public static func installed(in folders: [String]) -> [RedisBinaries] {
        var found: [RedisBinaries] = []
        var asked: Set<String> = []
        for folder in folders {
            // The tools run in a folder of their own.
            let folder = URL(fileURLWithPath: folder, isDirectory: true).standardizedFileURL.path
            for prefix in ["redis", "valkey"] {
                let server = "\(folder)/\(prefix)-server"
                // Drills run as a user without rights where Muster is root: one that this user can't run is none.
                guard ScratchHost.locate(server, forOthers: geteuid() == 0) != nil,
                    // `/bin` is `/usr/bin` on most machines.
                    asked.insert(URL(fileURLWithPath: server).resolvingSymlinksInPath().path).inserted,
                    let version = version(of: server), !found.contains(where: { $0.version == version })
                else { continue }
                found.append(RedisBinaries(version: version, folder: folder, prefix: prefix))
            }
        }
        return found
    }

    /// `Redis server v=7.0.15 sha=…`, `Valkey server v=9.1.2 sha=…`: the word, and not the file's name, says whose it is.
    private static func version(of server: String) -> RedisVersion? {
        guard let text = ScratchHost.version(of: server) else { return nil }
        guard let word = text.split(separator: " ").first(where: { $0.hasPrefix("v=") }) else { return nil }
        return RedisVersion(text.hasPrefix("Valkey") ? .valkey : .redis, word.dropFirst(2))
    }
}
