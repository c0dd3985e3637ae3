// A small real cluster with a base backup and an archive, made once a test, and what the tests know of it.

import ArtifactFormats
import Cryptography
import DrillModel
import Foundation
import Lab
import PostgresClient
import PostgresRecovery
import ScratchHost
import TestSupport

@testable import PhysicalRecovery

/// Five rows `before`, then the target, then five rows `after`, each in a segment of its own.
struct ArchivedCluster: Sendable {
    let host: ScratchHost
    /// Holds `base` (files), `tar` (gzip) and `wal` (plain segments).
    let store: URL
    let target: Date
    let lsn: UInt64
    /// The transaction that wrote `after`.
    let transaction: UInt64
    let segments: [String]

    func url(_ path: String) -> URL { store.appendingPathComponent(path) }

    /// Copies the base backup and rolls it forward.
    func recover(
        base: String = "base", wal: String? = "wal", partial: Set<WALSegmentName> = [], to goal: RecoveryTarget.Goal,
        inclusive: Bool = true, timeline: RecoveryTarget.Timeline = .latest, encryption: ArtifactStream.Encryption? = nil,
        walEncryption: ArtifactStream.Encryption? = nil,
        check: (RecoveredCluster, CopiedBase) async throws -> Void
    ) async throws {
        let folder = try host.folder.privateFolder("r\(UInt16.random(in: .min ... .max))")
        let backup = try BaseBackup(at: url(base), name: base, encryption: encryption)
        let copied = try await BaseBackupCopy(host: host, folder: folder).copy(backup, manifest: try await backup.manifest()) { _ in }
        var files: [WALFileName: URL] = [:]
        if let wal {
            for name in try FileManager.default.contentsOfDirectory(atPath: url(wal).path) {
                if let known = WALFileName(stored: name) { files[known] = url(wal).appendingPathComponent(name) }
            }
        }
        let cluster = try await PointInTimeRecovery(
            host: host, folder: folder, base: copied, backup: base, service: "postgres", profile: .fast,
            wal: wal == nil ? nil : WALSource(files: files, encryption: walEncryption, partial: partial),
            target: RecoveryTarget(goal, inclusive: inclusive, timeline: timeline)
        ).run(superusers: ["postgres"]) { _, _ in }
        do {
            try await check(cluster, copied)
        } catch {
            await cluster.server?.stop()
            throw error
        }
        await cluster.server?.stop()
        try FileManager.default.removeItem(at: folder)
    }

    /// Works on a copy of the archive.
    func copy(_ name: String, as other: String) throws {
        try? FileManager.default.removeItem(at: url(other))
        try FileManager.default.copyItem(at: url(name), to: url(other))
    }

    /// Rows by their note, as text: `after 5, before 5`.
    static func rows(_ cluster: RecoveredCluster) async throws -> String {
        guard let server = cluster.server else { return "no server: \(String(describing: cluster.failure))" }
        let connection = try await PostgresConnection.connect(server.configuration(database: "postgres"))
        let rows = try await connection.query("SELECT note || ' ' || count(*) FROM notes GROUP BY note ORDER BY note")
        await connection.close()
        return rows.compactMap { $0[0] }.joined(separator: ", ")
    }
}

func withArchivedCluster(_ body: (ArchivedCluster) async throws -> Void) async throws {
    try await withScratchHost { host in
        let binaries = try PostgresBinaries.suitable(forDumpOf: nil)
        let folder = try host.folder.privateFolder("source")
        let first = try await ScratchPostgres.start(on: host, in: folder, binaries: binaries, profile: .fast, dataChecksums: true)
        await first.process.stop([(2, .seconds(60))])
        let archiving = try await ArchivingPostgres.start(
            on: host, in: try host.folder.privateFolder("live"), dataFolder: first.dataFolder, binaries: binaries, compress: false,
            settings: [("track_commit_timestamp", "on")])
        do {
            let session = try await PostgresConnection.connect(archiving.server.configuration(database: "postgres"))
            try await session.execute("CREATE TABLE notes (note text NOT NULL)")
            let store = folder.appendingPathComponent("store")
            try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
            try host.folder.own(store)
            try await archiving.baseBackup(to: store.appendingPathComponent("base"), options: ["-Fp", "-X", "none"])
            try await archiving.baseBackup(to: store.appendingPathComponent("tar"), options: ["-Ft", "--gzip", "-X", "fetch"])
            var segments: [String] = []
            for _ in 0..<5 {
                try await session.execute("INSERT INTO notes VALUES ('before')")
                segments.append(try await archiving.switchSegment(session))
            }
            try await Task.sleep(for: .milliseconds(20))
            let time = try await session.value("SELECT clock_timestamp() AT TIME ZONE 'UTC'") ?? ""
            let lsn = try await session.value("SELECT pg_create_restore_point('mistake')") ?? ""
            try await Task.sleep(for: .milliseconds(20))
            let transaction = try await session.value("WITH x AS (INSERT INTO notes VALUES ('after')) SELECT txid_current()") ?? ""
            for _ in 0..<4 {
                segments.append(try await archiving.switchSegment(session))
                try await session.execute("INSERT INTO notes VALUES ('after')")
            }
            segments.append(try await archiving.switchSegment(session))
            await session.close()
            await archiving.stop()
            try FileManager.default.copyItem(at: archiving.spool, to: store.appendingPathComponent("wal"))
            try await body(
                ArchivedCluster(
                    host: host, store: store, target: ServerClock.date(time, zone: .gmt) ?? .distantPast,
                    lsn: WALPosition.parse(lsn) ?? 0, transaction: UInt64(transaction) ?? 0, segments: segments))
        } catch {
            await archiving.stop()
            throw error
        }
    }
}

extension ArchivedCluster {
    /// Brings the cluster back from an archive and promotes it, as a standby is at a failover: it archives into the same folder from then on.
    func promote(from archive: String, binaries: PostgresBinaries, _ body: (PostgresConnection) async throws -> Void) async throws {
        let folder = try host.folder.privateFolder("p\(UInt16.random(in: .min ... .max))")
        let data = folder.appendingPathComponent("data")
        try FileManager.default.copyItem(at: url("base"), to: data)
        try Data().write(to: data.appendingPathComponent("recovery.signal"))
        for top in [data, url(archive)] {
            let paths = FileManager.default.enumerator(atPath: top.path)?.compactMap { $0 as? String } ?? []
            for path in [""] + paths { try host.folder.own(top.appendingPathComponent(path)) }
        }
        chmod(data.path, 0o700)
        let promoted = try await ArchivingPostgres.start(
            on: host, in: folder, dataFolder: data, binaries: binaries, compress: false,
            settings: [
                ("restore_command", "cp \"\(url(archive).path)/%f\" \"%p\""), ("hot_standby", "off"), ("track_commit_timestamp", "on"),
            ])
        do {
            let session = try await PostgresConnection.connect(promoted.server.configuration(database: "postgres"))
            try await body(session)
            for _ in 0..<2 { try await promoted.switchSegment(session) }
            await session.close()
        } catch {
            await promoted.stop()
            throw error
        }
        await promoted.stop()
        for name in try FileManager.default.contentsOfDirectory(atPath: promoted.spool.path) where !name.hasPrefix(".") {
            try? FileManager.default.removeItem(at: url("\(archive)/\(name)"))
            try FileManager.default.copyItem(at: promoted.spool.appendingPathComponent(name), to: url("\(archive)/\(name)"))
        }
        try FileManager.default.removeItem(at: folder)
    }
}
