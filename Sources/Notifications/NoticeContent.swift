// From a run's report to what is worth telling of it.

import DrillModel
import Foundation
import Reports

extension Rule {
    /// An inspection's finding that a drill should have been run by now.
    static let drillOverdue = Rule("drill-overdue")
}

extension Notice {
    /// - Parameters:
    ///   - planned: The drills of the estate that were to run; what isn't in the report never began.
    ///   - names: Former names of drills, with those that they have now.
    ///   - history: The folder of the runs, and this run's name in it.
    init(
        _ report: RunReport, of estate: Estate, planned: [String], names: [String: String] = [:], history: RunHistory, run: String,
        reportPath: String, ledger: String?,
        problem: String?
    ) async {
        let own = report.drills.filter { $0.info.estateFile == estate.file.path }
        var drills = own.map { Drill($0) }
        if report.verdict == nil {
            for name in planned where !own.contains(where: { $0.info.name == name }) {
                drills.append(
                    Drill(name: name, isInspection: false, verdict: .error, isInterrupted: true, hasBegun: false, occasions: [.red]))
            }
        }
        let green = own.filter { $0.outcome?.verdict == .passed }.compactMap { RunHistory.record(of: $0, in: report) }
        let before =
            green.isEmpty
            ? [:] : await history.recovered(green, of: estate, names: names, before: report.started ?? Date(), without: run)
        for index in drills.indices where drills[index].verdict == .passed {
            guard let previous = before[drills[index].name] else { continue }
            drills[index].previous = previous
            drills[index].occasions.insert(.recovery)
        }
        self.init(
            estate: estate.name, run: run, host: report.info?.host ?? "unknown", musterVersion: report.info?.musterVersion ?? "unknown",
            started: report.started, finished: report.finished, isInterrupted: report.verdict == nil,
            problem: problem ?? (report.verdict == nil ? "the run was cut off before its end" : nil), report: reportPath, ledger: ledger,
            drills: drills.enumerated().sorted { ($0.element.weight, $0.offset) < ($1.element.weight, $1.offset) }.map(\.element))
    }
}

extension Notice.Drill {
    init(_ drill: DrillReport) {
        let verdict = drill.outcome?.verdict ?? .error
        self.init(
            name: drill.info.name, isInspection: drill.info.kind == .inspection, verdict: verdict, isInterrupted: drill.outcome == nil,
            occasions: [])
        let items = drill.cases.flatMap { Self.items(of: $0) }
        if items.contains(where: { $0.rule == Rule.drillOverdue.name }) { occasions.insert(.overdue) }
        // A drill that is late is no backup that is bad.
        let isOnlyLate =
            verdict == .failed && !isInterrupted && occasions.contains(.overdue)
            && items.allSatisfy { $0.rule == Rule.drillOverdue.name }
        if verdict == .failed || verdict == .error, !isOnlyLate { occasions.insert(.red) }
        findings = items.enumerated().sorted { ($0.element.weight, $0.offset) < ($1.element.weight, $1.offset) }.map(\.element)
        objectives = Self.objectives(of: drill)
    }

    /// What makes a question red; a question that is red without a finding says why.
    private static func items(of result: CaseResult) -> [Notice.Item] {
        let found = result.findings.filter { $0.severity == .critical || $0.rule == .drillOverdue }.map {
            Notice.Item(
                service: result.service, rule: $0.rule.name, severity: $0.severity, object: $0.object, message: $0.message, hint: $0.hint)
        }
        guard found.isEmpty, result.verdict == .failed || result.verdict == .error else { return found }
        return [
            Notice.Item(
                service: result.service, rule: "", severity: .critical, object: result.name,
                message: result.reason.isEmpty ? result.verdict.rawValue : result.reason, hint: "")
        ]
    }

    private static func objectives(of drill: DrillReport) -> [Notice.Objective] {
        guard let objectives = drill.outcome?.objectives else { return [] }
        let time = objectives.rto
        return [Notice.Objective(service: nil, achieved: time.achieved, target: time.target, verdict: time.verdict)]
            + objectives.rpo.map {
                Notice.Objective(service: $0.service, achieved: $0.achieved, target: $0.target, verdict: $0.verdict)
            }
    }

    /// What is red comes first.
    fileprivate var weight: Int {
        switch verdict {
        case .failed: 0
        case .error: 1
        case .skipped: 2
        case .passed: 3
        }
    }
}

extension Notice.Item {
    fileprivate var weight: Int {
        // A step that failed repeats what the questions below it say.
        rule.isEmpty ? 1 : 0
    }
}
