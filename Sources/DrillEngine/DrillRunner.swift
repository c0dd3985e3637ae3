// One drill from its beginning to the verdict: the course, what it measured, and the clean-up on every path.

public import DrillModel
import Foundation

/// Runs one drill.
public struct DrillRunner<Provision: Sendable>: Sendable {
    let plan: DrillPlan
    let participants: DrillParticipants<Provision>
    let hub: EventHub
    let cleanUp: @Sendable () async -> [Finding]

    /// - Parameter cleanUp: Removes what the drivers share, after all of them; what could not be removed is a finding.
    public init(
        plan: DrillPlan, participants: DrillParticipants<Provision>, hub: EventHub,
        cleanUp: @escaping @Sendable () async -> [Finding] = { [] }
    ) {
        self.plan = plan
        self.participants = participants
        self.hub = hub
        self.cleanUp = cleanUp
    }

    /// A drill of services alone.
    public init(
        plan: DrillPlan, drivers: [any ServiceDriver<Provision>], hub: EventHub, cleanUp: @escaping @Sendable () async -> [Finding] = { [] }
    ) {
        self.init(plan: plan, participants: DrillParticipants(services: drivers), hub: hub, cleanUp: cleanUp)
    }

    /// Runs to the end and removes everything that it made, also when cancelled.
    ///
    /// - Returns: The drill's verdict.
    /// - Throws: `CancellationError`, after the clean-up.
    public func run() async throws -> Verdict {
        let disaster =
            switch plan.incident {
            case .now: Date()
            case .at(let date): date
            }
        let log = DrillLog(hub: hub)
        hub.emit(
            .drillStarted(
                DrillInfo(
                    name: plan.name, estate: plan.estate.name, estateFile: plan.estate.file.path, namedEstateFile: plan.namedEstate?.path,
                    scenario: plan.scenario, profile: plan.profile, disaster: disaster, timeZone: plan.estate.timeZone)))
        let surroundings = StepSurroundings(plan: plan, hooks: participants.hooks, confirmer: participants.confirmer, log: log)
        let tearDown = TearDown()
        let outcome: ProcedureOutcome
        do {
            outcome = try await DrillProcedure(
                plan: plan, participants: participants, surroundings: surroundings, disaster: disaster, log: log, tearDown: tearDown
            ).run()
        } catch {
            recordRemains(await tearDown.run() + (await cleanUp()), log)
            hub.emit(
                .drillFinished(
                    DrillOutcome(
                        verdict: .error, duration: log.duration, steps: log.steps(), objectives: nil,
                        unproven: ["The drill was interrupted: nothing that it had not answered by then was proven."])))
            throw CancellationError()
        }
        let objectives = objectives(outcome, disaster: disaster)
        for result in ObjectiveCases.make(objectives, outcome: outcome, plan: plan) { log.record(result) }
        recordRemains(await tearDown.run() + (await cleanUp()), log)
        if plan.profile == .fast {
            log.unproven("RTO: the profile is fast, whose scratch servers are quicker than production; its times are indicative.")
        }
        let verdict = Verdict.ofDrill(log.snapshot.cases)
        hub.emit(
            .drillFinished(
                DrillOutcome(
                    verdict: verdict, duration: log.duration, steps: log.steps(), objectives: objectives,
                    unproven: log.snapshot.unproven)))
        return verdict
    }

    private func objectives(_ outcome: ProcedureOutcome, disaster: Date) -> Objectives {
        // Who is asked on the day needs no allowance: the clock ran while they decided.
        let manual = participants.confirmer == nil ? plan.manual.map { Allowance(name: $0.name, duration: $0.allowance) } : []
        return Objectives(
            rto: RecoveryTime(
                measured: outcome.measured, allowances: plan.allowances + manual, target: plan.targets.rto, profile: plan.profile,
                accepting: outcome.accepting),
            rpo: outcome.results.filter { !plan.isOfChosenAge($0.service) }.map { age($0, disaster: disaster) }, skew: skew(outcome.results)
        )
    }

    /// What could not be removed is an error of the drill's, once for each thing that is left.
    private func recordRemains(_ findings: [Finding], _ log: DrillLog) {
        for (index, finding) in findings.enumerated() {
            log.record(.unasked(.step, name: "everything was removed" + (index == 0 ? "" : " (\(index + 1))"), finding: finding))
        }
    }

    private func age(_ result: ServiceResult, disaster: Date) -> RecoveryPointAge {
        let recovered = result.isVerified ? result.moment : nil
        return RecoveryPointAge(
            service: result.service, disaster: disaster, recovered: recovered?.time, source: recovered?.source,
            worstCase: result.worstCase, target: plan.targets.rpo)
    }

    /// Of data alone: configuration and code are of the day they were changed, and fit data of any moment since.
    private func skew(_ results: [ServiceResult]) -> Duration? {
        let results = results.filter { !plan.isOfChosenAge($0.service) && plan.estate.services[$0.service]?.engine.holdsData ?? true }
        let times = results.filter(\.isVerified).compactMap { $0.moment?.time }
        guard times.count > 1, times.count == results.count, let first = times.min(), let last = times.max() else { return nil }
        return .seconds(last.timeIntervalSince(first))
    }
}

extension Verdict {
    /// Steps that say when they were skipped don't make a drill green: one answered question at least must.
    static func ofDrill(_ cases: [CaseResult]) -> Verdict {
        let verdict = Verdict.combined(cases.map(\.verdict))
        let answered = cases.contains { AttemptMemory.ofTheDrill.contains($0.group) && $0.verdict == .passed }
        return verdict == .passed && !answered ? .error : verdict == .skipped ? .error : verdict
    }
}
