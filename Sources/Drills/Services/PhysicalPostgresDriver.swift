// Puts base backup, WAL archive, recovery and checks together for one Postgres service.

import BackupAccess
import ArtifactFormats
import BackupCatalog
import Cryptography
import DrillEngine
import DrillModel
import Foundation
import IntegrityChecks
import PhysicalRecovery
import PostgresClient
import PostgresRecovery
import Reports
import ScratchHost

/// Brings one Postgres cluster back from a base backup, to a point in time, inside the drill's scratch host.
actor PhysicalPostgresDriver: EndpointProviding {
    nonisolated let service: String
    /// Which of the plan's recoveries it is: part of its folders' names.
    private let index: Int
    private let source: ServiceBackups
    private let plan: DrillPlan
    private let host: ScratchHost
    private let target: RecoveryTarget

    private var attempt = 0
    /// Whether the chosen base backups are known to have ended before the target.
    private var isProven = true
    /// Every point before the disaster, also those that the target can't be reached from.
    private var all: [RecoveryPoint] = []
    private var folder: URL?
    private var point: RecoveryPoint?
    private var copied: CopiedBase?
    private var wal: [ArchivedWAL] = []
    private var partial: Set<WALSegmentName> = []
    private var cluster: RecoveredCluster?
    /// The one that is asked, once it is known.
    private var database: String?

    init(recovery: Recovery, index: Int, plan: DrillPlan, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        self.index = index
        target = recovery.target ?? RecoveryTarget(.end)
        self.plan = plan
        source = backups
        self.host = host
    }

    func identify(before disaster: Date) async throws -> Identified {
        let ends = try await source.archive(of: source.catalogue().walFiles())?.backupEnds(on: host, home: plan.estate.timeZone)
        var identified = try await source.identify(before: disaster, ends: ends ?? [:])
        all = identified.points
        let choice = try await TargetedPoints(source: source, target: target).choose(identified.points)
        identified.points = choice.points
        isProven = choice.isProven
        // A gap between base backups is no loss where the log between them is archived.
        if source.set.hasWAL { identified.worstCase = nil }
        let count = Readable.count(choice.points.count, "base backup")
        identified.detail = "\(count) to reach \(target) from, newest \(choice.points.first?.path ?? "none")"
        return identified
    }

    private func backup(_ point: RecoveryPoint) -> PhysicalBackup {
        PhysicalBackup(source: source, point: point, others: all, profile: plan.profile, target: target, host: host)
    }

    func retrieve(_ point: RecoveryPoint, _ log: any StepLog) async throws -> String {
        attempt += 1
        self.point = point
        copied = nil
        for result in try source.sealCases(of: point, log) { log.record(result) }
        let start = ContinuousClock.now
        let folder = try privateFolder("\(attempt)p")
        try await source.bring(point, log)
        let copied = try await backup(point).bring(into: folder, log)
        await source.stores.release(point)
        let took = start.duration(to: .now)
        // Of what a declared command restores, only that command knows whether it was encrypted.
        if source.set.encryption != nil, source.set.kind != .command {
            log.record(.judged(.backup, service: service, name: "the artifact is encrypted and opens", findings: []))
        }
        let catalogue = try await source.catalogue()
        wal = try catalogue.walFiles()
        partial = catalogue.partialSegments()
        if let refused = wal.lazy.compactMap({ StoredAccess.refused(below: $0.location) }).first {
            throw DrillFailure.error(.accessDenied("write-ahead log of \(source.set.name)", refused))
        }
        try await source.stores.bring(wal, of: source.set)
        self.folder = folder
        self.copied = copied
        log.fact("artifact", point.path)
        log.fact("base-backup.files", String(copied.files))
        log.fact("base-backup.bytes", String(copied.bytes))
        log.fact("base-backup.copied-and-verified", Readable.preciseDuration(took))
        return "copied and verified \(Readable.count(copied.files, "file")), \(Readable.bytes(copied.bytes))"
    }

    func restore(_ log: any StepLog) async throws -> String {
        guard let copied, let folder, let point else { throw DriverMisuse() }
        for result in ArmedSettings.cases(aside: copied.asideFolder, service: service) { log.record(result) }
        let recovery = PointInTimeRecovery(
            host: host, folder: folder, base: copied, backup: point.path, service: service, profile: plan.profile,
            wal: try backup(point).archive(of: wal, partial: partial, data: copied.dataFolder), target: target)
        let cluster = try await recovery.run(superusers: superusers) {
            log.progress("replaying segments", completed: $0, total: $1, unit: .segments)
        }
        self.cluster = cluster
        cluster.cases.forEach(log.record)
        for sentence in cluster.unproven { log.unproven("\(service): \(sentence)") }
        log.fact("recovery-target", target.description)
        log.fact("recoverable-up-to", cluster.upTo.description)
        if let lsn = cluster.upTo.lsn { log.fact("recoverable-up-to.lsn", RecoveryTarget.text(lsn: lsn)) }
        if let time = cluster.upTo.time { log.fact("recoverable-up-to.time", Readable.time(time, in: plan.estate.timeZone)) }
        if let transaction = cluster.upTo.transaction { log.fact("recoverable-up-to.transaction", String(transaction)) }
        log.fact("wal.segments-replayed", String(cluster.segments))
        log.fact("wal.replay", Readable.preciseDuration(cluster.replay))
        explainIdleSource(cluster, log)
        let server = try cluster.outcome.get()
        if case .time(let time) = target.goal { log.record(endCase(cluster, point: point, time: time)) }
        log.fact("server-version", "PostgreSQL \(server.binaries.major)")
        for result in await PostgresQuarantine.ask(
            server, service: service, host: host, demand: plan.quarantine, restoreCommand: cluster.restoreCommand)
        { log.record(result) }
        return "\(cluster.detail) on PostgreSQL \(server.binaries.major)"
    }

    func verify(_ log: any StepLog) async throws -> String {
        guard let server = try cluster?.outcome.get(), let point else { throw DriverMisuse() }
        let databases = RestoredDatabases(server: server, service: service)
        let database = try await databases.main(preferring: declaredDatabase)
        self.database = database
        log.fact("database", database)
        let tally = CaseTally(log)
        // Before any row is read: what reads by an index takes the trace of a lost page away.
        try await databases.storage(first: database, tally, log)
        let connection = try await server.connect(toRecovered: database)
        for result in await databases.armed(in: database) { tally.record(result) }
        tally.record(await databases.prepared())
        await databases.tellUnasked(besides: database, tally, log)
        await PostgresChecks.run(
            PostgresCheckContext(
                // A seal of a base backup describes its own moment, and recovery has gone on from there.
                connection: connection, service: service, seal: nil, origin: .files(serverVersion: nil),
                unsealedReason: source.unsealedReason(of: point),
                declared: plan.checks[service] ?? [], inventoryOptions: PostgresInventory.Options(parallelWorkers: true),
                emit: { tally.record($0) },
                progress: { log.progress($0, completed: $1, total: $2, unit: .bytes) }))
        await connection.close()
        // The last question: the server has to end for it, and comes back where somebody still needs it.
        if let cluster {
            tally.record(try await PageChecksums(cluster: cluster, host: host, service: service).ask())
            if plan.application != nil, server.process.ending != nil {
                self.cluster?.outcome = .success(try await server.startAgain(on: host))
            }
        }
        return tally.summary
    }

    func recovered() async -> RecoveredMoment? {
        cluster?.upTo.time.map { RecoveredMoment(time: $0, source: .lastReplayedCommit) }
    }

    func endpoint() async -> ScratchEndpoint? {
        guard let server = cluster?.server, let database else { return nil }
        return .postgres(server.configuration(database: database))
    }

    func discard() async {
        await end()
        try? FileManager.default.removeItem(at: host.folder.url.appendingPathComponent("\(shortName)\(attempt)p"))
    }

    func tearDown() async -> [Finding] {
        await end()
        return []
    }

    private func end() async {
        if let server = cluster?.server { await server.stop() }
        cluster = nil
        copied = nil
    }

    /// A base backup that ended after the target time holds what the target was to leave out, and no server notices that.
    private func endCase(_ cluster: RecoveredCluster, point: RecoveryPoint, time: Date) -> CaseResult {
        let name = "the base backup ended before the target"
        // What was committed behind the backup's last position, and before the target, dates its end from above.
        let end = cluster.consistentAt ?? .max
        let replayed = cluster.upTo.commit.map { $0 >= end } ?? false && cluster.upTo.time.map { $0 <= time } ?? false
        if isProven || replayed { return .judged(.restore, service: service, name: name, findings: []) }
        return .unasked(
            .restore, service: service, name: name,
            finding: Finding(
                .targetBeforeBackup, object: point.path, expected: "an end before \(target)", actual: "an end that nothing dates",
                message: "nothing says whether the base backup had ended before the target: what came after could be in it",
                hint: "let wal: match cover the archive's .backup files, which date each base backup's end"))
    }

    /// An hour without a transaction looks like an hour of loss, and need not be one.
    private func explainIdleSource(_ cluster: RecoveredCluster, _ log: any StepLog) {
        guard target.goal == .end, let time = cluster.upTo.time,
            let stored = wal.filter({ if case .segment = $0.name { true } else { false } }).map(\.modified).max(),
            stored.timeIntervalSince(time) > 60
        else { return }
        let zone = plan.estate.timeZone
        log.fact(
            "recoverable-up-to.note",
            "the last archived transaction is of \(Readable.time(time, in: zone)), and the newest segment was stored at "
                + "\(Readable.time(stored, in: zone)): if the source was idle in between, nothing of it is lost")
    }

    /// Beside `postgres`, the role that the estate names: a source may have renamed its first superuser.
    private var superusers: [String] {
        let declared = plan.estate.services[service]?.source?.user
        return ["postgres"] + (declared.map { $0 == "postgres" ? [] : [$0] } ?? [])
    }

    private var declaredDatabase: String? { plan.estate.services[service]?.source?.database }

    private var shortName: String { "p\(index)-" }

    private func privateFolder(_ name: String) throws(DrillFailure) -> URL {
        do {
            return try host.folder.privateFolder(shortName + name)
        } catch {
            throw .error(Finding(.scratchUnusable, object: service, message: error.message, hint: error.hint))
        }
    }
}
