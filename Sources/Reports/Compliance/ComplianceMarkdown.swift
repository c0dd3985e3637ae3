// compliance.md: the report of a period for a pull request or a wiki.

import DrillModel
import Foundation

/// Renders `compliance.md` from the views of `compliance.html`, so that the two say the same.
public struct ComplianceMarkdown {
    public static func render(_ report: ComplianceReport) -> String {
        // As small as a run's summary: it goes into the same comments.
        render(report, largest: MarkdownReport.largest)
    }

    static func render(_ report: ComplianceReport, largest: Int) -> String {
        var document = ""
        for (drills, windows, actions, text) in [(60, 60, 40, 1_000), (20, 14, 10, 300), (5, 4, 3, 120)] {
            let limits = ComplianceLimits(
                drills: drills, windows: windows, runs: actions, points: 1, trends: drills, actions: actions, series: 1, days: 1, text: text
            )
            let view = ComplianceView(report, limits)
            let sections = [heading(view), coverage(view), objectives(view), actionList(view), promises(view), ending(view)]
            document = sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
            if document.utf8.count <= largest { return document }
        }
        return Markdown.cut(
            document, to: largest, "This report was cut here: compliance.html and compliance.json, beside this file, have all of it.")
    }

    private static func heading(_ view: ComplianceView) -> [String] {
        let name = "\(Markdown.text(view.estate)), \(Markdown.text(view.period))"
        var lines = ["# \(view.verdict.sign) \(view.verdict.word): \(name)", "", view.lead]
        if let still = view.stillRunning { lines += ["", "**\(Markdown.text(still))**"] }
        if view.hasReasons { lines += [""] + view.reasons.map { "- \(Markdown.text($0))" } }
        if let more = view.reasonsMore { lines.append("- \(more)") }
        lines += ["", "| | | |", "|---|---|---|"]
        lines += view.figures.map { figure in
            row([figure.name, "\(figure.state.sign) \(figure.value)", figure.note ?? ""])
        }
        return lines
    }

    private static func coverage(_ view: ComplianceView) -> [String] {
        guard view.hasCoverage else { return ["## Coverage", "", "No drill belongs to this estate."] }
        var lines = ["## Coverage", ""]
        // Those with the same periods share a table: it is a matrix then.
        var tables: [[CoverageView]] = []
        for drill in view.coverage {
            if let place = tables.firstIndex(where: { $0[0].windows.map(\.label) == drill.windows.map(\.label) }) {
                tables[place].append(drill)
            } else {
                tables.append([drill])
            }
        }
        for table in tables {
            let labels = table[0].windows.map(\.label)
            lines += [row(["Drill", "Due", "Targets"] + labels), "|" + String(repeating: "---|", count: 3 + labels.count)]
            for drill in table {
                let cells = drill.windows.map { window in
                    let state = window.state.name == "missing" || window.state.name == "failed" ? "**\(words(window))**" : words(window)
                    return state + (window.date.map { " \($0)" } ?? "") + (window.run.map { " \(Markdown.code($0, isCell: true))" } ?? "")
                }
                let first = [Markdown.code(drill.drill, isCell: true), Markdown.text(drill.cadence), Markdown.text(drill.targets ?? "–")]
                lines.append("| \((first + cells).joined(separator: " | ")) |")
                if let more = drill.windowsMore { lines.append("| \(more) |\(String(repeating: " |", count: 2 + labels.count))") }
            }
            lines.append("")
        }
        if let more = view.coverageMore { lines += [more, ""] }
        return lines.dropLast()
    }

    private static func words(_ window: CoverageView.Window) -> String { "\(window.state.sign) \(window.state.word)" }

    private static func objectives(_ view: ComplianceView) -> [String] {
        guard view.hasTrends else { return [] }
        var lines = ["## Objectives", "", row(["Drill", "Objective", "Newest", "Target", "Outlook"]), "|---|---|---|---|---|"]
        for trend in view.trends {
            let verdict = trend.rows.first.map { "\($0.verdict.sign) " } ?? ""
            let rest = [trend.objective, verdict + (trend.latest ?? "–"), trend.target, trend.words].map(Markdown.text)
            lines.append("| \(([Markdown.code(trend.drill, isCell: true)] + rest).joined(separator: " | ")) |")
        }
        return lines + (view.trendsMore.map { ["", $0] } ?? [])
    }

    private static func actionList(_ view: ComplianceView) -> [String] {
        var lines = ["## Corrective actions", "", view.actions.summary]
        guard view.actions.hasOpen else { return lines }
        lines.append("")
        for action in view.actions.open {
            let owner = action.owner.map { "owner \(Markdown.text($0))" } ?? "**no owner is named**"
            lines.append(
                "- **\(action.state.sign) \(action.state.word)** \(Markdown.code(action.object)): \(Markdown.text(action.message))")
            lines.append(
                "  <br>\(Markdown.text(action.place)), found on \(action.found) by \(Markdown.code(action.foundBy)), \(action.seen)")
            lines.append("  <br>\(owner), due \(action.due)")
            if let hint = action.hint { lines.append("  <br>**Mend:** \(Markdown.text(hint))") }
        }
        return lines + (view.actions.openMore.map { ["", $0] } ?? [])
    }

    private static func promises(_ view: ComplianceView) -> [String] {
        var lines = ["## Promises", "", view.promises.summary]
        let short = view.promises.rows.filter { $0.state.name != "passed" }
        if !short.isEmpty {
            lines += [
                "", row(["Promise", "Service", "State", "Days kept", "Days broken", "Days not verified"]), "|---|---|---|---|---|---|",
            ]
            lines += short.map { row([$0.name, $0.service, "\($0.state.sign) \($0.state.word)", $0.kept, $0.broken, $0.unverified]) }
        }
        if view.promises.hasUnasked {
            lines += ["", "**Not proven: never asked**", ""]
            lines += view.promises.unasked.map { promise in
                "- \(promise.service.map { "\(Markdown.text($0)): " } ?? "")\(Markdown.text(promise.name)): \(Markdown.text(promise.reason))"
            }
        }
        return lines
    }

    private static func ending(_ view: ComplianceView) -> [String] {
        var lines = ["## Ledger", "", "\(view.ledger.state.sign) **\(view.ledger.state.word)** \(Markdown.text(view.ledger.words))"]
        if view.ledger.hasProblems { lines += [""] + view.ledger.problems.map { "- \(Markdown.text($0))" } }
        if let head = view.ledger.head { lines += ["", "Head: \(Markdown.code(head))"] }
        if view.hasNotes { lines += ["", "## Notes", ""] + view.notes.map { "- \(Markdown.text($0))" } }
        return lines + ["", "<sub>Made by muster on \(view.made). compliance.html, beside this file, has the whole of it.</sub>"]
    }

    private static func row(_ cells: [String]) -> String { "| \(cells.map(Markdown.text).joined(separator: " | ")) |" }
}
