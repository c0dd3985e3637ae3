// Rolls a copied base backup forward to its target, and says from the server's own words how far it came.

import ArtifactFormats
public import DrillModel
public import Foundation
import PostgresClient
public import PostgresRecovery
public import ScratchHost

/// One recovery of one base backup.
public struct PointInTimeRecovery: Sendable {
    public var host: ScratchHost
    /// The private folder that the base backup was copied into.
    public var folder: URL
    public var base: CopiedBase
    /// The backup's path in its store, for messages.
    public var backup: String
    public var service: String
    public var profile: Profile
    /// nil: only what the base backup itself holds is replayed.
    public var wal: WALSource?
    public var target: RecoveryTarget

    /// The servers to choose from; one of the cluster's own major version is needed.
    public var installed: [PostgresBinaries]

    public init(
        host: ScratchHost, folder: URL, base: CopiedBase, backup: String, service: String, profile: Profile, wal: WALSource?,
        target: RecoveryTarget, installed: [PostgresBinaries] = PostgresBinaries.installed()
    ) {
        self.host = host
        self.folder = folder
        self.base = base
        self.backup = backup
        self.service = service
        self.profile = profile
        self.wal = wal
        self.target = target
        self.installed = installed
    }

    /// Looks at the archive before anything is started, then recovers.
    ///
    /// - Parameters:
    ///   - superusers: Names to try; the first that the cluster knows is spoken as.
    ///   - progress: Segments handed over, and those on the way.
    /// - Throws: ``DrillFailure`` where recovery couldn't begin; `CancellationError`. How it ended is in the result.
    public func run(
        superusers: [String], progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> RecoveredCluster {
        let binaries = try self.binaries()
        let control = try await ControlData.read(base.dataFolder, binaries: binaries, host: host, backup: backup)
        let beginning = try self.beginning(control)
        var cases: [CaseResult] = []
        var feeder: WALFeeder?
        var plan: WALPlan?
        if let wal {
            if wal.isListed {
                let (way, found) = try await look(at: wal, from: beginning, control: control, major: binaries.major)
                cases += found
                plan = way
            } else {
                cases.append(
                    .skipped(
                        .backup, service: service, name: "the WAL archive has no gap from the base backup on",
                        reason: "only the declared command reads the archive: it is asked what lies behind the end of recovery"))
            }
            feeder = WALFeeder(
                host: host, folder: folder.appendingPathComponent("wal", isDirectory: true), files: wal.byPlainName, tool: wal.tool,
                row: (plan?.segments ?? []).map(\.text),
                check: SegmentCheck(
                    systemIdentifier: control.systemIdentifier, segmentSize: control.segmentSize, major: binaries.major,
                    timeline: beginning.timeline))
        }
        do {
            return try await recover(
                binaries: binaries, control: control, from: beginning, feeder: feeder, plan: plan, cases: cases, superusers: superusers,
                progress: progress)
        } catch let problem as StoredFileProblem {
            throw BaseBackup.failure(of: problem, object: backup, damaged: .recoveryFailed)
        }
    }

    func binaries() throws(DrillFailure) -> PostgresBinaries {
        let text = try? String(contentsOf: base.dataFolder.appendingPathComponent("PG_VERSION"), encoding: .utf8)
        guard let major = text.flatMap({ Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }) else {
            throw .broken(
                .baseFileDamaged, "\(backup)/PG_VERSION", expected: "a major version", actual: "something else, or nothing",
                "the base backup doesn't say which version it is of", hint: "fetch another copy of the base backup")
        }
        guard let match = installed.first(where: { $0.major == major }) else {
            throw .error(
                Finding(
                    .postgresMissing, object: "postgres \(major)", expected: "postgres \(major), and no other version",
                    actual: "postgres \(installed.map { String($0.major) }.joined(separator: ", "))",
                    message: "a base backup needs a server of its own major version, and this machine has none",
                    hint: "apt-get install postgresql-\(major), or name its bin folder in MUSTER_PG_BIN"))
        }
        return match
    }

    /// Where replay begins.
    typealias Beginning = (position: UInt64, timeline: UInt32)

    func beginning(_ control: ControlData) throws(DrillFailure) -> Beginning {
        let file = base.dataFolder.appendingPathComponent("backup_label")
        // Of a server that was stopped while it was copied: all of it is of one instant.
        if base.isForeign, control.wasShutDown, !FileManager.default.fileExists(atPath: file.path), let checkpoint = control.checkpoint {
            return checkpoint
        }
        guard let text = try? String(contentsOf: file, encoding: .utf8), let label = BackupLabel(text) else {
            throw .broken(
                .baseFileMissing, "\(backup)/backup_label", expected: "a backup_label", actual: "none that can be read",
                "the base backup has no label, and without it recovery begins at the wrong place",
                hint: base.isForeign
                    ? "only a copy of a server that was shut down needs none, and pg_control says of this one: \(control.state)"
                    : "take base backups with pg_basebackup, and store all of its files")
        }
        return (label.start, label.timeline)
    }

    /// Continuity and heads, before the first minute of replay is spent.
    private func look(
        at wal: WALSource, from beginning: Beginning, control: ControlData, major: Int
    ) async throws -> (WALPlan, [CaseResult]) {
        let start = ContinuousClock.now
        let inside = (try? FileManager.default.contentsOfDirectory(atPath: base.dataFolder.appendingPathComponent("pg_wal").path)) ?? []
        let histories = try await wal.histories(on: host)
        let plan = WALPlan(
            start: beginning.position, base: beginning.timeline, wanted: target.timeline, archived: wal.segments,
            bundled: Set(inside.compactMap(WALSegmentName.init)), histories: histories.readable, unreadable: histories.unreadable,
            partial: wal.partial, size: control.segmentSize)
        let continuity = CaseResult.judged(
            .backup, service: service, name: "the WAL archive has no gap from the base backup on", duration: start.duration(to: .now),
            findings: plan.findings)
        let checking = ContinuousClock.now
        let check = SegmentCheck(systemIdentifier: control.systemIdentifier, segmentSize: control.segmentSize, major: major)
        let (findings, left) = try await wal.checkHeads(plan.segments, check)
        let name = "every archived segment has its size and header"
        let heads: CaseResult =
            left > 0 && findings.isEmpty
            ? .skipped(
                .backup, service: service, name: name,
                reason: wal.tool == nil
                    ? "\(left) of \(plan.segments.count) are compressed: they are looked at as they are unpacked for replay"
                    : "only pgbackrest can open them: they are looked at as they are fetched for replay")
            : plan.segments.isEmpty
                ? .skipped(.backup, service: service, name: name, reason: "the archive holds none that this recovery needs")
                : .judged(.backup, service: service, name: name, duration: checking.duration(to: .now), findings: findings)
        return (plan, [continuity, heads])
    }

    private func recover(
        binaries: PostgresBinaries, control: ControlData, from beginning: Beginning, feeder: WALFeeder?, plan: WALPlan?,
        cases: [CaseResult],
        superusers: [String], progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> RecoveredCluster {
        let start = ContinuousClock.now
        let row = Int64(plan?.segments.count ?? 0)
        var settings = RecoverySettings.make(target: target, control: control, fromArchive: feeder != nil)
        var command = ""
        if let feeder {
            command = try feeder.prepare()
            settings.append(("restore_command", command))
            let signal = try ScratchFile(base.dataFolder.appendingPathComponent("recovery.signal"))
            try signal.give(to: host)
        }
        // Fetching begins before the server does: the first segments are there when it asks.
        let feeding = Task { await feeder?.run() }
        let server: ScratchPostgres
        let came: Bool
        do {
            server = try await ScratchPostgres.startRecovery(
                on: host, in: folder, dataFolder: base.dataFolder, binaries: binaries, profile: profile,
                superuser: superusers.first ?? "postgres", settings: settings)
            do {
                came = try await wait(for: server) { progress(Int64(feeder?.delivered ?? 0), row > 0 ? row : nil) }
            } catch {
                await server.stop()
                throw error
            }
        } catch {
            feeding.cancel()
            await feeding.value
            throw error
        }
        feeding.cancel()
        await feeding.value
        let replay = start.duration(to: .now)
        let log = RecoveryLog(UnlinkedFile.data(server.log).map { String(decoding: $0, as: UTF8.self) } ?? "")
        let last = await LastCommit.find(in: base.dataFolder, upTo: log.replayedTo, binaries: binaries, host: host)
        let outcome = RecoveryOutcome(
            log: log, target: target,
            upTo: RecoverableUpTo(lsn: log.replayedTo, time: log.lastCommit, transaction: last?.transaction, commit: last?.position),
            service: service, backup: backup)
        var cluster = RecoveredCluster(
            outcome: .success(server), upTo: outcome.upTo, cases: cases, restoreCommand: command, segments: feeder?.delivered ?? 0,
            waits: feeder?.waits ?? 0, replay: replay, hasPageChecksums: control.hasPageChecksums, consistentAt: log.consistentAt,
            detail: "")
        if let feeder, feeder.delivered > 0 || !feeder.findings.isEmpty {
            cluster.cases.append(
                .judged(
                    .restore, service: service, name: "every segment that was replayed is whole",
                    findings: feeder.findings.filter { finding in
                        finding.object != plan?.lost?.reason?.object && !cases.flatMap(\.findings).contains { $0.object == finding.object }
                    }))
        }
        cluster.detail = "replayed \(cluster.segments) segments up to \(outcome.upTo.description)"
        if let failure = feeder?.machineFailure {
            // The archive may go on behind what this machine could not fetch: what came back is not what the backup holds.
            await server.stop()
            cluster.outcome = .failure(failure)
            return cluster
        }
        let rest: ArchiveRest
        do {
            rest = try await ArchiveRest.ask(
                feeder, plan: plan, end: ReplayEnd(log: log, dataFolder: base.dataFolder, segmentSize: control.segmentSize), log: log,
                target: target, beginning: beginning, known: cluster.cases.flatMap(\.findings))
        } catch {
            await server.stop()
            guard let failure = error as? DrillFailure else { throw error }
            cluster.outcome = .failure(failure)
            return cluster
        }
        cluster.cases += rest.cases(service: service)
        cluster.unproven += rest.unproven
        guard came else {
            cluster.outcome = .failure(outcome.failure ?? server.failure("the server ended while it recovered", host: host))
            // Why the target wasn't reached is a finding of its own.
            if let early = rest.early {
                cluster.cases.append(.judged(.restore, service: service, name: ArchiveRest.question, findings: [early]))
            }
            return cluster
        }
        cluster.cases.append(outcome.reached(rest))
        cluster.outcome = .success(await speaking(server, as: superusers))
        return cluster
    }

    /// - Returns: false where the server ended by itself.
    private func wait(for server: ScratchPostgres, tick: () -> Void) async throws -> Bool {
        let configuration = server.configuration(database: "template1")
        while true {
            if server.process.ending != nil { return false }
            if await PostgresConnection.accepts(configuration) { return true }
            tick()
            try await Task.sleep(for: .milliseconds(15))
        }
    }

    private func speaking(_ server: ScratchPostgres, as superusers: [String]) async -> ScratchPostgres {
        for name in superusers {
            let candidate = server.speaking(as: name)
            guard let connection = try? await PostgresConnection.connect(candidate.configuration(database: "template1")) else { continue }
            await connection.close()
            return candidate
        }
        return server
    }
}
