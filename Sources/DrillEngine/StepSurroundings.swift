// What happens before and after a step as a whole: hooks, and people.

import DrillModel
import Foundation

extension Rule {
    static let notConfirmed = Rule("not-confirmed")
}

/// Runs a drill's hooks and asks its people. All of that is on the clock.
struct StepSurroundings: Sendable {
    let plan: DrillPlan
    let hooks: (any HookRunner)?
    /// nil: what people do counts with its allowance.
    let confirmer: (any ManualConfirmer)?
    let log: DrillLog

    func hasBefore(_ step: Step) -> Bool { hook(.before, of: step) != nil }

    /// Whether anything has to wait until a step is over for all services.
    func hasAfter(_ step: Step) -> Bool {
        hook(.after, of: step) != nil || hook(.onFailure, of: step) != nil || (confirmer != nil && !manual(of: step).isEmpty)
    }

    func before(_ step: Step) async throws { try await run(.before, of: step) }

    /// - Parameter failed: Something in the step ended red.
    func after(_ step: Step, failed: Bool) async throws {
        if failed { try await run(.onFailure, of: step) }
        try await people(of: step)
        try await run(.after, of: step)
    }

    func onFailure(_ step: Step) async throws { try await run(.onFailure, of: step) }

    func hooks(_ moment: Hook.Moment, of step: Step) async throws { try await run(moment, of: step) }

    /// What only people can do in a step: asked in a live drill, counted otherwise.
    func people(of step: Step) async throws {
        for manual in manual(of: step) { try await confirm(manual) }
    }

    private func hook(_ moment: Hook.Moment, of step: Step) -> Hook? { hooks == nil ? nil : plan.hooks[step]?[moment] }

    private func manual(of step: Step) -> [ManualStep] { plan.manual.filter { $0.step == step } }

    private func run(_ moment: Hook.Moment, of step: Step) async throws {
        guard let hooks, let hook = hook(moment, of: step) else { return }
        let name = "hook \(moment.rawValue) \(step.rawValue)"
        let start = log.elapsed
        let ending = try await hooks.run(hook, moment, of: step)
        let finding = ending.finding(of: name, timeout: hook.timeout)
        let detail = "hook \(moment.rawValue): \(ending.words)"
        log.note(
            StepActivity(
                step: step, service: nil, start: start, end: log.elapsed, verdict: finding == nil ? .passed : .error, detail: detail))
        log.record(
            finding.map { .unasked(.step, name: name, duration: log.elapsed - start, finding: $0) }
                ?? .judged(.step, name: name, duration: log.elapsed - start, findings: []))
    }

    private func confirm(_ manual: ManualStep) async throws {
        let name = "manual \(manual.step.rawValue): \(manual.name)"
        guard let confirmer else {
            log.record(
                .skipped(
                    .step, name: name,
                    reason: "people's work: it counts with its allowance of \(ObjectiveCases.text(manual.allowance)); "
                        + "muster run --live asks for it"))
            return
        }
        let start = log.elapsed
        let said = try await confirmer.confirm(manual)
        let took = log.elapsed - start
        let detail = said.map { "\(manual.name): confirmed by \($0.name) at \(time($0.time))" } ?? "\(manual.name): not confirmed"
        log.note(
            StepActivity(
                step: manual.step, service: nil, start: start, end: log.elapsed, verdict: said == nil ? .error : .passed, detail: detail))
        if let said {
            log.emit(.fact(Fact("manual.\(manual.name)", "confirmed by \(said.name) at \(time(said.time))")))
            log.record(.judged(.step, name: name, duration: took, findings: []))
        } else {
            log.record(
                .unasked(
                    .step, name: name, duration: took,
                    finding: Finding(
                        .notConfirmed, object: manual.name, expected: "a name", actual: "the end of the input",
                        message: "nobody confirmed the manual step", hint: "type a name, or Enter for your own, when muster asks")))
        }
    }

    private func time(_ date: Date) -> String {
        date.formatted(.iso8601)
    }
}
