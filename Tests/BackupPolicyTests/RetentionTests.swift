// Retention: what must be there, and what should be gone.

import DrillModel
import Foundation
import Testing

@testable import BackupPolicy

@Suite struct RetentionTests {
    @Test func theRegimeIsSound() {
        let series = Series.regime()
        #expect(series.findings() == [])
        let names = series.judged().filter { $0.verdict == .passed }.map(\.name)
        #expect(names.contains("daily: 30 daily backups kept"))
        #expect(names.contains("daily: 12 monthly backups kept"))
        #expect(names.contains("daily: what is older is gone"))
    }

    @Test func aDailyInTheMiddleIsTheSchedulesMatter() {
        var series = Series.regime()
        series.remove("2026-11-09 02:00")
        #expect(series.findings() == ["backup-missing postgres/daily of 2026-11-09 02:00"])
    }

    @Test func dailiesRemovedTooEarlyAreTheRetentions() {
        var series = Series.regime()
        series.remove("2026-10-25 02:00")
        #expect(series.findings() == ["retention-missing postgres/daily, the daily of 2026-10-25"])
        for day in 26...28 { series.remove("2026-10-\(day) 02:00") }
        #expect(series.findings() == ["retention-missing postgres/daily, the daily of 2026-10-25 to 2026-10-28"])
    }

    @Test func aMissingMonthIsOneFinding() {
        var series = Series.regime()
        series.remove("2026-03-01 02:00")
        #expect(series.findings() == ["retention-missing postgres/daily, the monthly of 2026-03"])
        series.remove("2026-04-01 02:00")
        #expect(series.findings() == ["retention-missing postgres/daily, the monthly of 2026-03 to 2026-04"])
    }

    @Test func whatShouldBeGoneIsOneFindingWithItsDate() {
        for extra in ["2026-10-14 02:00", "2026-05-17 02:00", "2025-10-01 02:00", "2019-01-01 02:00"] {
            var series = Series.regime()
            series.add(extra)
            let findings = series.judged().flatMap(\.findings)
            #expect(findings.map(\.rule.name) == ["retention-exceeded"], "\(extra)")
            #expect(findings.first?.object.hasSuffix("of \(extra)") ?? false, "\(extra)")
        }
    }

    /// Within its tolerance the newest is not due yet. Where it is there already, the oldest may be gone; where it isn't, it may not.
    @Test func theNewestMakesRoomAsSoonAsItIsThere() {
        var series = Series.regime()
        series.now = series.date("2026-11-24 02:10")
        #expect(series.findings() == [])
        series.add("2026-11-24 02:05")
        #expect(series.findings() == [])
        series.remove("2026-10-25 02:00")
        #expect(series.findings() == [])
        series.remove("2026-11-24 02:05")
        #expect(series.findings() == ["retention-missing postgres/daily, the daily of 2026-10-25"])
    }

    /// The job that removes them runs once a day.
    @Test func aDayMoreIsNoMistake() {
        var series = Series.regime()
        series.add("2026-10-24 02:00")
        #expect(series.findings() == [])
        series.now = series.now.addingTimeInterval(2 * 86_400)
        series.addDaily("2026-11-24", through: "2026-11-25")
        #expect(series.findings().filter { $0.hasPrefix("retention-exceeded") }.count == 2)
    }

    /// Those who keep the last backup of a month are right, too, and a forgotten one is told from the keepers.
    @Test func theLastOfEachMonthIsAMonthlyToo() {
        var series = Series(
            now: "2026-11-23 11:00", Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0)), [.daily: 30, .monthly: 12])
        for month in ["2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"] {
            series.add("\(month) 02:00")
        }
        for month in ["2026-07-31", "2026-08-31", "2026-09-30"] { series.add("\(month) 02:00") }
        series.addDaily("2026-10-25", through: "2026-11-23")
        #expect(series.findings() == [])
        series.add("2026-05-02 02:00")
        #expect(series.findings().count == 1 && series.findings().allSatisfy { $0.hasSuffix("of 2026-05-02 02:00") })
    }

    /// A tool that counts backups keeps an older one for each that failed.
    @Test func keepingByCountIsKeeping() {
        var series = Series.regime()
        series.remove("2026-11-09 02:00")
        series.add("2026-10-22 02:00")
        #expect(series.findings() == ["backup-missing postgres/daily of 2026-11-09 02:00"])
    }

    @Test func withoutAScheduleTheDaysAreTheCalendars() {
        var series = Series(now: "2026-11-23 11:00", nil, [.daily: 5])
        series.set.schedule = nil
        series.addDaily("2026-11-18", through: "2026-11-22", at: 17)
        #expect(series.findings() == [])
        series.remove("2026-11-20 17:00")
        #expect(series.findings() == ["retention-missing postgres/daily, the daily of 2026-11-20"])
    }

    @Test func aSeriesThatHasStoppedIsToldOnce() {
        var series = Series.regime()
        let last = series.date("2026-10-20")
        series.copies.removeAll { $0.point.time > last }
        let findings = series.findings().filter { !$0.hasPrefix("retention-missing postgres/daily, the monthly") }
        #expect(findings == ["backup-missing postgres/daily of 2026-10-25 02:00 to 2026-11-23 02:00"])
    }

    @Test func withoutARetentionItIsSkipped() {
        var series = Series(now: "2026-11-23 11:00")
        series.addDaily("2026-11-01", through: "2026-11-23")
        #expect(series.verdict("kept as long as promised") == .skipped)
    }
}
