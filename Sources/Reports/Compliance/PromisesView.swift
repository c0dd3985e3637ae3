// The plan, promise by promise: on how many days it was kept, broken or could not be verified, and what was never asked.

import DrillModel
import Foundation

struct PromisesView {
    struct Row {
        let state: StateView
        let service: String
        let name: String
        let kept: String
        let broken: String
        let unverified: String
        let last: String
        let lastVerdict: VerdictView?
        let lastRun: String?
    }
    struct Unasked {
        let name: String
        let service: String?
        let reason: String
    }
    let rows: [Row]
    let hasRows: Bool
    let rowsMore: String?
    let unasked: [Unasked]
    let hasUnasked: Bool
    let unaskedMore: String?
    let summary: String

    init(_ promises: [ComplianceReport.Promise], in zone: TimeZone, _ limits: ComplianceLimits) {
        func isAsked(_ promise: ComplianceReport.Promise) -> Bool { promise.kept + promise.broken + promise.unverified > 0 }
        let asked = promises.filter(isAsked)
        let never = promises.filter { !isAsked($0) }
        // What was broken comes first: the eye must not search for it.
        let broken = asked.filter { $0.broken > 0 }
        let unverified = asked.filter { $0.broken == 0 && $0.unverified > 0 }
        let kept = asked.filter { $0.broken == 0 && $0.unverified == 0 }
        let most = limits.runs
        rows = (broken + unverified + kept).prefix(most).map { Row($0, in: zone, limits) }
        hasRows = !rows.isEmpty
        rowsMore = ComplianceLimits.more(asked.count - rows.count, in: "promises.csv")
        unasked = never.prefix(most).map {
            Unasked(
                name: HTMLText.clean(JUnitText.filled($0.name, or: "(no name)"), longest: limits.text),
                service: $0.service.map { HTMLText.clean($0, longest: limits.text) },
                reason: HTMLText.clean($0.reason ?? "no reason was given", longest: limits.text))
        }
        hasUnasked = !never.isEmpty
        unaskedMore = ComplianceLimits.more(never.count - unasked.count, in: "promises.csv")
        let counts = [
            (broken.count, "broken at least once"), (unverified.count, "not always verified"), (kept.count, "kept whenever asked"),
            (never.count, "never asked"),
        ].filter { $0.0 > 0 }
        summary =
            promises.isEmpty
            ? "No inspection and no drill of the period has asked any."
            : "Of \(Readable.count(promises.count, "promise")): "
                + counts.map { "\(Readable.count($0.0)) \($0.1)" }.joined(separator: ", ") + "."
    }
}

extension PromisesView.Row {
    init(_ promise: ComplianceReport.Promise, in zone: TimeZone, _ limits: ComplianceLimits) {
        state =
            promise.broken > 0
            ? StateView(sign: "✗", word: "broken", name: "failed")
            : promise.unverified > 0
                ? StateView(sign: "!", word: "not verified", name: "error") : StateView(sign: "✓", word: "kept", name: "passed")
        service = promise.service.map { HTMLText.clean($0, longest: limits.text) } ?? "the whole"
        name = HTMLText.clean(JUnitText.filled(promise.name, or: "(no name)"), longest: limits.text)
        func days(_ count: Int) -> String { count == 0 ? "–" : Readable.count(count) }
        kept = days(promise.kept)
        broken = days(promise.broken)
        unverified = days(promise.unverified)
        last = promise.last.map { ComplianceTime.minute($0, in: zone) } ?? "–"
        lastVerdict = promise.lastVerdict.map { VerdictView($0) }
        lastRun = promise.lastRun.map { HTMLText.clean($0, longest: limits.text) }
    }
}
