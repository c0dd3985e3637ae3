// A live Postgres that archives its write-ahead log and lets base backups be taken.

import DrillModel
public import Foundation
import Glibc
public import PostgresClient
public import PostgresRecovery
public import ScratchHost

/// A server on an existing data folder, with archiving on.
public struct ArchivingPostgres: Sendable {
    public let server: ScratchPostgres
    /// Where its archive_command puts segments, compressed or not.
    public let spool: URL
    private let host: ScratchHost

    /// - Parameters:
    ///   - folder: A private folder of the host's, for configuration and socket.
    ///   - dataFolder: Of a server that was stopped in order.
    ///   - compress: The archive gets `.gz` files.
    ///   - other: A second archive_command, run after the first.
    ///   - settings: Beside what archiving needs.
    public static func start(
        on host: ScratchHost, in folder: URL, dataFolder: URL, binaries: PostgresBinaries, compress: Bool,
        alsoArchiving other: String? = nil, settings: [(name: String, value: String)] = []
    ) async throws -> ArchivingPostgres {
        let spool = folder.appending(path: "archive", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: spool, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try host.folder.own(spool)
        let rules = folder.appending(path: "hba.conf")
        try Data("local all all trust\nlocal replication all trust\n".utf8).write(to: rules)
        try host.folder.own(rules)
        // The name appears only when the file is whole, as an archive must have it.
        let command =
            compress
            ? "gzip -1c \"%p\" > \"\(spool.path)/.%f\" && mv \"\(spool.path)/.%f\" \"\(spool.path)/%f.gz\""
            : "cp \"%p\" \"\(spool.path)/.%f\" && mv \"\(spool.path)/.%f\" \"\(spool.path)/%f\""
        let server = try await ScratchPostgres.startRecovery(
            on: host, in: folder, dataFolder: dataFolder, binaries: binaries, profile: .fast, superuser: "postgres",
            settings: [
                ("hba_file", rules.path), ("wal_level", "replica"), ("max_wal_senders", "4"), ("archive_mode", "on"),
                ("archive_command", other.map { "\(command) && \($0)" } ?? command), ("full_page_writes", "on"), ("autovacuum", "off"),
            ] + settings)
        let archiving = ArchivingPostgres(server: server, spool: spool, host: host)
        do {
            try await archiving.waitUntil { await PostgresConnection.accepts(server.configuration(database: "template1")) }
        } catch {
            await server.stop()
            throw error
        }
        return archiving
    }

    /// Takes a base backup as an operator would.
    ///
    /// - Parameter options: Beside the target and the connection: `-Ft`, `--gzip`, `-X none`.
    public func baseBackup(to target: URL, options: [String]) async throws {
        let log = target.deletingLastPathComponent().appending(path: "pg_basebackup.log")
        let result = try await host.run(
            [server.binaries.path("pg_basebackup"), "-D", target.path, "--checkpoint=fast", "--no-sync"] + options,
            environment: server.environment(database: "postgres"), errors: log)
        guard result.succeeded else {
            throw LabError(.server, "pg_basebackup ended with \(result.ending)", hint: "check free space in the scratch folder")
        }
    }

    /// Ends the current segment and waits until it is archived.
    ///
    /// - Returns: Its name.
    @discardableResult
    public func switchSegment(_ session: PostgresConnection) async throws -> String {
        // A record first: an empty segment is not switched.
        let name = try await session.value("SELECT pg_walfile_name(pg_logical_emit_message(false, 'muster', ''))") ?? ""
        _ = try await session.value("SELECT pg_switch_wal()")
        try await waitUntil {
            FileManager.default.fileExists(atPath: spool.appending(path: name).path)
                || FileManager.default.fileExists(atPath: spool.appending(path: name + ".gz").path)
        }
        return name
    }

    /// Ends it in order.
    public func stop() async {
        await server.process.stop([(SIGINT, .seconds(60))])
    }

    private func waitUntil(_ done: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if await done() { return }
            if server.process.ending != nil { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw LabError(.server, "the archiving server doesn't do its work", hint: "check free space in the scratch folder")
    }
}
