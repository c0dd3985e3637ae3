// From a finding to its mend: what a red run opens, and only a later green one of the same drill closes.

import DrillModel
import Foundation
import Reports

/// The corrective actions of one drill, or of one estate's inspections.
struct ActionChain {
    private(set) var actions: [ComplianceReport.CorrectiveAction] = []
    /// A green run whose report has to be read before anything can be said of what follows it; nil: all is said.
    private(set) var unread: Int?

    private struct Key: Hashable {
        var rule: String
        var object: String
    }
    fileprivate struct Open {
        var action: ComplianceReport.CorrectiveAction
        var question: RunHistory.Question
        /// Only an inspection that reads the artifacts asks it.
        var isDeep: Bool
    }

    /// - Parameters:
    ///   - runs: The oldest first, with their places among all runs; those that are red have their records.
    ///   - plan: Who mends what, and until when.
    init(_ runs: [(index: Int, run: KnownRun)], _ plan: ActionPlan, today: CalendarDay, zone: TimeZone) {
        var open: [Key: Open] = [:]
        for (index, run) in runs {
            let row = run.row
            if row.isGreen {
                guard !open.isEmpty else { continue }
                guard run.record != nil || row.record == .entryOnly else {
                    // What can't be read says nothing of what was red.
                    if run.isLost { continue }
                    unread = index
                    break
                }
                for (key, found) in open where found.isMended(by: run) {
                    var action = found.action
                    action.state = .closed
                    action.closed = row.started
                    action.closedBy = row.run
                    actions.append(action)
                    open[key] = nil
                }
                continue
            }
            let isGone = row.verdict != .passed && (row.record == .entryOnly || run.isLost)
            for deficiency in run.record?.deficiencies ?? (isGone ? [.gone(of: row)] : []) {
                let key = Key(rule: deficiency.rule, object: deficiency.object)
                if open[key] != nil {
                    open[key]?.action.lastSeen = row.started
                    open[key]?.action.occurrences += 1
                } else {
                    open[key] = Open(
                        action: ComplianceReport.CorrectiveAction(deficiency, of: row, plan, today: today, zone: zone),
                        question: deficiency.question, isDeep: run.record?.isDeepInspection == true)
                }
            }
        }
        actions += open.values.map(\.action)
    }
}

extension ActionChain.Open {
    /// A run whose folder was removed is believed to have asked what it always asks, but for what only a deep inspection does.
    fileprivate func isMended(by run: KnownRun) -> Bool { run.record.map { $0.answers(question, isDeep: isDeep) } ?? !isDeep }
}

extension ComplianceReport.CorrectiveAction {
    fileprivate init(
        _ deficiency: Deficiency, of row: ComplianceReport.Run, _ plan: ActionPlan, today: CalendarDay, zone: TimeZone
    ) {
        let entry = plan.entry(drill: row.drill, rule: deficiency.rule, object: deficiency.object)
        let due = entry?.due ?? CalendarDay(row.started, in: zone).adding(days: plan.days)
        self.init(
            drill: row.drill, rule: deficiency.rule, object: deficiency.object, service: deficiency.question.service,
            message: deficiency.message, hint: deficiency.hint, state: due < today ? .overdue : .open, opened: row.started,
            openedBy: row.run, lastSeen: row.started, occurrences: 1, closed: nil, closedBy: nil, owner: entry?.owner, due: due,
            isDueDeclared: entry?.due != nil, note: entry?.note)
    }
}

/// What a red run says has to be mended.
struct Deficiency: Hashable {
    var rule: String
    var object: String
    /// The case that turned red.
    var question: RunHistory.Question
    var message: String
    var hint: String

    /// Of a red run whose reports were removed.
    static func gone(of row: ComplianceReport.Run) -> Deficiency {
        Deficiency(
            rule: "findings-gone", object: row.drill, question: RunHistory.Question(group: .step, name: "findings-gone"),
            message: "the run was red, and what it found is gone, or can't be read", hint: "keep the folders of red runs")
    }
}

extension RunHistory.Record {
    /// Each once: the findings that turned a case red, and red cases without one.
    var deficiencies: [Deficiency] {
        var found: [Deficiency] = []
        var seen: Set<[String]> = []
        var bareSteps: Set<RunHistory.Question> = []
        for result in cases where [.failed, .error].contains(result.verdict) {
            let question = RunHistory.Question(result)
            var own = result.findings.filter { $0.severity == .critical }.map {
                Deficiency(rule: $0.rule.name, object: $0.object, question: question, message: $0.message, hint: $0.hint)
            }
            if own.isEmpty {
                if result.group == .step { bareSteps.insert(question) }
                let message = result.reason.isEmpty ? "it came out red, without a finding" : result.reason
                own = [
                    Deficiency(
                        rule: result.verdict == .failed ? "case-failed" : "case-unverified", object: result.name, question: question,
                        message: message, hint: "")
                ]
            }
            for deficiency in own where seen.insert([deficiency.rule, deficiency.object]).inserted { found.append(deficiency) }
        }
        // A step that failed without a finding repeats what the questions in it say.
        let others = found.filter { !bareSteps.contains($0.question) }
        return others.isEmpty ? found : others
    }
}

extension ActionPlan {
    /// What names the object goes before what names the rule alone; of equals the later one.
    func entry(drill: String, rule: String, object: String) -> Entry? {
        let fitting = entries.filter { $0.drill == drill && $0.rule == rule && ($0.object == nil || $0.object == object) }
        return fitting.last { $0.object != nil } ?? fitting.last
    }
}
