// Whether the period kept the estate's promises, and why not.

import DrillModel
import Foundation
import Reports

extension ComplianceCollector {
    /// Puts the verdict, its reasons and the notes into a report.
    func judge(_ report: inout ComplianceReport, _ known: KnownRuns) {
        var broken: [String] = []
        var missing: [String] = []
        var unasked: [String] = []
        var notes: [String] = []
        for drill in report.coverage {
            for window in drill.windows where window.state.isBroken && (drill.cadence != nil || window.state == .failed) {
                let label = window.period.label
                switch window.state {
                case .missing: missing.append("\(drill.drill) was not drilled in \(label)")
                case .unverified where window.unverified == 0:
                    unasked.append("whether \(drill.drill) was drilled in \(label) can't be told: runs of that time can't be read")
                case .unverified:
                    let isBelieved = known.runs.contains {
                        $0.row.drill == drill.drill && $0.row.verdict == .passed && !$0.row.isGreen
                            && window.period.moments(in: estate.timeZone).contains($0.row.started)
                    }
                    let what = isBelieved ? "that the ledger vouches for" : "(error, or cut off)"
                    let count = Readable.count(window.unverified, "run")
                    broken.append("\(drill.drill) came to no verdict \(what) in \(label), in \(count)")
                default: broken.append("\(drill.drill) failed in \(label), and has not passed since")
                }
            }
        }
        let overdue = report.actions.count { $0.state == .overdue }
        if overdue > 0 {
            broken.append("\(Readable.count(overdue, "corrective action")) \(overdue == 1 ? "is" : "are") overdue")
        }
        if let ledger = report.ledger {
            if ledger.verdict == .failed {
                broken.append("the ledger or what it vouches for was altered: \(ledger.problems.first ?? "")")
            } else if ledger.verdict == .error {
                unasked.append("the ledger could not be verified: \(ledger.problems.first ?? "")")
            }
            let strangers = Set(report.runs.filter { $0.record == .unrecorded }.map(\.run)).count
            if strangers > 0 {
                let are = strangers == 1 ? "is" : "are"
                notes.append(
                    "\(Readable.count(strangers, "run")) of the period \(are) not in the ledger, and no proof that anything passed")
            }
            let backdated = Set(report.runs.filter { $0.record == .backdated }.map(\.run)).count
            if backdated > 0 {
                notes.append(
                    "\(Readable.count(backdated, "run")) of the period: recorded with a clock set back, and no proof that anything passed")
            }
            notes += ledger.notes.filter { !$0.contains("is not in the ledger") }.prefix(5).map { "ledger: \($0)" }
        } else {
            notes.append("the estate keeps no ledger: nothing vouches for the runs' reports, nor says who started them (docs/evidence.md)")
        }
        unasked += unreadablePlans.map { "a drill beside the estate file can't be read: \($0)" }
        let unreadable = known.unreadable.filter { run in
            RunHistory.started(run.run).map { period.moments(in: estate.timeZone).contains($0) } ?? true
        }
        if let first = unreadable.first {
            unasked.append("\(Readable.count(unreadable.count, "run")) of the period can't be read: \(first.run): \(first.problem.message)")
        }
        if known.unreadable.count > unreadable.count {
            let count = Readable.count(known.unreadable.count - unreadable.count, "run")
            notes.append("\(count) of other times can't be read, and may be missing among trends and corrective actions")
        }
        let due = report.coverage.filter { $0.cadence != nil }
        let windows = due.flatMap(\.windows)
        if due.isEmpty {
            unasked.append("no drill of the estate says how often it is due (due: quarterly)")
        } else if known.runs.isEmpty, known.unreadable.isEmpty {
            // A folder that was emptied, or another one: nobody can say what was drilled.
            missing = []
            unasked.insert("no run of the estate lies in \(history.folder.relativePath)", at: 0)
        } else if windows.isEmpty {
            unasked.append("no drill was due in the period")
        } else if !windows.contains(where: { [.kept, .retested].contains($0.state) }), missing.isEmpty, broken.isEmpty, unasked.isEmpty {
            unasked.append("none of the drills that are due has passed yet")
        }
        let nameless = report.actions.count { $0.state != .closed && $0.owner == nil }
        if nameless > 0 {
            notes.append("\(Readable.count(nameless, "open corrective action")) \(nameless == 1 ? "has" : "have") no owner")
        }
        let names = Set(
            report.coverage.map(\.drill) + report.actions.map(\.drill) + report.runs.map(\.drill) + plans.map(\.name)
                + plans.flatMap(\.formerNames))
        for entry in actions.entries where !names.contains(entry.drill) {
            notes.append("line \(entry.line) of the corrective actions names \(entry.drill), which is no drill of this estate")
        }
        report.reasons = missing + broken + unasked
        report.verdict = !missing.isEmpty || !broken.isEmpty ? .failed : unasked.isEmpty ? .passed : .error
        report.notes = notes
    }
}
