// `muster inspect`: what the newest backup of configuration or code must hold.

import BackupAccess
import BackupCatalog
import BackupPolicy
import CodeRecovery
import ConfigurationRecovery
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import ScratchHost

/// Asks the questions of a drill's verify step of one set's newest artifact.
struct FileBackupPromises: Sendable {
    var estate: Estate
    var survey: SetSurvey
    /// The instant that is judged for.
    var now: Date
    /// Where artifacts are opened; nil: they are not.
    var root: ScratchRoot?
    var stores: RemoteStores

    private var set: BackupSet { survey.set }

    /// One case for each question.
    ///
    /// - Parameter broken: What has a finding already: it is told once.
    func ask(except broken: BrokenArtifacts) async throws -> [CaseResult] {
        guard !set.holdsData else { return [] }
        guard let root else { return skipped("only opening a backup tells: muster inspect --deep does, and every drill") }
        guard let point = survey.series.moments.last?.copies.map(\.point).first(where: { !broken.contains($0) }) else {
            return skipped("the newest artifact has a finding of its own")
        }
        let host: ScratchHost
        do throws(ScratchError) {
            host = try await ScratchHost.prepare(in: root, purpose: "inspection of \(set.service)/\(set.name)", view: estate.view)
        } catch {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
        do {
            let cases = try await ask(point, on: host)
            try await host.remove()
            return cases.map(ofPolicy)
        } catch let failure as DrillFailure {
            try await host.remove()
            // That it can't be opened was told where every artifact was.
            guard failure.verdict == .error else { return skipped("the newest artifact has a finding of its own") }
            return questions.map { .unasked(.policy, service: set.service, name: "\(set.name): \($0)", finding: failure.finding) }
        } catch {
            try? await host.remove()
            throw error
        }
    }

    private var questions: [String] {
        survey.set.kind == .env
            ? ["the required keys are there", "it is what production runs with"]
            : ["it holds the commit that production runs", "it can be checked out", "nothing of it lies elsewhere"]
    }

    private func ask(_ point: RecoveryPoint, on host: ScratchHost) async throws -> [CaseResult] {
        let folder = try host.privateFolder("newest", of: set.service)
        let artifact = FileBackup(backups: ServiceBackups(estate: estate, set: set, stores: stores), host: host, folder: folder)
        let retrieved = try await artifact.retrieve(point) { _ in }
        let production = ProductionState(estate: estate, host: host, instant: now)
        if set.kind == .env {
            let environment = try artifact.environment(of: retrieved, object: point.path)
            let checks = ConfigurationChecks(
                service: set.service, object: point.path, promise: set.configuration ?? ConfigurationPromise())
            return [checks.required(environment), checks.compared(environment, with: try await production.configuration(of: set))]
        }
        let code = try await artifact.code(of: retrieved, object: point.path)
        let checks = CodeChecks(service: set.service, code: code, promise: set.code ?? CodePromise())
        let (held, running) = try await checks.holds(try await production.commit(of: set))
        let target = try host.privateFolder("newest/checkout", of: set.service)
        let (checkedOut, commit) = try await checks.checkOut(running, to: target)
        guard let commit else { return [held, checkedOut] }
        return [held, checkedOut, try await checks.elsewhere(commit, checkout: target)]
    }

    private func ofPolicy(_ result: CaseResult) -> CaseResult {
        var result = result
        result.group = .policy
        result.name = "\(set.name): \(result.name)"
        return result
    }

    private func skipped(_ reason: String) -> [CaseResult] {
        questions.map { .skipped(.policy, service: set.service, name: "\(set.name): \($0)", reason: reason) }
    }
}
