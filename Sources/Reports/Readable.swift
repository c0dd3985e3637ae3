// Durations, sizes, counts and times as people write them.

public import Foundation

/// Values in words for people. Machines read `report.json` instead.
public enum Readable {
    /// `812 ms`, `4.2 s`, `3m 12s`, `3h 40m`, `2d 5h`: two units at most, rounded.
    public static func duration(_ duration: Duration) -> String {
        signed(milliseconds(of: duration)) { milliseconds in
            let tenths = (milliseconds + 50) / 100
            let seconds = (milliseconds + 500) / 1000
            let minutes = (seconds + 30) / 60
            let hours = (minutes + 30) / 60
            if milliseconds < 1000 { return "\(milliseconds) ms" }
            if tenths < 600 { return "\(tenths / 10).\(tenths % 10) s" }
            if seconds < 3600 { return pair(seconds, 60, "m", "s") }
            if minutes < 48 * 60 { return pair(minutes, 60, "h", "m") }
            return pair(hours, 24, "d", "h")
        }
    }

    /// To the millisecond: `4h 0m 3.250s`. For where the rounded form would hide a difference.
    public static func preciseDuration(_ duration: Duration) -> String {
        signed(milliseconds(of: duration)) { milliseconds in
            let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000)
            let fraction = rest == 0 ? "" : "." + digits(rest, 3)
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
            if hours > 0 { return "\(hours)h \(minutes)m \(seconds % 60)\(fraction)s" }
            if minutes > 0 { return "\(minutes)m \(seconds % 60)\(fraction)s" }
            return "\(seconds)\(fraction)s"
        }
    }

    /// `812 B`, `74.2 MB`: powers of a thousand, as disks and networks are sold.
    public static func bytes(_ bytes: Int64) -> String {
        let sign = bytes < 0 ? "-" : ""
        let magnitude = bytes.magnitude
        guard magnitude >= 1000 else { return "\(sign)\(magnitude) B" }
        var unit: UInt64 = 1000
        let names = ["kB", "MB", "GB", "TB", "PB"]
        for (index, name) in names.enumerated() {
            // 999,950 bytes already round to 1000.0 kB: they belong to the next unit.
            let tenths = (magnitude / (unit / 10) + (magnitude % (unit / 10) >= unit / 20 ? 1 : 0))
            if tenths < 10_000 || index == names.count - 1 { return "\(sign)\(tenths / 10).\(tenths % 10) \(name)" }
            unit *= 1000
        }
        return "\(sign)\(magnitude) B"
    }

    /// `1,204,000`.
    public static func count(_ count: some BinaryInteger) -> String {
        var digits = Array(String(count.magnitude))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return (count < 0 ? "-" : "") + String(digits)
    }

    /// `1 table`, `14 tables`; the plural is the word with an s.
    public static func count(_ count: some BinaryInteger, _ word: String) -> String {
        "\(self.count(count)) \(word)\(count == 1 ? "" : "s")"
    }

    /// `a, b`; of many the first five, and how many more.
    public static func list(_ names: [String]) -> String {
        names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(count(names.count - 5)) more" : "")
    }

    /// `2026-03-14 08:00:07 +05:30`: the moment on the clocks of a zone.
    public static func time(_ date: Date, in zone: TimeZone) -> String {
        let offset = zone.secondsFromGMT(for: date)
        let shifted = Timestamp.iso(date.addingTimeInterval(Double(offset)), fraction: false)
        let minutes = abs(offset) / 60
        let local = shifted.dropLast().replacing("T", with: " ")
        return "\(local) \(offset < 0 ? "-" : "+")\(digits(Int64(minutes / 60), 2)):\(digits(Int64(minutes % 60), 2))"
    }

    /// The moment that ``time(_:in:)`` wrote, to the second; nil of any other text.
    static func moment(_ text: String) -> Date? {
        guard let match = text.wholeMatch(of: /(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) ([+-]\d{2}:\d{2})/) else { return nil }
        return try? Date("\(match.1)T\(match.2)\(match.3)", strategy: .iso8601)
    }

    /// Rounded to the nearest.
    static func milliseconds(of duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let half: Int64 = attoseconds < 0 ? -500_000_000_000_000 : 500_000_000_000_000
        return seconds * 1000 + (attoseconds + half) / 1_000_000_000_000_000
    }

    /// With leading zeros.
    static func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func signed(_ value: Int64, _ words: (Int64) -> String) -> String {
        value < 0 ? "-" + words(-value) : words(value)
    }

    /// The second unit is left out where it is nothing.
    private static func pair(_ value: Int64, _ base: Int64, _ large: String, _ small: String) -> String {
        value % base == 0 ? "\(value / base)\(large)" : "\(value / base)\(large) \(value % base)\(small)"
    }
}
