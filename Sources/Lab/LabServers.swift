// Starts and stops the finished lab's four servers, which then outlive the command.

import Foundation
import Glibc
import PostgresClient
import ScratchHost

/// The live source of a lab, and what follows it in the other zone: what seals and failovers can be tried on.
struct LabServers: Sendable {
    static let environmentName = "MUSTER_LAB_ID"
    var places: LabPlaces
    var mark: LabMark

    var postgres: PostgresConfiguration {
        PostgresConfiguration(host: mark.socketFolder.path, database: LabDatabase.name, user: "postgres", connectTimeout: .seconds(2))
    }
    var redisServer: String { mark.redis ?? "redis-server" }
    var redisSocket: String { mark.socketFolder.appending(path: "redis.sock").path }

    /// Starts what isn't running, the sources first. A start that fails or is cancelled ends what it started, where nothing ran before.
    func start() async throws {
        guard mark.complete else {
            throw LabError(.usage, "the lab was never finished", hint: "remove it with `muster lab destroy` and create it anew")
        }
        try checkTools()
        let user = try UnprivilegedUser.current()
        for folder in [places.postgresData, places.redisData] {
            guard try await run(user, ["test", "-x", folder.path]) else {
                throw LabError(
                    .usage, "the user \(user?.name ?? NSUserName()) can't enter \(folder.path)",
                    hint: "create the lab below a folder that everybody may pass, such as /tmp")
            }
        }
        let isFresh = running().isEmpty
        do {
            try makeFolder(mark.socketFolder, for: user)
            bringBackSockets()
            try makeFolder(mark.secondZone, for: user)
            try await startPostgres(user)
            try await LabStandby(servers: self, user: user).start()
            try await LabReplica(servers: self, user: user).start()
        } catch {
            // In a task of its own, which knows nothing of the cancellation.
            if isFresh { await Task { try? await stop() }.value }
            throw error
        }
    }

    private func startPostgres(_ user: UnprivilegedUser?) async throws {
        if await PostgresConnection.accepts(postgres) { return }
        guard try await startPostgres(user, on: places.postgresData, socketFolder: mark.socketFolder) else {
            throw LabError(.server, "the lab's postgres did not start", hint: "look into \(places.postgresData.path)/server.log")
        }
    }

    /// - Returns: Whether it came up.
    func startPostgres(_ user: UnprivilegedUser?, on data: URL, socketFolder: URL, settings: String = "") async throws -> Bool {
        try await run(
            user,
            [
                "\(mark.postgres)/pg_ctl", "start", "--wait", "--silent", "-D", data.path, "-l", data.appending(path: "server.log").path,
                "-o", "-k \(socketFolder.path)\(settings)",
            ])
    }

    func stopPostgres(_ user: UnprivilegedUser?, on data: URL) async throws {
        guard FileManager.default.fileExists(atPath: data.appending(path: "postmaster.pid").path) else { return }
        _ = try await run(user, ["\(mark.postgres)/pg_ctl", "stop", "--wait", "--silent", "--mode=fast", "-D", data.path])
    }

    /// Stops what is running, and nothing that the lab didn't start.
    func stop() async throws {
        let user = try UnprivilegedUser.current()
        // Who follows goes first.
        for data in [places.standbyData, places.postgresData] { try await stopPostgres(user, on: data) }
        // Redis saves and ends, also where its socket was moved away.
        for process in running() { kill(process.pid, SIGTERM) }
        _ = await wait(until: { running().isEmpty })
        for process in running() { kill(process.pid, SIGKILL) }
        guard await wait(until: { running().isEmpty }) else {
            throw LabError(.server, "a server of the lab does not end", hint: "end it by hand: it works in \(places.source.path)")
        }
        try? FileManager.default.removeItem(at: mark.socketFolder)
    }

    private func checkTools() throws {
        for name in ["pg_ctl", "postgres", "pg_basebackup"] {
            guard FileManager.default.isExecutableFile(atPath: "\(mark.postgres)/\(name)") else {
                throw LabError(
                    .toolMissing, "\(mark.postgres)/\(name) is not on this machine",
                    hint: "install the PostgreSQL that the lab was made with, or create the lab anew")
            }
        }
        guard ScratchHost.locate(redisServer) != nil else {
            throw LabError(
                .toolMissing, "\(redisServer) is not on this machine",
                hint: "install the redis or valkey that the lab was made with, or create the lab anew")
        }
    }

    /// A drill that was killed while the first zone was cut off left them where no client looks.
    private func bringBackSockets() {
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: mark.lostSockets.path)) ?? [] where name != "redis.port" {
            try? files.moveItem(at: mark.lostSockets.appending(path: name), to: mark.socketFolder.appending(path: name))
        }
        try? files.removeItem(at: mark.lostSockets)
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

    func run(_ user: UnprivilegedUser?, _ command: [String]) async throws -> Bool {
        let environment = [Self.environmentName: mark.id, "TZ": "Asia/Kolkata"]
        return try await ToolRunner.spawn(
            (user?.prefix ?? []) + command, environment: environment, workingFolder: URL(fileURLWithPath: "/"), output: .discard,
            errors: .discard
        ).succeeded
    }

    private func running() -> [ProcessIdentity] {
        ProcessTable.belonging(toEnvironment: "\(Self.environmentName)=\(mark.id)", orFolder: places.source.path)
    }

    func wait(until done: () async -> Bool) async -> Bool {
        for _ in 0..<500 {
            if await done() { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return await done()
    }

    /// In a folder that everybody may write to: one of that name that somebody else made is refused.
    func makeFolder(_ folder: URL, for user: UnprivilegedUser?) throws {
        let path = folder.path
        let owner = user?.userID ?? geteuid()
        if mkdir(path, 0o700) == 0 {
            if let user { chown(path, user.userID, user.groupID) }
            return
        }
        var status = stat()
        guard errno == EEXIST, lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == owner else {
            throw LabError(.storage, "cannot make the folder \(path)", hint: "remove what stands in its place")
        }
    }

    private func append(_ lines: [String], to file: URL) throws {
        var text = (try? Data(contentsOf: file)) ?? Data()
        text += Data(("\n# The lab's own.\n" + lines.joined(separator: "\n") + "\n").utf8)
        // Not atomically: the file keeps its owner.
        try text.write(to: file)
    }
}
