// summary.md: the run for a pull request, or for the summary of a job.

public import DrillModel
import Foundation

/// Renders `summary.md` from the views of `report.html`, so that the two say the same.
public struct MarkdownReport {
    /// GitHub takes 65,536 characters as a comment, and drops a job's summary of more than a mebibyte as a whole.
    static let largest = 60_000

    public static func render(_ report: RunReport) -> String {
        render(report, largest: largest)
    }

    static func render(_ report: RunReport, largest: Int) -> String {
        var document = ""
        for (findings, diffLines, text) in [(20, 30, 1_000), (5, 10, 300), (1, 0, 200)] {
            let limits = HTMLLimits(findings: findings, cases: 0, diffLines: diffLines, text: text)
            let run = RunView(report, limits)
            document = ([heading(run)] + run.drills.map { section($0) } + [footer]).joined(separator: "\n")
            if document.utf8.count <= largest { return document }
        }
        return Markdown.cut(
            document, to: largest, "This summary was cut here: report.html and report.json, beside this file, have all of it.")
    }

    private static let footer = "<sub>Made by muster. report.html, beside this file, has the whole of it.</sub>\n"

    private static func heading(_ run: RunView) -> String {
        var lines = ["# \(run.verdict.sign) \(run.verdict.word): \(run.heading)", "", "\(run.lead) \(run.counts)", ""]
        if let reason = run.reason { lines += ["**\(Markdown.text(reason))**", ""] }
        lines += ["| Verdict | Drill | Questions | RTO | RPO | Not proven | Took |", "|---|---|---|---|---|---|---|"]
        for drill in run.drills {
            let verdict = "\(drill.verdict.sign) \(drill.verdict.word)"
            let cells = [drill.counts, drill.rto, drill.rpo, drill.unprovenCount, drill.took].map(Markdown.text)
            lines.append("| \(([verdict, Markdown.code(drill.name, isCell: true)] + cells).joined(separator: " | ")) |")
        }
        let facts = run.facts.map { "\($0.name.lowercased()) \(Markdown.code($0.value))" }
        return (lines + ["", facts.joined(separator: ", "), ""]).joined(separator: "\n")
    }

    private static func section(_ drill: DrillView) -> String {
        var lines = ["## \(drill.verdict.sign) \(drill.verdict.word) \(Markdown.code(drill.name))", "", Markdown.text(drill.subtitle), ""]
        if let other = drill.otherEstate { lines += ["**\(Markdown.text(other))**", ""] }
        if let reason = drill.reason { lines += ["**Cut off: \(Markdown.text(reason)).**", ""] }
        let unproven = drill.unproven + drill.skips.map { "\($0.count) skipped: \($0.reason)" }
        if drill.isAnythingUnproven {
            lines += ["### Not proven", ""] + unproven.map { "- \(Markdown.text($0))" }
            if drill.reason != nil { lines.append("- Whatever comes after the moment at which it was cut off.") }
            if let more = drill.unprovenMore { lines.append("- … \(more): see report.html") }
            lines.append("")
        }
        if drill.hasObjectives {
            lines += ["| Objective | Achieved | Worst case | Target | |", "|---|---|---|---|---|"]
            for objective in drill.objectives {
                let verdict = "\(objective.verdict.sign) \(objective.words)"
                let cells = [objective.name, objective.achieved, objective.worst, objective.target, verdict]
                lines.append("| \(cells.map(Markdown.text).joined(separator: " | ")) |")
            }
            lines.append("")
        }
        guard !drill.findings.isEmpty else { return lines.joined(separator: "\n") }
        lines += ["### Findings", ""] + drill.findings.flatMap(item)
        if let more = drill.findingsMore { lines += ["", "**… and \(Markdown.text(more))**"] }
        return (lines + [""]).joined(separator: "\n")
    }

    private static func item(_ finding: FindingView) -> [String] {
        let sign = finding.isRed ? "\(finding.verdict.sign) " : ""
        let rule = finding.rule.map { ", rule \(Markdown.code($0))" } ?? ""
        var lines = ["- **\(sign)\(finding.severity)** \(Markdown.code(finding.object)): \(Markdown.text(finding.message))"]
        lines.append("  <br>\(Markdown.text(finding.place))\(rule)")
        let values = [("expected", finding.expected), ("actual", finding.actual)].compactMap { name, value in
            value.map { "\(name): \(Markdown.text($0))" }
        }
        if !values.isEmpty { lines.append("  <br>\(values.joined(separator: "; "))") }
        if let hint = finding.hint { lines.append("  <br>**Mend:** \(Markdown.text(hint))") }
        if finding.hasDiff, !finding.diff.isEmpty {
            let body = finding.diff.map { $0.text.replacing("\n", with: " ") } + (finding.diffMore.map { ["… \($0)"] } ?? [])
            let fence = Markdown.fence(around: body.joined(separator: "\n"), atLeast: 3)
            lines += ["", "  \(fence)diff"] + body.map { "  \($0)" } + ["  \(fence)", ""]
        }
        return lines
    }
}

/// Text from a run as Markdown shows it word for word.
enum Markdown {
    /// In a sentence or a table's cell.
    static func text(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\n", "\t", "\r\n": result += " "
            // Nobody is called by the name of a table.
            case "@": result += "@<!-- -->"
            case "\\", "`", "*", "_", "[", "]", "|", "~", "#", "!", "$": result += "\\\(character)"
            default: result.append(character)
            }
        }
        return result
    }

    /// A name, between as many backticks as it takes.
    ///
    /// - Parameter isCell: In a table, where a bar would end the cell even there.
    static func code(_ text: String, isCell: Bool = false) -> String {
        let name = text.replacing("\n", with: " ").replacing("\t", with: " ")
        let line = isCell ? name.replacing("|", with: "\\|") : name
        guard !line.allSatisfy({ $0 == " " }) else { return "(no name)" }
        let fence = fence(around: line, atLeast: 1)
        let isTouching = line.hasPrefix("`") || line.hasSuffix("`") || (line.hasPrefix(" ") && line.hasSuffix(" "))
        return isTouching ? "\(fence) \(line) \(fence)" : "\(fence)\(line)\(fence)"
    }

    /// One backtick more than the text has in a row.
    static func fence(around text: String, atLeast count: Int) -> String {
        let longest = text.matches(of: /`+/).map(\.output.count).max() ?? 0
        return String(repeating: "`", count: max(count, longest + 1))
    }

    /// After a whole line, with one that says so.
    static func cut(_ document: String, to bytes: Int, _ words: String) -> String {
        let notice = "\n\n**\(words)**\n"
        var left = bytes - notice.utf8.count
        var lines: [Substring] = []
        var fence: Substring?
        for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
            left -= line.utf8.count + 1
            if left < 0 { break }
            lines.append(line)
            let start = line.drop { $0 == " " }
            guard start.hasPrefix("```") else { continue }
            fence = fence == nil ? line.prefix { $0 == " " || $0 == "`" } : nil
        }
        // What is open would swallow the notice; its own end was counted with what was cut.
        if let fence { lines.append(fence) }
        return lines.joined(separator: "\n") + notice
    }
}
