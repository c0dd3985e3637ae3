// The way through the six steps, from what must be there before the incident to operation that has been verified.

import DrillModel
import Foundation

extension Rule {
    static let preconditionNotMet = Rule("precondition-not-met")
}

/// One drill's course. What a scenario has no part in is skipped, with its reason.
struct DrillCourse: Sendable {
    struct Outcome: Sendable {
        /// Of the recovered services, in the plan's order.
        var results: [ServiceResult] = []
        /// Of the application, and of what outlived the disaster; nil where neither is part of the drill.
        var operation: ServiceResult.State?
        /// Until operation was verified; nil where it never was.
        var measured: Duration?
        /// By service or application: until it answered.
        var accepting: [String: Duration] = [:]

        var states: [ServiceResult.State] { results.map(\.state) + (operation.map { [$0] } ?? []) }
    }

    let plan: DrillPlan
    let party: DrillParty
    let surroundings: StepSurroundings
    let disaster: Date
    let log: DrillLog

    /// - Throws: `CancellationError` alone: everything else becomes cases.
    func run() async throws -> Outcome {
        if let lost = try await loseZone() {
            log.declareIncident()
            for step in Step.allCases { skip(step, "the outage could not be rehearsed: the findings before the incident say why") }
            return Outcome(operation: lost)
        }
        let isReady = try await prepare()
        log.declareIncident()
        guard isReady else {
            for step in Step.allCases {
                skip(step, "what must outlive the disaster could not be made ready before it: there was nothing to rehearse")
            }
            return Outcome(operation: .unverified)
        }
        var outcome = Outcome()
        let operation = AttemptMemory()
        if !isGated { skip(.stop, Self.nothingToStop) }
        if party.services.isEmpty {
            try await passThrough(&outcome, operation)
        } else {
            if try await confirmSurvivors(.identify, operation) { try await surroundings.onFailure(.identify) }
            outcome.results = try await recoverAll()
            outcome.accepting = outcome.results.reduce(into: [:]) { $0[$1.service] = $1.accepting }
            // Behind all others: what fills a cache needs them.
            if outcome.results.allSatisfy(\.isVerified) {
                if try await restoreCaches(&outcome, operation) { try await surroundings.onFailure(.restore) }
                if try await verifyCaches(operation) { try await surroundings.onFailure(.verify) }
            }
            if try await confirmSurvivors(.verify, operation) { try await surroundings.onFailure(.verify) }
        }
        try await restart(&outcome, operation)
        try await failBack(outcome)
        try await confirmLoss(&outcome)
        try Task.checkCancellation()
        return outcome
    }

    private static let nothingToStop = "no application is part of this drill: there is nothing to stop"

    // MARK: Before the incident

    /// Makes what stands for the living services, off the clock. - Returns: false where the scenario can't begin.
    private func prepare() async throws -> Bool {
        guard !party.existing.isEmpty else { return true }
        log.prepare()
        let results = try await recover(party.existing, as: plan.existing, gates: nil)
        var isReady = true
        for result in results {
            let name = "lives before the incident"
            guard !result.isVerified else {
                log.record(.judged(.operation, service: result.service, name: name, findings: []))
                continue
            }
            isReady = false
            log.record(
                .unasked(
                    .operation, service: result.service, name: name,
                    finding: Finding(
                        .preconditionNotMet, object: result.service, expected: "a verified service that outlives the disaster",
                        actual: "none", message: "what stands for the living \(result.service) could not be made and verified",
                        hint: "mend the findings above: without it, this scenario can't be rehearsed")))
        }
        guard isReady, let survivors = party.survivors else { return isReady }
        let memory = AttemptMemory()
        try await aside("is known before the incident", memory) { try await survivors.remember($0) }
        return !memory.hasErrors && !memory.hasFailures
    }

    // MARK: Steps

    private func recoverAll() async throws -> [ServiceResult] {
        let stop: @Sendable () async throws -> Void = { try await self.stop() }
        let gates = StepGates(
            services: Set(party.services.map(\.service)), surroundings: surroundings, stop: isGated ? stop : nil)
        return try await recover(party.services, as: plan.recover, gates: gates)
    }

    private func recover(
        _ drivers: [any ServiceDriver], as recoveries: [Recovery], gates: StepGates?
    ) async throws -> [ServiceResult] {
        try await withThrowingTaskGroup(of: (Int, ServiceResult).self) { group in
            for (index, driver) in drivers.enumerated() {
                let selection = recoveries.first { $0.service == driver.service }?.selection ?? .latest
                let recovery = ServiceRecovery(driver: driver, selection: selection, disaster: disaster, log: log, gates: gates)
                group.addTask { (index, try await recovery.run()) }
            }
            var results: [(Int, ServiceResult)] = []
            for try await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Every step up to *verify*, where no service is recovered.
    private func passThrough(_ outcome: inout Outcome, _ operation: AttemptMemory) async throws {
        try await surroundings.before(.identify)
        try await surroundings.after(.identify, failed: try await confirmSurvivors(.identify, operation))
        if isGated { try await stop(proving: operation) }
        for step in [Step.retrieve, .restore] {
            try await surroundings.before(step)
            var isRed = false
            if step == .restore, !party.caches.isEmpty {
                isRed = try await restoreCaches(&outcome, operation)
            } else {
                skip(step, "nothing is recovered from a backup in this drill: the existing services live")
            }
            try await surroundings.after(step, failed: isRed)
        }
        try await surroundings.before(.verify)
        let caches = try await verifyCaches(operation)
        let survivors = try await confirmSurvivors(.verify, operation)
        try await surroundings.after(.verify, failed: caches || survivors)
    }

    /// - Parameter memory: Where what the application is started against runs already, it is asked now; nil: once it has come back.
    private func stop(proving memory: AttemptMemory? = nil) async throws {
        try await surroundings.before(.stop)
        if let application = party.application {
            if let memory { try await proveStopped(application, memory) }
        } else {
            skip(.stop, Self.nothingToStop)
        }
        try await surroundings.after(.stop, failed: false)
    }

    /// Whether the step *stop* has anything to do, or anybody who does it, and so a place of its own behind *identify*.
    private var isGated: Bool { party.application != nil || surroundings.hasBefore(.stop) || surroundings.hasAfter(.stop) }

    /// - Returns: Whether they turned out otherwise than they should.
    private func confirmSurvivors(_ step: Step, _ memory: AttemptMemory) async throws -> Bool {
        guard let survivors = party.survivors else { return false }
        let attempt = AttemptLog(log: log, service: nil, step: step, suffix: "", attempt: memory)
        let run = StepRun(step: step, group: .operation, question: "the existing services live at \(step.rawValue)")
        return try await run.run(attempt) { ((), try await survivors.confirmAlive(attempt)) }.isRed
    }

    private func restart(_ outcome: inout Outcome, _ memory: AttemptMemory) async throws {
        let isAllBack = outcome.results.allSatisfy(\.isVerified) && !memory.hasFailures && !memory.hasErrors
        guard let application = party.application else {
            try await surroundings.before(.restart)
            skip(.restart, "no application is part of this drill: operation is verified on the restored services themselves")
            try await surroundings.people(of: .restart)
            outcome.measured = isAllBack && !outcome.results.isEmpty ? log.elapsed : nil
            if party.survivors != nil { outcome.operation = state(memory) }
            return try await surroundings.hooks(.after, of: .restart)
        }
        guard isAllBack else {
            skip(.restart, "not everything that \(application.application) needs is back: it was not started")
            outcome.operation = memory.hasFailures ? .failed : .unverified
            return
        }
        if !party.services.isEmpty { try await proveStopped(application, memory) }
        try await surroundings.before(.restart)
        let attempt = AttemptLog(log: log, service: application.application, step: .restart, suffix: "", attempt: memory)
        let question = party.caches.contains(where: \.staysEmpty) ? "is well with an empty cache" : "is well"
        let run = try await StepRun(step: .restart, group: .operation, question: question).run(attempt) {
            let restarted = try await application.restart(attempt)
            attempt.record(.judged(.operation, service: application.application, name: question, findings: []))
            return (restarted, restarted.detail)
        }
        let answering = run.value.map { log.elapsed - (ContinuousClock.now - $0.answering) }
        if run.isRed { try await surroundings.onFailure(.restart) }
        try await surroundings.people(of: .restart)
        let measured = log.elapsed
        try await surroundings.hooks(.after, of: .restart)
        if run.value != nil {
            try await aside("still runs", memory, application.application) { try await application.confirm($0) }
        }
        if let survivors = party.survivors {
            try await aside("is what it was", memory) { try await survivors.compare($0) }
        }
        outcome.operation = state(memory)
        if let answering { outcome.accepting[application.application] = answering }
        if case .verified? = outcome.operation { outcome.measured = measured }
    }

    private func proveStopped(_ application: any ApplicationDriver, _ memory: AttemptMemory) async throws {
        let attempt = AttemptLog(log: log, service: application.application, step: .stop, suffix: "", attempt: memory)
        _ = try await StepRun(step: .stop, group: .operation, question: "nothing else is connected").run(attempt) {
            ((), try await application.proveStopped(attempt))
        }
    }

    /// Asks outside of the steps. A failure becomes a case.
    func aside(
        _ question: String, _ memory: AttemptMemory, _ service: String? = nil, _ body: (any StepLog) async throws -> Void
    ) async throws {
        let attempt = AttemptLog(log: log, service: service, step: .verify, suffix: "", attempt: memory)
        do {
            try await body(attempt)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            let failure = error as? DrillFailure ?? StepRun(step: .verify, group: .operation, question: question).unexpected(error)
            attempt.record(
                CaseResult(
                    .operation, service: service, name: question, verdict: failure.verdict,
                    reason: failure.verdict == .error ? failure.finding.message : "", findings: [failure.finding]))
        }
    }

    private func state(_ memory: AttemptMemory) -> ServiceResult.State {
        memory.hasFailures ? .failed : memory.hasErrors ? .unverified : .verified
    }

    private func skip(_ step: Step, _ reason: String) {
        if step == .stop { log.emit(.stepStarted(.stop, service: nil)) }
        log.finish(
            StepActivity(step: step, service: nil, start: log.elapsed, end: log.elapsed, verdict: .skipped, detail: reason))
    }
}
