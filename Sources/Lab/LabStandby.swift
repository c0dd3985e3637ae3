// The streaming standby of the lab's Postgres: made of the running source once, and started again from then on.

import Foundation
import PostgresClient
import ScratchHost

/// What a failover of the lab goes to.
struct LabStandby: Sendable {
    let servers: LabServers
    let user: UnprivilegedUser?

    private var data: URL { servers.places.standbyData }
    private var configuration: PostgresConfiguration {
        PostgresConfiguration(
            host: servers.mark.secondZone.path, database: "template1", user: "postgres", connectTimeout: .seconds(2))
    }

    /// Starts it where it doesn't run. One that can't follow the source is made anew.
    func start() async throws {
        let isThere = FileManager.default.fileExists(atPath: data.appending(path: "PG_VERSION").path)
        if isThere, try await isUp(), await servers.wait(until: follows) { return }
        try Task.checkCancellation()
        try await servers.stopPostgres(user, on: data)
        try await take()
        guard try await isUp(), await servers.wait(until: follows) else {
            try Task.checkCancellation()
            throw LabError(.server, "the lab's standby did not start", hint: "look into \(data.path)/server.log")
        }
    }

    private func isUp() async throws -> Bool {
        if await PostgresConnection.accepts(configuration) { return true }
        // It looks for its source twice a second.
        return try await servers.startPostgres(
            user, on: data, socketFolder: servers.mark.secondZone, settings: " -c wal_retrieve_retry_interval=500")
    }

    private func follows() async -> Bool {
        guard let connection = try? await PostgresConnection.connect(configuration) else { return false }
        let answer = try? await connection.value(
            "SELECT pg_is_in_recovery() AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')")
        await connection.close()
        return answer == "t"
    }

    /// Under another name until it is whole: what an interrupted start left is no standby.
    private func take() async throws {
        let files = FileManager.default
        let fresh = servers.places.source.appending(path: "standby.new", directoryHint: .isDirectory)
        for folder in [fresh, data] where files.fileExists(atPath: folder.path) { try files.removeItem(at: folder) }
        try servers.makeFolder(fresh, for: user)
        let taken = try await servers.run(
            user,
            [
                "\(servers.mark.postgres)/pg_basebackup", "-h", servers.mark.socketFolder.path, "-U", "postgres", "-D", fresh.path,
                "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-password",
            ])
        guard taken else {
            throw LabError(
                .server, "the lab's standby could not be copied from its source", hint: "check free space in \(servers.places.source.path)")
        }
        // What pg_basebackup has written may hold options of a newer libpq than the one that the server loads. The last word counts.
        let handle = try FileHandle(forWritingTo: fresh.appending(path: "postgresql.auto.conf"))
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("primary_conninfo = 'host=''\(servers.mark.socketFolder.path)'' user=postgres'\n".utf8))
        try files.moveItem(at: fresh, to: data)
    }
}
