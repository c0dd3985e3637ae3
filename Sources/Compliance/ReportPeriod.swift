// Which days a report is about, as a command line says it.

public import DrillModel

/// The words of `--quarter`, `--year`, `--from` and `--to`; without any of them, the quarter that runs now.
public struct ReportPeriod: Sendable {
    var quarter: String?
    var year: String?
    var from: String?
    var to: String?

    public init(quarter: String?, year: String?, from: String?, to: String?) {
        self.quarter = quarter
        self.year = year
        self.from = from
        self.to = to
    }

    /// - Throws: ``CommandFailure`` (usage): it is none, or has not begun.
    public func period(today: CalendarDay) throws(CommandFailure) -> CalendarPeriod {
        let period = try named(today)
        guard period.first <= today else {
            throw CommandFailure(.usage, "\(period.label) is yet to come", hint: "name a period that has begun")
        }
        return period
    }

    private func named(_ today: CalendarDay) throws(CommandFailure) -> CalendarPeriod {
        if let quarter {
            if let period = CalendarPeriod(quarter: quarter) { return period }
            throw CommandFailure(.usage, "--quarter \(quarter) is no quarter", hint: "write the year and the quarter, such as 2026-Q4")
        }
        if let year {
            if let day = CalendarDay(parsing: "\(year)-01-01") { return CalendarPeriod(.yearly, containing: day) }
            throw CommandFailure(.usage, "--year \(year) is no year", hint: "write four digits, such as 2026")
        }
        guard let from else { return CalendarPeriod(.quarterly, containing: today) }
        let first = try day(from, "--from")
        let last = if let to { try day(to, "--to") } else { max(first, today) }
        guard first <= last else { throw CommandFailure(.usage, "--to \(last) lies before --from \(first)", hint: "exchange them") }
        guard first.days(to: last) < 3_660 else {
            throw CommandFailure(.usage, "the period is longer than ten years", hint: "report it year by year: --year")
        }
        return CalendarPeriod(from: first, to: last)
    }

    private func day(_ text: String, _ option: String) throws(CommandFailure) -> CalendarDay {
        if let day = CalendarDay(parsing: text) { return day }
        throw CommandFailure(
            .usage, "\(option) \(text) is no day of the calendar", hint: "write year, month and day, such as 2026-10-01")
    }
}
