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
actor RedisDriver: EndpointProviding {
    nonisolated let service: String
    private let source: ServiceBackups
    private let plan: DrillPlan
    /// The service's place in the plan: no two share a folder, whatever their names.
    private let index: Int
    private let host: ScratchHost

    private var attempt = 0
    private var folder: URL?
    private var point: RecoveryPoint?
    private var retrieved: RetrievedArtifact?
    private var restored: RestoredRedis?

    init(recovery: Recovery, index: Int, plan: DrillPlan, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        self.index = index
        self.plan = plan
        source = backups
        self.host = host
    }

    func identify(before disaster: Date) async throws -> Identified {
        try await source.identify(before: disaster)
    }

    func retrieve(_ point: RecoveryPoint, _ log: any StepLog) async throws -> String {
        attempt += 1
        self.point = point
        for result in try source.sealCases(of: point, log) { log.record(result) }
        let folder = try privateFolder("\(attempt)")
        try await source.bring(point, log)
        let retrieved = try await ArtifactRetriever(host: host, decryption: try source.keyring.decryption(of: source.set))
            .retrieve(point, into: folder) { log.progress("fetching", completed: $0, total: point.size, unit: .bytes) }
        await source.stores.release(point)
        self.retrieved = retrieved
        self.folder = folder
        source.recordRetrieval(of: point, retrieved, log)
        return source.describe(retrieved)
    }

    func restore(_ log: any StepLog) async throws -> String {
        guard let retrieved, let folder, let point else { throw DriverMisuse() }
        let restorer = RedisRestorer(
            host: host, folder: folder, service: service, software: plan.estate.redisSoftware(of: service))
        let report: @Sendable (Int64, Int64?) -> Void = { log.progress("loading", completed: $0, total: $1, unit: .bytes) }
        let restored =
            source.set.kind == .aof
            ? try await restorer.restoreAppendOnly(
                retrieved.location, isFolder: retrieved.isFolder, name: point.path,
                sealedBy: point.sealState.seal?.redis.flatMap { RedisVersion(sealed: $0.serverVersion) }, progress: report)
            : try await restorer.restoreSnapshot(
                retrieved.location, isSnapshot: !retrieved.isFolder && retrieved.format == .rdb, progress: report)
        self.restored = restored
        restored.cases.forEach(log.record)
        if restored.hasCommands, point.sealState.seal == nil {
            log.unproven(
                "\(service): the commands of append-only files carry no checksum, and no seal holds here: a value in them that has changed would "
                    + "not be noticed.")
        }
        log.fact("restore", restored.detail)
        log.fact("restore.server", restored.server.binaries.version.description)
        if let writer = restored.origin.version { log.fact("restore.written-by", writer.description) }
        for result in await RedisQuarantine.ask(restored.server, service: service, host: host, demand: plan.quarantine) {
            log.record(result)
        }
        return "loaded the \(restored.detail)"
    }

    func verify(_ log: any StepLog) async throws -> String {
        guard let restored, let point else { throw DriverMisuse() }
        let connection: RedisConnection
        do {
            connection = try await RedisConnection.connect(unixSocket: restored.server.socketPath)
        } catch {
            throw DrillFailure.error(
                Finding(.scratchServerFailed, object: service, message: error.message, hint: error.hint))
        }
        defer { connection.close() }
        let tally = CaseTally(log)
        await RedisChecks.run(
            RedisCheckContext(
                connection: connection, service: service, seal: point.sealState.seal?.redis,
                unsealedReason: source.unsealedReason(of: point), declared: plan.checks[service] ?? [],
                emit: { tally.record($0) },
                progress: { log.progress($0, completed: $1, total: $2, unit: .keys) }))
        return tally.summary
    }

    func endpoint() async -> ScratchEndpoint? { restored.map { .redis(socket: $0.server.socketPath) } }

    func discard() async {
        if let restored { await restored.server.stop() }
        restored = nil
        retrieved = nil
        if let folder { try? FileManager.default.removeItem(at: folder) }
    }

    func tearDown() async -> [Finding] {
        if let restored { await restored.server.stop() }
        restored = nil
        return []
    }

    private func privateFolder(_ name: String) throws(DrillFailure) -> URL {
        do {
            return try host.folder.privateFolder("r\(index)-\(name)")
        } catch {
            throw .error(Finding(.scratchUnusable, object: service, message: error.message, hint: error.hint))
        }
    }
}
