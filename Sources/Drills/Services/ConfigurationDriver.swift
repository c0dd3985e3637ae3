// Puts catalogue, retrieval and checks together for one service's configuration.

import BackupAccess
import ConfigurationRecovery
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import ScratchHost

/// Brings one `.env` file back, inside the drill's scratch host.
struct ConfigurationDriver: ServiceDriver {
    let service: String
    private let source: ServiceBackups
    /// The service's place in the plan: no two share a folder, whatever their names.
    private let index: Int
    private let host: ScratchHost
    struct Retrieved: StepOutcome {
        var files: RetrievedFiles
        var detail: String { files.detail }
    }

    struct Restored: StepOutcome {
        var files: RetrievedFiles
        var environment: EnvFile
        var detail: String { "read \(environment.names.count) keys" }
    }

    init(recovery: Recovery, index: Int, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        self.index = index
        source = backups
        self.host = host
    }

    func identify(before disaster: Date) async throws -> Identified<Date> {
        try await source.identify(before: disaster).knowing(disaster)
    }

    func retrieve(_ point: RecoveryPoint, of disaster: Date, _ attempt: Attempt) async throws -> Retrieved {
        Retrieved(files: try await RetrievedFiles(point, of: source, at: disaster, "c\(index)", attempt, host: host))
    }

    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored {
        let (log, point) = (attempt.log, retrieved.files.point)
        let environment = try retrieved.files.backup.environment(of: retrieved.files.artifact, object: point.path)
        log.record(checks(point).readable(environment))
        log.fact("keys", String(environment.names.count))
        return Restored(files: retrieved.files, environment: environment)
    }

    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<ServiceProvision> {
        let (log, environment, disaster) = (attempt.log, restored.environment, restored.files.disaster)
        let tally = CaseTally(log)
        let checks = checks(restored.files.point)
        let required = checks.required(environment)
        tally.record(required)
        let live = try await ProductionState(estate: source.estate, host: host, instant: disaster).configuration(of: source.set)
        let compared = checks.compared(environment, with: live)
        tally.record(compared)
        for result in [required, compared] where result.verdict == .skipped {
            log.unproven("\(service): \(result.name): \(result.reason).")
        }
        return Verified(
            detail: tally.summary, provision: .configuration(environment.environment),
            // What is the same as what production runs with has lost nothing, however old the file is.
            moment: compared.verdict == .passed ? RecoveredMoment(time: disaster, source: .sameAsLive) : nil)
    }

    private func checks(_ point: RecoveryPoint) -> ConfigurationChecks {
        ConfigurationChecks(service: service, object: point.path, promise: source.set.configuration ?? ConfigurationPromise())
    }
}
