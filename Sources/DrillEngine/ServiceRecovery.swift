// One service's way through the steps, walking back to older recovery points while the newest are bad.

import DrillModel
import Foundation

extension Rule {
    static let recoveryPointBad = Rule("recovery-point-bad")
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
struct ServiceRecovery<Driver: ServiceDriver>: Sendable {
    let driver: Driver
    let selection: Recovery.Selection
    /// How many backups `latest-healthy` tries.
    let tries: Int
    let sample: Sample
    /// The backups, as `SERVICE/PATH`, that earlier runs restored.
    let drilledBefore: Set<String>
    let disaster: Date
    let log: DrillLog
    /// Of this service.
    let tearDown: TearDown
    /// What surrounds the steps; nil before the incident.
    var gates: StepGates?

    /// - Throws: `CancellationError` alone: everything else becomes cases.
    func run() async throws -> (result: ServiceResult, verified: Verified<Driver.Provision>?) {
        let outcome: Result<(ServiceResult, Verified<Driver.Provision>?), any Error>
        do {
            outcome = .success(try await attempts())
        } catch {
            outcome = .failure(error)
        }
        await gates?.ended(driver.service)
        return try outcome.get()
    }

    private func attempts() async throws -> (ServiceResult, Verified<Driver.Provision>?) {
        var result = ServiceResult(service: driver.service, state: .unverified)
        guard let identified = try await identify() else {
            result.state = log.snapshot.cases.contains { $0.service == driver.service && $0.verdict == .failed } ? .failed : .unverified
            return (result, nil)
        }
        result.worstCase = identified.worstCase
        let candidates = WalkBack(identified.points, selection, tries: tries, sample: sample)
        if selection.isSample {
            guard !candidates.points.isEmpty else {
                log.record(
                    .judged(
                        .backup, service: driver.service, name: "a backup can be drawn",
                        findings: [sample.noneYoungEnough(newest: identified.points.first)]))
                result.state = .failed
                return (result, nil)
            }
        }
        var someAreBad = false
        var reasons = AttemptReasons()
        var tried = 0
        for (index, point) in candidates.points.enumerated() {
            if index > 0 { await makeRoom() }
            log.emit(.pointChosen(ChosenPoint(point, rejected: index)))
            let attempt = AttemptMemory()
            // With the store: copies of one artifact have the same path, and two cases never the same name.
            let suffix = index == 0 ? "" : " (\(name(of: point)))"
            let (accepting, verified) = try await recover(
                point, of: identified.context, number: index + 1, memory: attempt, suffix: suffix)
            result.point = point
            result.moment = verified?.moment ?? RecoveredMoment(time: point.time, source: point.timeSource)
            result.accepting = accepting
            if !attempt.hasFailures, !attempt.hasErrors {
                result.state = .verified
                return (result, verified)
            }
            result.state = attempt.hasFailures ? .failed : .unverified
            guard attempt.backupIsBad || attempt.backupIsOutOfReach, selection == .latestHealthy else { return (result, verified) }
            if attempt.backupIsBad { reasons.add(attempt.standingReasons, of: point) }
            let next = reasons.repeated == nil ? candidates.points.dropFirst(index + 1).first : nil
            if next == nil { tried = index + 1 }
            guard attempt.backupIsBad else {
                if let next {
                    log.unproven(
                        "\(driver.service): whether \(name(of: point)) is healthy: it can't be read; the drill went on to \(name(of: next))."
                    )
                }
                continue
            }
            someAreBad = true
            log.record(
                .judged(
                    .backup, service: driver.service, name: "\(name(of: point)) is healthy",
                    findings: [
                        Finding(
                            .recoveryPointBad, object: point.path, expected: "a backup that passes every check", actual: "a bad one",
                            message: next.map { "the backup is not healthy; the drill went on to \(name(of: $0))" }
                                ?? "the backup is not healthy",
                            hint: "its own findings say what is wrong; keep the file until the cause is known")
                    ]))
            if reasons.repeated != nil { break }
        }
        // Where none could be read, none was found bad either.
        guard someAreBad || candidates.points.isEmpty else {
            if let untried = candidates.untried(after: tried) { log.unproven("\(driver.service): \(untried).") }
            return (result, nil)
        }
        result.state = .failed
        log.record(
            .judged(
                .backup, service: driver.service, name: "a healthy backup exists",
                findings: [candidates.noneHealthy(of: driver.service, tried: tried, repeated: reasons.repeated)]))
        // What was not tried is neither healthy nor not: that is said, and never that all are bad.
        if let untried = candidates.untried(after: tried) { log.unproven("\(driver.service): \(untried).") }
        return (result, nil)
    }

    /// Ends what the last attempt made. What could not be ended is told at the drill's end, like all that is left.
    private func makeRoom() async {
        let left = await tearDown.run(discarding: true)
        if !left.isEmpty { tearDown.add(.end { left }) }
    }

    private func name(of point: RecoveryPoint) -> String { "\(point.path) in \(point.store)" }

    private func identify() async throws -> Identified<Driver.Context>? {
        let attempt = attemptLog(.identify, AttemptMemory(), suffix: "")
        return try await step(.identify, attempt) {
            var identified = try await driver.identify(before: disaster)
            identified.cases.forEach(attempt.record)
            identified.detail += tellKept(identified.points)
            if selection.isSample, sample.choose(from: identified.points, selection) != nil {
                let words = sample.words(of: identified.points, selection)
                identified.detail += "; \(words)"
                log.emit(.fact(Fact("\(driver.service).selected", words)))
            }
            return identified
        }
    }

    /// Which of the kept backups anybody has ever restored: the newest alone, as a rule, and a year of others is promised.
    ///
    /// - Returns: What is said of it in the step.
    private func tellKept(_ points: [RecoveryPoint]) -> String {
        let kept = Set(points.map(\.path))
        guard kept.count > 1 else { return "" }
        let drilled = kept.filter { drilledBefore.contains("\(driver.service)/\($0)") }.sorted()
        let names = drilled.suffix(20).joined(separator: ", ")
        let more = drilled.count > 20 ? " and \(drilled.count - 20) older" : ""
        log.emit(.fact(Fact("\(driver.service).backups-kept", String(kept.count))))
        log.emit(
            .fact(Fact("\(driver.service).drilled-before", "\(drilled.count) of them" + (drilled.isEmpty ? "" : ": \(names)\(more)"))))
        return ", \(drilled.count) of \(kept.count) drilled before"
    }

    /// From a point to what was verified of it.
    ///
    /// - Returns: When the instance took connections, nil where it never did; and what came back, nil where that could not be asked.
    private func recover(
        _ point: RecoveryPoint, of context: Driver.Context, number: Int, memory: AttemptMemory, suffix: String
    ) async throws -> (accepting: Duration?, verified: Verified<Driver.Provision>?) {
        func attempt(_ step: Step) -> Attempt {
            Attempt(number: number, step: attemptLog(step, memory, suffix: suffix), tearDown: tearDown)
        }
        let retrieving = attempt(.retrieve)
        guard let retrieved = try await step(.retrieve, retrieving.step, { try await driver.retrieve(point, of: context, retrieving) })
        else { return (nil, nil) }
        let restoring = attempt(.restore)
        guard let restored = try await step(.restore, restoring.step, { try await driver.restore(retrieved, restoring) })
        else { return (nil, nil) }
        let accepting = log.elapsed
        let verifying = attempt(.verify)
        let before = memory.count
        let verified = try await step(.verify, verifying.step) {
            let verified = try await driver.verify(restored, verifying)
            if !memory.askedAnything(since: before) {
                verifying.log.record(
                    .unasked(
                        .restore, service: driver.service, name: "something was verified",
                        finding: Finding(
                            .nothingVerified, object: driver.service, expected: "at least one answered question", actual: "none",
                            message: "no question about what came back was answered",
                            hint: "seal the backups, or declare checks in the drill file")))
            }
            return verified
        }
        return (accepting, verified)
    }

    private func attemptLog(_ step: Step, _ memory: AttemptMemory, suffix: String) -> AttemptLog {
        AttemptLog(log: log, service: driver.service, step: step, suffix: suffix, attempt: memory)
    }

    private func step<Value: StepOutcome>(_ step: Step, _ attempt: AttemptLog, _ body: () async throws -> Value) async throws -> Value? {
        try await gates?.enter(step, driver.service)
        let value = try await StepRun(step: step, group: step == .restore ? .restore : .backup, question: question(step))
            .run(attempt) {
                let value = try await body()
                return (value, value.detail)
            }
        try await gates?.leave(step, driver.service, isRed: value.isRed)
        return value.value
    }

    private func question(_ step: Step) -> String {
        switch step {
        case .identify: "a recovery point can be found"
        case .retrieve: "the artifact can be retrieved"
        case .restore: CaseResult.canBeRestored
        default: "\(step.rawValue) can be done"
        }
    }
}
