// Starts and stops the finished lab's two servers, which then outlive the command.

import Foundation
import Glibc
import PostgresClient
import RedisClient
import ScratchHost

/// The live source of a lab: what `muster seal` can be tried on.
struct LabServers: Sendable {
    static let environmentName = "MUSTER_LAB_ID"
    var places: LabPlaces
    var mark: LabMark

    var postgres: PostgresConfiguration {
        PostgresConfiguration(host: mark.socketFolder.path, database: LabDatabase.name, user: "postgres", connectTimeout: .seconds(2))
    }
    var redisSocket: String { mark.socketFolder.appending(path: "redis.sock").path }

    /// Starts what isn't running.
    func start() async throws {
        guard mark.complete else {
            throw LabError(.usage, "the lab was never finished", hint: "remove it with `muster lab destroy` and create it anew")
        }
        let user = try UnprivilegedUser.current()
        for folder in [places.postgresData, places.redisData] {
            guard try await run(user, ["test", "-x", folder.path]) else {
                throw LabError(
                    .usage, "the user \(user?.name ?? NSUserName()) can't enter \(folder.path)",
                    hint: "create the lab below a folder that everybody may pass, such as /tmp")
            }
        }
        try makeSocketFolder(for: user)
        if await !PostgresConnection.accepts(postgres) {
            let started = try await run(
                user,
                [
                    "\(mark.postgres)/pg_ctl", "start", "--wait", "--silent", "-D", places.postgresData.path,
                    "-l", places.postgresData.appending(path: "server.log").path, "-o", "-k \(mark.socketFolder.path)",
                ])
            guard started else {
                throw LabError(
                    .server, "the lab's postgres did not start", hint: "look into \(places.postgresData.path)/server.log")
            }
        }
        if await !redisAnswers() {
            let started = try await run(user, ["redis-server", places.redisData.appending(path: "redis.conf").path])
            guard started, await wait(until: { await redisAnswers() }) else {
                throw LabError(.server, "the lab's redis did not start", hint: "look into \(places.redisData.path)/server.log")
            }
        }
    }

    /// Stops what is running, and nothing that the lab didn't start.
    func stop() async throws {
        let user = try UnprivilegedUser.current()
        if FileManager.default.fileExists(atPath: places.postgresData.appending(path: "postmaster.pid").path) {
            _ = try await run(
                user, ["\(mark.postgres)/pg_ctl", "stop", "--wait", "--silent", "--mode=fast", "-D", places.postgresData.path])
        }
        if let redis = try? await RedisConnection.connect(unixSocket: redisSocket, timeout: .seconds(10)) {
            // The server goes without an answer.
            _ = try? await redis.command(["SHUTDOWN", "SAVE"])
            redis.close()
        }
        _ = await wait(until: { running().isEmpty })
        for process in running() { kill(process.pid, SIGKILL) }
        guard await wait(until: { running().isEmpty }) else {
            throw LabError(.server, "a server of the lab does not end", hint: "end it by hand: it works in \(places.source.path)")
        }
        try? FileManager.default.removeItem(at: mark.socketFolder)
    }

    /// Settings of the two servers, once their files lie where they stay.
    func writeSettings() throws {
        let postgres = [
            "listen_addresses = ''", "unix_socket_permissions = 0700", "fsync = off", "shared_buffers = 64MB", "min_wal_size = 32MB",
            "timezone = 'Asia/Kolkata'", "log_timezone = 'Asia/Kolkata'",
        ]
        try append(postgres, to: places.postgresData.appending(path: "postgresql.conf"))
        let redis = [
            "port 0", "unixsocket \(redisSocket)", "unixsocketperm 700", "dir \"\(places.redisData.path)\"", "appendonly yes",
            "appendfsync no", "save 3600 1", "daemonize yes", "logfile server.log", "enable-debug-command local",
            // Whoever asks for a snapshot as a replica would otherwise wait five seconds for company.
            "repl-diskless-sync-delay 0",
        ]
        try append(redis, to: places.redisData.appending(path: "redis.conf"))
        if let user = try UnprivilegedUser.current() {
            chown(places.redisData.appending(path: "redis.conf").path, user.userID, user.groupID)
        }
    }

    /// Moves a server's folder with its owner and modes, also to another disk.
    static func move(_ source: URL, to target: URL) async throws {
        let moved = try await ToolRunner.spawn(
            ["mv", "--no-target-directory", source.path, target.path], environment: [:], output: .discard, errors: .discard)
        guard moved.succeeded else {
            throw LabError(.storage, "cannot move a server's files to \(target.path)", hint: "check free space and permissions there")
        }
    }

    private func run(_ user: UnprivilegedUser?, _ command: [String]) async throws -> Bool {
        let environment = [Self.environmentName: mark.id, "TZ": "Asia/Kolkata"]
        return try await ToolRunner.spawn(
            (user?.prefix ?? []) + command, environment: environment, workingFolder: URL(fileURLWithPath: "/"), output: .discard,
            errors: .discard
        ).succeeded
    }

    private func running() -> [ProcessIdentity] {
        ProcessTable.belonging(toEnvironment: "\(Self.environmentName)=\(mark.id)", orFolder: places.source.path)
    }

    private func redisAnswers() async -> Bool {
        guard let redis = try? await RedisConnection.connect(unixSocket: redisSocket, timeout: .seconds(2)) else { return false }
        defer { redis.close() }
        return (try? await redis.command(["PING"])) == .status("PONG")
    }

    private func wait(until done: () async -> Bool) async -> Bool {
        for _ in 0..<500 {
            if await done() { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return await done()
    }

    /// In a folder that everybody may write to: one of that name that somebody else made is refused.
    private func makeSocketFolder(for user: UnprivilegedUser?) throws {
        let path = mark.socketFolder.path
        let owner = user?.userID ?? geteuid()
        if mkdir(path, 0o700) == 0 {
            if let user { chown(path, user.userID, user.groupID) }
            return
        }
        var status = stat()
        guard errno == EEXIST, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == owner else {
            throw LabError(.storage, "cannot make the folder \(path) for the sockets", hint: "remove what stands in its place")
        }
    }

    private func append(_ lines: [String], to file: URL) throws {
        var text = (try? Data(contentsOf: file)) ?? Data()
        text += Data(("\n# The lab's own.\n" + lines.joined(separator: "\n") + "\n").utf8)
        // Not atomically: the file keeps its owner.
        try text.write(to: file)
    }
}
