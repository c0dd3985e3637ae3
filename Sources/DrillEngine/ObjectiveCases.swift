// Judges what was measured against what was promised.

import DrillModel
import Foundation

extension Rule {
    static let rtoMissed = Rule("rto-missed")
    static let rpoMissed = Rule("rpo-missed")
    static let rpoWorstCaseMissed = Rule("rpo-worst-case-missed")
    static let notRecovered = Rule("not-recovered")
}

/// The objectives as test cases.
enum ObjectiveCases {
    static func make(_ objectives: Objectives, outcome: ProcedureOutcome, plan: DrillPlan) -> [CaseResult] {
        let results = outcome.results
        var cases = [rto(objectives.rto, states: outcome.states)]
        for age in objectives.rpo {
            let state = results.first { $0.service == age.service }?.state ?? .unverified
            cases.append(rpo(age, state: state, enforced: plan.targets.rpoWorstCase != nil))
            guard let target = plan.targets.rpoWorstCase else { continue }
            let holdsData = plan.estate.services[age.service]?.engine.holdsData ?? true
            cases.append(
                holdsData
                    ? worstCase(age, target: target)
                    : .skipped(
                        .objective, service: age.service, name: "RPO worst case",
                        reason: "it is changed by people and not by the minute: compared with what production runs instead"))
        }
        for result in results where plan.isOfChosenAge(result.service) {
            let isMoment = plan.recover.contains { $0.service == result.service && $0.target?.goal == .moment }
            cases.append(
                .skipped(
                    .objective, service: result.service, name: "RPO",
                    reason: isMoment
                        ? "it was rolled forward to a sealed moment, whatever its age: a drill to the end measures what would be lost"
                        : "a kept backup was drawn, whatever its age: what was made since is no loss"))
        }
        // What is lost by declaration has no point that it came back to.
        for cache in plan.caches where plan.targets.rpo != nil {
            cases.append(
                .skipped(
                    .objective, service: cache.service, name: "RPO",
                    reason:
                        "a cache that is lost by declaration: it is \(cache.repopulation == nil ? "empty" : "repopulated"), not restored"))
        }
        return cases
    }

    private static func rto(_ rto: RecoveryTime, states: [ServiceResult.State]) -> CaseResult {
        let name = "RTO"
        guard let target = rto.target else { return .skipped(.objective, name: name, reason: "no target is declared") }
        guard let achieved = rto.achieved else {
            return notRecovered(name, service: nil, states: states, expected: "recovery within \(text(target))")
        }
        guard rto.profile == .production else {
            return .skipped(.objective, name: name, reason: "the profile is fast: its RTO is indicative and meets no target")
        }
        let findings =
            rto.verdict == .passed
            ? []
            : [
                Finding(
                    .rtoMissed, object: "RTO", expected: "less than \(text(target))", actual: text(achieved),
                    message: "recovery took longer than promised",
                    hint: "the steps table shows where the time went; restore with more jobs, or promise less")
            ]
        return .judged(.objective, name: name, duration: achieved, findings: findings)
    }

    private static func rpo(_ age: RecoveryPointAge, state: ServiceResult.State, enforced: Bool) -> CaseResult {
        let name = "RPO"
        guard let target = age.target else {
            return .skipped(.objective, service: age.service, name: name, reason: "no target is declared")
        }
        guard let achieved = age.achieved else {
            return notRecovered(name, service: age.service, states: [state], expected: "a loss of less than \(text(target))")
        }
        var findings: [Finding] = []
        if age.verdict != .passed {
            findings.append(
                Finding(
                    .rpoMissed, object: age.service, expected: "less than \(text(target))", actual: text(achieved),
                    message: "more was lost than promised",
                    hint: age.isOfFollower
                        ? "find out why the standby or replica is behind: its log, the link to its primary, and what it waits for"
                        : "back up more often, or archive the write-ahead log"))
        }
        if let worst = age.worstCase, worst.loss >= target, !enforced {
            findings.append(worstFinding(age.service, worst, target: target, severity: .warning))
        }
        return .judged(.objective, service: age.service, name: name, findings: findings)
    }

    private static func worstCase(_ age: RecoveryPointAge, target: Duration) -> CaseResult {
        let name = "RPO worst case"
        guard let worst = age.worstCase else {
            return .unasked(
                .objective, service: age.service, name: name,
                finding: Finding(
                    .rpoWorstCaseMissed, object: age.service, expected: "at least two recovery points", actual: "fewer",
                    message: "a single recovery point has no gap that a worst case could be measured by",
                    hint: "run the drill against a store that holds the whole series"))
        }
        let findings = worst.loss < target ? [] : [worstFinding(age.service, worst, target: target, severity: .critical)]
        return .judged(.objective, service: age.service, name: name, findings: findings)
    }

    private static func worstFinding(_ service: String, _ worst: WorstCase, target: Duration, severity: Finding.Severity) -> Finding {
        Finding(
            .rpoWorstCaseMissed, severity, object: service, expected: "less than \(text(target))", actual: text(worst.loss),
            message: "this drill was lucky with its hour: the longest gap between two backups, and the time that a backup takes, "
                + "would have lost \(text(worst.loss))",
            hint: "back up more often than the target, or archive the write-ahead log")
    }

    private static func notRecovered(
        _ name: String, service: String?, states: [ServiceResult.State], expected: String
    ) -> CaseResult {
        let failed = states.contains { if case .failed = $0 { true } else { false } }
        let finding = Finding(
            .notRecovered, object: service ?? "estate", expected: expected, actual: "no verified recovery",
            message: "nothing was recovered that could be verified", hint: "mend the findings above; this one follows from them")
        return failed
            ? .judged(.objective, service: service, name: name, findings: [finding])
            : .unasked(.objective, service: service, name: name, finding: finding)
    }

    /// Whole seconds from a minute on, so that a target isn't missed or met by what nobody can read.
    static func text(_ duration: Duration) -> String {
        let units: Set<Duration.UnitsFormatStyle.Unit> =
            duration >= .seconds(60) ? [.days, .hours, .minutes, .seconds] : [.seconds, .milliseconds]
        // In one language, whatever the machine speaks.
        return duration.formatted(.units(allowed: units, width: .narrow).locale(Locale(identifier: "en_US_POSIX")))
    }
}

extension RecoveryPointAge {
    /// Whether it is the lag of a standby or replica, and no backup's age.
    fileprivate var isOfFollower: Bool {
        switch source {
        case .lastReplicated, .primaryPosition, .sameAsLive: true
        // A base backup that is rolled forward tells the same, and has a worst case.
        case .lastReplayedCommit: worstCase == nil
        default: false
        }
    }
}
