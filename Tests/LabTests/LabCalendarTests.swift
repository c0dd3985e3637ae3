// The lab's simulated nights.

import Foundation
import Testing

@testable import Lab

@Suite struct LabCalendarTests {
    private func instant(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }

    @Test(arguments: [
        ("2026-11-23T05:00:00Z", "2026-11-23T02:00:00+05:30", "2026-11-23T05:40:00+05:30"),  // 10:30 in India
        ("2026-11-23T00:00:00Z", "2026-11-23T02:00:00+05:30", "2026-11-23T05:30:00+05:30"),  // 05:30: sooner than the drills' disaster
        ("2026-11-22T20:30:00Z", "2026-11-23T02:00:00+05:30", "2026-11-23T02:00:00+05:30"),  // on the stroke
        ("2026-11-22T20:29:59Z", "2026-11-22T02:00:00+05:30", "2026-11-22T05:40:00+05:30"),  // a second before
        ("2026-11-22T18:40:00Z", "2026-11-22T02:00:00+05:30", "2026-11-22T05:40:00+05:30"),  // ten past midnight
    ]) func newestNightIsTheLastThatWasDue(now: String, newest: String, incident: String) throws {
        let calendar = LabCalendar(days: 3, now: try instant(now))
        #expect(LabCalendar.text(calendar.newest) == newest)
        #expect(LabCalendar.text(calendar.incident) == incident)
        #expect(calendar.instant(ofNight: 3) == calendar.newest)
        #expect(calendar.newest.timeIntervalSince(calendar.instant(ofNight: 0)) == 3 * 86_400)
    }

    /// By the time in India; the last instant, and how many there are.
    @Test(arguments: [
        ("02:00", "2026-11-23T02:00", 9), ("02:15", "2026-11-23T02:00", 9), ("05:00", "2026-11-23T02:00", 9),
        ("07:34", "2026-11-23T02:00", 9), ("07:35", "2026-11-23T07:35", 10), ("08:00", "2026-11-23T08:00", 10),
        ("08:10", "2026-11-23T08:00", 10), ("20:00", "2026-11-23T20:00", 12), ("23:59", "2026-11-23T20:00", 12),
        ("00:00", "2026-11-22T20:00", 8), ("01:58", "2026-11-23T01:58", 9),
    ]) func theLastSixHoursHoldADump(now: String, newest: String, count: Int) throws {
        let date = try instant("2026-11-23T\(now):30+05:30")
        let all = LabCalendar(days: 3, now: date).sixHourly
        let last = try #require(all.last)
        #expect(LabCalendar.text(last) == newest + ":00+05:30" && all.count == count)
        // A drill has that long to begin.
        #expect(date.timeIntervalSince(last) < 6 * 3600 - 24 * 60 && last <= date)
        let first = try #require(all.first)
        #expect(all == all.sorted() && LabCalendar.text(first) == "2026-11-21T02:00:00+05:30")
    }

    @Test func stampNamesTheZone() throws {
        #expect(LabCalendar.stamp(try instant("2026-11-22T20:30:00Z")) == "20261123T020000+0530")
    }
}
