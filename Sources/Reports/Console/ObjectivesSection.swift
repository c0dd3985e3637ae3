// RTO and RPO for people: achieved, worst case and target side by side.

import DrillModel
import Foundation

/// The table of recovery objectives.
struct ObjectivesSection {
    let rows: [ObjectiveRow]
    let skew: Duration?

    func lines() -> [ConsoleLine] {
        let title = "Recovery objectives"
        let titles = ("achieved", "worst case", "target")
        let first = max(4 + columnWidth(rows.map(\.name), ""), title.count + 3)
        let second = first + columnWidth(rows.map(\.achieved), titles.0)
        let third = second + columnWidth(rows.map(\.worst), titles.1)
        let fourth = third + columnWidth(rows.map(\.target), titles.2)

        var heading = ConsoleLine(title, .bold).padded(to: first).adding(titles.0, .dim).padded(to: second)
        heading = heading.adding(titles.1, .dim).padded(to: third).adding(titles.2, .dim).padded(to: fourth).adding("verdict", .dim)
        var lines = [ConsoleLine(), heading]
        for row in rows {
            var line = ConsoleLine("  ").adding(row.verdict.sign, row.verdict.style).adding(" \(row.name)", .bold).padded(to: first)
            line = line.adding(row.achieved).padded(to: second).adding(row.worst).padded(to: third).adding(row.target)
            lines.append(line.padded(to: fourth).adding(row.words, row.verdict.style))
            lines += row.notes.map { ConsoleLine("      \($0)", .dim) }
        }
        if let skew {
            lines.append(ConsoleLine("    skew between the recovered moments: \(Readable.duration(skew))"))
        }
        return lines
    }

    private func columnWidth(_ texts: [String], _ title: String) -> Int {
        max(texts.map(ConsoleLine.width(of:)).max() ?? 0, title.count) + 3
    }
}
