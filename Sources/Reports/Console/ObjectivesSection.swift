// RTO and RPO for people: achieved, worst case and target side by side.

import DrillModel
import Foundation

/// The table of recovery objectives.
struct ObjectivesSection {
    let rows: [ObjectiveRow]
    let skew: Duration?
    /// The terminal's columns; nil: as many as it takes.
    var width: Int?

    func lines() -> [ConsoleLine] {
        let title = "Recovery objectives"
        let titles = ("achieved", "worst case", "target")
        let first = max(4 + columnWidth(rows.map(\.name), ""), title.count + 3)
        let second = first + columnWidth(rows.map(\.achieved), titles.0)
        let third = second + columnWidth(rows.map(\.worst), titles.1)
        let fourth = third + columnWidth(rows.map(\.target), titles.2)

        // Columns that don't fit beside each other stand below each other.
        if let width, fourth + (rows.map { ConsoleLine.width(of: $0.words) }.max() ?? 0) > width { return stacked(title, titles) }
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

    private func stacked(_ title: String, _ titles: (String, String, String)) -> [ConsoleLine] {
        var lines = [ConsoleLine(), ConsoleLine(title, .bold)]
        for row in rows {
            lines.append(
                ConsoleLine("  ").adding(row.verdict.sign, row.verdict.style).adding(" \(row.name)", .bold).adding("  ")
                    .adding(row.words, row.verdict.style))
            for (name, value) in [(titles.0, row.achieved), (titles.1, row.worst), (titles.2, row.target)] where !value.isEmpty {
                lines.append(ConsoleLine("      \(name)", .dim).padded(to: 18).adding(value))
            }
            lines += row.notes.map { ConsoleLine("      \($0)", .dim) }
        }
        return lines + (skew.map { [ConsoleLine("    skew between the recovered moments: \(Readable.duration($0))")] } ?? [])
    }

    private func columnWidth(_ texts: [String], _ title: String) -> Int {
        max(texts.map(ConsoleLine.width(of:)).max() ?? 0, title.count) + 3
    }
}
