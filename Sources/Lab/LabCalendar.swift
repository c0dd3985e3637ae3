// The lab's simulated time: one backup a night, at 02:00 in India, and one of the database every six hours.

import Foundation

/// The nights of a lab, by their number from 1.
struct LabCalendar: Sendable {
    static let zone = TimeZone(identifier: "Asia/Kolkata") ?? TimeZone(secondsFromGMT: 19_800) ?? .gmt
    var days: Int
    /// The last night.
    var newest: Date
    private let now: Date

    /// - Parameter now: What was due until then has been made.
    init(days: Int, now: Date) {
        self.days = days
        self.now = now
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = Self.zone
        let night = calendar.date(bySettingHour: 2, minute: 0, second: 0, of: now) ?? now
        newest = night <= now ? night : night.addingTimeInterval(-86_400)
    }

    /// The disaster of the lab's own drills: some hours after the newest night, or now where that is sooner.
    var incident: Date { min(newest.addingTimeInterval(3 * 3600 + 40 * 60), now) }

    /// How many days back there is a dump every six hours.
    var sixHourlyDays: Int { min(2, days) }

    /// 02:00, 08:00, 14:00 and 20:00 of so many days and of today.
    ///
    /// The last may be early, as jobs are that are spread over the hour: a drill that starts a little later still finds one of the last six
    /// hours.
    var sixHourly: [Date] {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = Self.zone
        let first = calendar.startOfDay(for: now).addingTimeInterval(Double(-24 * sixHourlyDays + 2) * 3600)
        var instants: [Date] = []
        var slot = first
        while slot <= now {
            instants.append(slot)
            slot = slot.addingTimeInterval(6 * 3600)
        }
        if slot.timeIntervalSince(now) <= Self.earliness {
            instants.append(Date(timeIntervalSince1970: (now.timeIntervalSince1970 / 60).rounded(.down) * 60))
        }
        return instants
    }

    /// Well within the tolerance that the estate promises.
    private static let earliness: TimeInterval = 25 * 60

    /// India has no summer time, so nights are a day apart. Night 0 is the one before the first backup.
    func instant(ofNight night: Int) -> Date {
        newest.addingTimeInterval(Double(night - days) * 86_400)
    }

    /// 02:00 on the first of each of the twelve months before the newest night's, as far as they lie before the first night.
    var monthlies: [Date] {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = Self.zone
        let parts = calendar.dateComponents([.year, .month], from: newest)
        guard let month = calendar.date(from: DateComponents(year: parts.year, month: parts.month, day: 1, hour: 2)) else { return [] }
        return (1...12).reversed().compactMap { calendar.date(byAdding: .month, value: -$0, to: month) }
            .filter { $0 < instant(ofNight: 1) }
    }

    /// `20261123T020000+0530`
    static func stamp(_ instant: Date) -> String {
        let parts = parts(instant)
        return parts.date.joined() + "T" + parts.time.joined() + "+0530"
    }

    /// `2026-11-23T02:00:00+05:30`
    static func text(_ instant: Date) -> String {
        let parts = parts(instant)
        return parts.date.joined(separator: "-") + "T" + parts.time.joined(separator: ":") + "+05:30"
    }

    private static func parts(_ instant: Date) -> (date: [String], time: [String]) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: instant)
        func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        return ([String(parts.year ?? 0), two(parts.month), two(parts.day)], [two(parts.hour), two(parts.minute), two(parts.second)])
    }
}
