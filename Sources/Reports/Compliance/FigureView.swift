// The key figures of a period: what somebody reads who has a minute.

import DrillModel
import Foundation

/// One figure, with what it means for the verdict.
struct FigureView {
    let name: String
    let value: String
    let note: String?
    let state: StateView

    static func views(of report: ComplianceReport) -> [FigureView] {
        [drills(report), missing(report), actions(report), inspections(report), recoveryTime(report), ledger(report)]
    }

    private enum Kind { case good, bad, unsure, none }

    private init(_ name: String, _ value: String, _ note: String?, _ kind: Kind) {
        self.name = name
        self.value = value
        self.note = note
        state =
            switch kind {
            case .good: StateView(sign: "✓", word: "good", name: "passed")
            case .bad: StateView(sign: "✗", word: "fell short", name: "failed")
            case .unsure: StateView(sign: "!", word: "to be looked at", name: "error")
            case .none: StateView(sign: "–", word: "nothing to say", name: "skipped")
            }
    }

    private static func windows(_ report: ComplianceReport) -> [ComplianceReport.Coverage.Window] {
        report.coverage.filter { $0.cadence != nil }.flatMap(\.windows)
    }

    private static func drills(_ report: ComplianceReport) -> FigureView {
        let windows = windows(report)
        let kept = windows.count { $0.state == .kept || $0.state == .retested }
        let broken = windows.count(where: \.state.isBroken)
        let open = windows.count { $0.state == .open }
        let note = [(broken, "not kept"), (open, "still open")].filter { $0.0 > 0 }.map { "\(Readable.count($0.0)) \($0.1)" }
        guard !windows.isEmpty else { return FigureView("Drills due", "none", "no drill has a cadence here", .none) }
        return FigureView(
            "Drills kept", "\(Readable.count(kept)) of \(Readable.count(windows.count)) due",
            note.isEmpty ? nil : note.joined(separator: ", "), broken > 0 ? .bad : open > 0 ? .none : .good)
    }

    private static func missing(_ report: ComplianceReport) -> FigureView {
        let windows = windows(report)
        let missing = windows.count { $0.state == .missing }
        let drills = report.coverage.filter { drill in drill.cadence != nil && drill.windows.contains { $0.state == .missing } }.map(
            \.drill)
        let note = missing > 0 ? HTMLText.clean(Readable.list(drills), longest: 200) : "no period passed without its drill"
        return FigureView(
            "Drills missing", Readable.count(missing), windows.isEmpty ? nil : note, missing > 0 ? .bad : windows.isEmpty ? .none : .good)
    }

    private static func actions(_ report: ComplianceReport) -> FigureView {
        let open = report.actions.count { $0.state != .closed }
        let overdue = report.actions.count { $0.state == .overdue }
        let closed = report.actions.count - open
        // Where nothing was drilled, nothing can have been found: that is no good news.
        if report.actions.isEmpty, !report.runs.contains(where: { !$0.isInspection }) {
            return FigureView("Corrective actions", "none known", "nothing was drilled", .none)
        }
        let note = open == 0 ? (closed > 0 ? "\(Readable.count(closed)) closed" : "none was needed") : "\(Readable.count(overdue)) overdue"
        return FigureView(
            "Corrective actions", "\(Readable.count(open)) open", note, overdue > 0 ? .bad : open > 0 ? .unsure : .good)
    }

    private static func inspections(_ report: ComplianceReport) -> FigureView {
        let days = report.calendar.days
        let looked = days.count { $0.inspection != nil }
        guard !days.isEmpty else { return FigureView("Backups inspected", "never", "no day of the period is known", .none) }
        let note = looked < days.count ? "of the others nothing is known" : nil
        return FigureView(
            "Backups inspected", "on \(Readable.count(looked)) of \(Readable.count(days.count, "day"))", note,
            looked == days.count ? .good : .unsure)
    }

    /// The one that came nearest to its target, or went furthest beyond it.
    private static func recoveryTime(_ report: ComplianceReport) -> FigureView {
        var worst: (ratio: Double, run: ComplianceReport.Run, achieved: Duration, target: Duration)?
        var isNothingBack = false
        for run in report.runs where !run.isInspection {
            guard let objective = run.recoveryTime, let target = objective.target, target > .zero else { continue }
            guard let achieved = objective.achieved else {
                isNothingBack = isNothingBack || objective.verdict == .failed
                continue
            }
            let ratio = achieved / target
            if ratio > worst?.ratio ?? -1 { worst = (ratio, run, achieved, target) }
        }
        guard let worst else {
            return FigureView(
                "Longest recovery", "not measured", isNothingBack ? "nothing healthy came back" : nil, isNothingBack ? .bad : .unsure)
        }
        let isMissed = worst.run.recoveryTime?.verdict == .failed || isNothingBack
        let more = isNothingBack ? "; in another run nothing came back" : ""
        return FigureView(
            "Longest recovery", "\(Readable.duration(worst.achieved)) of \(Readable.duration(worst.target))",
            HTMLText.clean(worst.run.drill, longest: 200) + more,
            isMissed ? .bad : worst.run.recoveryTime?.verdict == .passed ? .good : .unsure)
    }

    private static func ledger(_ report: ComplianceReport) -> FigureView {
        guard let ledger = report.ledger else { return FigureView("Ledger", "none kept", "nothing vouches for the runs", .unsure) }
        let entries = Readable.count(ledger.entries) + (ledger.entries == 1 ? " entry" : " entries")
        switch ledger.verdict {
        case .passed: return FigureView("Ledger", "whole", entries, .good)
        case .failed: return FigureView("Ledger", "altered", entries, .bad)
        case .error, .skipped: return FigureView("Ledger", "not verified", entries, .unsure)
        }
    }
}
