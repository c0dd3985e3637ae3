// The plan's promises, one by one, and the calendar of backups.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Compliance

@Suite struct PromiseTests {
    @Test func byTheWorstAnswerOfEachDay() async throws {
        let folder = try RunFolder()
        let name = "daily: made every day at 02:00"
        try folder.run(nil, at: "2026-11-01T02:00:00Z", [green(group: .policy, name: name)])
        try folder.run(nil, at: "2026-11-02T02:00:00Z", [red("backup-missing", "d", group: .policy, name: name)])
        try folder.run(nil, at: "2026-11-02T05:00:00Z", [green(group: .policy, name: name)])
        try folder.run(
            nil, at: "2026-11-03T05:00:00Z",
            [green(group: .policy, name: name), .skipped(.policy, name: "keys in the vault", reason: "asked by hand: ask security")])
        try folder.run("nightly", at: "2026-11-03T06:00:00Z", profile: .fast)
        let report = try await folder.quarter("2026-Q4", [folder.plan("nightly")], now: "2026-11-30T06:00:00Z")
        let promise = try #require(report.promises.first { $0.name == name })
        #expect((promise.kept, promise.broken, promise.unverified) == (2, 1, 0) && promise.lastVerdict == .passed)
        let byHand = try #require(report.promises.first { $0.name == "keys in the vault" })
        #expect(byHand.reason == "asked by hand: ask security" && byHand.last == nil)
        let time = try #require(report.promises.first { $0.name == "nightly: RTO below 4h" })
        #expect(time.kept == 0 && time.reason?.contains("fast profile") == true)
        #expect(report.calendar.days.filter { $0.inspection == .failed }.map { "\($0.day)" } == ["2026-11-02"])
        #expect(report.calendar.days.count { $0.inspection != nil } == 3)
        #expect(report.calendar.days.last?.day == (try CalendarPeriodTests.day("2026-11-30")))
    }

    /// What retention removed later was there, what no inspection of that week saw is unknown, and a day without a backup is one.
    @Test func theCalendarOfBackups() async throws {
        let folder = try RunFolder()
        let zone = folder.zone
        func seen(_ days: [String], at text: String) throws {
            let now = try RunFolder.time(text)
            let times = try days.map { try RunFolder.time("\($0)T10:00:00Z") }
            let fact = Fact("postgres.daily\(DaysSeen.suffix)", DaysSeen(times, until: now, in: zone).text)
            try folder.run(nil, at: text, [green(group: .policy)], facts: [fact])
        }
        try seen(["2026-11-01", "2026-11-02"], at: "2026-11-02T20:00:00Z")
        try seen(["2026-11-04"], at: "2026-11-05T20:00:00Z")
        let report = try await folder.quarter("2026-Q4", [folder.plan("nightly")], now: "2026-11-30T06:00:00Z")
        let series = try #require(report.calendar.series.first)
        #expect(series.isDaily && series.counts.count == report.calendar.days.count)
        let counts = Dictionary(uniqueKeysWithValues: zip(report.calendar.days.map { "\($0.day)" }, series.counts))
        for (day, count) in [("2026-11-01", 1), ("2026-11-02", 1), ("2026-11-03", 0), ("2026-11-04", 1), ("2026-11-06", 0)] {
            #expect(counts[day] == count, "\(day)")
        }
        #expect(counts["2026-11-07"] == .some(nil) && counts["2026-10-20"] == .some(nil))
    }

    @Test func daysAreWrittenAndReadBack() throws {
        let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
        let now = try RunFolder.time("2026-11-30T23:30:00Z")
        let seen = DaysSeen([now, now, try RunFolder.time("2026-11-28T12:00:00Z")], until: now, in: zone)
        #expect(seen.text == "2026-09-01..2026-11-27:0 2026-11-28:1 2026-11-29..2026-11-30:0 2026-12-01:2")
        #expect(DaysSeen(seen.text) == seen)
        for text in ["2026-11-30", "2026-11-30:-1", "2026-11-30..2026-11-01:1", "2020-01-01..2026-01-01:1", "x:1", "2026-11-30:x"] {
            #expect(DaysSeen(text) == nil, "\(text)")
        }
    }

    @Test func trendsAreOfTheProductionProfile() async throws {
        let folder = try RunFolder()
        for (month, profile) in [("08", Profile.production), ("09", .fast), ("10", .production)] {
            try folder.run("nightly", at: "2026-\(month)-01T10:00:00Z", profile: profile, seconds: 100)
        }
        try folder.run("nightly", at: "2026-11-20T10:00:00Z", seconds: 100)
        let report = try await folder.quarter("2026-Q3", [folder.plan("nightly")], now: "2026-11-30T06:00:00Z")
        #expect(report.trends.count == 1 && report.trends[0].points.count == 1 && report.trends[0].target == .seconds(14_400))
    }
}
