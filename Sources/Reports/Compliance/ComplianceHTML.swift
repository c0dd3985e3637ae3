// compliance.html: the report of a period for a board and for auditors, in one file that needs neither network nor script.

import DrillModel
public import Foundation

/// Renders `compliance.html`. What it says is decided in the view structs; the templates only arrange it.
public struct ComplianceHTML {
    public static func render(_ report: ComplianceReport) throws -> Data {
        Data(try render(report, largest: HTMLReport.largest).utf8)
    }

    static func render(_ report: ComplianceReport, largest: Int) throws -> String {
        try HTMLPage(templates, main: "compliance").fitting(ComplianceLimits.all, largest: largest) { ComplianceView(report, $0) }
    }

    static let templates = [
        "compliance": PackageResources.compliance_mustache, "coverage": PackageResources.coverage_mustache,
        "runs": PackageResources.runs_mustache, "trend": PackageResources.trend_mustache, "action": PackageResources.action_mustache,
        "promises": PackageResources.promises_mustache, "calendar": PackageResources.calendar_mustache,
        "standards": PackageResources.standards_mustache, "ledger": PackageResources.ledger_mustache,
        "style": PackageResources.style_css, "own-style": PackageResources.compliance_css,
    ]
}

/// How much of a period is listed in full. What is left out is counted, and the tables beside the page have all of it.
struct ComplianceLimits {
    /// Drills; a list of anything else that has no figure of its own.
    var drills: Int
    /// Of one drill.
    var windows: Int
    /// As many drills, and as many inspections.
    var runs: Int
    /// Of one trend.
    var points: Int
    var trends: Int
    /// As many that are open, and as many that are closed.
    var actions: Int
    var series: Int
    /// Of the calendar.
    var days: Int
    /// Bytes of one text.
    var text: Int

    static let all = [
        ComplianceLimits(
            drills: 200, windows: 60, runs: 400, points: 200, trends: 100, actions: 200, series: 20, days: 366, text: 2_000),
        ComplianceLimits(drills: 100, windows: 53, runs: 100, points: 60, trends: 40, actions: 50, series: 20, days: 366, text: 500),
        ComplianceLimits(drills: 50, windows: 12, runs: 30, points: 20, trends: 20, actions: 20, series: 10, days: 92, text: 200),
    ]

    /// The grave ones before all others, then the newest; told in the order that they had.
    ///
    /// - Parameter items: The oldest first.
    static func pick<Item>(_ items: [Item], _ limit: Int, isGrave: (Item) -> Bool) -> (shown: [Item], left: Int) {
        guard items.count > limit else { return (items, 0) }
        let grave = items.map(isGrave)
        let order = items.indices.sorted { grave[$0] != grave[$1] ? grave[$0] : $0 > $1 }
        return (order.prefix(limit).sorted().map { items[$0] }, items.count - limit)
    }

    /// `… and 12 more: see runs.csv`; nil where nothing was left out.
    static func more(_ left: Int, _ words: String = "", in file: String) -> String? {
        left > 0 ? "… and \(Readable.count(left)) more\(words): see \(file)" : nil
    }
}
