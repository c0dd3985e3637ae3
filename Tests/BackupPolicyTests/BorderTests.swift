// At the very instant where a promise begins or ends: neither side of it is left to chance.

import DrillModel
import Foundation
import Testing

@testable import BackupPolicy

@Suite struct BorderTests {
    /// Without a schedule the days are the calendar's: the first instant of the oldest is the oldest's.
    @Test func aRetentionPeriodsFirstInstant() {
        func series(_ oldest: Date) -> Series {
            var series = Series(now: "2026-11-23 11:00", nil, [.daily: 5])
            series.set.schedule = nil
            series.add(oldest)
            series.addDaily("2026-11-19", through: "2026-11-22", at: 17)
            return series
        }
        let first = Series.date("2026-11-18 00:00", TimeZone(identifier: "Asia/Kolkata") ?? .gmt)
        #expect(series(first).findings() == [])
        #expect(series(first.addingTimeInterval(86_399)).findings() == [])
        let missed = ["retention-missing postgres/daily, the daily of 2026-11-18"]
        // A second earlier it is of the day before, and a day later the next day has two. A day's grace excuses the former's being there.
        #expect(series(first.addingTimeInterval(-1)).findings() == missed)
        #expect(series(first.addingTimeInterval(86_400)).findings() == missed)
    }

    /// Kept from its first instant on; gone a day after it has fallen out.
    @Test func theLastInstantThatIsKept() {
        var series = Series(now: "2026-11-23 11:00", nil, [.daily: 5])
        series.set.schedule = nil
        series.addDaily("2026-11-18", through: "2026-11-22", at: 17)
        let graced = series.date("2026-11-17 00:00")
        series.add(graced)
        #expect(series.findings() == [], "a job that removes runs once a day")
        series.add(graced.addingTimeInterval(-1))
        #expect(series.judged().flatMap(\.findings).map(\.rule.name) == ["retention-exceeded"])
    }

    /// The oldest run's backup came as early as its tolerance lets it, and is one of those that are there; a second earlier it is of no run.
    @Test func theFirstInstantOfTheOldestRun() {
        for (offset, verdict) in [(-1800.0, Verdict.skipped), (-1801, .failed)] {
            var series = Series(now: "2026-11-23 11:00", Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0)), [.daily: 5])
            series.add(series.date("2026-11-19 02:00").addingTimeInterval(offset))
            for day in [20, 22, 23] { series.add("2026-11-\(day) 02:00") }
            let kept = series.judged().first { $0.name.hasSuffix("5 daily backups kept") }
            #expect(kept?.verdict == verdict, "\(offset)")
            if verdict == .skipped { #expect(kept?.reason.hasPrefix("4 of 5 are there") == true, "\(kept?.reason ?? "")") }
        }
    }

    @Test func aMonthsFirstInstant() {
        for (offset, isMissing) in [(0.0, false), (-1.0, true)] {
            var series = Series.regime()
            series.remove("2026-03-01 02:00")
            series.add(series.date("2026-03-01 00:00").addingTimeInterval(offset))
            let missing = series.findings().contains { $0 == "retention-missing postgres/daily, the monthly of 2026-03" }
            #expect(missing == isMissing, "\(offset)")
        }
    }

    /// `less than` is less than.
    @Test func aWorstCaseOfJustThePromise() {
        let zone = TimeZone.gmt
        let worst = WorstCase(
            from: Date(timeIntervalSince1970: 0), to: Date(timeIntervalSince1970: 3560), backupDuration: .seconds(40), points: 2)
        func verdict(_ target: Duration) -> Verdict {
            BackupPolicy.judge(worstCase: worst, target: target, service: "postgres", timeZone: zone).verdict
        }
        #expect(verdict(.seconds(3600)) == .failed && verdict(.seconds(3601)) == .passed)
    }

    /// A backup of the very instant of the disaster counts, and one of a second later doesn't.
    @Test func theInstantOfTheDisaster() {
        var series = Series(now: "2026-11-23 02:00")
        series.addDaily("2026-11-20", through: "2026-11-23")
        let points = series.copies.map(\.point)
        #expect(WorstCaseLoss.compute(points, until: series.now)?.points == 4)
        #expect(WorstCaseLoss.compute(points, until: series.now.addingTimeInterval(-1))?.points == 3)
    }

    /// A gap may be as long as the interval and its tolerance, to the second.
    @Test func aGapOfJustTheInterval() {
        let schedule = Schedule(interval: .span(.seconds(6 * 3600)), tolerance: .seconds(1800))
        for (seconds, expected) in [(6.5 * 3600, 0), (6.5 * 3600 + 1, 1)] {
            var series = Series(now: "2026-11-23 11:00", schedule)
            series.add(series.now.addingTimeInterval(-seconds))
            series.add(series.now)
            #expect(series.findings().filter { $0.hasPrefix("gap-too-long") }.count == expected, "\(seconds)")
        }
    }

    /// To the second, on both sides; a run is due when its tolerance is over, and not a second before.
    @Test func aRunsTolerance() {
        for (offset, rule) in [(1800.0, nil), (1801, "backup-late"), (-1800, nil), (-1801, "backup-early")] as [(Double, String?)] {
            var series = Series(now: "2026-11-23 11:00", Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0)))
            series.addDaily("2026-11-01", through: "2026-11-23")
            series.remove("2026-11-09 02:00")
            series.add(series.date("2026-11-09 02:00").addingTimeInterval(offset))
            #expect(series.judged().flatMap(\.findings).map(\.rule.name) == (rule.map { [$0] } ?? []), "\(offset)")
        }
    }

    /// Clocks of two machines may differ by five minutes, and no more.
    @Test func aMomentThatIsStillToCome() {
        for (offset, isToCome) in [(300.0, false), (301, true)] {
            var series = Series(now: "2026-11-23 11:00")
            series.add(series.now.addingTimeInterval(offset))
            let judged = BackupSeries(
                set: series.set, seals: series.seals, stores: series.stores, timeZone: series.zone, now: series.now, clock: series.now,
                copies: series.copies)
            #expect(judged.toCome.count == (isToCome ? 1 : 0) && judged.moments.count == (isToCome ? 0 : 1), "\(offset)")
        }
    }
}
