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
actor PostgresDriver: EndpointProviding {
    nonisolated let service: String
    private let source: ServiceBackups
    private let plan: DrillPlan
    /// The service's place in the plan: no two share a folder, whatever their names.
    private let index: Int
    private let host: ScratchHost
    private let jobs: Int

    private var attempt = 0
    private var folder: URL?
    private var point: RecoveryPoint?
    private var retrieved: RetrievedArtifact?
    /// The server that is being made while the artifact is fetched, until the restore takes it over.
    private var preparing: Task<ScratchPostgres?, Never>?
    private var restored: RestoredDatabase?

    init(recovery: Recovery, index: Int, plan: DrillPlan, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        self.index = index
        self.plan = plan
        source = backups
        self.host = host
        jobs = recovery.jobs ?? min(8, ProcessInfo.processInfo.activeProcessorCount)
    }

    func identify(before disaster: Date) async throws -> Identified {
        try await source.identify(before: disaster)
    }

    func retrieve(_ point: RecoveryPoint, _ log: any StepLog) async throws -> String {
        attempt += 1
        self.point = point
        for result in try source.sealCases(of: point, log) { log.record(result) }
        let fetched = try privateFolder("\(attempt)f")
        folder = try privateFolder("\(attempt)p")
        let retriever = ArtifactRetriever(host: host, decryption: try source.keyring.decryption(of: source.set))
        // A server takes a second to make, and needs nothing of the artifact: both at once.
        let identity = point.sealState.seal?.postgres?.identity
        let restorer = restorer
        preparing = Task { try? await restorer?.prepareServer(for: identity) }
        try await source.bring(point, log)
        let retrieved = try await retriever.retrieve(point, into: fetched) {
            log.progress("fetching", completed: $0, total: point.size, unit: .bytes)
        }
        await source.stores.release(point)
        self.retrieved = retrieved
        source.recordRetrieval(of: point, retrieved, log)
        return source.describe(retrieved)
    }

    private var restorer: DumpRestorer? {
        folder.map { DumpRestorer(host: host, folder: $0, profile: plan.profile, jobs: jobs, service: service, needs: source.needs) }
    }

    func restore(_ log: any StepLog) async throws -> String {
        guard let retrieved, let restorer, let point else { throw DriverMisuse() }
        let identity = point.sealState.seal?.postgres?.identity
        let dump = try DumpSource(
            location: retrieved.location, format: retrieved.format, isFolder: retrieved.isFolder, globals: retrieved.globals,
            backup: point.path)
        // nil where it could not be had: the restore then tries again, and says why.
        let server = await preparing?.value
        preparing = nil
        let restored = try await restorer.restore(dump, identity: identity, prepared: server) {
            log.progress("restoring", completed: $0, total: identity?.size, unit: .bytes)
        }
        self.restored = restored
        host.discard(retrieved.location)
        restored.cases.forEach(log.record)
        log.fact("server-version", "PostgreSQL \(restored.server.binaries.major)")
        log.fact("restore", restored.detail)
        if let major = dump.serverMajor { log.fact("source-version", "PostgreSQL \(major)") }
        for result in await PostgresQuarantine.ask(restored.server, service: service, host: host, demand: plan.quarantine) {
            log.record(result)
        }
        return "restored \(restored.detail) on PostgreSQL \(restored.server.binaries.major)"
    }

    func verify(_ log: any StepLog) async throws -> String {
        guard var restored, let point else { throw DriverMisuse() }
        let databases = RestoredDatabases(server: restored.server, service: service)
        // A dump of a whole cluster holds several; the estate says which of them is the service's.
        if let declared = plan.estate.services[service]?.source?.database, point.sealState.seal == nil,
            // Those are there without any dump, and empty.
            !["postgres", "template1"].contains(declared), (try? await databases.all(first: declared))?.open.first == declared
        {
            restored.database = declared
            self.restored = restored
        }
        log.fact("database", restored.database)
        let connection = try await restored.server.connect(toRecovered: restored.database)
        let tally = CaseTally(log)
        await databases.tellUnasked(besides: restored.database, tally, log)
        let lack = restored.lack
        await PostgresChecks.run(
            PostgresCheckContext(
                connection: connection, service: service, seal: point.sealState.seal?.postgres,
                origin: .dump(serverVersion: restored.sourceVersion), unsealedReason: source.unsealedReason(of: point),
                declared: plan.checks[service] ?? [],
                databasePropertiesUnproven: restored.hasDatabaseProperties
                    ? nil : "the dump carries no properties of the database itself",
                rolesUnproven: restored.hasRoles ? nil : "no part of the backup holds roles",
                positions: restored.positions,
                // The scratch server has nothing else to do.
                inventoryOptions: PostgresInventory.Options(parallelWorkers: true),
                emit: { tally.record(lack?.weighed($0) ?? $0) }, unproven: { log.unproven($0) },
                progress: { log.progress($0, completed: $1, total: $2, unit: .bytes) }))
        await connection.close()
        return tally.summary
    }

    func endpoint() async -> ScratchEndpoint? {
        restored.map { .postgres($0.server.configuration(database: $0.database)) }
    }

    func discard() async {
        await stopServers()
        retrieved = nil
        for name in ["\(attempt)f", "\(attempt)p"] {
            try? FileManager.default.removeItem(at: host.folder.url.appendingPathComponent(shortName + name))
        }
    }

    func tearDown() async -> [Finding] {
        await stopServers()
        return []
    }

    private func stopServers() async {
        preparing?.cancel()
        await preparing?.value?.stop()
        await restored?.server.stop()
        preparing = nil
        restored = nil
    }

    /// Sockets live below, so the name stays short whatever the service is called.
    private var shortName: String { "p\(index)-" }

    private func privateFolder(_ name: String) throws(DrillFailure) -> URL {
        do {
            return try host.folder.privateFolder(shortName + name)
        } catch {
            throw .error(Finding(.scratchUnusable, object: service, message: error.message, hint: error.hint))
        }
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

/// The engine called a step out of its order: a defect, reported as one.
public struct DriverMisuse: Error {}
