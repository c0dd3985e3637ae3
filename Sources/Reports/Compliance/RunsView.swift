// The runs of a period as a table.

import DrillModel
import Foundation

/// Drills, or inspections.
struct RunsView {
    struct Row {
        let run: String
        let when: String
        let drill: String
        let verdict: VerdictView
        /// `cut off`, `profile fast`, `2 findings`.
        let remark: String?
        let time: ObjectiveCell
        let points: [ObjectiveCell]
        /// `systemd`
        let trigger: String
        let starter: String?
        let job: String?
        let record: StateView
    }
    /// What was measured against its target.
    struct ObjectiveCell {
        /// `1h 52m of 4h`; a recovery point names its service before.
        let figures: String
        let verdict: VerdictView?
    }
    let rows: [Row]
    let hasRows: Bool
    let summary: String
    let more: String?

    init(_ runs: [ComplianceReport.Run], _ word: String, in zone: TimeZone, _ limits: ComplianceLimits) {
        let picked = ComplianceLimits.pick(runs, limits.runs) { $0.verdict != .passed || $0.record == .altered }
        rows = picked.shown.map { Row($0, in: zone, limits) }
        hasRows = !rows.isEmpty
        summary = runs.isEmpty ? "None." : "\(Readable.count(runs.count, word)): \(VerdictCounts(runs.map(\.verdict)).words)."
        more = ComplianceLimits.more(picked.left, " of those that passed, or are older", in: "runs.csv")
    }
}

extension RunsView.Row {
    init(_ run: ComplianceReport.Run, in zone: TimeZone, _ limits: ComplianceLimits) {
        func clean(_ text: String) -> String { HTMLText.clean(text, longest: limits.text) }
        self.run = clean(run.run)
        when = ComplianceTime.minute(run.started, in: zone)
        drill = clean(run.drill)
        verdict = VerdictView(run.verdict)
        let remarks = [
            run.isUnfinished ? "cut off" : nil, run.profile.flatMap { $0 == Profile.production.rawValue ? nil : "profile \($0)" },
            run.findings.flatMap { $0 > 0 ? Readable.count($0, "finding") : nil },
            run.findings == nil && run.record == .entryOnly ? "its report is gone" : nil,
        ].compactMap(\.self)
        remark = remarks.isEmpty ? nil : clean(remarks.joined(separator: ", "))
        time = run.recoveryTime.map { RunsView.ObjectiveCell($0) } ?? RunsView.ObjectiveCell(figures: "–", verdict: nil)
        points = run.recoveryPoints.sorted { $0.key < $1.key }.prefix(limits.drills).map { RunsView.ObjectiveCell($0.value, of: $0.key) }
        trigger = run.trigger.map(clean) ?? "–"
        let who = [run.user, run.host].compactMap(\.self).joined(separator: " on ")
        starter = who.isEmpty ? nil : clean(who)
        job = run.job.map(clean)
        record = run.record.view
    }
}

extension RunsView.ObjectiveCell {
    init(_ objective: RunHistory.Objective, of service: String? = nil) {
        let achieved = objective.achieved.map { Readable.duration($0) } ?? "nothing came back"
        let target = objective.achieved == nil ? "" : objective.target.map { " of \(Readable.duration($0))" } ?? ""
        figures = HTMLText.clean("\(service.map { "\($0) " } ?? "")\(achieved)\(target)")
        // What has no target was promised by nobody.
        verdict = objective.target == nil ? nil : VerdictView(objective.verdict)
    }
}

extension ComplianceReport.Run.Record {
    var view: StateView {
        switch self {
        case .vouched: StateView(sign: "✓", word: "vouched", name: "passed")
        case .entryOnly: StateView(sign: "✓", word: "entry only", name: "passed")
        case .altered: StateView(sign: "✗", word: "ALTERED", name: "failed")
        case .backdated: StateView(sign: "!", word: "backdated", name: "error")
        case .unrecorded: StateView(sign: "!", word: "unrecorded", name: "error")
        case .unverified: StateView(sign: "–", word: "no proof", name: "skipped")
        }
    }
}
