// A throw-away Redis server: its own configuration, a Unix socket, a copy of the data, gone with its drill.

public import DrillModel
public import Foundation
import Glibc
public import RedisClient
public import ScratchHost

extension Rule {
    public static let redisMissing = Rule("redis-missing")
    public static let redisTooOld = Rule("redis-too-old")
    public static let redisModuleMissing = Rule("redis-module-missing")
    public static let redisDataDamaged = Rule("redis-data-damaged")
}

/// A scratch server of one drill.
public struct ScratchRedis: Sendable {
    /// What the server comes up with.
    public enum Content: Sendable, Hashable, Codable {
        /// An empty server that takes writes: for tests and the lab.
        case nothing
        /// `dump.rdb`, already in the server's folder. The server is a replica of nowhere: only so do keys whose time has
        /// come stay in place, and count and digest equal those of the backup.
        case snapshot
        /// An append-only folder of several parts, already in the server's folder, by its name and its files' stem.
        case appendOnly(folder: String, stem: String)
        /// The one append-only file of Redis 2 to 6, already in the server's folder, by its name. A server from 7 on takes it over as the base of
        /// a set.
        case appendOnlyFile(String)
        /// What another scratch server in the same network sends on a port of loopback.
        case replica(port: Int)

        var isAppendOnly: Bool {
            switch self {
            case .appendOnly, .appendOnlyFile: true
            case .nothing, .snapshot, .replica: false
            }
        }
    }
    public let socketPath: String
    public let folder: URL
    public let log: URL
    public let process: ServerProcess
    public let content: Content
    /// What it was started with.
    public let binaries: RedisBinaries
    public let modules: [ServerModule]
    public let databases: Int

    /// As many as most servers never have; Muster's own marks lie in the last of them.
    public static let fewestDatabases = 1024

    /// Starts it and waits until it has loaded its data.
    ///
    /// - Parameters:
    ///   - folder: A private folder of the host's, which the data already lies in.
    ///   - binaries: The installation to start; nil: the one that is preferred where nothing is known.
    ///   - modules: What it loads as it starts.
    ///   - origin: What the data says of its writer.
    ///   - databases: As many as the data needs; it gets more where that is less than usual.
    ///   - loopback: Its network has a loopback device, so that a replica can be built of it.
    ///   - primary: Whose network it is started in; nil: in one of its own.
    ///   - progress: Loaded and total bytes, while it loads.
    /// - Throws: ``DrillFailure``: failed where the data doesn't load, error where the server can't be had; `CancellationError`.
    public static func start(
        on host: ScratchHost, in folder: URL, content: Content, binaries: RedisBinaries? = nil, modules: [ServerModule] = [],
        origin: RedisOrigin = RedisOrigin(), databases: Int = fewestDatabases, loopback: Bool = false,
        inNetworkOf primary: ScratchRedis? = nil, progress: @escaping @Sendable (Int64, Int64?) -> Void = { _, _ in }
    ) async throws -> ScratchRedis {
        let binaries = try binaries ?? RedisSoftware().preferred()
        let databases = max(databases, fewestDatabases)
        let socket = folder.appendingPathComponent("redis.sock").path
        let configuration = folder.appendingPathComponent("muster.conf")
        let log = folder.appendingPathComponent("server.log")
        let lines =
            settings(folder: folder, socket: socket, content: content, version: binaries.version, databases: databases)
            + modules.map { (["loadmodule", quoted($0.path)] + $0.arguments.map(quoted)).joined(separator: " ") }
        do {
            try UnlinkedFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: configuration)
            try host.folder.own(configuration)
        } catch {
            throw DrillFailure.error(
                Finding(
                    .scratchServerFailed, object: "redis", message: "the scratch server's configuration can't be written",
                    hint: "check free space and permissions, or choose another folder with --scratch"))
        }
        let process: ServerProcess
        do {
            process = try await host.start(
                [binaries.path(.server), configuration.path], loopback: loopback, inNetworkOf: primary?.process, connects: primary != nil,
                workingFolder: folder,
                log: log)
        } catch {
            throw DrillFailure.error(Finding(.scratchServerFailed, object: "redis", message: error.message, hint: error.hint))
        }
        let server = ScratchRedis(
            socketPath: socket, folder: folder, log: log, process: process, content: content, binaries: binaries, modules: modules,
            databases: databases)
        do {
            try await server.waitUntilLoaded(of: origin, progress: progress)
        } catch {
            await server.stop()
            throw error
        }
        return server
    }

    /// Speaks to this server, and to no other that code of a backup may have put in its place.
    public func connect() async throws(RedisError) -> RedisConnection {
        try await RedisConnection.connect(unixSocket: socketPath, listener: process.pid)
    }

    /// Whether it answers, were it only to refuse.
    public func answers() async -> Bool { await RedisConnection.answers(unixSocket: socketPath, listener: process.pid) }

    public func stop() async {
        await process.stop([(SIGKILL, .seconds(5))])
    }

    private static func settings(
        folder: URL, socket: String, content: Content, version: RedisVersion, databases: Int
    ) -> [String] {
        var lines = [
            "port 0", "unixsocket \(quoted(socket))", "unixsocketperm 700", "dir \(quoted(folder.path))", "dbfilename dump.rdb",
            "save \"\"", "daemonize no", "supervised no", "loglevel notice", "logfile \"\"", "maxmemory 0", "aof-load-truncated no",
            "rdbchecksum yes", "databases \(databases)", "appendfsync no", "auto-aof-rewrite-percentage 0",
        ]
        // Before 7 DEBUG needs no leave, and these words are unknown.
        if version.major >= 7 { lines += ["enable-debug-command local", "crash-log-enabled no", "crash-memcheck-enabled no"] }
        switch content {
        case .nothing: lines.append("appendonly no")
        case .snapshot: lines += ["appendonly no", "replicaof 127.0.0.1 1"]
        case .replica(let port): lines += ["appendonly no", "replicaof 127.0.0.1 \(port)"]
        case .appendOnly(let name, let stem):
            lines += [
                "appendonly yes", "appenddirname \(quoted(name))", "appendfilename \(quoted(stem))", "replicaof 127.0.0.1 1",
            ]
        case .appendOnlyFile(let name): lines += ["appendonly yes", "appendfilename \(quoted(name))", "replicaof 127.0.0.1 1"]
        }
        return lines
    }

    /// A configuration file parts its words at blanks.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }

    private func waitUntilLoaded(of origin: RedisOrigin, progress: @escaping @Sendable (Int64, Int64?) -> Void) async throws {
        var connection: RedisConnection?
        defer { connection?.close() }
        // Loading may take hours, but not without a word: the limit is on silence.
        var lastWord = ContinuousClock.now
        while true {
            try Task.checkCancellation()
            if process.ending != nil { throw failure(of: origin) }
            if connection == nil { connection = try? await connect() }
            if let text = try? await connection?.command(["INFO", "persistence"]).text {
                let fields = Self.fields(text)
                if fields["loading"] == "0" { return }
                lastWord = .now
                progress(fields["loading_loaded_bytes"].flatMap(Int64.init) ?? 0, fields["loading_total_bytes"].flatMap(Int64.init))
            } else {
                connection?.close()
                connection = nil
                if ContinuousClock.now - lastWord > .seconds(60) { throw failure(of: origin) }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    static func fields(_ info: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in info.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = String(line[line.index(after: colon)...])
        }
        return fields
    }

    /// Why it ended, from its own log's last words.
    private func failure(of origin: RedisOrigin) -> DrillFailure {
        let text = String(decoding: UnlinkedFile.data(log)?.suffix(16384) ?? Data(), as: UTF8.self)
        return RedisLog(text).failure(of: content, from: origin, on: binaries.version, ending: process.ending)
    }
}
