// Makes a damaged copy of a backup, with the good backup's truth still vouched for, and a drill that uses it.

import BackupAccess
import BackupCatalog
import Cryptography
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import PostgresClient
import PostgresRecovery
import RedisClient
import RedisRecovery
import ScratchHost
import Seals

/// Makes one damaged copy inside a scratch host.
struct DamagedCopy: Sendable {
    var plan: DrillPlan
    var recovery: Recovery
    var set: BackupSet
    var host: ScratchHost

    struct Made: Sendable {
        var plan: DrillPlan
        /// nil where nothing was damaged.
        var harm: Harm?
    }

    /// - Returns: nil where the backup holds nothing that could be damaged so.
    /// - Throws: ``DrillFailure`` where there is no sealed backup to begin with.
    func make(_ damage: Damage?) async throws -> Made? {
        let backups = ServiceBackups(estate: plan.estate, set: set, stores: RemoteStores(plan.estate, host: host))
        let disaster = if case .at(let date) = plan.incident { date } else { Date() }
        let points = try await backups.identify(before: disaster).points
        guard let point = points.first(where: { $0.sealState.seal != nil }), var seal = point.sealState.seal else {
            throw DrillFailure.error(
                Finding(
                    .notSealed, object: "\(set.service)/\(set.name)", expected: "a sealed backup", actual: "none",
                    message: "no backup is sealed, so no check could tell a good copy from a damaged one",
                    hint: "make backups with muster seal"))
        }
        // A seal of one database says nothing of others.
        if damage?.isOfClusters == true, seal.cluster == nil { return nil }
        let work = try host.folder.privateFolder("copy")
        try await backups.stores.bring(point)
        let retriever = ArtifactRetriever(host: host, decryption: try backups.keyring.decryption(of: set))
        let retrieved = try await retriever.retrieve(point, into: work) { _ in }
        let store = host.folder.url.appendingPathComponent("store", isDirectory: true)
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        let artifact = store.appendingPathComponent("damaged.copy")

        var harm: Harm?
        switch damage?.means {
        case .postgres(let apply):
            harm = try await damagePostgres(retrieved, point: point, seal: seal, to: artifact, apply)
            if harm == nil { return nil }
        case .script(let apply):
            harm = try await damagePostgres(retrieved, point: point, seal: seal, to: artifact, as: ["-Fp"]) { _, _ in Self.untold }
            harm = try harm.flatMap { _ in try change(artifact, apply) }
            if harm == nil { return nil }
        case .content(let apply):
            // Whatever it was, a folder or a file.
            try Data().write(to: artifact)
            harm = try change(artifact, apply)
            if harm == nil { return nil }
        case .redis(let apply):
            harm = try await damageRedis(retrieved, backup: point.path, to: artifact, apply)
            if harm == nil { return nil }
        default:
            let isPacked = retrieved.isFolder && !Self.isFolder(point.location)
            // What was one file stays one: a damage to files is done to it, and not to one of those in it.
            let plain = isPacked ? try await retriever.retrieveFile(point, into: host.folder.privateFolder("packed")) { _ in } : retrieved
            try copyPlain(plain, to: artifact)
        }
        // The truth stays the source's; only the artifact that it is said of is the copy. A damage to the file itself comes after.
        seal.artifact = try await Seal.Artifact.measuring(artifact)
        seal.globals = nil
        if let globals = retrieved.globals {
            let copy = store.appendingPathComponent("damaged.globals.sql")
            try FileManager.default.copyItem(at: globals, to: copy)
            seal.globals = try await Seal.Artifact.measuring(copy)
        }
        if case .sealed(let apply) = damage?.means { harm = apply(&seal) }
        let key = try Ed25519PrivateKey.generate()
        let sealFile = try SealFile.write(seal, besides: artifact, signedBy: key)
        switch damage?.means {
        case .artifact(let apply): harm = try change(artifact, apply)
        case .seal(let apply): harm = try change(sealFile, apply)
        default: break
        }
        if damage != nil, harm == nil { return nil }
        // Where its seal isn't believed, it is no younger than the backup that it is a copy of.
        try date(artifact, as: point.time)
        return Made(plan: try drill(store: store, artifact: artifact, globals: retrieved.globals, key: key), harm: harm)
    }

    private func damagePostgres(
        _ retrieved: RetrievedArtifact, point: RecoveryPoint, seal: Seal, to artifact: URL, as format: [String] = ["-Fc", "-Z1"],
        _ apply: @Sendable (PostgresConnection, PostgresTruth) async throws -> Harm?
    ) async throws -> Harm? {
        guard let identity = seal.identity else { return nil }
        let dump = try DumpSource(
            location: retrieved.location, format: retrieved.format, isFolder: retrieved.isFolder, globals: retrieved.globals,
            backup: point.path)
        let folder = try host.folder.privateFolder("db")
        let restored = try await DumpRestorer(
            host: host, folder: folder, profile: .fast, jobs: 2, service: set.service,
            needs: plan.estate.services[set.service]?.needs ?? ServerNeeds()
        ).restore(dump, identity: identity) { _ in }
        // Of a cluster the largest that is somebody's is damaged; a dump of one may not say what it is called.
        guard let truth = seal.postgres ?? seal.databases.first(where: { $0.identity.database == restored.database }) else {
            await restored.server.stop()
            return nil
        }
        let connection = try await PostgresConnection.connect(restored.server.configuration(database: restored.database))
        let harm = try await apply(connection, truth)
        await connection.close()
        guard let harm else {
            await restored.server.stop()
            return nil
        }
        let program =
            seal.cluster == nil ? [restored.server.binaries.path("pg_dump")] + format : [restored.server.binaries.path("pg_dumpall")]
        let dumped = try await host.run(
            program,
            environment: restored.server.environment(database: restored.database), workingFolder: folder, output: artifact)
        await restored.server.stop()
        guard dumped.succeeded else {
            throw ScratchError(.toolFailed, "the dump of the damaged copy ended with \(dumped.ending)", hint: "check free disk space")
        }
        return harm
    }

    private func damageRedis(
        _ retrieved: RetrievedArtifact, backup: String, to artifact: URL, _ apply: @Sendable (RedisConnection) async throws -> Harm?
    ) async throws -> Harm? {
        let folder = try host.folder.privateFolder("redis")
        let restorer = RedisRestorer(
            host: host, folder: folder, service: set.service, software: plan.estate.redisSoftware(of: set.service))
        let restored: RestoredRedis
        if set.kind == .aof {
            // The artifact itself is moved, and isn't needed again.
            restored = try await restorer.restoreAppendOnly(retrieved.location, isFolder: retrieved.isFolder, name: backup) { _, _ in }
        } else {
            let data = folder.appendingPathComponent("dump.rdb")
            try FileManager.default.copyItem(at: retrieved.location, to: data)
            restored = try await restorer.restoreSnapshot(data, isSnapshot: true) { _, _ in }
        }
        let server = restored.server
        do {
            let connection = try await server.connect()
            defer { connection.close() }
            _ = try await connection.command(["CONFIG", "SET", "replica-read-only", "no"])
            let harm = try await apply(connection)
            // What was appended is in the file before its command is answered.
            if harm != nil, set.kind != .aof { _ = try await connection.command(["SAVE"]) }
            await server.stop()
            if harm != nil { try FileManager.default.copyItem(at: try data(of: set.kind, in: folder), to: artifact) }
            return harm
        } catch {
            await server.stop()
            throw error
        }
    }

    /// What a server has made of the backup. From 7 on, one takes a single append-only file over as the base of a set.
    private func data(of kind: BackupSet.Kind, in folder: URL) throws -> URL {
        let names = kind == .aof ? ["appendonlydir", "appendonly.aof"] : ["dump.rdb"]
        let found = names.map { folder.appendingPathComponent($0) }.first { FileManager.default.fileExists(atPath: $0.path) }
        guard let found else {
            throw ScratchError(.toolFailed, "the damaged copy is not where its server keeps it", hint: "run it again with --show")
        }
        return found
    }

    /// Of a copy that nothing was done to yet.
    private static let untold = Harm(Rule("untold"), object: "")

    private func copyPlain(_ retrieved: RetrievedArtifact, to artifact: URL) throws {
        try FileManager.default.copyItem(at: retrieved.location, to: artifact)
    }

    /// - Parameter item: Of a folder, its largest file is changed.
    private func change(_ item: URL, _ apply: @Sendable (inout [UInt8]) -> Harm?) throws -> Harm? {
        let files = Self.files(in: item)
        guard let file = files.max(by: { Self.size(of: $0) < Self.size(of: $1) }) else { return nil }
        var bytes = Array(try Data(contentsOf: file))
        guard var harm = apply(&bytes) else { return nil }
        try Data(bytes).write(to: file)
        // A folder with an empty file in it is not empty, but smaller than what was sealed.
        if file != item, harm.rule == .artifactEmpty { harm.rule = .artifactTruncated }
        return harm
    }

    /// A damaged seal no longer says when the backup was made, and neither does every kind of file: without this the copy would be younger than the
    /// drill's incident.
    private func date(_ item: URL, as moment: Date) throws {
        for file in Self.files(in: item) {
            try FileManager.default.setAttributes([.modificationDate: moment], ofItemAtPath: file.path)
        }
    }

    /// All in a folder, or the one that it is.
    private static func files(in item: URL) -> [URL] {
        guard isFolder(item) else { return [item] }
        let names = FileManager.default.enumerator(atPath: item.path)?.allObjects.compactMap { $0 as? String } ?? []
        return names.sorted().map { item.appendingPathComponent($0) }.filter {
            (try? $0.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true
        }
    }

    private static func isFolder(_ item: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: item.path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private static func size(of file: URL) -> Int { (try? file.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0 }

    /// The drill, with the copy as its only backup and the throw-away key as the only trusted one.
    private func drill(store: URL, artifact: URL, globals: URL?, key: Ed25519PrivateKey) throws -> DrillPlan {
        let publicKey = store.appendingPathComponent(".trusted.pub")
        try Data(try key.publicKey().pem().utf8).write(to: publicKey)
        var set = set
        set.stores = ["sabotage"]
        set.match = artifact.lastPathComponent
        set.encryption = nil
        set.globals = globals == nil ? nil : "damaged.globals.sql"
        var copy = plan
        copy.estate.stores = ["sabotage": Store(name: "sabotage", location: .folder(store), zone: nil)]
        copy.estate.seals = SealPolicy(trustedKeys: [publicKey], required: true)
        copy.estate.services[recovery.service]?.backups = [set.name: set]
        var recovery = recovery
        recovery.selection = .latest
        copy.recover = [recovery]
        copy.profile = .fast
        // The drill's own questions and its targets are not what is put to the proof here.
        copy.checks = [:]
        copy.targets = Targets()
        return copy
    }
}
