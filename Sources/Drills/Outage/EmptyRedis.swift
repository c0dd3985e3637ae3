// A scratch Redis that begins empty: the application's own command fills it, or nobody does.

import DrillEngine
import DrillModel
import Foundation
import IntegrityChecks
import Reports
import RedisClient
import RedisRecovery
import ScratchHost

extension Rule {
    static let repopulationFailed = Rule("repopulation-failed")
    static let nothingRepopulated = Rule("nothing-repopulated")
    static let cacheNotEmpty = Rule("cache-not-empty")
}

/// One lost cache of one drill, and the application that fills it.
struct RehearsedCache: CacheDriver {
    var redis: EmptyRedis
    var application: ApplicationRehearsal

    var service: String { redis.service }
    var staysEmpty: Bool { redis.staysEmpty }

    func restore(_ log: any StepLog) async throws -> String { try await redis.restore(log) }
    func verify(_ log: any StepLog) async throws -> String { try await redis.verify(log, filledBy: application) }
    func tearDown() async -> [Finding] { await redis.tearDown() }
}

/// The server.
actor EmptyRedis {
    nonisolated let service: String
    nonisolated let staysEmpty: Bool
    private let cache: LostCache
    private let index: Int
    private let plan: DrillPlan
    private let host: ScratchHost
    private var server: ScratchRedis?

    init(_ cache: LostCache, index: Int, plan: DrillPlan, host: ScratchHost) {
        service = cache.service
        staysEmpty = cache.repopulation == nil
        self.cache = cache
        self.index = index
        self.plan = plan
        self.host = host
    }

    func endpoint() -> ScratchEndpoint? { server.map { .redis(socket: $0.socketPath) } }

    func restore(_ log: any StepLog) async throws -> String {
        let folder: URL
        do {
            folder = try host.folder.privateFolder("c\(index)")
        } catch {
            throw DrillFailure.error(Finding(.scratchUnusable, object: service, message: error.message, hint: error.hint))
        }
        let software = plan.estate.redisSoftware(of: service)
        let server = try await ScratchRedis.start(
            on: host, in: folder, content: .nothing, binaries: try software.preferred(), modules: software.modules)
        self.server = server
        for result in await RedisQuarantine.ask(server, service: service, host: host, demand: plan.quarantine) { log.record(result) }
        return "started an empty redis: what was in it is lost by declaration"
    }

    func verify(_ log: any StepLog, filledBy application: ApplicationRehearsal) async throws -> String {
        guard let repopulation = cache.repopulation else { return try await verifyEmpty(log) }
        let start = ContinuousClock.now
        let ending = try await application.run(repopulation)
        let took = start.duration(to: .now)
        guard let ending, ending.succeeded else { throw await application.serverFailure() ?? failure(repopulation, ending) }
        log.record(.judged(.restore, service: service, name: "the repopulation command succeeds", duration: took, findings: []))
        let count = try await keys()
        guard count > 0 else {
            throw DrillFailure.failed(
                Finding(
                    .nothingRepopulated, object: service, expected: "keys", actual: "0 keys",
                    message: "the repopulation command said that it succeeded, and the cache is still empty",
                    hint: "look at what it reads and at which redis it writes to: {\(service).socket}"))
        }
        log.fact("repopulated-in", Readable.preciseDuration(took))
        log.fact("repopulated-keys", String(count))
        try await ask(log)
        return "repopulated with \(Readable.count(Int(count), "key")) in \(Readable.duration(took))"
    }

    func tearDown() async -> [Finding] {
        await server?.stop()
        server = nil
        return []
    }

    private func verifyEmpty(_ log: any StepLog) async throws -> String {
        let count = try await keys()
        guard count == 0 else {
            throw DrillFailure.error(
                Finding(
                    .cacheNotEmpty, object: service, expected: "0 keys", actual: "\(count) keys",
                    message: "somebody wrote to the cache before the application was started", hint: "look at what the drill's hooks do"))
        }
        log.record(.judged(.restore, service: service, name: "the cache is empty", findings: []))
        return "empty, for the application to be well with"
    }

    /// Without a seal: nothing says what should be there but the drill's own checks.
    private func ask(_ log: any StepLog) async throws {
        guard let server else { throw DriverMisuse() }
        let connection: RedisConnection
        do {
            connection = try await RedisConnection.connect(unixSocket: server.socketPath)
        } catch {
            throw DrillFailure.error(Finding(.scratchServerFailed, object: service, message: error.message, hint: error.hint))
        }
        defer { connection.close() }
        await RedisChecks.run(
            RedisCheckContext(
                connection: connection, service: service, seal: nil, unsealedReason: "repopulated, not restored",
                declared: plan.checks[service] ?? [], emit: { log.record($0) }))
        let declared = plan.checks[service]?.count ?? 0
        if declared == 0 {
            log.unproven("\(service): what the repopulation must bring is not declared: only that there are keys was asked.")
        }
    }

    private func keys() async throws -> Int64 {
        guard let endpoint = endpoint() else { throw DriverMisuse() }
        do {
            guard case .keys(let count) = try await SurvivingService(service: service, endpoint: endpoint).holdings() else { return 0 }
            return count.all
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw DrillFailure.error(
                Finding(
                    .scratchServerFailed, object: service, message: "the scratch redis doesn't tell what it holds",
                    hint: "run again with --keep, and read its server.log"))
        }
    }

    private func failure(_ repopulation: LostCache.Repopulation, _ ending: ToolResult?) -> DrillFailure {
        .failed(
            Finding(
                .repopulationFailed, object: "\(service): \(repopulation.run.first?.text ?? "")",
                expected: "exit 0 within \(Readable.duration(repopulation.timeout))", actual: ending?.ending ?? "no end in time",
                message: ending == nil
                    ? "the repopulation command hung, and was ended" : "the repopulation command failed: the cache can't be filled again",
                hint: "run again with --keep, and read a/repopulate.log and .err in the scratch folder"))
    }
}
