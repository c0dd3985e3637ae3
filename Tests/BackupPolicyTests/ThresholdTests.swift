// The comparisons of the policy, each at the value where it turns: what is just enough, and what is just too much.

import DrillModel
import Foundation
import Testing

@testable import BackupPolicy

@Suite struct ThresholdTests {
    private let nightly = Schedule(interval: .day, at: TimeOfDay(hour: 2, minute: 0))

    // MARK: Which run a backup is of

    /// The run whose backup came this very moment is due, and so is one that came as early as it may.
    @Test(arguments: [
        ("2026-11-23 02:00", "2026-11-23 02:00"), ("2026-11-23 01:40", "2026-11-23 01:30"), ("2026-11-23 01:30", "2026-11-23 01:30"),
    ])
    func theRunThatIsJustDue(now: String, newest: String) {
        var series = Series(now: now, nightly, [.daily: 3])
        series.addDaily("2026-11-21", through: "2026-11-22")
        series.add(newest)
        #expect(series.findings() == [], "the oldest of three may be gone")
    }

    @Test func aRunAtMidnightThatIsJustDue() {
        var series = Series(now: "2026-11-23 00:00", Schedule(interval: .day, at: TimeOfDay(hour: 0, minute: 0)), [.daily: 3])
        series.addDaily("2026-11-21", through: "2026-11-23", at: 0)
        #expect(series.findings() == [])
    }

    @Test func theOldestRunThatCameAsEarlyAsItMay() {
        var series = Series(now: "2026-11-23 11:00", nightly, [.daily: 5])
        series.addDaily("2026-11-20", through: "2026-11-23")
        series.add("2026-11-19 01:30")
        #expect(series.findings() == [])
    }

    @Test func theFirstRunThatCameAsLateAsItMay() {
        var series = Series(now: "2026-11-23 11:00", nightly)
        series.add("2026-11-23 02:30")
        #expect(series.verdict("made every day at 02:00") == .passed)
    }

    /// The first run of the oldest day is one of that day.
    @Test func severalRunsADayBeginAtMidnight() {
        let schedule = Schedule(interval: .span(.seconds(6 * 3600)), at: TimeOfDay(hour: 0, minute: 0))
        var series = Series(now: "2026-11-23 11:00", schedule, [.daily: 2])
        for hour in [0, 6, 12, 18] { series.addDaily("2026-11-21", through: "2026-11-22", at: hour) }
        for hour in [0, 6] { series.addDaily("2026-11-23", through: "2026-11-23", at: hour) }
        #expect(series.findings() == [])
        series.remove("2026-11-21 00:00")
        #expect(series.findings().map { $0.prefix(17) } == ["retention-missing"])
    }

    @Test func aGapThatBeginsAtTheWindowsFirstInstant() {
        var series = Series(now: "2026-11-23 11:00", Schedule(interval: .span(.seconds(6 * 3600))), [.daily: 2])
        for hour in [0, 6, 12, 18] { series.addDaily("2026-11-21", through: "2026-11-22", at: hour) }
        for hour in [0, 6] { series.addDaily("2026-11-23", through: "2026-11-23", at: hour) }
        #expect(series.findings() == [])
        series.remove("2026-11-21 06:00")
        #expect(series.findings().map { $0.prefix(12) } == ["gap-too-long"])
    }

    // MARK: Retention

    /// A day that ended as the first backup was made had none of its own.
    @Test func theDayBeforeTheFirstBackup() {
        var series = Series(now: "2026-11-23 11:00", Schedule(interval: .span(.seconds(12 * 3600))), [.daily: 5])
        for hour in [0, 12] { series.addDaily("2026-11-19", through: "2026-11-22", at: hour) }
        series.add("2026-11-23 00:00")
        #expect(series.findings() == ["retention-missing postgres/daily, the daily of 2026-11-18"])
    }

    @Test func theOldestMonthsFirstInstantIsKept() {
        var series = Series.regime()
        series.remove("2025-11-01 02:00")
        series.add("2025-11-01 00:00")
        #expect(series.findings() == [])
        series.add(series.date("2025-11-01 00:00").addingTimeInterval(-1))
        #expect(series.judged().flatMap(\.findings).map(\.rule.name) == ["retention-exceeded"])
    }

    /// Backups of midnight, counted: one that failed leaves the next older one there, and no more than that.
    @Test func anOlderOneForEachThatFailed() {
        func series(_ days: [Int], now: String = "2026-11-23 11:00") -> Series {
            var series = Series(now: now, nil, [.daily: 3])
            series.set.schedule = nil
            for day in days { series.add("2026-11-\(day) 00:00") }
            return series
        }
        func exceeded(_ series: Series) -> [String] {
            series.judged().flatMap(\.findings).filter { $0.rule.name == "retention-exceeded" }.map { "\($0.object.suffix(16))" }
        }
        #expect(exceeded(series([19, 20, 22, 23])) == [])
        #expect(exceeded(series([17, 18, 19, 20, 22, 23])) == ["2026-11-17 00:00", "2026-11-18 00:00"])
        // An outage that goes on behind the promised days may last as many days again.
        #expect(exceeded(series([16, 17, 18, 19, 23])) == ["2026-11-16 00:00", "2026-11-17 00:00"])
        // The one of this very moment is the newest of those that are counted.
        #expect(exceeded(series([17, 18, 19, 20, 23], now: "2026-11-23 00:00")) == ["2026-11-17 00:00", "2026-11-18 00:00"])
    }

    // MARK: Grace

    @Test func aCopyThatIsOnItsWay() {
        for (age, expected) in [(3600.0, 0), (3601, 1)] {
            var series = Series(now: "2026-11-23 03:00", nightly)
            series.addDaily("2026-11-20", through: "2026-11-22")
            series.add(series.now.addingTimeInterval(-age))
            series.copies.removeLast()
            #expect(series.findings().filter { $0.hasPrefix("copy-missing") }.count == expected, "\(age)")
        }
    }

    @Test func aGlobalsFileThatIsOnItsWay() {
        for (age, expected) in [(3600.0, 0), (3601, 2)] {
            var series = Series(now: "2026-11-23 03:00", nightly)
            series.set.globals = "{artifact}.globals"
            series.add(series.now.addingTimeInterval(-age))
            #expect(series.findings().filter { $0.hasPrefix("globals-missing") }.count == expected, "\(age)")
        }
    }

    /// Two clocks that differ by less than five minutes: what was made in between is the newest there is.
    @Test func theClocksOfTwoMachines() {
        var series = Series(now: "2026-11-23 11:00")
        series.add(series.now.addingTimeInterval(200))
        for (later, count) in [(299.0, 1), (300, 0)] {
            let judged = BackupSeries(
                set: series.set, seals: series.seals, stores: series.stores, timeZone: series.zone, now: series.now,
                clock: series.now.addingTimeInterval(later), copies: series.copies)
            #expect(judged.moments.count == count, "\(later)")
        }
    }

    @Test func aMirrorsAge() {
        for (age, verdict) in [(0.0, Verdict.passed), (86_400 + 1800, .passed), (86_401 + 1800, .failed), (-1, .skipped)] {
            var series = Series(now: "2026-11-23 11:00", nightly)
            series.set.kind = .gitMirror
            series.set.encryption = nil
            series.add(series.now.addingTimeInterval(-age))
            for index in series.copies.indices { series.copies[index].point.timeSource = .lastFetch }
            #expect(series.verdict("fetched every day") == verdict, "\(age)")
        }
    }

    // MARK: Sizes and contents

    @Test func theFewestThatASizeIsHeldAgainst() {
        func findings(_ sizes: [Int64]) -> [String] {
            var series = Series(now: "2026-11-23 12:00")
            for (index, size) in sizes.enumerated() { series.add("2026-11-\(23 - sizes.count + index + 1) 02:00", size: size) }
            return series.judged().flatMap(\.findings).map { "\($0.rule) \($0.severity)" }
        }
        #expect(findings([100_000, 100_000, 100_000, 49_999]) == ["size-shrank critical"])
        #expect(findings([100_000, 100_000, 100_000, 50_000]) == [], "half of it is not less than half")
        #expect(findings([100_000, 100_000, 100_000, 299_999]) == [])
        #expect(findings([100_000, 100_000, 100_000, 300_000]) == ["size-grew warning"])
    }

    @Test func justRandomEnough() {
        let least = ReallyEncrypted.leastEntropy(of: 4080)
        func judge(_ kind: StoredContent.Kind, _ entropy: Double) -> Finding? {
            ReallyEncrypted.judge(StoredContent(kind: kind, entropy: entropy, sampled: 4080, permissions: 0o600), as: .age, object: "x")
        }
        #expect(judge(.encrypted("x"), least) == nil && judge(.encrypted("x"), least.nextDown)?.rule == .artifactNotEncrypted)
        #expect(judge(.unknown, least)?.actual.hasPrefix("random") == true)
        #expect(judge(.unknown, least.nextDown)?.actual.hasPrefix("bytes that are not random") == true)
    }

    @Test func aHundredFindingsAndOneMore() {
        func capped(critical: Int, warnings: Int) -> [Finding] {
            let all = (0..<critical + warnings).map {
                Finding(.gapTooLong, $0 < critical ? .critical : .warning, object: "\($0)", message: "", hint: "")
            }
            return BackupSeries.capped(all, object: "x")
        }
        #expect(capped(critical: 100, warnings: 0).allSatisfy { $0.rule == .gapTooLong })
        #expect(capped(critical: 100, warnings: 1).last?.severity == .warning)
        #expect(capped(critical: 101, warnings: 0).last.map { $0.rule == .moreOfTheSame && $0.severity == .critical } == true)
    }

    // MARK: The worst case

    @Test func theFirstInstantOfItsWindow() throws {
        var series = Series(now: "2026-11-23 11:00")
        series.addDaily("2026-11-20", through: "2026-11-23")
        series.add(series.now.addingTimeInterval(-28 * 86_400))
        let worst = try #require(WorstCaseLoss.compute(series.copies.map(\.point), until: series.now))
        #expect(worst.points == 4 && worst.loss > .seconds(20 * 86_400))
    }

    @Test func twoPointsHaveAGap() {
        var series = Series(now: "2026-11-23 11:00")
        series.addDaily("2026-11-22", through: "2026-11-23")
        #expect(WorstCaseLoss.compute(series.copies.map(\.point), until: series.now)?.points == 2)
    }
}
