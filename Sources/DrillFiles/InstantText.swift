// Instants as ISO 8601 writes them, with a zone.

import Foundation

/// Reads an instant.
enum InstantText {
    enum Failure: Error, Equatable {
        case noZone, noTime, malformed, impossible
    }

    /// `2026-03-01T02:00:00+05:30`, seconds optional; also as PostgreSQL prints it: `2026-03-01 02:00:00.123456+00`.
    static func parse(_ text: String) throws(Failure) -> Date {
        if text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil { throw .noTime }
        let form =
            /([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)? ?(Z|z|[+\-][0-9]{2}(?::?[0-9]{2})?)?/
        guard let match = text.wholeMatch(of: form)?.output, let year = Int(match.1), let month = Int(match.2),
            let day = Int(match.3), let hour = Int(match.4), let minute = Int(match.5)
        else { throw .malformed }
        let second = match.6.flatMap { Int($0) } ?? 0
        let fraction = match.7.flatMap { Double("0\($0)") } ?? 0
        guard let zone = match.8 else { throw .noZone }
        guard let offset = offset(zone) else { throw .impossible }
        guard 1...12 ~= month, 1...days(in: month, of: year) ~= day, hour < 24, minute < 60, second < 60 else {
            throw .impossible
        }
        let seconds = daysSince1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return Date(timeIntervalSince1970: Double(seconds) + fraction)
    }

    /// Seconds east of Greenwich.
    private static func offset(_ zone: Substring) -> Int? {
        guard zone.lowercased() != "z" else { return 0 }
        let digits = zone.filter(\.isNumber)
        guard let hours = Int(digits.prefix(2)), let minutes = Int("0\(digits.dropFirst(2))"), hours <= 14, minutes < 60 else { return nil }
        return (zone.hasPrefix("-") ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// In the Gregorian calendar: a year that begins in March puts the leap day last.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        return 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (153 * monthFromMarch + 2) / 5 + day - 1 - 719_468
    }
}
