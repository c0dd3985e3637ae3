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
        // And no row says that all are there.
        #expect(series.verdict("30 daily backups kept") == .skipped && series.verdict("12 monthly backups kept") == .passed)
        // An older one that stands in for it makes so many.
        series.add("2026-10-24 02:00")
        #expect(series.verdict("30 daily backups kept") == .passed)
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
        let missing = ["2026-11-05 02:00", "2026-11-09 02:00", "2026-11-10 02:00"]
        missing.forEach { series.remove($0) }
        // In the rhythm of the others, which failed for two nights in a row once.
        for night in ["2026-10-24 02:00", "2026-10-21 02:00", "2026-10-22 02:00"] { series.add(night) }
        let holes = ["2026-11-05 02:00", "2026-11-09 02:00 to 2026-11-10 02:00"]
        #expect(series.findings() == holes.map { "backup-missing postgres/daily of \($0)" }, "\(series.findings())")
        // A fourth is one too many.
        series.add("2026-10-20 02:00")
        #expect(series.findings().filter { $0.hasPrefix("retention-exceeded") }.count == 1)
    }

    /// A file from long ago is no stand-in for a night that failed, wherever that night lies.
    @Test(arguments: ["2026-11-21", "2026-11-24", "2026-11-26"])
    func aHoleExcusesNoMoreThanItExplains(_ hole: String) {
        for old in ["2026-01-05 02:00", "2026-11-15 02:00"] {
            var series = Series(now: "2026-11-27 11:00", nil, [.daily: 7])
            series.addDaily("2026-11-21", through: "2026-11-27")
            series.remove("\(hole) 02:00")
            series.add(old)
            let told = series.findings().filter { $0.hasPrefix("retention-exceeded") }
            #expect(told.count == 1 && told.allSatisfy { $0.hasSuffix("of \(old)") }, "\(series.findings())")
        }
    }

    /// Who keeps the last seven keeps them while the job is dead, and what was there before an outage until seven are there again.
    @Test func aDeadJobKeepsWhatThereIs() {
        func excess(_ series: Series) -> Verdict? { series.verdict("what is older is gone") }
        var dead = Series(now: "2026-11-27 11:00", nil, [.daily: 7])
        dead.addDaily("2026-10-01", through: "2026-10-07")
        #expect(excess(dead) == .passed)
        dead.add("2026-09-30 02:00")
        #expect(excess(dead) == .failed)
        var back = Series(now: "2026-11-27 11:00", nil, [.daily: 7])
        back.addDaily("2026-11-15", through: "2026-11-18")
        back.addDaily("2026-11-25", through: "2026-11-27")
        #expect(excess(back) == .passed)
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
