// A scratch Redis that begins empty: the application's own command fills it, or nobody does.

import BackupAccess
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

/// A cache of one drill that no backup brings back.
struct EmptyRedis: CacheDriver {
    let service: String
    let staysEmpty: Bool
    private let cache: LostCache
    private let index: Int
    private let plan: DrillPlan
    private let host: ScratchHost

    init(_ cache: LostCache, index: Int, plan: DrillPlan, host: ScratchHost) {
        service = cache.service
        staysEmpty = cache.repopulation == nil
        self.cache = cache
        self.index = index
        self.plan = plan
        self.host = host
    }

    func restore(_ attempt: Attempt) async throws -> any RestoredCache<ServiceProvision> {
        let folder = try host.privateFolder("c\(index)", of: service)
        let software = plan.estate.redisSoftware(of: service)
        let server = try await ScratchRedis.start(
            on: host, in: folder, content: .nothing, binaries: try software.preferred(), modules: software.modules)
        attempt.atEnd { await server.stop() }
        for result in await RedisQuarantine.ask(server, service: service, host: host, demand: plan.quarantine) {
            attempt.log.record(result)
        }
        return RunningCache(
            service: service, cache: cache, declared: plan.checks[service] ?? [],
            commands: CommandChecks(service: service, index: index, plan: plan, host: host), server: server)
    }
}

/// Its server.
private struct RunningCache: RestoredCache {
    var service: String
    var cache: LostCache
    var declared: [DeclaredCheck]
    var commands: CommandChecks
    var server: ScratchRedis

    var detail: String { "started an empty redis: what was in it is lost by declaration" }
    var provision: ServiceProvision { .server(endpoint) }
    private var endpoint: ScratchEndpoint { .redis(server) }

    func verify(_ application: any StagedApplication, _ log: any StepLog) async throws -> String {
        guard let repopulation = cache.repopulation else { return try await verifyEmpty(log) }
        let start = ContinuousClock.now
        let ending = try await application.repopulate(repopulation)
        let took = start.duration(to: .now)
        if let failure = failure(repopulation, ending) { throw failure }
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
        let connection = try await server.connect(for: service)
        defer { connection.close() }
        await RedisChecks.run(
            RedisCheckContext(
                connection: connection, service: service, seal: nil, unsealedReason: "repopulated, not restored",
                declared: declared, run: commands.run(server), emit: { log.record($0) }))
        if declared.isEmpty {
            log.unproven("\(service): what the repopulation must bring is not declared: only that there are keys was asked.")
        }
    }

    private func keys() async throws -> Int64 {
        do {
            guard case .keys(let count) = try await ExistingService(service: service, endpoint: endpoint).holdings() else { return 0 }
            return count.all
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw DrillFailure.error(
                Finding(
                    .scratchServerFailed, object: service, message: "the scratch redis doesn't tell what it holds",
                    hint: "run again with --keep, and read its server.log"))
        }
    }

    /// nil where the command succeeded.
    private func failure(_ repopulation: LostCache.Repopulation, _ ending: HookEnding) -> DrillFailure? {
        let (actual, message) =
            switch ending {
            case .ended(_, succeeded: true): ("", "")
            case .ended(let how, succeeded: false): (how, "the repopulation command failed: the cache can't be filled again")
            case .notStarted(let why, _): (why, "the repopulation command failed: the cache can't be filled again")
            case .timedOut: ("no end in time", "the repopulation command hung, and was ended")
            }
        guard !message.isEmpty else { return nil }
        return .failed(
            Finding(
                .repopulationFailed, object: "\(service): \(repopulation.run.first?.text ?? "")",
                expected: "exit 0 within \(Readable.duration(repopulation.timeout))", actual: actual, message: message,
                hint: "run again with --keep, and read a/repopulate.log and .err in the scratch folder"))
    }
}
