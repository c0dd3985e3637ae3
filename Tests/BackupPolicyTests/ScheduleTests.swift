// Schedules: what is on time, late, early or missing, also where clocks change.

import DrillModel
import Foundation
import Testing

@testable import BackupPolicy

@Suite struct ScheduleTests {
    private let nightly = Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0))

    @Test func everyNightInIndia() {
        var series = Series(now: "2026-11-23 11:00", nightly)
        series.addDaily("2026-11-01", through: "2026-11-23")
        #expect(series.findings() == [])
        #expect(series.verdict("made every day at 02:00, within 30m") == .passed)
        // 02:00 in India is 20:30 UTC of the day before: read in another zone, all of them would be off.
        series.zone = .gmt
        #expect(series.findings().count > 10)
    }

    @Test func oneMissingIsOneFindingWithItsDate() {
        var series = Series(now: "2026-11-23 11:00", nightly)
        series.addDaily("2026-11-01", through: "2026-11-23")
        series.remove("2026-11-09 02:00")
        #expect(series.findings() == ["backup-missing postgres/daily of 2026-11-09 02:00"])
        #expect(series.verdict("made every day") == .failed)
    }

    @Test func severalInARowAreOneFinding() {
        var series = Series(now: "2026-11-23 11:00", nightly)
        series.addDaily("2026-11-01", through: "2026-11-20")
        #expect(series.findings() == ["backup-missing postgres/daily of 2026-11-21 02:00 to 2026-11-23 02:00"])
    }

    @Test func theToleranceCountsOnBothSides() {
        for (time, expected) in [
            ("2026-11-09 02:30", []), ("2026-11-09 01:30", []),
            ("2026-11-09 02:31", ["backup-late postgres/daily of 2026-11-09 02:00"]),
            ("2026-11-09 01:29", ["backup-early postgres/daily of 2026-11-09 02:00"]),
            ("2026-11-09 15:00", ["backup-early postgres/daily of 2026-11-10 02:00"]),
            ("2026-11-09 13:00", ["backup-late postgres/daily of 2026-11-09 02:00"]),
        ] {
            var series = Series(now: "2026-11-23 11:00", nightly)
            series.addDaily("2026-11-01", through: "2026-11-23")
            series.remove("2026-11-09 02:00")
            series.add(time)
            // Nearer to the next night than to its own, but that one has its backup: then it is late.
            let wanted = time.hasSuffix("15:00") ? ["backup-late postgres/daily of 2026-11-09 02:00"] : expected
            #expect(series.findings() == wanted, "\(time)")
        }
    }

    @Test func oneMoreThanPromisedIsNoMistake() {
        var series = Series(now: "2026-11-23 11:00", nightly)
        series.addDaily("2026-11-01", through: "2026-11-23")
        series.add("2026-11-09 14:00")
        #expect(series.findings() == [])
    }

    @Test func whatIsNotDueYetIsNotMissing() {
        for (now, missing) in [("2026-11-24 02:29", 0), ("2026-11-24 02:30", 1)] {
            var series = Series(now: now, nightly)
            series.addDaily("2026-11-01", through: "2026-11-23")
            #expect(series.findings().count == missing, "\(now)")
        }
    }

    @Test func nothingDueAtAllIsSkippedAndNotPassed() {
        var series = Series(now: "2026-11-23 11:00", nightly)
        series.add("2026-11-23 10:00")
        #expect(series.verdict("made every day") == .skipped)
    }

    /// On 2026-03-29 Berlin's clocks went from 02:00 to 03:00: there was no 02:30. Whichever way a scheduler takes it, it is on time.
    @Test(arguments: ["2026-03-29 01:30", "2026-03-29 03:00", "2026-03-29 03:30"])
    func theHourThatBerlinSkips(time: String) {
        let schedule = Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 30), tolerance: .seconds(300))
        var series = Series(now: "2026-04-05 12:00", zone: "Europe/Berlin", schedule)
        series.addDaily("2026-03-20", through: "2026-03-28", at: 2, minute: 30)
        series.add(time)
        series.addDaily("2026-03-30", through: "2026-04-05", at: 2, minute: 30)
        #expect(series.findings() == [])
        series.remove(time)
        #expect(series.findings() == ["backup-missing postgres/daily of 2026-03-29 01:30"])
    }

    /// On 2026-10-25 Berlin had 02:30 twice: summer time first, then winter time.
    @Test(arguments: [0.0, 3600.0])
    func theHourThatBerlinHasTwice(later: TimeInterval) {
        let schedule = Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 30), tolerance: .seconds(300))
        var series = Series(now: "2026-11-01 12:00", zone: "Europe/Berlin", schedule)
        series.addDaily("2026-10-20", through: "2026-10-24", at: 2, minute: 30)
        // 00:30 UTC is the first of the two.
        let first = Date(timeIntervalSince1970: 1_792_888_200)
        series.add(first.addingTimeInterval(later))
        series.addDaily("2026-10-26", through: "2026-11-01", at: 2, minute: 30)
        #expect(series.findings() == [])
    }

    /// A job that runs by UTC is an hour off for half of the year: that shows.
    @Test func aJobThatIgnoresSummerTimeIsLate() {
        var series = Series(now: "2026-04-01 12:00", zone: "Europe/Berlin", nightly)
        let start = series.date("2026-03-26 02:00")
        for day in 0..<7 { series.add(start.addingTimeInterval(Double(day) * 86_400)) }
        #expect(
            series.findings() == [
                "backup-late postgres/daily of 2026-03-30 02:00", "backup-late postgres/daily of 2026-03-31 02:00",
                "backup-late postgres/daily of 2026-04-01 02:00",
            ])
    }

    @Test func everySixHoursByTheWallClock() {
        let schedule = Schedule(interval: .span(.seconds(21_600)), at: TimeOfDay(hour: 2, minute: 0))
        var series = Series(now: "2026-10-27 12:00", zone: "Europe/Berlin", schedule)
        for hour in [2, 8, 14, 20] { series.addDaily("2026-10-23", through: "2026-10-26", at: hour) }
        series.addDaily("2026-10-27", through: "2026-10-27", at: 2)
        series.addDaily("2026-10-27", through: "2026-10-27", at: 8)
        #expect(series.findings() == [])
        series.remove("2026-10-26 14:00")
        #expect(series.findings() == ["backup-missing postgres/daily of 2026-10-26 14:00"])
    }

    /// On 2026-03-29 Berlin had no 02:xx, on 2026-10-25 two of them: a job that runs each hour, or each half, has no reason to know.
    @Test(arguments: [3600, 1800], ["2026-03-29", "2026-10-25"])
    func moreOftenThanTheClocksChange(step: Int, day: String) {
        let schedule = Schedule(
            interval: .span(.seconds(step)), at: TimeOfDay(hour: 0, minute: 0), tolerance: .seconds(300))
        let zone = TimeZone(identifier: "Europe/Berlin") ?? .gmt
        let noon = Series.date("\(day) 12:00", zone)
        func runs(without gone: Date? = nil) -> [String] {
            var series = Series(now: "\(day) 12:02", zone: "Europe/Berlin", schedule)
            for back in stride(from: -13 * 3600, through: 0, by: step) {
                let time = noon.addingTimeInterval(Double(back))
                if time != gone { series.add(time) }
            }
            return series.findings()
        }
        #expect(runs() == [])
        // The first of the two 02:00, or the last before the gap.
        let change = Series.date("\(day) 04:00", zone).addingTimeInterval(day.contains("-03-") ? -7200 : -10_800)
        #expect(runs(without: change).count == 1, "\(runs(without: change))")
    }

    @Test func weekly() {
        let schedule = Schedule(interval: .week(.sunday), at: TimeOfDay(hour: 4, minute: 0))
        var series = Series(now: "2026-11-23 12:00", schedule, [.weekly: 3])
        for day in ["2026-11-08", "2026-11-15", "2026-11-22"] { series.add("\(day) 04:00") }
        #expect(series.findings() == [])
        series.remove("2026-11-15 04:00")
        #expect(series.findings() == ["backup-missing postgres/daily of 2026-11-15 04:00"])
    }

    @Test func aSpanWithoutATimeIsJudgedByItsGaps() {
        let schedule = Schedule(interval: .span(.seconds(21_600)))
        var series = Series(now: "2026-11-23 12:00", schedule)
        for hour in stride(from: 0, through: 30, by: 5) { series.add(series.now.addingTimeInterval(-Double(hour) * 3600 - 600)) }
        #expect(series.findings() == [])
        series.now = series.now.addingTimeInterval(7 * 3600)
        #expect(series.findings() == ["gap-too-long postgres/daily after 2026-11-23 11:50"])
    }

    @Test func oneOnEachDayAtAnyTime() {
        var series = Series(now: "2026-11-23 12:00", Schedule(interval: .day))
        for (day, hour) in [(18, 1), (19, 23), (20, 0), (21, 12), (22, 7)] { series.add("2026-11-\(day) \(hour):15") }
        #expect(series.findings() == [])
        series.remove("2026-11-20 0:15")
        #expect(series.findings() == ["backup-missing postgres/daily of 2026-11-20 00:00"])
    }

    @Test func aTimeFromTheFileIsSaid() {
        var series = Series(now: "2026-11-23 11:00", nightly)
        series.addDaily("2026-11-01", through: "2026-11-23")
        series.change("2026-11-09 02:00") { $0.point.timeSource = .modificationTime }
        #expect(series.judged().flatMap(\.findings).map(\.severity) == [.warning])
        #expect(series.verdict("made every day") == .passed)
    }

    @Test func withoutAScheduleItIsSkipped() {
        var series = Series(now: "2026-11-23 11:00")
        series.set.schedule = nil
        series.addDaily("2026-11-01", through: "2026-11-05")
        #expect(series.verdict("made on schedule") == .skipped)
    }
}
