// Puts scratch servers, recovered files and the health probes together for one application.

import ApplicationRecovery
import DrillEngine
import DrillModel
import Foundation
import PostgresClient
import Reports
import ScratchHost

/// Starts one application against what a drill recovered, and against what outlived the disaster.
struct ApplicationRehearsal: ApplicationDriver {
    var application: String { declared.name }
    let declared: Application
    let plan: DrillPlan
    let host: ScratchHost

    func stage(on services: [String: ServiceProvision], _ attempt: Attempt) -> any StagedApplication {
        RehearsedApplication(declared, plan: plan, services: services, host: host, attempt: attempt)
    }
}

/// One application before its services.
private actor RehearsedApplication: StagedApplication {
    private let application: String
    private let declared: Application
    private let plan: DrillPlan
    /// What it runs on.
    private let services: [String: ServiceProvision]
    private let endpoints: [String: ScratchEndpoint]
    private let host: ScratchHost
    private let attempt: Attempt
    /// Its files are copied once, by whoever needs them first: a cache's repopulation, or its start.
    private var preparation: Task<Prepared, any Error>?

    init(_ application: Application, plan: DrillPlan, services: [String: ServiceProvision], host: ScratchHost, attempt: Attempt) {
        self.application = application.name
        declared = application
        self.plan = plan
        self.services = services
        endpoints = services.endpoints
        self.host = host
        self.attempt = attempt
    }

    func proveStopped(_ log: any StepLog) async throws -> String {
        for (service, endpoint) in endpoints.sorted(by: { $0.key < $1.key }) {
            log.record(await ConnectedClients(service: service, endpoint: endpoint).ask())
        }
        let names = endpoints.keys.sorted().joined(separator: " and ")
        return "asked \(names) who is connected; the living application is not touched by a drill"
    }

    func restart(_ attempt: Attempt) async throws -> any RunningApplication {
        let start = ContinuousClock.now
        let prepared = try await prepare()
        let (places, filler, environment) = (prepared.places, prepared.filler, prepared.environment)
        for endpoint in endpoints.values { try await endpoint.open() }
        let running = try await ScratchApplication.start(
            declared, command: try declared.start.map { try filler.fill($0) }, environment: environment, places: places, host: host)
        attempt.atEnd { await running.stop() }
        let probes = ProcessProbes(running, environment: environment) { try $0.map { try filler.fill($0) } }
        let watch = HealthWatch(running) { [application, endpoints] probe in
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
        let answering = try await endpoints.judging { try await watch.wait() }
        let answers = await QuarantineAnswers.ask(running.process, host: host, reaching: places.reachable)
        QuarantineCases.make(answers, service: application, demand: plan.quarantine, listens: declared.usesTCP).forEach(attempt.log.record)
        let took = Readable.duration(start.duration(to: answering))
        return WatchedApplication(
            application: application, watch: watch, endpoints: endpoints, answering: answering,
            detail: "started \(application), well after \(took), and for \(Readable.duration(declared.health.hold)) since")
    }

    func repopulate(_ repopulation: LostCache.Repopulation) async throws -> HookEnding {
        let prepared = try await prepare()
        let ending = try await ApplicationCommand.run(
            try repopulation.run.map { try prepared.filler.fill($0) }, environment: prepared.environment, places: prepared.places,
            host: host,
            log: prepared.places.folder.appendingPathComponent("repopulate.log"), limit: repopulation.timeout)
        if ending?.succeeded != true, let failure = await endpoints.failure() { throw failure }
        return ending.map { .ended($0.ending, succeeded: $0.succeeded) } ?? .timedOut
    }

    /// What it is started with; made once every server runs.
    private struct Prepared {
        var places: ApplicationPlaces
        var filler: TemplateFiller
        var environment: [String: String]
    }

    private func prepare() async throws -> Prepared {
        let task = preparation ?? Task { try await makePrepared() }
        preparation = task
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func makePrepared() async throws -> Prepared {
        var places = try ApplicationPlaces(on: host)
        try await places.copy(try source(), on: host)
        let filler = TemplateFiller(endpoints: endpoints, places: places, port: declared.port)
        // What its own variables say of a password or a session is its own affair.
        let living = endpoints.values.filter(\.isLiving).compactMap(\.postgres)
        attempt.atEnd { [places] in LivingLogin.remove(from: places) }
        let environment = try LivingLogin(living, places: places).write(on: host).merging(try variables()) { $1 }
            .merging(declared.environment.mapValues { try filler.fill($0) }) { $1 }
        places.reachable = living.map { URL(fileURLWithPath: $0.host, isDirectory: true) }
        return Prepared(places: places, filler: filler, environment: environment)
    }

    private func source() throws -> URL {
        switch declared.code {
        case .folder(let folder): return folder
        case .service(let name):
            guard case .code(let checkout)? = services[name] else { throw missing(name, "the checkout of its code") }
            return checkout
        }
    }

    private func variables() throws -> [String: String] {
        guard let name = declared.configuration else { return [:] }
        guard case .configuration(let variables)? = services[name] else { throw missing(name, "its variables") }
        return variables
    }

    private func missing(_ service: String, _ what: String) -> DrillFailure {
        .error(
            Finding(
                .preparationIncomplete, object: application, expected: "\(what), of \(service)", actual: "nothing",
                message: "the application can't be started without what \(service) did not bring back",
                hint: "the findings of \(service) say why"))
    }
}

extension Rule {
    static let preparationIncomplete = Rule("application-lacks-service")
}

/// An application that was well, and is watched.
private struct WatchedApplication: RunningApplication {
    var application: String
    var watch: HealthWatch
    var endpoints: [String: ScratchEndpoint]
    var answering: ContinuousClock.Instant
    var detail: String

    func confirm(_ log: any StepLog) async throws {
        try await endpoints.judging { try await watch.confirm() }
        log.record(.judged(.operation, service: application, name: "still runs", findings: []))
    }
}

extension [String: ScratchEndpoint] {
    /// Judges an application by what it does with its servers, as long as those live.
    ///
    /// - Throws: ``DrillFailure``: an error instead of any judgement, good or bad, where one doesn't.
    fileprivate func judging<Answer: Sendable>(_ judge: @Sendable () async throws -> Answer) async throws -> Answer {
        do {
            let value = try await judge()
            if let failure = await failure() { throw failure }
            return value
        } catch let failure as DrillFailure where failure.verdict == .failed {
            throw await self.failure() ?? failure
        }
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
        guard let filled else {
            throw DrillFailure.error(
                Finding(
                    .preparationIncomplete, object: template.text, expected: "a value for each of its places", actual: "none for one",
                    message: "a place in the application's command or environment can't be filled",
                    hint: "it names a service that has no such field here: see the services' findings"))
        }
        return filled
    }
}
