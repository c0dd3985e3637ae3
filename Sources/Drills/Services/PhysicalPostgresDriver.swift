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
struct PhysicalPostgresDriver: ServiceDriver {
    let service: String
    /// Which of the plan's recoveries it is: part of its folders' names.
    private let index: Int
    private let source: ServiceBackups
    private let plan: DrillPlan
    private let host: ScratchHost
    private let target: RecoveryTarget
    /// The database that the drill names.
    private let wanted: String?

    /// The base backups that the target can be reached from.
    struct Context: Sendable {
        /// Every point before the disaster, also those that the target can't be reached from.
        var all: [RecoveryPoint]
        /// Whether those that can are known to have ended before the target.
        var isProven: Bool
        /// Where the target is a sealed moment, those to choose from, the newest first.
        var moments: [SealedMoments.Named] = []
    }

    /// A base backup in a scratch data folder, and what lies in the archive for it.
    struct Retrieved: StepOutcome {
        var point: RecoveryPoint
        var context: Context
        var backup: PhysicalBackup
        var folder: URL
        var copied: CopiedBase
        var wal: [ArchivedWAL]
        var partial: Set<WALSegmentName>
        var detail: String { "copied and verified \(Readable.count(copied.files, "file")), \(Readable.bytes(copied.bytes))" }
    }

    struct Restored: StepOutcome {
        var point: RecoveryPoint
        var cluster: RecoveredCluster
        var server: ScratchPostgres
        /// What it is compared with.
        var moment: MomentChoice?
        var detail: String { "\(cluster.detail) on PostgreSQL \(server.binaries.major)" }
    }

    init(recovery: Recovery, index: Int, plan: DrillPlan, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        wanted = recovery.database
        self.index = index
        target = recovery.target ?? RecoveryTarget(.end)
        self.plan = plan
        source = backups
        self.host = host
    }

    func identify(before disaster: Date) async throws -> Identified<Context> {
        let ends = try await source.archive(of: source.catalogue().walFiles())?.backupEnds(on: host, home: plan.estate.timeZone)
        var identified = try await source.identify(before: disaster, ends: ends ?? [:])
        let all = identified.points
        let moments = SealedMoments(source: source)
        var usable: [SealedMoments.Named] = []
        if target.goal == .moment {
            let (named, result) = try await moments.survey(before: disaster)
            identified.cases.append(result)
            usable = named
        }
        let choice = try await TargetedPoints(source: source, target: target, moments: usable).choose(identified.points)
        identified.points = choice.points
        // A gap between base backups is no loss where the log between them is archived.
        if source.set.hasWAL { identified.worstCase = nil }
        let count = Readable.count(choice.points.count, "base backup")
        identified.detail = "\(count) to reach \(target) from, newest \(choice.points.first?.path ?? "none")"
        return identified.knowing(Context(all: all, isProven: choice.isProven, moments: usable))
    }

    private func backup(_ point: RecoveryPoint, among all: [RecoveryPoint]) -> PhysicalBackup {
        PhysicalBackup(source: source, point: point, others: all, profile: plan.profile, target: target, host: host)
    }

    func retrieve(_ point: RecoveryPoint, of context: Context, _ attempt: Attempt) async throws -> Retrieved {
        let log = attempt.log
        if target.goal == .moment {
            try source.requireAccess(to: point)
        } else {
            for result in try source.sealCases(of: point, log) { log.record(result) }
        }
        let start = ContinuousClock.now
        let folder = try attempt.folder("p\(index)-\(attempt.number)p", on: host, of: service)
        try await source.bring(point, log)
        let backup = backup(point, among: context.all)
        let copied = try await backup.bring(into: folder, log)
        await source.stores.release(point)
        let took = start.duration(to: .now)
        // Of what a declared command restores, only that command knows whether it was encrypted.
        if source.set.encryption != nil, source.set.kind != .command {
            log.record(
                .judged(
                    .backup, service: service, name: "the artifact is encrypted and opens", findings: source.weakDerivation(of: point)))
        }
        let catalogue = try await source.catalogue()
        let wal = try catalogue.walFiles()
        let partial = catalogue.partialSegments()
        if let refused = wal.lazy.compactMap({ StoredAccess.refused(below: $0.location) }).first {
            throw DrillFailure.error(.accessDenied("write-ahead log of \(source.set.name)", refused))
        }
        try await source.stores.bring(wal, of: source.set)
        log.fact("artifact", point.path)
        log.fact("base-backup.files", String(copied.files))
        log.fact("base-backup.bytes", String(copied.bytes))
        log.fact("base-backup.copied-and-verified", Readable.preciseDuration(took))
        return Retrieved(
            point: point, context: context, backup: backup, folder: folder, copied: copied, wal: wal, partial: partial)
    }

    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored {
        let (log, copied, point) = (attempt.log, retrieved.copied, retrieved.point)
        for result in OutboundSettings.cases(aside: copied.asideFolder, service: service) { log.record(result) }
        var recovery = PointInTimeRecovery(
            host: host, folder: retrieved.folder, base: copied, backup: point.path, service: service, profile: plan.profile,
            wal: try retrieved.backup.archive(of: retrieved.wal, partial: retrieved.partial, data: copied.dataFolder), target: target)
        let moment = target.goal == .moment ? try await place(recovery, retrieved, log) : nil
        if let moment { recovery.target = moment.target }
        let cluster = try await recovery.run(superusers: superusers) {
            log.progress("replaying segments", completed: $0, total: $1, unit: .segments)
        }
        if case .success(let server) = cluster.outcome { attempt.atEnd { await server.stop() } }
        cluster.cases.forEach(log.record)
        for sentence in cluster.unproven { log.unproven("\(service): \(sentence)") }
        log.fact("recovery-target", target.description)
        log.fact("recoverable-up-to", cluster.upTo.description)
        if let lsn = cluster.upTo.lsn { log.fact("recoverable-up-to.lsn", RecoveryTarget.text(lsn: lsn)) }
        if let time = cluster.upTo.time { log.fact("recoverable-up-to.time", Readable.time(time, in: plan.estate.timeZone)) }
        if let transaction = cluster.upTo.transaction { log.fact("recoverable-up-to.transaction", String(transaction)) }
        log.fact("wal.segments-replayed", String(cluster.segments))
        log.fact("wal.replay", Readable.preciseDuration(cluster.replay))
        explainIdleSource(cluster, retrieved.wal, log)
        let server = try cluster.outcome.get()
        host.remember(server, database: "postgres", of: service, demand: plan.quarantine)
        if case .time(let time) = target.goal { log.record(endCase(cluster, retrieved, time: time)) }
        log.fact("server-version", "PostgreSQL \(server.binaries.major)")
        for result in await PostgresQuarantine.ask(
            server, service: service, host: host, demand: plan.quarantine, restoreCommand: cluster.restoreCommand)
        { log.record(result) }
        return Restored(point: point, cluster: cluster, server: server, moment: moment)
    }

    /// Looks where the newest sealed moment lies that this backup leads to.
    private func place(_ recovery: PointInTimeRecovery, _ retrieved: Retrieved, _ log: any StepLog) async throws -> MomentChoice {
        let folder = try host.folder.privateFolder("\(retrieved.folder.lastPathComponent)/moment")
        let start = ContinuousClock.now
        let choice = try await recovery.place(retrieved.context.moments.map { ($0.path, $0.seal) }, in: folder)
        log.record(
            .judged(
                .backup, service: service, name: "the archive leads to a sealed moment", duration: start.duration(to: .now),
                findings: choice.passedOver))
        if let wanted, let sealed = choice.seal.postgres?.identity.database, sealed != wanted {
            throw DrillFailure.error(
                Finding(
                    .momentUnusable, object: choice.seal.artifact.name, expected: "a moment of the database \(wanted)",
                    actual: "one of \(sealed)", message: "the drill asks about another database than the one that was sealed",
                    hint: "remove database from it, or name it in the checks that are about \(wanted)"))
        }
        log.fact("sealed-moment", choice.seal.artifact.name)
        log.fact("sealed-moment.time", Readable.time(choice.seal.snapshotTime, in: plan.estate.timeZone))
        log.fact("sealed-moment.lsn", RecoveryTarget.text(lsn: choice.position))
        if !choice.moment.unlogged.isEmpty {
            log.unproven(
                "\(service): no recovery brings the rows of unlogged tables back, and none were compared: \(Readable.list(choice.moment.unlogged))."
            )
        }
        if !choice.comparesSequences {
            log.unproven(
                "\(service): sequences were not compared: a commit that waited for long puts the moment's position before they were read.")
        }
        return choice
    }

    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<ServiceProvision> {
        let (log, cluster, point) = (attempt.log, restored.cluster, restored.point)
        var server = restored.server
        let databases = RestoredDatabases(server: server, service: service)
        var truth = restored.moment?.seal.postgres
        if restored.moment?.comparesSequences == false { truth?.sequences = [] }
        let database = try await databases.main(preferring: truth?.identity.database ?? wanted ?? declaredDatabase)
        log.fact("database", database)
        host.remember(server, database: database, of: service, demand: plan.quarantine)
        let tally = CaseTally(log)
        try await databases.askCluster(
            database, seal: truth, origin: .files(serverVersion: nil), unsealedReason: source.unsealedReason(of: point),
            declared: plan.checks[service] ?? [],
            commands: CommandChecks(service: service, index: index, plan: plan, host: host), tally, log)
        // The last question: the server has to end for it, and comes back where somebody still needs it.
        tally.record(try await PageChecksums(cluster: cluster, host: host, service: service).ask())
        if plan.application != nil, server.process.ending != nil {
            server = try await server.startAgain(on: host)
            attempt.atEnd { [server] in await server.stop() }
        }
        return Verified(
            detail: tally.summary, provision: .server(.postgres(server.configuration(database: database))),
            moment: cluster.upTo.time.map { RecoveredMoment(time: $0, source: .lastReplayedCommit) })
    }

    /// A base backup that ended after the target time holds what the target was to leave out, and no server notices that.
    private func endCase(_ cluster: RecoveredCluster, _ retrieved: Retrieved, time: Date) -> CaseResult {
        let name = "the base backup ended before the target"
        // What was committed behind the backup's last position, and before the target, dates its end from above.
        let end = cluster.consistentAt ?? .max
        let replayed = cluster.upTo.commit.map { $0 >= end } ?? false && cluster.upTo.time.map { $0 <= time } ?? false
        if retrieved.context.isProven || replayed { return .judged(.restore, service: service, name: name, findings: []) }
        return .unasked(
            .restore, service: service, name: name,
            finding: Finding(
                .targetBeforeBackup, object: retrieved.point.path, expected: "an end before \(target)", actual: "an end that nothing dates",
                message: "nothing says whether the base backup had ended before the target: what came after could be in it",
                hint: "let wal: match cover the archive's .backup files, which date each base backup's end"))
    }

    /// An hour without a transaction looks like an hour of loss, and need not be one.
    private func explainIdleSource(_ cluster: RecoveredCluster, _ wal: [ArchivedWAL], _ log: any StepLog) {
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
}
