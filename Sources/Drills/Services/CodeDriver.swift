// Puts catalogue, retrieval, git and its checks together for one service's code.

import BackupAccess
import CodeRecovery
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import ScratchHost

/// Brings one repository back, inside the drill's scratch host.
struct CodeDriver: ServiceDriver {
    let service: String
    private let source: ServiceBackups
    private let plan: DrillPlan
    /// The service's place in the plan: no two share a folder, whatever their names.
    private let index: Int
    private let host: ScratchHost
    struct Retrieved: StepOutcome {
        var files: RetrievedFiles
        var detail: String { files.detail }
    }

    struct Restored: StepOutcome {
        var files: RetrievedFiles
        var code: RestoredCode
        var detail: String { "made a repository with \(code.refs) branches and tags" }
    }

    init(recovery: Recovery, index: Int, plan: DrillPlan, backups: ServiceBackups, host: ScratchHost) {
        service = recovery.service
        self.index = index
        self.plan = plan
        source = backups
        self.host = host
    }

    func identify(before disaster: Date) async throws -> Identified<Date> {
        try await source.identify(before: disaster).knowing(disaster)
    }

    func retrieve(_ point: RecoveryPoint, of disaster: Date, _ attempt: Attempt) async throws -> Retrieved {
        Retrieved(files: try await RetrievedFiles(point, of: source, at: disaster, "g\(index)", attempt, host: host))
    }

    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored {
        attempt.log.record(network)
        let code = try await retrieved.files.backup.code(of: retrieved.files.artifact, object: retrieved.files.point.path)
        attempt.log.fact("refs", String(code.refs))
        return Restored(files: retrieved.files, code: code)
    }

    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<ServiceProvision> {
        let (log, code, disaster, folder) = (attempt.log, restored.code, restored.files.disaster, restored.files.folder)
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
        }
        return Verified(
            detail: tally.summary,
            // The files of the commit that production runs, or of the newest: no repository of git's belongs to them.
            provision: commit == nil ? nil : .code(target),
            // A repository that holds what production runs has lost nothing, however old it is.
            moment: held.verdict == .passed ? RecoveredMoment(time: disaster, source: .sameAsLive) : nil)
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

extension Rule {
    static let networkNotIsolated = Rule("network-not-isolated")
}
