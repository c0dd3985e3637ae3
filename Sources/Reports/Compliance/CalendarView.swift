// Backups day by day: months as blocks, a line for the inspections and one for each series.

import DrillModel
import Foundation

struct CalendarView {
    struct Month {
        let label: String
        let alternative: String
        let lines: [Line]
    }
    /// Thirty-one cells, so that the days of all months stand below one another.
    struct Line {
        let name: String
        /// `head`, `inspections`, `series`.
        let kind: String
        let cells: [Cell]
    }
    struct Cell {
        /// `day`, `good`, `bad`, `unsure`, `nothing`, `unknown`, `blank`.
        let state: String
        let text: String
    }
    struct Series {
        let name: String
        let schedule: String
    }
    /// Of the table that says the same.
    struct Row {
        let day: String
        let cells: [String]
    }
    let summary: String
    let months: [Month]
    let series: [Series]
    let seriesMore: String?
    let gaps: [String]
    let hasGaps: Bool
    let gapsMore: String?
    let columns: [String]
    let rows: [Row]
    let daysMore: String?

    /// - Returns: nil where no day has passed.
    init?(_ calendar: ComplianceReport.BackupCalendar, _ limits: ComplianceLimits) {
        guard !calendar.days.isEmpty else { return nil }
        let days = Array(calendar.days.enumerated().suffix(limits.days))
        let shown = Array(calendar.series.prefix(limits.series))
        series = shown.map { series in
            Series(
                name: Self.name(series, limits),
                schedule: series.schedule.map { HTMLText.clean($0, longest: limits.text) } ?? "no schedule is promised")
        }
        seriesMore = ComplianceLimits.more(calendar.series.count - shown.count, in: "compliance.json")
        daysMore = ComplianceLimits.more(calendar.days.count - days.count, " that are older", in: "compliance.json")
        let looked = days.count { $0.element.inspection != nil }
        let gaps = CalendarGaps.sentences(calendar)
        self.gaps = gaps.prefix(limits.drills / 5).map { HTMLText.clean($0, longest: limits.text) }
        hasGaps = !gaps.isEmpty
        gapsMore = ComplianceLimits.more(gaps.count - self.gaps.count, in: "compliance.json")
        summary =
            "Inspected on \(Readable.count(looked)) of \(Readable.count(days.count, "day"))"
            + (looked < days.count ? "; of the others nothing is known." : ".")

        var months: [Month] = []
        var rest = days[...]
        while let first = rest.first {
            let own = rest.prefix { ($0.element.day.year, $0.element.day.month) == (first.element.day.year, first.element.day.month) }
            rest = rest.dropFirst(own.count)
            func line(_ name: String, _ kind: String, _ cell: (Int, ComplianceReport.BackupCalendar.Day) -> Cell) -> Line {
                var cells = Array(repeating: Cell(state: "blank", text: ""), count: 31)
                for (index, day) in own where (1...31).contains(day.day.day) { cells[day.day.day - 1] = cell(index, day) }
                return Line(name: name, kind: kind, cells: cells)
            }
            let head = line("", "head") { Cell(state: "day", text: String($1.day.day)) }
            let inspections = line("Inspection", "inspections") { Self.cell($1.inspection) }
            let lines = zip(shown, series).map { series, view in line(view.name, "series") { index, _ in Self.cell(series, index) } }
            let label = String(first.element.day.description.dropLast(3))
            let counted = own.count { $0.element.inspection != nil }
            months.append(
                Month(
                    label: label,
                    alternative: "Backups of \(label) by day, inspected on \(counted) of \(own.count). The table below says the same.",
                    lines: [head, inspections] + lines))
        }
        self.months = months
        columns = ["Inspection"] + series.map(\.name)
        rows = days.map { index, day in
            Row(day: day.day.description, cells: [day.inspection?.rawValue ?? "none"] + shown.map { Self.words($0, index) })
        }
    }

    private static func name(_ series: ComplianceReport.BackupCalendar.Series, _ limits: ComplianceLimits) -> String {
        HTMLText.clean("\(series.service) \(series.backup)", longest: min(limits.text, 500))
    }

    private static func cell(_ inspection: Verdict?) -> Cell {
        switch inspection {
        case .passed?: Cell(state: "good", text: Verdict.passed.sign)
        case .failed?: Cell(state: "bad", text: Verdict.failed.sign)
        case .error?: Cell(state: "unsure", text: Verdict.error.sign)
        case .skipped?: Cell(state: "nothing", text: Verdict.skipped.sign)
        case nil: Cell(state: "unknown", text: "?")
        }
    }

    private static func cell(_ series: ComplianceReport.BackupCalendar.Series, _ index: Int) -> Cell {
        guard index < series.counts.count, let count = series.counts[index] else { return Cell(state: "unknown", text: "?") }
        if count > 0 { return Cell(state: "good", text: count > 99 ? "99+" : String(count)) }
        return series.isDaily ? Cell(state: "bad", text: "0") : Cell(state: "nothing", text: "·")
    }

    private static func words(_ series: ComplianceReport.BackupCalendar.Series, _ index: Int) -> String {
        guard index < series.counts.count, let count = series.counts[index] else { return "not known" }
        return count == 0 && series.isDaily ? "missing" : Readable.count(count)
    }
}

/// The days that somebody should look at, in words.
enum CalendarGaps {
    static func sentences(_ calendar: ComplianceReport.BackupCalendar) -> [String] {
        var sentences: [String] = []
        for series in calendar.series where series.isDaily {
            let missing = calendar.days.indices.filter { $0 < series.counts.count && series.counts[$0] == 0 }
            let name = "\(series.service) \(series.backup)"
            sentences += ranges(missing, calendar).map { "\($0): no backup of \(name), of which one is due every day." }
        }
        let unknown = calendar.days.indices.filter { calendar.days[$0].inspection == nil }
        return sentences + ranges(unknown, calendar).map { "\($0): no inspection: what lay there then is not known." }
    }

    /// Days in a row are told as one.
    private static func ranges(_ indices: [Int], _ calendar: ComplianceReport.BackupCalendar) -> [String] {
        var ranges: [ClosedRange<Int>] = []
        for index in indices {
            if let last = ranges.last, last.upperBound == index - 1 {
                ranges[ranges.count - 1] = last.lowerBound...index
            } else {
                ranges.append(index...index)
            }
        }
        return ranges.map { range in
            let (first, last) = (calendar.days[range.lowerBound].day, calendar.days[range.upperBound].day)
            return first == last ? "\(first)" : "\(first) to \(last)"
        }
    }
}
