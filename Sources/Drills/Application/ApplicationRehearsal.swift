// Puts scratch servers, recovered files and the health probes together for one application.

import ApplicationRecovery
import DrillEngine
import DrillModel
import Foundation
import PostgresClient
import Reports
import ScratchHost

/// Starts one application against what a drill recovered, and against what outlived the disaster.
actor ApplicationRehearsal: ApplicationDriver {
    nonisolated let application: String
    private let declared: Application
    private let plan: DrillPlan
    /// Those of the recovered services, and those of the existing ones.
    private let drivers: [any ServiceDriver]
    private let caches: [EmptyRedis]
    private let host: ScratchHost
    private var prepared: Prepared?
    private var running: ScratchApplication?
    private var watch: HealthWatch?

    init(_ application: Application, plan: DrillPlan, drivers: [any ServiceDriver], caches: [EmptyRedis], host: ScratchHost) {
        self.application = application.name
        declared = application
        self.plan = plan
        self.drivers = drivers
        self.caches = caches
        self.host = host
    }

    func proveStopped(_ log: any StepLog) async throws -> String {
        let endpoints = await endpoints()
        for (service, endpoint) in endpoints.sorted(by: { $0.key < $1.key }) {
            log.record(await ConnectedClients(service: service, endpoint: endpoint).ask())
        }
        let names = endpoints.keys.sorted().joined(separator: " and ")
        return "asked \(names) who is connected; the living application is not touched by a drill"
    }

    func restart(_ log: any StepLog) async throws -> Restarted {
        let start = ContinuousClock.now
        let prepared = try await prepare()
        let (endpoints, places, filler, environment) = (prepared.endpoints, prepared.places, prepared.filler, prepared.environment)
        for endpoint in endpoints.values { try await endpoint.open() }
        let running = try await ScratchApplication.start(
            declared, command: try declared.start.map { try filler.fill($0) }, environment: environment, places: places, host: host)
        self.running = running
        let probes = ProcessProbes(running, environment: environment) { try $0.map { try filler.fill($0) } }
        let watch = HealthWatch(running) { [application] probe in
            let answer =
                switch probe {
                case .http(let path, let status, let body, let port):
                    try await probes.http(path: path, status: status, body: body, port: port)
                case .tcp(let port): probes.tcp(port: port)
                case .command(let run, let code): try await probes.command(run, expectExit: code)
                case .sql(let service, let query, let expect):
                    await SQLProbe(service: service, application: application, endpoint: endpoints[service]).ask(query, expect)
                }
            // Nothing makes it well again.
            if case .fails = answer, let failure = await endpoints.failure() { throw failure }
            return answer
        }
        self.watch = watch
        let answering = try await judged(by: endpoints) { try await watch.wait() }
        let answers = await QuarantineAnswers.ask(running.process, host: host, reaching: places.reachable)
        QuarantineCases.make(answers, service: application, demand: plan.quarantine, listens: declared.usesTCP).forEach(log.record)
        let took = Readable.duration(start.duration(to: answering))
        return Restarted(
            answering: answering,
            detail: "started \(application), well after \(took), and for \(Readable.duration(declared.health.hold)) since")
    }

    /// Judges the application by what it does with its servers, as long as those live.
    ///
    /// - Throws: ``DrillFailure``: an error instead of any judgement, good or bad, where one doesn't.
    private func judged<Value: Sendable>(
        by endpoints: [String: ScratchEndpoint], _ judge: @Sendable () async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await judge()
            if let failure = await endpoints.failure() { throw failure }
            return value
        } catch let failure as DrillFailure where failure.verdict == .failed {
            throw await endpoints.failure() ?? failure
        }
    }

    /// Why what uses the recovered servers proves nothing; nil where all of them live.
    func serverFailure() async -> DrillFailure? { await endpoints().failure() }

    /// Fills a cache, in the same place and with the same variables as the application itself has later.
    ///
    /// - Returns: nil where the command was ended because its time was over.
    func run(_ repopulation: LostCache.Repopulation) async throws -> ToolResult? {
        let prepared = try await prepare()
        return try await ApplicationCommand.run(
            try repopulation.run.map { try prepared.filler.fill($0) }, environment: prepared.environment, places: prepared.places,
            host: host,
            log: prepared.places.folder.appendingPathComponent("repopulate.log"), limit: repopulation.timeout)
    }

    /// What it is started with; made once every server runs.
    private struct Prepared {
        var endpoints: [String: ScratchEndpoint]
        var places: ApplicationPlaces
        var filler: TemplateFiller
        var environment: [String: String]
    }

    private func prepare() async throws -> Prepared {
        if let prepared { return prepared }
        var places = try ApplicationPlaces(on: host)
        try await places.copy(try await source(), on: host)
        let endpoints = await endpoints()
        let filler = TemplateFiller(endpoints: endpoints, places: places, port: declared.port)
        // What its own variables say of a password or a session is its own affair.
        let living = try LivingLogin(endpoints.values.filter(\.isLiving).compactMap(\.postgres), places: places).write(on: host)
        let environment = try await living.merging(variables()) { $1 }.merging(declared.environment.mapValues { try filler.fill($0) }) {
            $1
        }
        places.reachable = endpoints.values.filter(\.isLiving).compactMap(\.postgres).map {
            URL(fileURLWithPath: $0.host, isDirectory: true)
        }
        let made = Prepared(endpoints: endpoints, places: places, filler: filler, environment: environment)
        prepared = made
        return made
    }

    private func endpoints() async -> [String: ScratchEndpoint] {
        var endpoints = await drivers.endpoints()
        for cache in caches { endpoints[cache.service] = await cache.endpoint() }
        return endpoints
    }

    func confirm(_ log: any StepLog) async throws {
        guard let watch else { throw DriverMisuse() }
        try await judged(by: await endpoints()) { try await watch.confirm() }
        log.record(.judged(.operation, service: application, name: "still runs", findings: []))
    }

    func tearDown() async -> [Finding] {
        await running?.stop()
        running = nil
        if let prepared { LivingLogin.remove(from: prepared.places) }
        return []
    }

    private func source() async throws -> URL {
        switch declared.code {
        case .folder(let folder): return folder
        case .service(let name):
            let driver = drivers.first { $0.service == name } as? any CodeProviding
            guard let checkout = await driver?.checkout() else { throw DriverMisuse() }
            return checkout
        }
    }

    private func variables() async throws -> [String: String] {
        guard let name = declared.configuration else { return [:] }
        let driver = drivers.first { $0.service == name } as? any ConfigurationProviding
        guard let variables = await driver?.variables() else { throw DriverMisuse() }
        return variables
    }
}

/// Fills in an application's places.
private struct TemplateFiller: Sendable {
    var endpoints: [String: ScratchEndpoint]
    var places: ApplicationPlaces
    var port: Int

    func fill(_ template: Template) throws -> String {
        let filled = template.filled { owner, field in
            guard owner == Template.application else { return endpoints[owner]?.value(field) }
            return switch field {
            case "socket": places.socket.path
            case "port": String(port)
            case "folder": places.files.path
            default: nil
            }
        }
        // The reader knows every place, so one that nobody can fill is a defect.
        guard let filled else { throw DriverMisuse() }
        return filled
    }
}
