// One night's backups: written, sealed, signed and dated to the simulated instant.

import Cryptography
import DrillModel
import Foundation
import PostgresClient
import ScratchHost
import Sealing
import Seals

/// Writes backups into the lab's store.
struct LabBackups: Sendable {
    static let estate = "domainscope"
    var places: LabPlaces
    var keys: LabKeys
    var host: ScratchHost
    /// The bin folder of the Postgres in use.
    var binaries: String

    /// The dump and its globals.
    func dump(_ database: PostgresConfiguration, at instant: Date) async throws -> URL {
        let name = "domainscope-" + LabCalendar.stamp(instant)
        let target = places.dumps.appending(path: name + ".dump.enc")
        let globals = places.dumps.appending(path: name + ".globals.sql.enc")
        let options = PostgresSealer.Options(flushed: false, head: { DumpClock.set(&$0, to: instant) })
        let sealer = PostgresSealer(source: database, binaries: binaries, options: options)
        var (_, seal) = try await sealer.seal(
            to: target, encryption: keys.encryption,
            for: PostgresSealer.Purpose(estate: Self.estate, service: "postgres", backup: "daily"))
        seal.snapshotTime = instant
        let written = try await sealer.tool.writeGlobals(to: globals, encryption: keys.encryption, passwords: true, flushed: false)
        seal.globals = Seal.Artifact(name: globals.lastPathComponent, size: written.bytesWritten, sha256: written.sha256)
        try finish(target, seal, at: instant)
        try date(globals, instant)
        return target
    }

    /// The dumps of several instants between which nothing changed: made once, and dated for each.
    func dumps(_ database: PostgresConfiguration, at instants: [Date]) async throws -> [URL] {
        guard let first = instants.first else { return [] }
        let made = try await dump(database, at: first)
        return [made] + (try await copies(of: made, at: Array(instants.dropFirst()), in: places.dumps, as: "daily"))
    }

    /// Copies of a night's dump, dated for other instants at which the database held the same.
    ///
    /// - Parameter backup: The series that they belong to.
    func copies(of made: URL, at instants: [Date], in folder: URL, as backup: String) async throws -> [URL] {
        guard !instants.isEmpty else { return [] }
        let globals = places.dumps.appending(path: made.lastPathComponent.replacing(".dump.enc", with: ".globals.sql.enc"))
        guard case .valid(let seal) = SealFile.read(besides: made, trusted: [try keys.signing.publicKey()]) else {
            throw LabError(.storage, "the seal that was just written doesn't hold", hint: "this is a mistake in muster: please report it")
        }
        let scratch = host.folder.url.appending(path: "copies", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let plain = scratch.appending(path: "plain")
        _ = try await ArtifactStream.copy(from: made, to: plain, decrypting: keys.encryption)
        var bytes = [UInt8](try Data(contentsOf: plain))
        var all: [URL] = []
        for instant in instants {
            let name = "domainscope-" + LabCalendar.stamp(instant)
            let target = folder.appending(path: name + ".dump.enc")
            guard DumpClock.set(&bytes, to: instant) else {
                throw LabError(.storage, "the copy of a dump can't be dated", hint: "install the postgres that Debian has")
            }
            try Data(bytes).write(to: plain)
            let stored = try await ArtifactStream.encrypt(from: plain, to: target, encryption: keys.encryption, flushed: false)
            var own = seal
            own.globals?.name = name + ".globals.sql.enc"
            own.backup = backup
            own.snapshotTime = instant
            own.artifact = Seal.Artifact(name: target.lastPathComponent, size: stored.bytesWritten, sha256: stored.sha256)
            try finish(target, own, at: instant)
            let copy = folder.appending(path: name + ".globals.sql.enc")
            try FileManager.default.copyItem(at: globals, to: copy)
            try date(copy, instant)
            all.append(target)
        }
        try FileManager.default.removeItem(at: scratch)
        return all
    }

    /// The snapshot of a cache, from the RDB file that its server wrote.
    func snapshot(_ rdb: URL, at instant: Date) async throws -> URL {
        let target = places.snapshots.appending(path: "dump-\(LabCalendar.stamp(instant)).rdb.enc")
        let truth = try await RedisSealer(host: host).truth(ofSnapshot: rdb)
        try await store(rdb, as: target, backup: "rdb", truth, at: instant)
        return target
    }

    /// A copy of the cache's append-only folder, as a tar with `appendonlydir` in it.
    func appendOnly(_ folder: URL, at instant: Date) async throws {
        let target = places.appendOnly.appending(path: "appendonly-\(LabCalendar.stamp(instant)).tar.enc")
        let truth = try await RedisSealer(host: host).truth(ofAppendOnly: folder, isFolder: true)
        let tar = folder.deletingLastPathComponent().appending(path: folder.lastPathComponent + ".tar")
        let packed = try await ToolRunner.spawn(
            [
                "tar", "--create", "--file", tar.path, "--sort=name", "--owner=redis:999", "--group=redis:999", "--mode=u=rwX,go=",
                "--mtime=@\(Int(instant.timeIntervalSince1970))", "--transform=s,^\(folder.lastPathComponent),appendonlydir,",
                "--directory", folder.deletingLastPathComponent().path, folder.lastPathComponent,
            ], environment: [:], output: .discard, errors: .discard)
        guard packed.succeeded else {
            throw LabError(.storage, "tar ended with \(packed.ending)", hint: "check free space in the scratch folder")
        }
        try await store(tar, as: target, backup: "aof", truth, at: instant)
    }

    private func store(_ plain: URL, as target: URL, backup: String, _ truth: RedisTruth, at instant: Date) async throws {
        let start = ContinuousClock.now
        let stored = try await ArtifactStream.encrypt(from: plain, to: target, encryption: keys.encryption, flushed: false)
        let seal = Seal(
            estate: Self.estate, service: "redis", backup: backup, truth: .source, snapshotTime: instant,
            backupSeconds: (ContinuousClock.now - start) / .seconds(1),
            artifact: Seal.Artifact(name: target.lastPathComponent, size: stored.bytesWritten, sha256: stored.sha256), redis: truth)
        try finish(target, seal, at: instant)
    }

    private func finish(_ artifact: URL, _ seal: Seal, at instant: Date) throws {
        let file = try SealFile.write(seal, besides: artifact, signedBy: keys.signing)
        try date(artifact, instant)
        try date(file, instant)
    }

    private func date(_ file: URL, _ instant: Date) throws {
        try FileManager.default.setAttributes([.modificationDate: instant], ofItemAtPath: file.path)
    }
}
