// How many recovery points of a series an inspection saw of each day: what a calendar of backups is made from.

public import DrillModel
public import Foundation

/// The days up to an inspection, each with the recovery points that were made on it and were still there.
public struct DaysSeen: Sendable, Hashable {
    /// So many days are written down: a quarter.
    static let most = 92
    /// What the fact's name ends with.
    public static let suffix = ".by-day"

    public struct Run: Sendable, Hashable {
        public var first: CalendarDay
        public var last: CalendarDay
        public var count: Int
    }
    /// Days in a row with as many recovery points each; the oldest first.
    public var runs: [Run]

    /// - Parameter times: Of the recovery points, in any order.
    public init(_ times: [Date], until now: Date, in zone: TimeZone) {
        let today = CalendarDay(now, in: zone)
        let first = today.adding(days: 1 - Self.most)
        let start = first.start(in: zone)
        let counts = times.lazy.filter { $0 >= start }.reduce(into: [CalendarDay: Int]()) { $0[CalendarDay($1, in: zone), default: 0] += 1 }
        runs = []
        for day in CalendarPeriod(from: first, to: today).days {
            let count = counts[day] ?? 0
            if runs.last?.count == count { runs[runs.count - 1].last = day } else { runs.append(Run(first: day, last: day, count: count)) }
        }
    }

    /// Reads ``text``; nil where it is none.
    public init?(_ text: String) {
        runs = []
        for word in text.split(separator: " ") {
            let parts = word.split(separator: ":")
            let days = (parts.first ?? "").components(separatedBy: "..").map { CalendarDay(parsing: $0) }
            guard parts.count == 2, let count = Int(parts[1]), count >= 0, (1...2).contains(days.count), let first = days.first ?? nil,
                let last = days.last ?? nil, first <= last, first.days(to: last) < Self.most
            else { return nil }
            runs.append(Run(first: first, last: last, count: count))
        }
    }

    /// `2026-08-31..2026-11-27:1 2026-11-28:0 2026-11-29..2026-11-30:1`
    public var text: String {
        runs.map { $0.first == $0.last ? "\($0.first):\($0.count)" : "\($0.first)..\($0.last):\($0.count)" }.joined(separator: " ")
    }
}
