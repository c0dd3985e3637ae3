// Makes a damaged copy of a whole cluster from a physical backup, and a drill that restores it by copying.

import BackupAccess
import Drills
import BackupCatalog
import Cryptography
import DrillEngine
import DrillModel
import Foundation
import PhysicalRecovery
import PostgresClient
import PostgresRecovery
import ScratchHost

/// Recovers a physical backup as its drill would, ends the server in order, and damages one table's file.
///
/// A cold copy has neither manifest nor log: what is put to the proof is what the drill asks of the files themselves, as if the source had
/// had the damage before its backup.
struct DamagedCluster: Sendable {
    var plan: DrillPlan
    var recovery: Recovery
    var set: BackupSet
    var host: ScratchHost

    /// - Returns: nil where the cluster holds no table that could be damaged so.
    /// - Throws: ``DrillFailure`` where the backup itself can't be recovered.
    func make(_ damage: Damage?) async throws -> DamagedCopy.Made? {
        let store = host.folder.url.appendingPathComponent("store", isDirectory: true)
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        let copy = store.appendingPathComponent("damaged.copy", isDirectory: true)
        let server = try await recover()
        do {
            let database = try await RestoredDatabases(server: server, service: set.service)
                .main(preferring: plan.estate.services[set.service]?.source?.database)
            let connection = try await PostgresConnection.connect(server.configuration(database: database))
            let tables = try await connection.query(Self.tables)
            let tablespaces = try await connection.value("SELECT count(*) FROM pg_tablespace WHERE oid >= 16384")
            await connection.close()
            // In order: what has no label is believed of a server that was shut down, and of no other.
            await server.process.stop([(2, .seconds(600))])
            guard tablespaces == "0" else {
                throw DrillFailure.error(
                    Finding(
                        .scratchUnusable, object: set.name, expected: "a cluster without tablespaces", actual: tablespaces ?? "",
                        message: "a cluster with tablespaces can't be copied for this", hint: "sabotage a dump of the same databases"))
            }
            guard let damage, case .tableFile(let apply) = damage.means else {
                try FileManager.default.moveItem(at: server.dataFolder, to: copy)
                return DamagedCopy.Made(plan: drill(store: store, copy: copy), harm: nil)
            }
            guard let table = tables.first, let name = table[0], let path = table[1] else { return nil }
            let file = server.dataFolder.appendingPathComponent(path)
            // The copy's own code may have put a link there.
            var bytes = Array(try UnlinkedFile.reader(file).readToEnd() ?? Data())
            guard let harm = apply(&bytes, name) else { return nil }
            try UnlinkedFile.write(Data(bytes), to: file)
            try FileManager.default.moveItem(at: server.dataFolder, to: copy)
            return DamagedCopy.Made(plan: drill(store: store, copy: copy), harm: harm)
        } catch {
            await server.stop()
            throw error
        }
    }

    private func recover() async throws -> ScratchPostgres {
        let backups = ServiceBackups(estate: plan.estate, set: set, stores: RemoteStores(plan.estate, host: host))
        let disaster = if case .at(let date) = plan.incident { date } else { Date() }
        // A copy that is damaged afterwards is of no moment.
        let target = recovery.target.flatMap { $0.goal == .moment ? nil : $0 } ?? RecoveryTarget(.end)
        let all = try await backups.identify(before: disaster).points
        guard let point = try await TargetedPoints(source: backups, target: target).choose(all).points.first else {
            throw DrillFailure.error(
                Finding(
                    .baseFileMissing, object: "\(set.service)/\(set.name)", expected: "a backup to damage a copy of", actual: "none",
                    message: "the drill has no backup to recover from", hint: "run the drill itself, which says more"))
        }
        let log = SilentLog()
        let folder = try host.folder.privateFolder("db")
        let backup = PhysicalBackup(source: backups, point: point, others: all, profile: .fast, target: target, host: host)
        try await backups.bring(point, log)
        let copied = try await backup.bring(into: folder, log)
        let catalogue = try await backups.catalogue()
        let wal = try catalogue.walFiles()
        try await backups.stores.bring(wal, of: set)
        let user = plan.estate.services[set.service]?.source?.user
        let cluster = try await PointInTimeRecovery(
            host: host, folder: folder, base: copied, backup: point.path, service: set.service, profile: .fast,
            wal: try backup.archive(of: wal, partial: catalogue.partialSegments(), data: copied.dataFolder), target: target
        ).run(superusers: ["postgres"] + (user.map { [$0] } ?? [])) { _, _ in }
        return try cluster.outcome.get()
    }

    /// The largest table of the database's own that a B-tree leads to, below one segment.
    private static let tables = """
        SELECT format('%I.%I', n.nspname, c.relname), pg_relation_filepath(c.oid) FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND pg_relation_size(c.oid) BETWEEN 8192 AND 1000000000 AND EXISTS (
            SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
            WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND a.amname = 'btree')
        ORDER BY pg_relation_size(c.oid) DESC, 1 LIMIT 1
        """

    /// The drill, with the copy as its only backup.
    private func drill(store: URL, copy: URL) -> DrillPlan {
        var set = set
        set.kind = .command
        set.stores = ["sabotage"]
        set.match = copy.lastPathComponent
        (set.encryption, set.globals, set.wal, set.stanza) = (nil, nil, nil, nil)
        set.restore = RestoreCommand(restore: ["cp", "-a", "{backup}/.", "{data}"])
        var plan = plan
        plan.estate.stores = ["sabotage": Store(name: "sabotage", location: .folder(store), zone: nil)]
        plan.estate.seals = SealPolicy()
        plan.estate.services[recovery.service]?.backups = [set.name: set]
        var recovery = recovery
        (recovery.selection, recovery.target) = (.latest, nil)
        plan.recover = [recovery]
        plan.profile = .fast
        plan.incident = .now
        plan.checks = [:]
        plan.targets = Targets()
        return plan
    }
}

/// Where what a step tells is nobody's concern.
private struct SilentLog: StepLog {
    func record(_ result: CaseResult) {}
    func fact(_ name: String, _ value: String) {}
    func progress(_ label: String, completed: Int64, total: Int64?, unit: DrillModel.Progress.Unit) {}
    func unproven(_ sentence: String) {}
}
