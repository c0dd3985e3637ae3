// Puts catalogue, retrieval, git and its checks together for one service's code.

import BackupAccess
import CodeRecovery
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import ScratchHost

/// Brings one repository back, inside the drill's scratch host.
actor CodeDriver: ServiceDriver {
    nonisolated let service: String
    /// The files of the commit that production runs, or of the newest, while they are there: what an application is started from. No
    /// repository of git's belongs to it.
    private var files: URL?
    /// Which commit that is.
    private(set) var commit: String?

    private let source: ServiceBackups
    private let plan: DrillPlan
    /// The service's place in the plan: no two share a folder, whatever their names.
    private let index: Int
    private let host: ScratchHost
    private var attempt = 0
    private var disaster = Date()
    private var folder: URL?
    private var point: RecoveryPoint?
    private var retrieved: RetrievedArtifact?
    private var code: RestoredCode?
    private var isProven = false

    init(recovery: Recovery, index: Int, plan: DrillPlan, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        self.index = index
        self.plan = plan
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
        let folder = try host.privateFolder("g\(index)-\(attempt)", of: service)
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
        log.record(network)
        let code = try await HeldArtifact(backups: source, host: host, folder: folder).code(of: retrieved, object: point.path)
        self.code = code
        log.fact("refs", String(code.refs))
        return "made a repository with \(code.refs) branches and tags"
    }

    func verify(_ log: any StepLog) async throws -> String {
        guard let code, let folder else { throw DriverMisuse() }
        let tally = CaseTally(log)
        let checks = CodeChecks(service: service, code: code, promise: source.set.code ?? CodePromise())
        tally.record(try await checks.whole())
        let declared = try await ProductionState(estate: source.estate, host: host, instant: disaster).commit(of: source.set)
        let (held, running) = try await checks.holds(declared)
        tally.record(held)
        if held.verdict == .skipped { log.unproven("\(service): \(held.name): \(held.reason).") }
        let target = try host.privateFolder(folder.lastPathComponent + "/checkout", of: service)
        let (checkedOut, commit) = try await checks.checkOut(running, to: target)
        tally.record(checkedOut)
        if let commit {
            log.fact("commit", commit)
            let elsewhere = try await checks.elsewhere(commit, checkout: target)
            tally.record(elsewhere)
            if elsewhere.verdict == .skipped { log.unproven("\(service): \(elsewhere.reason): they were not recovered.") }
            files = target
            self.commit = commit
        }
        isProven = held.verdict == .passed
        return tally.summary
    }

    /// A repository that holds what production runs has lost nothing, however old it is.
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
        retrieved = nil
        code = nil
        files = nil
        commit = nil
        isProven = false
    }

    /// Git is told to reach nothing; the machine makes sure of it where it can.
    private var network: CaseResult {
        let name = "git has no network"
        guard host.isolation.network == .none else { return .judged(.quarantine, service: service, name: name, findings: []) }
        let reason = "this machine can't take the network from it; git is told to use no protocol"
        guard plan.quarantine.network else { return .skipped(.quarantine, service: service, name: name, reason: reason) }
        return .unasked(
            .quarantine, service: service, name: name,
            finding: Finding(
                .networkNotIsolated, object: service, expected: "a network namespace of its own", actual: "the host's network",
                message: "git could reach other machines, were it told to",
                hint: "run muster as root, or allow unprivileged user namespaces (in a container: --cap-add SYS_ADMIN)"))
    }
}

extension CodeDriver: CodeProviding {
    func checkout() async -> URL? { files }
}

extension Rule {
    static let networkNotIsolated = Rule("network-not-isolated")
}
