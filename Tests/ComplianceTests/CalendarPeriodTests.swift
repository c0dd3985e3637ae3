// The calendar's periods, against dates that were looked up by hand.

import DrillModel
import Foundation
import Testing

struct CalendarPeriodTests {
    static func day(_ text: String) throws -> CalendarDay { try #require(CalendarDay(parsing: text)) }

    @Test(arguments: [
        (Cadence.Interval.weekly, "2026-11-30", "2026-W49", "2026-11-30", "2026-12-06"),
        (.weekly, "2027-01-03", "2026-W53", "2026-12-28", "2027-01-03"), (.weekly, "2024-12-30", "2025-W01", "2024-12-30", "2025-01-05"),
        (.monthly, "2024-02-29", "2024-02", "2024-02-01", "2024-02-29"), (.monthly, "2026-12-31", "2026-12", "2026-12-01", "2026-12-31"),
        (.quarterly, "2026-11-30", "2026-Q4", "2026-10-01", "2026-12-31"),
        (.quarterly, "2026-03-31", "2026-Q1", "2026-01-01", "2026-03-31"),
        (.halfYearly, "2026-07-01", "2026-H2", "2026-07-01", "2026-12-31"), (.yearly, "2026-07-01", "2026", "2026-01-01", "2026-12-31"),
    ])
    func containsItsDay(_ interval: Cadence.Interval, _ text: String, _ label: String, _ first: String, _ last: String) throws {
        let period = CalendarPeriod(interval, containing: try Self.day(text))
        #expect(period.label == label)
        #expect("\(period.first)" == first)
        #expect("\(period.last)" == last)
        #expect(period.next(interval).previous(interval) == period)
        #expect(period.next(interval).first == period.last.adding(days: 1))
    }

    @Test func noSuchDay() {
        for text in ["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "0000-01-01", "2026-11-31", "20261130", "2026-11-30 ", ""] {
            #expect(CalendarDay(parsing: text) == nil, "\(text)")
        }
    }

    @Test func quarters() throws {
        #expect(CalendarPeriod(quarter: "2026-Q4")?.first == (try Self.day("2026-10-01")))
        #expect(CalendarPeriod(quarter: "2026-q1")?.last == (try Self.day("2026-03-31")))
        for text in ["2026-Q0", "2026-Q5", "2026Q4", "26-Q4", "2026-Q", "2026-Q44", "-Q4", "x"] {
            #expect(CalendarPeriod(quarter: text) == nil, "\(text)")
        }
    }

    /// The zone of the estate says when a quarter begins.
    @Test func momentsAreTheZones() throws {
        let zone = try #require(TimeZone(identifier: "Asia/Kolkata"))
        let moments = try #require(CalendarPeriod(quarter: "2026-Q4")).moments(in: zone)
        #expect(moments.lowerBound == Date(timeIntervalSince1970: 1_790_793_000))
        #expect(moments.upperBound == Date(timeIntervalSince1970: 1_798_741_800))
    }

    /// In São Paulo of 2018 the clock jumped from 00:00 to 01:00.
    @Test func aDayWithoutMidnight() throws {
        let zone = try #require(TimeZone(identifier: "America/Sao_Paulo"))
        let day = try Self.day("2018-11-04")
        #expect(CalendarDay(day.start(in: zone), in: zone) == day)
        #expect(CalendarDay(day.start(in: zone).addingTimeInterval(-1), in: zone) == day.adding(days: -1))
    }

    @Test func periodsThatShareADay() throws {
        let some = CalendarPeriod(from: try Self.day("2026-10-05"), to: try Self.day("2026-11-04"))
        #expect(some.periods(.monthly).map(\.label) == ["2026-10", "2026-11"])
        #expect(some.periods(.yearly).map(\.label) == ["2026"])
        #expect(some.label == "2026-10-05 to 2026-11-04")
        #expect(some.days.count == 31)
    }

    @Test func aPromiseBeginsWithThePeriodOfItsDay() throws {
        let cadence = Cadence(.quarterly, since: try Self.day("2026-05-20"))
        #expect(!cadence.covers(try #require(CalendarPeriod(quarter: "2026-Q1"))))
        #expect(cadence.covers(try #require(CalendarPeriod(quarter: "2026-Q2"))))
    }
}
