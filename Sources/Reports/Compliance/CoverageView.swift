// Which drill was due when, and what became of it.

import DrillModel
import Foundation

/// One drill, and each of its periods.
struct CoverageView {
    struct Window {
        let label: String
        let state: StateView
        /// `2026-11-05`
        let date: String?
        let run: String?
        let counts: String?
    }
    let drill: String
    let scenario: String?
    let cadence: String
    let targets: String?
    /// How many stand beside one another: `few1` to `few4`, `many`.
    let width: String
    let windows: [Window]
    let windowsMore: String?

    init(_ coverage: ComplianceReport.Coverage, in zone: TimeZone, _ limits: ComplianceLimits) {
        drill = HTMLText.clean(coverage.drill, longest: limits.text)
        scenario = coverage.scenario.map { DrillView.words($0.rawValue) }
        let since = coverage.cadence?.since.map { " since \($0)" } ?? ""
        cadence = coverage.cadence.map { "\($0.interval.rawValue)\(since)" } ?? "no cadence: nothing is due"
        let targets = [
            ("RTO", coverage.targets?.rto), ("RPO", coverage.targets?.rpo), ("worst-case RPO", coverage.targets?.rpoWorstCase),
        ].compactMap { name, target in target.map { "\(name) < \(Readable.duration($0))" } }
        self.targets = targets.isEmpty ? nil : targets.joined(separator: " · ")
        let picked = ComplianceLimits.pick(coverage.windows, limits.windows, isGrave: \.state.isBroken)
        windows = picked.shown.map { Window($0, in: zone, limits) }
        windowsMore = ComplianceLimits.more(picked.left, in: "coverage.csv")
        width = windows.count <= 4 ? "few\(windows.count)" : "many"
    }
}

extension CoverageView.Window {
    init(_ window: ComplianceReport.Coverage.Window, in zone: TimeZone, _ limits: ComplianceLimits) {
        label = HTMLText.clean(window.period.label, longest: 200)
        state = window.state.view
        date = window.date.map { ComplianceTime.day($0, in: zone) }
        run = window.run.map { HTMLText.clean($0, longest: limits.text) }
        let counts = [(window.passed, "passed"), (window.failed, "failed"), (window.unverified, "not verified")].filter { $0.0 > 0 }
        let words =
            counts.isEmpty
            ? (window.state == .missing ? "nobody drilled" : window.state == .open ? "not drilled yet" : "")
            : counts.map { "\(Readable.count($0.0)) \($0.1)" }.joined(separator: ", ")
        self.counts = words.isEmpty ? nil : words
    }
}

extension ComplianceReport.Coverage.State {
    var view: StateView {
        switch self {
        case .kept: StateView(sign: "✓", word: "kept", name: rawValue)
        case .retested: StateView(sign: "↻", word: "retested", name: rawValue)
        case .failed: StateView(sign: "✗", word: "failed", name: rawValue)
        case .unverified: StateView(sign: "!", word: "unverified", name: rawValue)
        case .missing: StateView(sign: "∅", word: "MISSING", name: rawValue)
        case .open: StateView(sign: "○", word: "open", name: rawValue)
        }
    }
}
