// The way through the six steps, from what must be there before the incident to operation that has been verified.

import DrillModel
import Foundation

extension Rule {
    static let preconditionNotMet = Rule("precondition-not-met")
}

/// What going through the steps came to.
struct ProcedureOutcome: Sendable {
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

/// One drill's procedure. What a scenario has no part in is skipped, with its reason.
struct DrillProcedure<Provision: Sendable>: Sendable {
    /// A service that came back, or stands for one that lives.
    typealias Recovered = (result: ServiceResult, verified: Verified<Provision>?)

    /// What there is on the way through the steps.
    struct Progress: Sendable {
        var outcome = ProcedureOutcome()
        /// What questions about operation came to.
        let operation = AttemptMemory()
        /// What an application can run on so far, by service.
        var services: [String: Provision] = [:]
        /// What outlives the disaster, as it was before; nil where nothing does.
        var remembered: (any RememberedServices)?
        /// The empty caches that run.
        var caches: [any RestoredCache<Provision>] = []
    }

    let plan: DrillPlan
    let participants: DrillParticipants<Provision>
    let surroundings: StepSurroundings
    let disaster: Date
    let log: DrillLog
    let tearDown: TearDown

    /// - Throws: `CancellationError` alone: everything else becomes cases.
    func run() async throws -> ProcedureOutcome {
        if try await lacksDemanded() {
            log.declareIncident()
            for step in Step.allCases {
                skip(step, "this machine can't give the quarantine that the drill demands: nothing of a backup was started")
            }
            return ProcedureOutcome(operation: .unverified)
        }
        let loss = try await loseZone()
        if case .failed(let state) = loss {
            log.declareIncident()
            for step in Step.allCases { skip(step, "the outage could not be rehearsed: the findings before the incident say why") }
            return ProcedureOutcome(operation: state)
        }
        let existing = try await prepare()
        log.declareIncident()
        guard var progress = existing else {
            for step in Step.allCases {
                skip(step, "what must outlive the disaster could not be made ready before it: there was nothing to rehearse")
            }
            return ProcedureOutcome(operation: .unverified)
        }
        var failbacks: [(service: String, driver: any FailbackDriver)] = []
        if !isGated { skip(.stop, nothingToStop) }
        let staged: (any StagedApplication)?
        if participants.services.isEmpty {
            staged = try await passThrough(&progress)
        } else {
            if try await confirmExisting(.identify, progress) { try await surroundings.onFailure(.identify) }
            let recovered = try await recoverAll()
            progress.outcome.results = recovered.map(\.result)
            progress.outcome.accepting = progress.outcome.results.reduce(into: [:]) { $0[$1.service] = $1.accepting }
            for (result, verified) in recovered {
                progress.services[result.service] = verified?.provision
                if result.isVerified, let driver = verified?.failback { failbacks.append((result.service, driver)) }
            }
            // Behind all others: what fills a cache needs them.
            let isAllBack = progress.outcome.results.allSatisfy(\.isVerified)
            if isAllBack, try await restoreCaches(&progress) { try await surroundings.onFailure(.restore) }
            staged = stage(on: progress.services)
            if isAllBack, try await verifyCaches(progress, staged) { try await surroundings.onFailure(.verify) }
            if try await confirmExisting(.verify, progress) { try await surroundings.onFailure(.verify) }
        }
        try await restart(&progress, staged)
        for (service, driver) in failbacks {
            // Off the clock: operation is verified before redundancy is back.
            try await aside("a fresh standby follows the promoted server", AttemptMemory(), service) { try await driver.failBack($0) }
        }
        if case .lost(let zone) = loss { try await confirm(zone, &progress.outcome) }
        try Task.checkCancellation()
        return progress.outcome
    }

    private func stage(on services: [String: Provision]) -> (any StagedApplication)? {
        guard let application = participants.application else { return nil }
        return application.stage(
            on: services, attempt(of: application.application, .restart, AttemptMemory()))
    }

    /// A part of the drill that isn't tried twice.
    func attempt(of service: String?, _ step: Step, _ memory: AttemptMemory) -> Attempt {
        Attempt(
            number: 1, step: AttemptLog(log: log, service: service, step: step, suffix: "", attempt: memory), tearDown: tearDown.part())
    }

    private var nothingToStop: String { "no application is part of this drill: there is nothing to stop" }

    // MARK: Before the incident

    /// Once code of a backup has run it is too late to find out.
    private func lacksDemanded() async throws -> Bool {
        let unmet = await participants.unmetDemands()
        try Task.checkCancellation()
        for result in unmet { log.record(result) }
        return !unmet.isEmpty
    }

    /// Makes what stands for the living services, off the clock. - Returns: nil where the scenario can't begin.
    private func prepare() async throws -> Progress? {
        var progress = Progress()
        guard !participants.existing.isEmpty else { return progress }
        log.prepare()
        var isReady = true
        for (result, verified) in try await recover(participants.existing, as: plan.existing, gates: nil) {
            progress.services[result.service] = verified?.provision
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
        guard isReady else { return nil }
        guard let witness = participants.witness else { return progress }
        let memory = AttemptMemory()
        let services = progress.services
        progress.remembered = try await aside("is known before the incident", memory) { try await witness.remember(services, $0) }
        return memory.hasErrors || memory.hasFailures ? nil : progress
    }

    // MARK: Steps

    private func recoverAll() async throws -> [Recovered] {
        let stop: @Sendable () async throws -> Void = { try await self.stop() }
        let gates = StepGates(
            services: Set(participants.services.map(\.service)), surroundings: surroundings, stop: isGated ? stop : nil)
        return try await recover(participants.services, as: plan.recover, gates: gates)
    }

    private func recover(
        _ drivers: [any ServiceDriver<Provision>], as recoveries: [Recovery], gates: StepGates?
    ) async throws -> [Recovered] {
        try await withThrowingTaskGroup(of: (Int, Recovered).self) { group in
            for (index, driver) in drivers.enumerated() {
                let recovery = recoveries.first { $0.service == driver.service }
                let part = tearDown.part()
                group.addTask { (index, try await recover(driver, recovery, part, gates)) }
            }
            var results: [(Int, Recovered)] = []
            for try await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Opens the driver: from here on, each step's value has its own type.
    private func recover(
        _ driver: some ServiceDriver<Provision>, _ recovery: Recovery?, _ part: TearDown, _ gates: StepGates?
    ) async throws -> Recovered {
        try await ServiceRecovery(
            driver: driver, selection: recovery?.selection ?? .latest, tries: recovery?.tries ?? 1,
            sample: Sample(recovery, of: driver.service, seed: plan.seed, disaster: disaster),
            drilledBefore: plan.drilledBefore.backups, disaster: disaster, log: log, tearDown: part, gates: gates
        ).run()
    }

    /// Every step up to *verify*, where no service is recovered. - Returns: The application, before what it is to run on.
    private func passThrough(_ progress: inout Progress) async throws -> (any StagedApplication)? {
        try await surroundings.before(.identify)
        try await surroundings.after(.identify, failed: try await confirmExisting(.identify, progress))
        if isGated { try await stop(proving: stage(on: progress.services), progress.operation) }
        for step in [Step.retrieve, .restore] {
            try await surroundings.before(step)
            var isRed = false
            if step == .restore, !participants.caches.isEmpty {
                isRed = try await restoreCaches(&progress)
            } else {
                skip(step, "nothing is recovered from a backup in this drill: the existing services live")
            }
            try await surroundings.after(step, failed: isRed)
        }
        try await surroundings.before(.verify)
        let staged = stage(on: progress.services)
        let caches = try await verifyCaches(progress, staged)
        let existing = try await confirmExisting(.verify, progress)
        try await surroundings.after(.verify, failed: caches || existing)
        return staged
    }

    /// - Parameter staged: Where what the application is started against runs already, it is asked now; nil: once it has come back.
    private func stop(proving staged: (any StagedApplication)? = nil, _ memory: AttemptMemory = AttemptMemory()) async throws {
        try await surroundings.before(.stop)
        if let staged { try await proveStopped(staged, memory) }
        if participants.application == nil { skip(.stop, nothingToStop) }
        try await surroundings.after(.stop, failed: false)
    }

    /// Whether the step *stop* has anything to do, or anybody who does it, and so a place of its own behind *identify*.
    private var isGated: Bool { participants.application != nil || surroundings.hasBefore(.stop) || surroundings.hasAfter(.stop) }

    /// - Returns: Whether they turned out otherwise than they should.
    private func confirmExisting(_ step: Step, _ progress: Progress) async throws -> Bool {
        guard let remembered = progress.remembered else { return false }
        let attempt = AttemptLog(log: log, service: nil, step: step, suffix: "", attempt: progress.operation)
        let run = StepRun(step: step, group: .operation, question: "the existing services live at \(step.rawValue)")
        return try await run.run(attempt) { ((), try await remembered.confirmAlive(attempt)) }.isRed
    }

    private func restart(_ progress: inout Progress, _ staged: (any StagedApplication)?) async throws {
        let memory = progress.operation
        let isAllBack = progress.outcome.results.allSatisfy(\.isVerified) && !memory.hasFailures && !memory.hasErrors
        guard let application = participants.application, let staged else {
            try await surroundings.before(.restart)
            skip(.restart, "no application is part of this drill: operation is verified on the restored services themselves")
            try await surroundings.people(of: .restart)
            progress.outcome.measured = isAllBack && !progress.outcome.results.isEmpty ? log.elapsed : nil
            if progress.remembered != nil { progress.outcome.operation = state(memory) }
            return try await surroundings.hooks(.after, of: .restart)
        }
        guard isAllBack else {
            skip(.restart, "not everything that \(application.application) needs is back: it was not started")
            progress.outcome.operation = memory.hasFailures ? .failed : .unverified
            return
        }
        if !participants.services.isEmpty { try await proveStopped(staged, memory) }
        try await surroundings.before(.restart)
        let restarting = attempt(of: application.application, .restart, memory)
        let question = participants.caches.contains(where: \.staysEmpty) ? "is well with an empty cache" : "is well"
        let run = try await StepRun(step: .restart, group: .operation, question: question).run(restarting.step) {
            let running = try await staged.restart(restarting)
            restarting.log.record(.judged(.operation, service: application.application, name: question, findings: []))
            return (running, running.detail)
        }
        let answering = run.value.map { log.elapsed - (ContinuousClock.now - $0.answering) }
        if run.isRed { try await surroundings.onFailure(.restart) }
        try await surroundings.people(of: .restart)
        let measured = log.elapsed
        try await surroundings.hooks(.after, of: .restart)
        if let running = run.value {
            try await aside("still runs", memory, application.application) { try await running.confirm($0) }
        }
        if let remembered = progress.remembered {
            try await aside("is what it was", memory) { try await remembered.compare($0) }
        }
        progress.outcome.operation = state(memory)
        if let answering { progress.outcome.accepting[application.application] = answering }
        if case .verified? = progress.outcome.operation { progress.outcome.measured = measured }
    }

    private func proveStopped(_ staged: any StagedApplication, _ memory: AttemptMemory) async throws {
        let attempt = AttemptLog(
            log: log, service: participants.application?.application, step: .stop, suffix: "", attempt: memory)
        _ = try await StepRun(step: .stop, group: .operation, question: "nothing else is connected").run(attempt) {
            ((), try await staged.proveStopped(attempt))
        }
    }

    /// Asks outside of the steps. A failure becomes a case. - Returns: nil then.
    @discardableResult
    func aside<Value: Sendable>(
        _ question: String, _ memory: AttemptMemory, _ service: String? = nil, _ body: (AttemptLog) async throws -> Value
    ) async throws -> Value? {
        let attempt = AttemptLog(log: log, service: service, step: .verify, suffix: "", attempt: memory)
        do {
            return try await body(attempt)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            let failure = error as? DrillFailure ?? StepRun(step: .verify, group: .operation, question: question).unexpected(error)
            attempt.record(
                CaseResult(
                    .operation, service: service, name: question, verdict: failure.verdict,
                    reason: failure.verdict == .error ? failure.finding.message : "", findings: [failure.finding]))
            return nil
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
