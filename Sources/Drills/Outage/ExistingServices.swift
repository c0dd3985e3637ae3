// The services that outlive a disaster: remembered before it, recognised after it.

import DrillEngine
import DrillModel
import Foundation

/// Asks what stands for the living services, all of them.
struct ExistingServices: ExistingServicesDriver {
    /// Every one of them must be there to be asked: of one that is left out, nothing would be compared.
    var names: [String]

    func remember(_ services: [String: ServiceProvision], _ log: any StepLog) async throws -> any RememberedServices {
        var known: [KnownService] = []
        for name in names.sorted() {
            guard let endpoint = services[name]?.endpoint else {
                throw DrillFailure.error(
                    Finding(
                        .existingUnreachable, object: name, expected: "a server that stands for the existing service", actual: "none",
                        message: "nothing stands for the existing \(name) that could be asked before the incident and after it",
                        hint: "name postgres and redis services alone under existing"))
            }
            let service = ExistingService(service: name, endpoint: endpoint)
            // What an application is to write to must not refuse it, as a scratch Redis does until now.
            try await endpoint.open()
            known.append(
                KnownService(service: service, identity: try await service.identity(), holdings: try await service.holdings()))
        }
        return KnownServices(known: known)
    }
}

/// One service, as it was before the incident.
private struct KnownService: Sendable {
    var service: ExistingService
    var identity: ExistingService.Identity
    var holdings: ExistingService.Holdings
}

private struct KnownServices: RememberedServices {
    var known: [KnownService]

    func confirmAlive(_ log: any StepLog) async throws -> String {
        for before in known where try await before.service.identity() != before.identity {
            throw DrillFailure.failed(
                Finding(
                    .existingRestarted, object: before.service.service, expected: "the server from before the incident",
                    actual: "one that was started since",
                    message: "the existing \(before.service.service) was started anew during the drill",
                    hint: "only the application fails in this scenario: look at what your hooks do"))
        }
        return "\(known.map(\.service.service).joined(separator: " and ")) live, and were not started anew"
    }

    func compare(_ log: any StepLog) async throws {
        for before in known {
            let service = before.service
            let start = ContinuousClock.now
            let name = service.endpoint.isLiving ? "is still a standby that nobody writes to" : "holds what it held before the incident"
            var findings: [Finding] = []
            if try await service.identity() != before.identity {
                findings.append(
                    Finding(
                        .existingRestarted, object: service.service, expected: "the server from before the incident",
                        actual: "one that was started since", message: "the existing \(service.service) was started anew during the drill",
                        hint: "look at what your hooks and the application do"))
            }
            do {
                findings += ExistingService.differences(before.holdings, try await service.holdings(), service: service.service)
            } catch {
                if Task.isCancelled { throw CancellationError() }
                log.record(
                    .unasked(
                        .operation, service: service.service, name: name,
                        finding: Finding(
                            Rule("not-asked"), object: service.service, message: "what it holds could not be read again",
                            hint: "run again with --keep, and read its server.log")))
                continue
            }
            log.record(
                .judged(
                    .operation, service: service.service, name: name,
                    duration: start.duration(to: .now), findings: findings))
        }
    }
}
