// Round numbers for the axes of a trend: days of the calendar, and durations as people count them.

import DrillModel
import Foundation

enum TrendAxis {
    /// Six at the most.
    static func days(from start: Date, to end: Date, in zone: TimeZone) -> [(date: Date, label: String)] {
        let (first, last) = (CalendarDay(start, in: zone), CalendarDay(end, in: zone))
        let length = first.days(to: last)
        if length < 80 {
            let step = [1, 2, 7, 14].first { Double(length) / Double($0) <= 6 } ?? 14
            return stride(from: 0, through: length, by: step).map { first.adding(days: $0) }.map { ($0.start(in: zone), $0.description) }
                .filter { $0.0 >= start && $0.0 <= end }
        }
        let months = (last.year - first.year) * 12 + last.month - first.month
        let step = [1, 2, 3, 6, 12, 24, 60, 120, 600].first { Double(months) / Double($0) <= 6 } ?? 6_000
        // Quarters begin in January, April, July and October, whatever the first point's month is.
        let from = (first.month - 1) / step * step
        return stride(from: from, through: months + first.month, by: step).map { offset in
            let day = CalendarDay(year: first.year + offset / 12, month: offset % 12 + 1, day: 1)
            return (day.start(in: zone), String(day.description.dropLast(3)))
        }.filter { $0.0 >= start && $0.0 <= end }
    }

    /// In seconds: from nothing on, five at the most.
    static func levels(to whole: Double) -> [Double] {
        let minute = 60.0
        let (hour, day) = (60 * minute, 1440 * minute)
        let steps = [
            0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute,
            15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 30 * day, 90 * day,
            365 * day,
        ]
        let step = steps.first { whole / $0 <= 5 } ?? whole / 4
        return Array(stride(from: 0, to: whole, by: step))
    }
}
