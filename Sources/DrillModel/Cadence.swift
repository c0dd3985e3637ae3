// How often a drill is promised, and the calendar's periods that this makes.

public import Foundation

/// A promise to drill once in each period of the calendar.
public struct Cadence: Sendable, Hashable {
    public enum Interval: String, Sendable, Hashable, Codable, CaseIterable {
        /// From Monday to Sunday.
        case weekly
        case monthly
        case quarterly
        case halfYearly = "half-yearly"
        case yearly
    }
    public var interval: Interval
    /// The first day that it holds for: the period that it falls into is the first that is due; nil: it has always held.
    public var since: CalendarDay?

    public init(_ interval: Interval, since: CalendarDay? = nil) {
        self.interval = interval
        self.since = since
    }

    /// Whether the promise holds for a period.
    public func covers(_ period: CalendarPeriod) -> Bool {
        since.map { $0 <= period.last } ?? true
    }
}

/// A week, a month, a quarter, half a year or a year of the calendar, or any days in a row.
public struct CalendarPeriod: Sendable, Hashable {
    /// Both belong to it.
    public var first: CalendarDay
    public var last: CalendarDay
    /// `2026-Q4`, `2026-W48`, `2026-11`, `2026-H2`, `2026`, or `2026-10-05 to 2026-11-04`.
    public var label: String

    /// Any days in a row.
    public init(from first: CalendarDay, to last: CalendarDay) {
        self.first = first
        self.last = last
        label = "\(first) to \(last)"
    }

    private init(_ first: CalendarDay, _ last: CalendarDay, _ label: String) {
        self.first = first
        self.last = last
        self.label = label
    }

    /// The period of a kind that a day falls into.
    public init(_ interval: Cadence.Interval, containing day: CalendarDay) {
        switch interval {
        case .weekly:
            let monday = day.adding(days: 1 - day.weekday)
            // The week belongs to the year that its Thursday lies in, as ISO 8601 counts.
            let thursday = monday.adding(days: 3)
            let number = CalendarDay(year: thursday.year, month: 1, day: 1).days(to: thursday) / 7 + 1
            self.init(monday, monday.adding(days: 6), "\(thursday.year)-W\(number < 10 ? "0" : "")\(number)")
        case .monthly: self.init(months: 1, day) { "\($0.year)-\($0.month < 10 ? "0" : "")\($0.month)" }
        case .quarterly: self.init(months: 3, day) { "\($0.year)-Q\(($0.month - 1) / 3 + 1)" }
        case .halfYearly: self.init(months: 6, day) { "\($0.year)-H\(($0.month - 1) / 6 + 1)" }
        case .yearly: self.init(months: 12, day) { "\($0.year)" }
        }
    }

    private init(months: Int, _ day: CalendarDay, _ label: (CalendarDay) -> String) {
        let first = CalendarDay(year: day.year, month: (day.month - 1) / months * months + 1, day: 1)
        let after = first.month + months
        let next = CalendarDay(year: first.year + (after - 1) / 12, month: (after - 1) % 12 + 1, day: 1)
        self.init(first, next.adding(days: -1), label(first))
    }

    /// Reads `2026-Q4`; nil where it is none.
    public init?(quarter text: String) {
        let parts = text.uppercased().split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 4, parts[1].count == 2, parts[1].first == "Q", let year = Int(parts[0]), year > 0,
            let number = Int(parts[1].dropFirst()), (1...4).contains(number)
        else { return nil }
        self.init(.quarterly, containing: CalendarDay(year: year, month: number * 3, day: 1))
    }

    /// The one of the same kind that follows.
    public func next(_ interval: Cadence.Interval) -> CalendarPeriod {
        CalendarPeriod(interval, containing: last.adding(days: 1))
    }

    public func previous(_ interval: Cadence.Interval) -> CalendarPeriod {
        CalendarPeriod(interval, containing: first.adding(days: -1))
    }

    /// Its moments in a zone: from the first to before the end.
    public func moments(in zone: TimeZone) -> Range<Date> {
        let start = first.start(in: zone)
        return start..<max(start, last.adding(days: 1).start(in: zone))
    }

    public func contains(_ day: CalendarDay) -> Bool { first <= day && day <= last }

    public var days: [CalendarDay] { (0...max(0, first.days(to: last))).map { first.adding(days: $0) } }

    /// The periods of a kind that share a day with this one.
    public func periods(_ interval: Cadence.Interval) -> [CalendarPeriod] {
        var found: [CalendarPeriod] = []
        var period = CalendarPeriod(interval, containing: first)
        while period.first <= last {
            found.append(period)
            period = period.next(interval)
        }
        return found
    }
}
