// A second cluster of the lab's, of PostgreSQL 17 or newer, with a chain of native incremental backups.

import Cryptography
import DrillModel
import Foundation
import PostgresClient
import PostgresRecovery
import ScratchHost

/// A full backup, two that build on it, and the write-ahead log behind them.
struct LabIncrementals: Sendable {
    /// Rows in all: a quarter in each of the three backups, and one in the log behind them.
    static let rows = 400
    var places: LabPlaces
    var keys: LabKeys
    var host: ScratchHost
    var binaries: PostgresBinaries

    /// The newest version that can; nil where this machine has none.
    static func binaries() -> PostgresBinaries? { PostgresBinaries.installed().last { $0.major >= 17 } }

    /// - Returns: The moment before the mistake.
    func make() async throws -> LabMoments {
        for folder in [places.incrementals, places.incrementalWAL] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        let folder = try host.folder.privateFolder("lab-incr")
        let first = try await ScratchPostgres.start(
            on: host, in: try host.folder.privateFolder("lab-17"), binaries: binaries, profile: .fast, dataChecksums: true)
        await first.process.stop([(2, .seconds(60))])
        let archiving = try await ArchivingPostgres.start(
            on: host, in: folder, dataFolder: first.dataFolder, binaries: binaries, compress: true, settings: [("summarize_wal", "on")])
        do {
            let session = try await PostgresConnection.connect(archiving.server.configuration(database: "postgres"))
            try await session.execute(
                "CREATE TABLE measurements (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, part text NOT NULL, value float8 NOT NULL)")
            try await write("full", session)
            let full = try await back(up: "1-full", on: nil, archiving, folder)
            try await write("first", session)
            try await archiving.switchSegment(session)
            let second = try await back(up: "2-incremental", on: full, archiving, folder)
            try await write("second", session)
            try await archiving.switchSegment(session)
            _ = try await back(up: "3-incremental", on: second, archiving, folder)
            try await write("log", session)
            // A backup's end is written in whole seconds: only a later second is surely behind it.
            try await Task.sleep(for: .milliseconds(2100))
            let target = try await LabPointInTime.moment(session)
            try await session.execute("DELETE FROM measurements")
            try await archiving.switchSegment(session)
            await session.close()
            await archiving.stop()
            try await LabPointInTime.encrypt(archiving.spool, into: places.incrementalWAL, keys: keys)
            return LabMoments(target: target, incident: Date())
        } catch {
            await archiving.stop()
            throw error
        }
    }

    private func write(_ part: String, _ session: PostgresConnection) async throws {
        try await session.execute(
            "INSERT INTO measurements (part, value) SELECT \(SQL.literal(part)), random() FROM generate_series(1, \(Self.rows / 4))")
    }

    /// - Returns: The manifest that the next one builds on.
    private func back(up name: String, on manifest: URL?, _ archiving: ArchivingPostgres, _ folder: URL) async throws -> URL {
        let plain = folder.appending(path: name, directoryHint: .isDirectory)
        let options = ["-Ft", "--compress=gzip:1", "-X", "fetch"] + (manifest.map { ["--incremental=\($0.path)"] } ?? [])
        try await archiving.baseBackup(to: plain, options: options)
        let target = places.incrementals.appending(path: "\(LabCalendar.stamp(Date()))-\(name)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try await LabPointInTime.encrypt(plain, into: target, keys: keys)
        return plain.appending(path: "backup_manifest")
    }
}
