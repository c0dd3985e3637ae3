// One part of a step on the clock: begun, ended, and what it came to.

import DrillModel

extension Rule {
    static let stepBroke = Rule("step-broke")
}

/// Runs what one service, or the application, does in one step.
struct StepRun: Sendable {
    let step: Step
    /// The group of the case that a failure becomes.
    let group: CaseResult.Group
    /// What that case asks.
    let question: String

    /// - Returns: The body's value, nil where it failed, and whether the step ended red.
    /// - Throws: `CancellationError` alone.
    func run<Value: Sendable>(
        _ attempt: AttemptLog, _ body: () async throws -> (Value, String)
    ) async throws -> (value: Value?, isRed: Bool) {
        let log = attempt.log
        log.emit(.stepStarted(step, service: attempt.service))
        let start = log.elapsed
        let before = attempt.attempt.count
        do {
            let (value, detail) = try await body()
            let verdict = attempt.attempt.verdict(since: before)
            log.finish(
                StepActivity(
                    step: step, service: attempt.service, start: start, end: log.elapsed, verdict: verdict, detail: detail),
                suffix: attempt.suffix)
            return (value, verdict != .passed)
        } catch {
            // Whatever a cancelled step throws, it was the cancellation. A CancellationError without one is an error like any other.
            if Task.isCancelled { throw CancellationError() }
            let failure = error as? DrillFailure ?? unexpected(error)
            attempt.record(
                CaseResult(
                    group, service: attempt.service, name: question, verdict: failure.verdict, duration: log.elapsed - start,
                    reason: failure.verdict == .error ? failure.finding.message : "", findings: [failure.finding]))
            log.finish(
                StepActivity(
                    step: step, service: attempt.service, start: start, end: log.elapsed, verdict: failure.verdict,
                    detail: failure.finding.message), suffix: attempt.suffix)
            return (nil, true)
        }
    }

    /// An error that no driver foresaw says nothing about the backup. Its own words could hold anything, so only its type shows.
    func unexpected(_ error: any Error) -> DrillFailure {
        .error(
            Finding(
                .stepBroke, object: step.rawValue, expected: "a result", actual: String(describing: type(of: error)),
                message: "the step broke off for a reason that muster doesn't know",
                hint: "run again with --keep, look at the logs in the scratch folder, and report it"))
    }
}
