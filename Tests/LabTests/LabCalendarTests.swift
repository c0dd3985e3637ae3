// The lab's simulated nights.

import Foundation
import Testing

@testable import Lab

@Suite struct LabCalendarTests {
    private func instant(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }

    @Test(arguments: [
        ("2026-11-23T05:00:00Z", "2026-11-23T02:00:00+05:30"),  // 10:30 in India
        ("2026-11-23T00:30:00Z", "2026-11-23T02:00:00+05:30"),  // 06:00: exactly four hours after
        ("2026-11-23T00:29:59Z", "2026-11-22T02:00:00+05:30"),  // a second less
        ("2026-11-22T20:29:00Z", "2026-11-22T02:00:00+05:30"),  // 01:59
        ("2026-11-22T18:40:00Z", "2026-11-22T02:00:00+05:30"),  // ten past midnight: four hours before is still yesterday
    ]) func newestNightIsTheLastThatIsFourHoursOld(now: String, newest: String) throws {
        let calendar = LabCalendar(days: 3, now: try instant(now))
        #expect(LabCalendar.text(calendar.newest) == newest)
        #expect(calendar.instant(ofNight: 3) == calendar.newest)
        #expect(calendar.newest.timeIntervalSince(calendar.instant(ofNight: 0)) == 3 * 86_400)
    }

    @Test func stampNamesTheZone() throws {
        #expect(LabCalendar.stamp(try instant("2026-11-22T20:30:00Z")) == "20261123T020000+0530")
    }
}
