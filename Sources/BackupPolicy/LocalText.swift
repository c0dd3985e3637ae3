// Dates, times and spans as findings name them.

import Foundation

enum LocalText {
    static func calendar(_ zone: TimeZone) -> Calendar {
        // Weeks begin on Monday and belong to the year that holds their Thursday.
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = zone
        return calendar
    }

    /// `2026-11-03`
    static func date(_ date: Date, in zone: TimeZone) -> String {
        let parts = calendar(zone).dateComponents([.year, .month, .day], from: date)
        return "\(digits(parts.year, 4))-\(digits(parts.month, 2))-\(digits(parts.day, 2))"
    }

    /// `2026-11-03 02:00`
    static func time(_ date: Date, in zone: TimeZone) -> String {
        let parts = calendar(zone).dateComponents([.hour, .minute], from: date)
        return "\(self.date(date, in: zone)) \(digits(parts.hour, 2)):\(digits(parts.minute, 2))"
    }

    /// `2d 3h`, `1h 10m`, `40s`: two units at most, never rounded up.
    static func span(_ seconds: TimeInterval) -> String {
        let whole = Int(abs(seconds))
        let parts = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")]
        let first = parts.firstIndex { $0.0 > 0 } ?? 3
        return parts[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined(separator: " ").filled(or: "0s")
    }

    static func span(_ duration: Duration) -> String { span(TimeInterval(duration.components.seconds)) }

    static func digits(_ number: Int?, _ width: Int) -> String {
        let text = String(number ?? 0)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension String {
    fileprivate func filled(or other: String) -> String { isEmpty ? other : self }
}
