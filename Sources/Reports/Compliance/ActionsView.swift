// Corrective actions: what fell short, who mends it until when, and the drill that proved the mend.

import DrillModel
import Foundation

struct ActionsView {
    let open: [ActionView]
    let openMore: String?
    let closed: [ActionView]
    let closedMore: String?
    let hasOpen: Bool
    /// nil where there is none.
    let closedCount: String?
    /// `1 overdue, 2 open, 4 closed`
    let summary: String

    init(_ actions: [ComplianceReport.CorrectiveAction], isDrilled: Bool, in zone: TimeZone, _ limits: ComplianceLimits) {
        let open = actions.filter { $0.state != .closed }
        let closed = actions.filter { $0.state == .closed }
        // The report has the gravest first.
        self.open = open.prefix(limits.actions).map { ActionView($0, in: zone, limits) }
        self.closed = closed.prefix(limits.actions).map { ActionView($0, in: zone, limits) }
        openMore = ComplianceLimits.more(open.count - self.open.count, " that are open", in: "actions.csv")
        closedMore = ComplianceLimits.more(closed.count - self.closed.count, " that are closed", in: "actions.csv")
        hasOpen = !open.isEmpty
        closedCount = closed.isEmpty ? nil : Readable.count(closed.count, "action")
        let overdue = open.count { $0.state == .overdue }
        let counts = [(overdue, "overdue"), (open.count - overdue, "open"), (closed.count, "closed")].filter { $0.0 > 0 }
        summary =
            counts.isEmpty
            ? isDrilled
                ? "None: no drill has found anything that somebody has to mend." : "None is known: nothing was drilled in this period."
            : counts.map { "\(Readable.count($0.0)) \($0.1)" }.joined(separator: ", ") + "."
    }
}

/// One of them, as a chain: deficiency, fix, retest.
struct ActionView {
    let state: StateView
    let object: String
    let place: String
    let rule: String
    let message: String
    let hint: String?
    let found: String
    let foundBy: String
    let seen: String
    /// nil: nobody is named.
    let owner: String?
    /// Whether somebody still has to mend it.
    let isOpen: Bool
    let due: String
    let dueSource: String
    let note: String?
    let retest: String
    let retestBy: String?

    init(_ action: ComplianceReport.CorrectiveAction, in zone: TimeZone, _ limits: ComplianceLimits) {
        func clean(_ text: String) -> String { HTMLText.clean(text, longest: limits.text) }
        state =
            switch action.state {
            case .overdue: StateView(sign: "✗", word: "OVERDUE", name: "failed")
            case .open: StateView(sign: "!", word: "OPEN", name: "error")
            case .closed: StateView(sign: "✓", word: "CLOSED", name: "passed")
            }
        object = clean(JUnitText.filled(action.object, or: "(no name)"))
        place = clean([action.drill, action.service].compactMap(\.self).joined(separator: " · "))
        rule = clean(action.rule)
        message = clean(action.message)
        hint = action.hint.isEmpty ? nil : clean(action.hint)
        found = ComplianceTime.day(action.opened, in: zone)
        foundBy = clean(action.openedBy)
        let last = ComplianceTime.day(action.lastSeen, in: zone)
        seen = action.occurrences == 1 ? "seen once" : "seen \(Readable.count(action.occurrences)) times, last on \(last)"
        owner = action.owner.flatMap { $0.isEmpty ? nil : clean($0) }
        isOpen = action.state != .closed
        due = action.due.description
        dueSource = action.isDueDeclared ? "as declared" : "by the rule for what declares no day"
        note = action.note.flatMap { $0.isEmpty ? nil : clean($0) }
        retest =
            switch action.state {
            case .overdue: "the day is past, and no run that asked again has passed"
            case .open: "no run that asked again has passed yet"
            case .closed: action.closed.map { "passed on \(ComplianceTime.day($0, in: zone))" } ?? "passed"
            }
        retestBy = action.closedBy.map(clean)
    }
}
