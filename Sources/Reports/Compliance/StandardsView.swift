// The clauses of standards that the period's evidence supports, and the ledger that vouches for it.

import DrillModel
import Foundation

/// A framework and its clauses.
struct StandardView {
    let name: String
    let controls: [ControlView]
    let controlsMore: String?

    /// In the order in which the report has them.
    static func views(of controls: [ComplianceReport.Control], _ limits: ComplianceLimits) -> [StandardView] {
        var order: [String] = []
        for control in controls where !order.contains(control.framework) { order.append(control.framework) }
        return order.prefix(limits.drills).map { name in
            let own = controls.filter { $0.framework == name }
            return StandardView(
                name: HTMLText.clean(name, longest: limits.text), controls: own.prefix(limits.drills).map { ControlView($0, limits) },
                controlsMore: ComplianceLimits.more(own.count - limits.drills, in: "compliance.json"))
        }
    }
}

struct ControlView {
    struct Support {
        let field: String
        let words: String
    }
    let clause: String
    let asks: String
    let evidence: StateView
    let summary: String
    let supports: [Support]
    let hasSupports: Bool
    let doesNotShow: [String]
    let hasLimits: Bool

    init(_ control: ComplianceReport.Control, _ limits: ComplianceLimits) {
        func clean(_ text: String) -> String { HTMLText.clean(text, longest: limits.text) }
        clause = clean(control.clause)
        asks = clean(control.asks)
        evidence =
            control.hasEvidence
            ? StateView(sign: "●", word: "evidence", name: "held")
            : StateView(sign: "○", word: "NO EVIDENCE IN THIS PERIOD", name: "lacking")
        summary = clean(control.summary)
        supports = control.supports.prefix(limits.drills).map { Support(field: clean($0.field), words: clean($0.words)) }
        hasSupports = !supports.isEmpty
        doesNotShow = control.doesNotShow.prefix(limits.drills).map(clean)
        hasLimits = !doesNotShow.isEmpty
    }
}

struct LedgerView {
    let state: StateView
    let words: String
    let head: String?
    let problems: [String]
    let hasProblems: Bool
    let remarks: [String]
    let hasRemarks: Bool
    /// nil where there is nothing to verify.
    let command: String?

    init(_ report: ComplianceReport, _ limits: ComplianceLimits) {
        func clean(_ texts: [String]) -> [String] { texts.prefix(limits.drills).map { HTMLText.clean($0, longest: limits.text) } }
        let ledger = report.ledger
        let entries = ledger.map { Readable.count($0.entries) + ($0.entries == 1 ? " entry" : " entries") } ?? ""
        switch ledger?.verdict {
        case .passed?:
            state = StateView(sign: "✓", word: "WHOLE", name: "passed")
            words = "\(entries), each signed and chained to the one before: nothing was changed, removed or put in between."
        case .failed?:
            state = StateView(sign: "✗", word: "ALTERED", name: "failed")
            words = "\(entries). What the runs left is not what the ledger has signed: this report's figures can't be relied on there."
        case .error?, .skipped?:
            state = StateView(sign: "!", word: "NOT VERIFIED", name: "error")
            words = "\(entries), which could not be verified: whether the runs are as they were is not known."
        case nil:
            state = StateView(sign: "–", word: "NONE", name: "skipped")
            words = "The estate keeps no ledger: nothing but the files themselves vouches for the runs of this report."
        }
        head = ledger?.head.map { HTMLText.clean($0, longest: limits.text) }
        problems = clean(ledger?.problems ?? [])
        hasProblems = !problems.isEmpty
        remarks = clean(ledger?.notes ?? [])
        hasRemarks = !remarks.isEmpty
        let known = ledger?.head.map { " --head \(Self.word($0))" } ?? ""
        command = ledger.map { _ in
            HTMLText.clean("muster evidence verify --estate \(Self.word(report.estateFile))\(known)", longest: limits.text)
        }
    }

    /// As a shell takes it for one word.
    private static func word(_ text: String) -> String {
        text.wholeMatch(of: /[A-Za-z0-9_.,:\/@%+=\-]+/) != nil ? text : "'\(text.replacing("'", with: "'\\''"))'"
    }
}
