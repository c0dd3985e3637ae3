// The services that outlive a disaster: remembered before it, recognised after it.

import DrillEngine
import DrillModel
import Foundation

/// Asks what stands for the living services, all of them.
actor Survivors: SurvivorDriver {
    private let drivers: [any ServiceDriver]
    private var known: [(service: SurvivingService, identity: SurvivingService.Identity, holdings: SurvivingService.Holdings)] = []

    init(_ drivers: [any ServiceDriver]) {
        self.drivers = drivers
    }

    func remember(_ log: any StepLog) async throws {
        for (name, endpoint) in await drivers.endpoints().sorted(by: { $0.key < $1.key }) {
            let service = SurvivingService(service: name, endpoint: endpoint)
            // What an application is to write to must not refuse it, as a scratch Redis does until now.
            try await endpoint.open()
            known.append((service, try await service.identity(), try await service.holdings()))
        }
        guard known.count == drivers.count else { throw DriverMisuse() }
    }

    func confirmAlive(_ log: any StepLog) async throws -> String {
        guard !known.isEmpty else { throw DriverMisuse() }
        for (service, identity, _) in known where try await service.identity() != identity {
            throw DrillFailure.failed(
                Finding(
                    .existingRestarted, object: service.service, expected: "the server from before the incident",
                    actual: "one that was started since", message: "the existing \(service.service) was started anew during the drill",
                    hint: "only the application fails in this scenario: look at what your hooks do"))
        }
        return "\(known.map(\.service.service).joined(separator: " and ")) live, and were not started anew"
    }

    func compare(_ log: any StepLog) async throws {
        for (service, identity, before) in known {
            let start = ContinuousClock.now
            let name = service.endpoint.isLiving ? "is still a standby that nobody writes to" : "holds what it held before the incident"
            var findings: [Finding] = []
            if try await service.identity() != identity {
                findings.append(
                    Finding(
                        .existingRestarted, object: service.service, expected: "the server from before the incident",
                        actual: "one that was started since", message: "the existing \(service.service) was started anew during the drill",
                        hint: "look at what your hooks and the application do"))
            }
            do {
                findings += SurvivingService.differences(before, try await service.holdings(), service: service.service)
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
