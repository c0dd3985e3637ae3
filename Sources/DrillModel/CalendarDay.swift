// A day on the calendar, whatever the zone: when something is due, and which days a report is about.

public import Foundation

/// `2026-11-30`, of the Gregorian calendar.
public struct CalendarDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// 1 to 9999.
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int

    /// The parts as they are: nobody looks whether that month has such a day.
    public init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that a moment falls on.
    public init(_ date: Date, in zone: TimeZone) {
        let parts = Self.calendar(zone).dateComponents([.year, .month, .day], from: date)
        self.init(year: parts.year ?? 1, month: parts.month ?? 1, day: parts.day ?? 1)
    }

    /// Reads `2026-11-30`; nil where there is no such day.
    public init?(parsing text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), year > 0
        else { return nil }
        self.init(year: year, month: month, day: day)
        guard CalendarDay(start(in: .gmt), in: .gmt) == self else { return nil }
    }

    public var description: String {
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
    }

    public static func < (one: CalendarDay, other: CalendarDay) -> Bool {
        (one.year, one.month, one.day) < (other.year, other.month, other.day)
    }

    /// Its first moment there: midnight, or what comes after it where a clock jumps over midnight.
    public func start(in zone: TimeZone) -> Date {
        let calendar = Self.calendar(zone)
        let noon = calendar.date(from: DateComponents(year: year, month: month, day: day, hour: 12)) ?? .distantPast
        return calendar.startOfDay(for: noon)
    }

    /// So many days later; earlier where it is negative.
    public func adding(days: Int) -> CalendarDay {
        let calendar = Self.calendar(.gmt)
        return CalendarDay(calendar.date(byAdding: .day, value: days, to: start(in: .gmt)) ?? .distantFuture, in: .gmt)
    }

    /// How many days later another one is.
    public func days(to other: CalendarDay) -> Int {
        Int((other.start(in: .gmt).timeIntervalSince(start(in: .gmt)) / 86_400).rounded())
    }

    /// 1 for Monday to 7 for Sunday.
    public var weekday: Int {
        (Self.calendar(.gmt).component(.weekday, from: start(in: .gmt)) + 5) % 7 + 1
    }

    private static func calendar(_ zone: TimeZone) -> Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        return calendar
    }
}
