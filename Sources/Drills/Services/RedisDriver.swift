// Puts catalogue, retrieval, restore and checks together for one Redis service.

import BackupAccess
import ArtifactFormats
import BackupCatalog
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import IntegrityChecks
import RedisClient
import RedisRecovery
import ScratchHost

/// Brings one Redis dataset back, inside the drill's scratch host.
struct RedisDriver: ServiceDriver {
    let service: String
    private let source: ServiceBackups
    private let plan: DrillPlan
    /// The service's place in the plan: no two share a folder, whatever their names.
    private let index: Int
    private let host: ScratchHost

    /// An artifact of one point, and the folder that it is to be restored in.
    struct Retrieved: StepOutcome {
        var point: RecoveryPoint
        var artifact: RetrievedArtifact
        var folder: URL
        var detail: String
    }

    struct Restored: StepOutcome {
        var point: RecoveryPoint
        var redis: RestoredRedis
        var detail: String { "loaded the \(redis.detail)" }
    }

    init(recovery: Recovery, index: Int, plan: DrillPlan, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        self.index = index
        self.plan = plan
        source = backups
        self.host = host
    }

    func identify(before disaster: Date) async throws -> Identified<Void> {
        try await source.identify(before: disaster)
    }

    func retrieve(_ point: RecoveryPoint, of _: Void, _ attempt: Attempt) async throws -> Retrieved {
        let log = attempt.log
        for result in try source.sealCases(of: point, log) { log.record(result) }
        let folder = try attempt.folder("r\(index)-\(attempt.number)", on: host, of: service)
        try await source.bring(point, log)
        let artifact = try await ArtifactRetriever(host: host, decryption: try source.keyring.decryption(of: source.set))
            .retrieve(point, into: folder) { log.progress("fetching", completed: $0, total: point.size, unit: .bytes) }
        await source.stores.release(point)
        source.recordRetrieval(of: point, artifact, log)
        return Retrieved(point: point, artifact: artifact, folder: folder, detail: source.describe(artifact))
    }

    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored {
        let (log, point, artifact, folder) = (attempt.log, retrieved.point, retrieved.artifact, retrieved.folder)
        let restorer = RedisRestorer(
            host: host, folder: folder, service: service, software: plan.estate.redisSoftware(of: service))
        let report: @Sendable (Int64, Int64?) -> Void = { log.progress("loading", completed: $0, total: $1, unit: .bytes) }
        let restored =
            source.set.kind == .aof
            ? try await restorer.restoreAppendOnly(
                artifact.location, isFolder: artifact.isFolder, name: point.path,
                sealedBy: point.sealState.seal?.redis.flatMap { RedisVersion(sealed: $0.serverVersion) }, progress: report)
            : try await restorer.restoreSnapshot(
                artifact.location, isSnapshot: !artifact.isFolder && artifact.format == .rdb, progress: report)
        attempt.atEnd { await restored.server.stop() }
        host.remember(restored.server, of: service, demand: plan.quarantine)
        restored.cases.forEach(log.record)
        if restored.hasCommands, point.sealState.seal == nil {
            log.unproven(
                "\(service): the commands of append-only files carry no checksum, and no seal holds here: a value in them that has changed would "
                    + "not be noticed, and neither would it be that the last of them are missing.")
            log.record(
                .judged(
                    .backup, service: service, name: "a damaged artifact would be noticed",
                    findings: Finding.commandsUnchecked(artifact, of: point).map { [$0] } ?? []))
        }
        log.fact("restore", restored.detail)
        log.fact("restore.server", restored.server.binaries.version.description)
        if let writer = restored.origin.version { log.fact("restore.written-by", writer.description) }
        for result in await RedisQuarantine.ask(restored.server, service: service, host: host, demand: plan.quarantine) {
            log.record(result)
        }
        return Restored(point: point, redis: restored)
    }

    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<ServiceProvision> {
        let (log, point, server) = (attempt.log, restored.point, restored.redis.server)
        let connection = try await server.connect(for: service)
        defer { connection.close() }
        let tally = CaseTally(log)
        let commands = CommandChecks(service: service, index: index, plan: plan, host: host)
        await RedisChecks.run(
            RedisCheckContext(
                connection: connection, service: service, seal: point.sealState.seal?.redis,
                unsealedReason: source.unsealedReason(of: point), declared: plan.checks[service] ?? [],
                run: commands.run(server),
                emit: { tally.record($0) },
                progress: { log.progress($0, completed: $1, total: $2, unit: .keys) }))
        return Verified(detail: tally.summary, provision: .server(.redis(server)))
    }
}

extension ScratchRedis {
    /// - Throws: ``DrillFailure`` (error): the server is gone.
    func connect(for service: String) async throws(DrillFailure) -> RedisConnection {
        do {
            return try await connect()
        } catch {
            throw .error(Finding(.scratchServerFailed, object: service, message: error.message, hint: error.hint))
        }
    }
}
