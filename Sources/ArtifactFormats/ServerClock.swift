// Times as Postgres writes them into labels, manifests and its log.

public import Foundation

/// Reads `2026-11-23 06:21:26.123456`, with whatever names a zone behind it.
public enum ServerClock {
    /// - Parameter zone: Taken where no offset stands behind the time.
    public static func date(_ text: some StringProtocol, zone: TimeZone) -> Date? {
        let form = /^([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(?: ?([+\-][0-9]{2})(?::?([0-9]{2}))?)?/
        guard let match = String(text).prefixMatch(of: form)?.output else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        if let hours = match.8.flatMap({ Int($0) }) {
            let minutes = match.9.flatMap { Int($0) } ?? 0
            let sign = match.8?.hasPrefix("-") == true ? -1 : 1
            guard let fixed = TimeZone(secondsFromGMT: sign * (abs(hours) * 3600 + minutes * 60)) else { return nil }
            calendar.timeZone = fixed
        }
        let parts = DateComponents(
            year: Int(match.1), month: Int(match.2), day: Int(match.3), hour: Int(match.4), minute: Int(match.5), second: Int(match.6))
        let fraction = match.7.flatMap { Double("0\($0)") } ?? 0
        return calendar.date(from: parts).map { $0.addingTimeInterval(fraction) }
    }

    /// A time with a zone's abbreviation behind it, which only UTC and the source's own zone make unambiguous.
    public static func date(_ text: some StringProtocol, named home: TimeZone) -> Date? {
        let word = String(text.split(separator: " ").last ?? "")
        if ["UTC", "GMT", "Z"].contains(word) { return date(text, zone: .gmt) }
        if word.first == "+" || word.first == "-" || word.contains(":") { return date(text, zone: .gmt) }
        guard let moment = date(text, zone: home) else { return nil }
        let known = [home.abbreviation(for: moment), Self.abbreviations[home.identifier]].compactMap { $0 }
        return known.contains(word) ? moment : nil
    }

    /// Foundation writes many zones as `GMT+5:30` where the zone's own data has a word.
    private static let abbreviations = ["Asia/Kolkata": "IST", "Asia/Calcutta": "IST", "Asia/Tokyo": "JST", "Asia/Seoul": "KST"]
}
