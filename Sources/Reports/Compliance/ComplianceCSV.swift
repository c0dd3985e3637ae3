// The tables of a compliance report for spreadsheets: one file each, since two tables can't share one.

import DrillModel
public import Foundation

/// Renders the tables as RFC 4180 has them: UTF-8, lines end with CRLF, the first names the columns as `compliance.json` names the fields.
public enum ComplianceCSV {
    /// Every table, by the name of its file.
    public static func render(_ report: ComplianceReport) -> [(name: String, data: Data)] {
        tables.map { ($0.name, $0.data(of: report)) }
    }

    static let tables: [CSVTable<ComplianceReport>] = [
        CSVTable(
            name: "coverage.csv",
            columns: [
                "drill", "scenario", "interval", "since", "rto", "rpo", "rpoWorstCase", "period", "from", "to", "state", "passed", "failed",
                "unverified", "run", "date",
            ],
            rows: { report in report.coverage.flatMap { drill in drill.windows.map { row(drill, $0) } } }),
        CSVTable(
            name: "runs.csv",
            columns: [
                "run", "drill", "kind", "started", "verdict", "unfinished", "profile", "rto", "rtoTarget", "rtoVerdict", "findings", "user",
                "host", "trigger", "job", "record",
            ],
            rows: { $0.runs.map(row) }),
        // A run has as many recovery points as services: a row for each of what was measured.
        CSVTable(
            name: "objectives.csv",
            columns: ["run", "drill", "started", "objective", "service", "achieved", "target", "verdict"],
            rows: { $0.runs.flatMap(objectives) }),
        CSVTable(
            name: "actions.csv",
            columns: [
                "drill", "service", "rule", "object", "message", "hint", "state", "opened", "openedBy", "lastSeen", "occurrences", "owner",
                "due", "dueDeclared", "closed", "closedBy", "note",
            ],
            rows: { $0.actions.map(row) }),
        CSVTable(
            name: "promises.csv",
            columns: ["service", "promise", "kept", "broken", "unverified", "reason", "last", "lastVerdict", "lastRun"],
            rows: { $0.promises.map(row) }),
    ]

    private static func row(_ drill: ComplianceReport.Coverage, _ window: ComplianceReport.Coverage.Window) -> [CSVCell] {
        [
            .text(drill.drill), .text(drill.scenario?.rawValue), .text(drill.cadence?.interval.rawValue),
            .text(drill.cadence?.since?.description), .seconds(drill.targets?.rto), .seconds(drill.targets?.rpo),
            .seconds(drill.targets?.rpoWorstCase), .text(window.period.label), .text(window.period.first.description),
            .text(window.period.last.description), .text(window.state.rawValue), .number(window.passed), .number(window.failed),
            .number(window.unverified), .text(window.run), .moment(window.date),
        ]
    }

    private static func row(_ run: ComplianceReport.Run) -> [CSVCell] {
        [
            .text(run.run), .text(run.drill), .text(run.isInspection ? "inspection" : "drill"), .moment(run.started),
            .text(run.verdict.rawValue), .flag(run.isUnfinished), .text(run.profile), .seconds(run.recoveryTime?.achieved),
            .seconds(run.recoveryTime?.target), .text(run.recoveryTime?.verdict.rawValue), .number(run.findings), .text(run.user),
            .text(run.host), .text(run.trigger), .text(run.job), .text(run.record.rawValue),
        ]
    }

    private static func objectives(_ run: ComplianceReport.Run) -> [[CSVCell]] {
        let time = run.recoveryTime.map { ("rto", nil as String?, $0) }
        let points = run.recoveryPoints.sorted { $0.key < $1.key }.map { ("rpo", $0.key as String?, $0.value) }
        return ([time].compactMap(\.self) + points).map { kind, service, objective in
            [
                .text(run.run), .text(run.drill), .moment(run.started), .text(kind), .text(service), .seconds(objective.achieved),
                .seconds(objective.target), .text(objective.verdict.rawValue),
            ]
        }
    }

    private static func row(_ action: ComplianceReport.CorrectiveAction) -> [CSVCell] {
        [
            .text(action.drill), .text(action.service), .text(action.rule), .text(action.object), .text(action.message), .text(action.hint),
            .text(action.state.rawValue), .moment(action.opened), .text(action.openedBy), .moment(action.lastSeen),
            .number(action.occurrences), .text(action.owner), .text(action.due.description), .flag(action.isDueDeclared),
            .moment(action.closed), .text(action.closedBy), .text(action.note),
        ]
    }

    private static func row(_ promise: ComplianceReport.Promise) -> [CSVCell] {
        [
            .text(promise.service), .text(promise.name), .number(promise.kept), .number(promise.broken), .number(promise.unverified),
            .text(promise.reason), .moment(promise.last), .text(promise.lastVerdict?.rawValue), .text(promise.lastRun),
        ]
    }
}
