// Puts catalogue, retrieval and checks together for one service's configuration.

import BackupAccess
import ConfigurationRecovery
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import ScratchHost

/// Brings one `.env` file back, inside the drill's scratch host.
actor ConfigurationDriver: ServiceDriver {
    nonisolated let service: String
    /// The decrypted file, while it is there: what an application is started with. Its user's own, and nobody else's.
    private(set) var file: URL?

    private let source: ServiceBackups
    /// The service's place in the plan: no two share a folder, whatever their names.
    private let index: Int
    private let host: ScratchHost
    private var attempt = 0
    private var disaster = Date()
    private var folder: URL?
    private var point: RecoveryPoint?
    private var retrieved: RetrievedArtifact?
    private var environment: EnvFile?
    private var isProven = false

    init(recovery: Recovery, index: Int, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        self.index = index
        source = backups
        self.host = host
    }

    func identify(before disaster: Date) async throws -> Identified {
        self.disaster = disaster
        return try await source.identify(before: disaster)
    }

    func retrieve(_ point: RecoveryPoint, _ log: any StepLog) async throws -> String {
        attempt += 1
        self.point = point
        let folder = try host.privateFolder("c\(index)-\(attempt)", of: service)
        self.folder = folder
        let retrieved = try await HeldArtifact(backups: source, host: host, folder: folder).retrieve(point) {
            log.progress("fetching", completed: $0, total: point.size, unit: .bytes)
        }
        self.retrieved = retrieved
        source.recordHeld(point, retrieved, asOf: disaster, log)
        return source.describe(retrieved)
    }

    func restore(_ log: any StepLog) async throws -> String {
        guard let retrieved, let folder, let point else { throw DriverMisuse() }
        let environment = try HeldArtifact(backups: source, host: host, folder: folder).environment(of: retrieved, object: point.path)
        self.environment = environment
        log.record(checks(point).readable(environment))
        log.fact("keys", String(environment.names.count))
        file = retrieved.location
        return "read \(environment.names.count) keys"
    }

    func verify(_ log: any StepLog) async throws -> String {
        guard let environment, let point else { throw DriverMisuse() }
        let tally = CaseTally(log)
        let checks = checks(point)
        let required = checks.required(environment)
        tally.record(required)
        let live = try await ProductionState(estate: source.estate, host: host, instant: disaster).configuration(of: source.set)
        let compared = checks.compared(environment, with: live)
        tally.record(compared)
        isProven = compared.verdict == .passed
        for result in [required, compared] where result.verdict == .skipped {
            log.unproven("\(service): \(result.name): \(result.reason).")
        }
        return tally.summary
    }

    /// What is the same as what production runs with has lost nothing, however old the file is.
    func recovered() async -> RecoveredMoment? {
        isProven ? RecoveredMoment(time: disaster, source: .sameAsLive) : nil
    }

    func discard() async {
        forget()
        if let folder { try? FileManager.default.removeItem(at: folder) }
        folder = nil
    }

    func tearDown() async -> [Finding] {
        forget()
        return []
    }

    private func forget() {
        environment = nil
        retrieved = nil
        file = nil
        isProven = false
    }

    private func checks(_ point: RecoveryPoint) -> ConfigurationChecks {
        ConfigurationChecks(service: service, object: point.path, promise: source.set.configuration ?? ConfigurationPromise())
    }
}

extension ConfigurationDriver: ConfigurationProviding {
    func variables() async -> [String: String]? { environment?.environment }
}
