// One drill from the declared incident to the verdict: all services at once, one clock.

public import DrillModel
import Foundation

/// Runs one drill.
public struct DrillRunner: Sendable {
    let plan: DrillPlan
    let drivers: [any ServiceDriver]
    let hub: EventHub
    let cleanUp: @Sendable () async -> [Finding]

    /// - Parameters:
    ///   - drivers: One per recovery of the plan, in its order.
    ///   - cleanUp: Removes what the drivers share, after all of them; what could not be removed is a finding.
    public init(
        plan: DrillPlan, drivers: [any ServiceDriver], hub: EventHub, cleanUp: @escaping @Sendable () async -> [Finding] = { [] }
    ) {
        self.plan = plan
        self.drivers = drivers
        self.hub = hub
        self.cleanUp = cleanUp
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
                    name: plan.name, estate: plan.estate.name, scenario: plan.scenario, profile: plan.profile, disaster: disaster,
                    timeZone: plan.estate.timeZone)))
        let results: [ServiceResult]
        do {
            log.emit(.stepStarted(.stop, service: nil))
            skip(.stop, log, "no application is part of this drill: there is nothing to stop")
            results = try await recoverAll(disaster: disaster, log: log)
            try Task.checkCancellation()
        } catch {
            recordRemains(await tearDown(), log)
            hub.emit(
                .drillFinished(
                    DrillOutcome(
                        verdict: .error, duration: log.elapsed, steps: log.steps(), objectives: nil,
                        unproven: ["The drill was interrupted: nothing that it had not answered by then was proven."])))
            throw CancellationError()
        }
        skip(.restart, log, "no application is part of this drill: operation is verified on the restored services themselves")
        let measured = log.elapsed
        let objectives = Objectives(
            rto: RecoveryTime(
                measured: !results.isEmpty && results.allSatisfy(\.isVerified) ? measured : nil,
                allowances: plan.allowances, target: plan.targets.rto, profile: plan.profile,
                accepting: results.reduce(into: [:]) { $0[$1.service] = $1.accepting }),
            rpo: results.map { age($0, disaster: disaster) }, skew: skew(results))
        for result in ObjectiveCases.make(objectives, results: results, plan: plan) { log.record(result) }
        recordRemains(await tearDown(), log)
        if plan.profile == .fast {
            log.unproven("RTO: the profile is fast, whose scratch servers are quicker than production; its times are indicative.")
        }
        let verdict = Self.verdict(of: log.snapshot.cases)
        hub.emit(
            .drillFinished(
                DrillOutcome(
                    verdict: verdict, duration: log.elapsed, steps: log.steps(), objectives: objectives,
                    unproven: log.snapshot.unproven)))
        return verdict
    }

    /// Steps that say when they were skipped don't make a drill green: one answered question at least must.
    static func verdict(of cases: [CaseResult]) -> Verdict {
        let verdict = Verdict.combined(cases.map(\.verdict))
        let answered = cases.contains { AttemptMemory.ofWhatCameBack.contains($0.group) && $0.verdict == .passed }
        return verdict == .passed && !answered ? .error : verdict == .skipped ? .error : verdict
    }

    private func recoverAll(disaster: Date, log: DrillLog) async throws -> [ServiceResult] {
        try await withThrowingTaskGroup(of: (Int, ServiceResult).self) { group in
            for (index, driver) in drivers.enumerated() {
                let selection = plan.recover.first { $0.service == driver.service }?.selection ?? .latest
                let recovery = ServiceRecovery(driver: driver, selection: selection, disaster: disaster, log: log)
                group.addTask { (index, try await recovery.run()) }
            }
            var results: [(Int, ServiceResult)] = []
            for try await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// What could not be removed is an error of the drill's, once for each thing that is left.
    private func recordRemains(_ findings: [Finding], _ log: DrillLog) {
        for (index, finding) in findings.enumerated() {
            log.record(.unasked(.step, name: "everything was removed" + (index == 0 ? "" : " (\(index + 1))"), finding: finding))
        }
    }

    private func tearDown() async -> [Finding] {
        var findings: [Finding] = []
        for driver in drivers.reversed() { findings += await driver.tearDown() }
        return findings + (await cleanUp())
    }

    private func skip(_ step: Step, _ log: DrillLog, _ reason: String) {
        log.finish(
            StepActivity(step: step, service: nil, start: log.elapsed, end: log.elapsed, verdict: .skipped, detail: reason))
    }

    private func age(_ result: ServiceResult, disaster: Date) -> RecoveryPointAge {
        let recovered = result.isVerified ? result.moment : nil
        return RecoveryPointAge(
            service: result.service, disaster: disaster, recovered: recovered?.time, source: recovered?.source,
            worstCase: result.worstCase, target: plan.targets.rpo)
    }

    /// Of data alone: configuration and code are of the day they were changed, and fit data of any moment since.
    private func skew(_ results: [ServiceResult]) -> Duration? {
        let results = results.filter { plan.estate.services[$0.service]?.engine.holdsData ?? true }
        let times = results.filter(\.isVerified).compactMap { $0.moment?.time }
        guard times.count > 1, times.count == results.count, let first = times.min(), let last = times.max() else { return nil }
        return .seconds(last.timeIntervalSince(first))
    }
}
