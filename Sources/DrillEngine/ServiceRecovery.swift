// One service's way through the steps, walking back to older recovery points while the newest are bad.

import DrillModel
import Foundation

extension Rule {
    static let recoveryPointBad = Rule("recovery-point-bad")
    static let noHealthyBackup = Rule("no-healthy-backup")
    static let nothingVerified = Rule("nothing-verified")
}

/// How a service's recovery ended.
struct ServiceResult: Sendable {
    enum State: Sendable {
        /// It came back and every question about it holds.
        case verified
        /// It did not, or not as it should.
        case failed
        /// Nobody knows.
        case unverified
    }
    var service: String
    var state: State
    /// The point that came back, where one did; also where it turned out bad.
    var point: RecoveryPoint?
    /// The moment that it stands for.
    var moment: RecoveredMoment?
    var worstCase: WorstCase?
    /// When its scratch instance took connections with the data in it.
    var accepting: Duration?

    var isVerified: Bool {
        if case .verified = state { true } else { false }
    }
}

/// Drives one service.
struct ServiceRecovery: Sendable {
    /// How many recovery points are tried at the most before the drill gives up.
    static let mostAttempts = 10

    let driver: any ServiceDriver
    let selection: Recovery.Selection
    let disaster: Date
    let log: DrillLog
    /// What surrounds the steps; nil before the incident.
    var gates: StepGates?

    /// - Throws: `CancellationError` alone: everything else becomes cases.
    func run() async throws -> ServiceResult {
        let outcome: Result<ServiceResult, any Error>
        do {
            outcome = .success(try await attempts())
        } catch {
            outcome = .failure(error)
        }
        await gates?.ended(driver.service)
        return try outcome.get()
    }

    private func attempts() async throws -> ServiceResult {
        var result = ServiceResult(service: driver.service, state: .unverified)
        guard let identified = try await identify() else {
            result.state = log.snapshot.cases.contains { $0.service == driver.service && $0.verdict == .failed } ? .failed : .unverified
            return result
        }
        result.worstCase = identified.worstCase
        let candidates = selection == .latest ? Array(identified.points.prefix(1)) : identified.points
        for (index, point) in candidates.prefix(Self.mostAttempts).enumerated() {
            if index > 0 { await driver.discard() }
            log.emit(.pointChosen(ChosenPoint(point, rejected: index)))
            let attempt = AttemptMemory()
            // With the store: copies of one artifact have the same path, and two cases never the same name.
            let suffix = index == 0 ? "" : " (\(Self.name(of: point)))"
            let accepting = try await recover(point, attempt: attempt, suffix: suffix)
            result.point = point
            let known = await driver.recovered()
            result.moment = known ?? RecoveredMoment(time: point.time, source: point.timeSource)
            result.accepting = accepting
            if !attempt.hasFailures, !attempt.hasErrors {
                result.state = .verified
                return result
            }
            result.state = attempt.hasFailures ? .failed : .unverified
            guard attempt.backupIsBad, selection == .latestHealthy else { return result }
            let next = index + 1 < min(candidates.count, Self.mostAttempts) ? Self.name(of: candidates[index + 1]) : nil
            log.record(
                .judged(
                    .backup, service: driver.service, name: "\(Self.name(of: point)) is healthy",
                    findings: [
                        Finding(
                            .recoveryPointBad, object: point.path, expected: "a backup that passes every check", actual: "a bad one",
                            message: next.map { "the backup is not healthy; the drill went on to \($0)" } ?? "the backup is not healthy",
                            hint: "its own findings say what is wrong; keep the file until the cause is known")
                    ]))
        }
        result.state = .failed
        log.record(
            .judged(
                .backup, service: driver.service, name: "a healthy backup exists",
                findings: [
                    Finding(
                        .noHealthyBackup, object: driver.service, expected: "one healthy backup",
                        actual: "none among the newest \(min(candidates.count, Self.mostAttempts))",
                        message: "no backup that was tried is healthy", hint: "take and seal a new backup now, then mend the backup job")
                ]))
        return result
    }

    private static func name(of point: RecoveryPoint) -> String { "\(point.path) in \(point.store)" }

    private func identify() async throws -> Identified? {
        let memory = AttemptMemory()
        let attempt = attemptLog(.identify, memory, suffix: "")
        let result = try await step(.identify, attempt) {
            let identified = try await driver.identify(before: disaster)
            identified.cases.forEach(attempt.record)
            return (identified, identified.detail)
        }
        return result
    }

    /// - Returns: When the instance took connections; nil where it never did.
    private func recover(_ point: RecoveryPoint, attempt: AttemptMemory, suffix: String) async throws -> Duration? {
        let retrieval = attemptLog(.retrieve, attempt, suffix: suffix)
        guard
            try await step(.retrieve, retrieval, { ((), try await driver.retrieve(point, retrieval)) }) != nil
        else { return nil }
        let restoring = attemptLog(.restore, attempt, suffix: suffix)
        guard try await step(.restore, restoring, { ((), try await driver.restore(restoring)) }) != nil else { return nil }
        let accepting = log.elapsed
        let verifying = attemptLog(.verify, attempt, suffix: suffix)
        let before = attempt.count
        _ = try await step(.verify, verifying) {
            let detail = try await driver.verify(verifying)
            if !attempt.askedAnything(since: before) {
                verifying.record(
                    .unasked(
                        .restore, service: driver.service, name: "something was verified",
                        finding: Finding(
                            .nothingVerified, object: driver.service, expected: "at least one answered question", actual: "none",
                            message: "no question about what came back was answered",
                            hint: "seal the backups, or declare checks in the drill file")))
            }
            return ((), detail)
        }
        return accepting
    }

    private func attemptLog(_ step: Step, _ memory: AttemptMemory, suffix: String) -> AttemptLog {
        AttemptLog(log: log, service: driver.service, step: step, suffix: suffix, attempt: memory)
    }

    private func step<Value: Sendable>(
        _ step: Step, _ attempt: AttemptLog, _ body: () async throws -> (Value, String)
    ) async throws -> Value? {
        try await gates?.enter(step, driver.service)
        let value = try await StepRun(step: step, group: step == .restore ? .restore : .backup, question: Self.question(step))
            .run(attempt, body)
        try await gates?.leave(step, driver.service, isRed: value.isRed)
        return value.value
    }

    private static func question(_ step: Step) -> String {
        switch step {
        case .identify: "a recovery point can be found"
        case .retrieve: "the artifact can be retrieved"
        case .restore: "the artifact can be restored"
        default: "\(step.rawValue) can be done"
        }
    }
}
