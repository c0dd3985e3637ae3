// The figures of a period that clauses are judged by, and the sentences that they make.

import DrillModel
import Reports

/// What of a period counts as evidence.
struct PeriodEvidence: Sendable {
    /// Those that came to a verdict and, where there is a ledger, are vouched for by it.
    let drills: [ComplianceReport.Run]
    /// Those of the period that count for nothing.
    let void: Int
    /// Likewise.
    let inspections: [ComplianceReport.Run]
    let coverage: [ComplianceReport.Coverage]
    /// Those that were asked on a day or more.
    let promises: [ComplianceReport.Promise]
    let actions: [ComplianceReport.CorrectiveAction]

    init(_ report: ComplianceReport) {
        func counts(_ run: ComplianceReport.Run) -> Bool {
            (run.verdict == .passed || run.verdict == .failed) && !run.isUnfinished
                && [.vouched, .entryOnly, .unverified].contains(run.record)
        }
        let answered = report.runs.filter(counts)
        drills = answered.filter { !$0.isInspection }
        inspections = answered.filter(\.isInspection)
        void = report.runs.count { !$0.isInspection && !counts($0) }
        coverage = report.coverage
        promises = report.promises.filter { $0.kept + $0.broken > 0 }
        actions = report.actions
    }

    /// Drills of these scenarios.
    func drills(of scenarios: Scenario...) -> [ComplianceReport.Run] {
        let names = Set(coverage.filter { drill in drill.scenario.map(scenarios.contains) ?? false }.map(\.drill))
        return drills.filter { names.contains($0.drill) }
    }

    /// Those in which services come back from their backups.
    var restores: [ComplianceReport.Run] { drills(of: .databaseCorruption, .dataCenterOutage) }

    // MARK: Judgements

    /// Of a clause that asks for tests: a red one is a test, too.
    func tests(of drills: [ComplianceReport.Run], _ what: String, adding sentences: [String] = []) -> ControlCatalogue.Judgement {
        guard !drills.isEmpty else { return nothing(what) }
        return ControlCatalogue.Judgement(hasEvidence: true, summary: joined([outcome(drills, what)] + sentences))
    }

    /// Of a clause that asks for an ability: only what passed shows it.
    func ability(by drills: [ComplianceReport.Run], _ what: String, adding sentences: [String] = []) -> ControlCatalogue.Judgement {
        guard !drills.isEmpty else { return nothing(what) }
        return ControlCatalogue.Judgement(
            hasEvidence: drills.contains { $0.verdict == .passed }, summary: joined([outcome(drills, what)] + sentences))
    }

    private func nothing(_ what: String) -> ControlCatalogue.Judgement {
        let tried =
            void == 0
            ? "" : "; \(void == 1 ? "1 drill counts" : "\(void) drills count") for nothing: cut off, without a verdict, or altered since"
        return ControlCatalogue.Judgement(hasEvidence: false, summary: "nobody drilled \(what) in this period\(tried)")
    }

    // MARK: Sentences

    func joined(_ sentences: [String]) -> String { sentences.filter { !$0.isEmpty }.joined(separator: "; ") }

    private func outcome(_ drills: [ComplianceReport.Run], _ what: String) -> String {
        "\(drills.count { $0.verdict == .passed }) of \(Self.count(drills.count, "drill")) of \(what) passed"
    }

    /// Of the periods in which a drill was due, and which are over or decided.
    var due: String {
        let windows = coverage.filter { $0.cadence != nil }.flatMap(\.windows).filter { $0.state != .open }
        guard !windows.isEmpty else { return "no drill was due" }
        let kept = windows.count { $0.state == .kept }
        let retested = windows.count { $0.state == .retested }
        return "of \(Self.count(windows.count, "time")) that a drill was due, \(kept) passed"
            + (retested == 0 ? "" : " and \(retested) failed and passed when repeated")
    }

    /// Of the measured times, against their targets.
    func times(_ drills: [ComplianceReport.Run]) -> String {
        met(drills.compactMap(\.recoveryTime), "RTO", "recovery times")
    }

    /// Of the measured data losses, against their targets.
    func losses(_ drills: [ComplianceReport.Run]) -> String {
        met(drills.flatMap { Array($0.recoveryPoints.values) }, "RPO", "data losses")
    }

    private func met(_ objectives: [RunHistory.Objective], _ name: String, _ measured: String) -> String {
        let judged = objectives.filter { $0.target != nil && ($0.verdict == .passed || $0.verdict == .failed) }
        guard !judged.isEmpty else { return "no \(name) was judged" }
        return "\(judged.count { $0.verdict == .passed }) of \(judged.count) \(measured) met their target"
    }

    /// Whether an objective was measured against a target.
    func hasObjective(_ drills: [ComplianceReport.Run]) -> Bool {
        drills.contains { run in
            ([run.recoveryTime].compactMap(\.self) + run.recoveryPoints.values).contains {
                $0.target != nil && ($0.verdict == .passed || $0.verdict == .failed)
            }
        }
    }

    /// Of the findings that somebody has to mend.
    var mending: String {
        guard !actions.isEmpty else { return "no finding is to be mended" }
        let closed = actions.count { $0.state == .closed }
        let overdue = actions.count { $0.state == .overdue }
        return "\(closed) of \(Self.count(actions.count, "finding")) closed" + (overdue == 0 ? "" : ", \(overdue) overdue")
    }

    /// Of the backup plan's promises; empty where none was asked.
    var keeping: String {
        guard !promises.isEmpty else { return "" }
        let kept = promises.count { $0.broken == 0 && $0.unverified == 0 }
        return "\(kept) of \(Self.count(promises.count, "promise")) of the backup plan kept whenever asked"
    }

    /// Of the inspections; empty where there was none.
    var looking: String {
        guard !inspections.isEmpty else { return "" }
        return "\(inspections.count { $0.verdict == .passed }) of \(Self.count(inspections.count, "inspection")) passed"
    }

    static func count(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
}
