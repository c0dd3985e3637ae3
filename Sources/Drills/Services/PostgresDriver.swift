// Puts catalogue, retrieval, restore and checks together for one Postgres service.

import BackupAccess
import BackupCatalog
import Cryptography
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import IntegrityChecks
import PostgresClient
import PostgresRecovery
import ScratchHost

/// Brings one Postgres database back, inside the drill's scratch host.
struct PostgresDriver: ServiceDriver {
    let service: String
    private let source: ServiceBackups
    private let plan: DrillPlan
    /// The service's place in the plan: no two share a folder, whatever their names.
    private let index: Int
    private let host: ScratchHost
    private let jobs: Int
    /// The database that the drill names.
    private let wanted: String?
    /// The databases that the last run of this drill found; none where an older backup is drawn on purpose.
    private let before: Set<String>

    /// An artifact of one point.
    struct Retrieved: StepOutcome {
        var point: RecoveryPoint
        var artifact: RetrievedArtifact
        var restorer: DumpRestorer
        /// The server that is made while the artifact is fetched; nil where it could not be had.
        var server: Task<ScratchPostgres?, Never>
        var detail: String
    }

    struct Restored: StepOutcome {
        var point: RecoveryPoint
        var database: RestoredDatabase
        var detail: String { "restored \(database.detail) on PostgreSQL \(database.server.binaries.major)" }
    }

    init(recovery: Recovery, index: Int, plan: DrillPlan, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        wanted = recovery.database
        let known = ([plan.name] + plan.formerNames).lazy.compactMap { plan.drilledBefore.databases[$0]?[recovery.service] }.first
        before = recovery.selection.isSample ? [] : known ?? []
        self.index = index
        self.plan = plan
        source = backups
        self.host = host
        jobs = recovery.jobs ?? min(8, ProcessInfo.processInfo.activeProcessorCount)
    }

    func identify(before disaster: Date) async throws -> Identified<Void> {
        try await source.identify(before: disaster)
    }

    func retrieve(_ point: RecoveryPoint, of _: Void, _ attempt: Attempt) async throws -> Retrieved {
        let log = attempt.log
        for result in try source.sealCases(of: point, log) { log.record(result) }
        // Sockets live below, so the names stay short whatever the service is called.
        let fetched = try attempt.folder("p\(index)-\(attempt.number)f", on: host, of: service)
        let folder = try attempt.folder("p\(index)-\(attempt.number)p", on: host, of: service)
        let retriever = ArtifactRetriever(host: host, decryption: try source.keyring.decryption(of: source.set))
        let restorer = DumpRestorer(
            host: host, folder: folder, profile: plan.profile, jobs: jobs, service: service, needs: source.needs)
        // A server takes a second to make, and needs nothing of the artifact: both at once.
        let identity = point.sealState.seal?.identity
        let server = Task { try? await restorer.prepareServer(for: identity) }
        attempt.atEnd {
            server.cancel()
            await server.value?.stop()
        }
        try await source.bring(point, log)
        let artifact = try await retriever.retrieve(point, into: fetched) {
            log.progress("fetching", completed: $0, total: point.size, unit: .bytes)
        }
        await source.stores.release(point)
        source.recordRetrieval(of: point, artifact, log)
        return Retrieved(
            point: point, artifact: artifact, restorer: restorer, server: server, detail: source.describe(artifact))
    }

    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored {
        let (log, point, artifact) = (attempt.log, retrieved.point, retrieved.artifact)
        let identity = point.sealState.seal?.identity
        let dump = try DumpSource(
            location: artifact.location, format: artifact.format, isFolder: artifact.isFolder, globals: artifact.globals,
            backup: point.path)
        // nil where it could not be had: the restore then tries again, and says why.
        let server = await retrieved.server.value
        let restored = try await retrieved.restorer.restore(dump, identity: identity, prepared: server) {
            log.progress("restoring", completed: $0, total: identity?.size, unit: .bytes)
        }
        attempt.atEnd { await restored.server.stop() }
        host.remember(restored.server, database: restored.database, of: service, demand: plan.quarantine)
        host.discard(artifact.location)
        restored.cases.forEach(log.record)
        log.fact("server-version", "PostgreSQL \(restored.server.binaries.major)")
        log.fact("restore", restored.detail)
        if let major = dump.serverMajor { log.fact("source-version", "PostgreSQL \(major)") }
        for result in await PostgresQuarantine.ask(restored.server, service: service, host: host, demand: plan.quarantine) {
            log.record(result)
        }
        return Restored(point: point, database: restored)
    }

    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<ServiceProvision> {
        let (log, point, restored) = (attempt.log, restored.point, restored.database)
        let asked = try AskedDatabases(
            restored, service: service, wanted: wanted, source: plan.estate.services[service]?.source?.database,
            seal: point.sealState.seal, before: attempt.number == 1 ? before : [])
        log.fact("database", asked.main)
        host.remember(restored.server, database: asked.main, of: service, demand: plan.quarantine)
        let tally = CaseTally(log)
        let commands = CommandChecks(service: service, index: index, plan: plan, host: host)
        let rolesLack = restored.hasRoles ? nil : "no part of the backup holds roles"
        try await asked.ask(plan.checks[service] ?? [], tally, log) { connection, scope in
            PostgresCheckContext(
                connection: connection, service: service, seal: scope.seal,
                origin: .dump(serverVersion: restored.sourceVersion), unsealedReason: source.unsealedReason(of: point),
                declared: scope.declared, scratch: commands.scratch(restored.server, scope.database, rolesLack: rolesLack),
                databasePropertiesUnproven: restored.withProperties.contains(scope.database)
                    ? nil : "the dump carries no properties of the database itself",
                rolesUnproven: rolesLack ?? (scope.comparesRoles ? nil : AskedDatabases.Scope.rolesElsewhere),
                positions: restored.positions[scope.database],
                // The scratch server has nothing else to do.
                inventoryOptions: PostgresInventory.Options(parallelWorkers: true),
                emit: { scope.heard.hear($0) }, unproven: { log.unproven($0) },
                progress: { log.progress($0, completed: $1, total: $2, unit: .bytes) })
        }
        return Verified(
            detail: tally.summary, provision: .server(.postgres(restored.server.configuration(database: asked.main))))
    }
}

extension ScratchPostgres {
    /// - Throws: ``DrillFailure``: what came back can't be asked (failed), or the server is gone (error).
    func connect(toRecovered database: String) async throws(DrillFailure) -> PostgresConnection {
        do throws(PostgresError) {
            // A prepared transaction that came back never gives its locks up: whoever waits for one is told so.
            return try await PostgresConnection.connect(configuration(database: database, settings: ["lock_timeout": "60s"]))
        } catch {
            if let failure = await ended(error.message) { throw failure }
            throw .failed(
                Finding(
                    .stepConnection, object: database, expected: "a database that takes connections", actual: error.message,
                    message: "the recovered database can't be reached", hint: error.hint))
        }
    }

    /// Why a server that took connections before takes none any more; nil where it still does. What it held was never asked then.
    func ended(_ why: String) async -> DrillFailure? {
        // Its socket closes a moment before its end is known.
        for _ in 0..<50 where process.ending == nil { try? await Task.sleep(for: .milliseconds(20)) }
        // One that is stopped lives, and answers nobody.
        guard let ending = process.ending else {
            return await ScratchEndpoint.postgres(configuration(database: "template1")).failure(of: "postgres")
        }
        return .error(
            Finding(
                .scratchServerFailed, object: "postgres", expected: "a scratch server that lives as long as the drill",
                actual: "\(ending.ending); \(why)", message: "the scratch server ended by itself",
                hint: "look at this machine's memory and kernel log; run again with --keep to read server.log"))
    }
}

extension Rule {
    static let stepConnection = Rule("database-unreachable")
}
