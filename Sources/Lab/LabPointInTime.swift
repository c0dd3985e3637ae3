// The lab's base backups and archived write-ahead log, around a mistake of which the lab knows the moment.

import Cryptography
import Foundation
import PostgresClient
import PostgresRecovery
import ScratchHost

/// What a drill must know of the mistake.
struct LabMoments: Sendable {
    /// The moment before it, as the source's clock had it: an instant with its zone.
    var target: String
    /// When it was noticed.
    var incident: Date
}

/// Lets the lab's Postgres run on for a moment, on the real clock, with archiving on.
struct LabPointInTime: Sendable {
    /// Rows that were committed before the mistake.
    static let before = 200
    var places: LabPlaces
    var keys: LabKeys
    var host: ScratchHost
    var binaries: PostgresBinaries

    /// Two base backups, one before the mistake and one after it, and all segments in between.
    ///
    /// - Parameter dataFolder: Of the stopped server; it is stopped again, and holds what it held, when this returns.
    func make(of dataFolder: URL) async throws -> LabMoments {
        let folder = try host.folder.privateFolder("lab-wal")
        let repository = try await LabRepository.prepare(on: host, in: folder, dataFolder: dataFolder, keys: keys)
        let archiving = try await ArchivingPostgres.start(
            on: host, in: folder, dataFolder: dataFolder, binaries: binaries, compress: true, alsoArchiving: repository?.archiveCommand)
        do {
            let session = try await PostgresConnection.connect(archiving.server.configuration(database: LabDatabase.name))
            try await base("first", archiving, folder)
            try await repository?.back(up: "full")
            try await session.execute(
                "CREATE TABLE change_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL, at timestamptz NOT NULL)")
            for _ in 0..<4 {
                try await write("before", Self.before / 4, session)
                try await archiving.switchSegment(session)
            }
            try await repository?.back(up: "diff")
            // A backup's end is written in whole seconds: only a later second is surely behind it.
            try await Task.sleep(for: .milliseconds(2100))
            let target = try await Self.moment(session)
            try await session.execute("DELETE FROM change_log WHERE id % 2 = 0")
            try await write("after", 50, session)
            try await archiving.switchSegment(session)
            try await base("second", archiving, folder)
            try await repository?.back(up: "incr")
            try await write("after", 50, session)
            try await session.execute("SET domainscope.may_drop = on; DROP TABLE change_log")
            try await archiving.switchSegment(session)
            await session.close()
            await archiving.stop()
            try await Self.encrypt(archiving.spool, into: places.wal, keys: keys)
            try await repository?.store(at: places.repository)
            return LabMoments(target: target, incident: Date())
        } catch {
            await archiving.stop()
            throw error
        }
    }

    /// A moment with a pause on both sides, so that no transaction shares its microsecond.
    static func moment(_ session: PostgresConnection) async throws -> String {
        try await Task.sleep(for: .milliseconds(20))
        let text = try await session.value(
            "SELECT to_char(clock_timestamp() AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || '+05:30'")
        try await Task.sleep(for: .milliseconds(20))
        guard let text else { throw LabError(.server, "the server has no clock", hint: "report this as a defect of muster") }
        return text
    }

    private func write(_ note: String, _ rows: Int, _ session: PostgresConnection) async throws {
        for _ in 0..<5 {
            try await session.execute(
                "INSERT INTO change_log (note, at) SELECT \(SQL.literal(note)), clock_timestamp() FROM generate_series(1, \(rows / 5))")
        }
    }

    private func base(_ name: String, _ archiving: ArchivingPostgres, _ folder: URL) async throws {
        let plain = folder.appending(path: name, directoryHint: .isDirectory)
        try await archiving.baseBackup(to: plain, options: ["-Ft", "--compress=gzip:1", "-X", "fetch"])
        let target = places.baseBackups.appending(path: "\(LabCalendar.stamp(Date()))-\(name)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(
            at: target, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try await Self.encrypt(plain, into: target, keys: keys)
        try FileManager.default.removeItem(at: plain)
    }

    /// Every file of a folder, encrypted under its name and `.enc`.
    static func encrypt(_ folder: URL, into target: URL, keys: LabKeys) async throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() where !name.hasPrefix(".") {
            _ = try await ArtifactStream.encrypt(
                from: folder.appending(path: name), to: target.appending(path: name + ".enc"), encryption: keys.encryption, flushed: false)
        }
    }
}
