// The worst case: gaps, what a retention has thinned out, and the promise.

import DrillModel
import Foundation
import Testing

@testable import BackupPolicy

@Suite struct WorstCaseLossTests {
    private func points(_ series: Series) -> [RecoveryPoint] { series.copies.map(\.point) }

    @Test func theLongestGapAndTheBackupsTime() throws {
        var series = Series(now: "2026-11-23 11:00")
        series.addDaily("2026-11-01", through: "2026-11-23")
        series.remove("2026-11-09 02:00")
        let worst = try #require(WorstCaseLoss.compute(points(series), until: series.now))
        #expect(worst.from == series.date("2026-11-08 02:00"))
        #expect(worst.loss == .seconds(2 * 86_400 + 40))
        #expect(worst.points == 22)
    }

    /// A year of monthlies beside five dailies: their months are no gaps.
    @Test func monthliesDoNotCount() throws {
        var series = Series(now: "2026-11-23 11:00")
        for month in 1...11 { series.add("2026-\(month)-01 02:00") }
        series.addDaily("2026-11-19", through: "2026-11-23")
        let retention = Retention([.daily: 5, .monthly: 12])
        let worst = try #require(WorstCaseLoss.compute(points(series), until: series.now, retention: retention))
        #expect(worst.loss == .seconds(86_400 + 40))
        #expect(WorstCaseLoss.compute(points(series), until: series.now)?.loss != worst.loss)
    }

    @Test func theTimeSinceTheNewestCountsWhereAsked() throws {
        var series = Series(now: "2026-11-26 02:00")
        series.addDaily("2026-11-19", through: "2026-11-23")
        let open = try #require(WorstCaseLoss.compute([(points(series), nil)], until: series.now, openEnded: true))
        #expect(open.loss == .seconds(3 * 86_400 + 40))
        #expect(WorstCaseLoss.compute(points(series), until: series.now)?.loss == .seconds(86_400 + 40))
    }

    /// Nobody made a backup for five weeks; those of the last three days don't hide it.
    @Test func aGapThatBeganLongAgo() throws {
        var series = Series(now: "2026-11-23 11:00")
        series.addDaily("2026-11-20", through: "2026-11-23")
        #expect(WorstCaseLoss.compute(points(series), until: series.now)?.loss == .seconds(86_400 + 40), "a new series has no past")
        series.add("2026-10-15 02:00")
        let worst = try #require(WorstCaseLoss.compute(points(series), until: series.now))
        #expect(worst.loss > .seconds(20 * 86_400) && worst.to == series.date("2026-11-20 02:00"))
    }

    /// Every six hours, kept for a week, beside the nightly ones of a month: what was there three weeks ago has been removed on purpose.
    @Test func aSetThatIsKeptForAShorterTime() throws {
        var nightly = Series(now: "2026-11-23 11:00")
        nightly.addDaily("2026-10-25", through: "2026-11-23")
        var often = Series(now: "2026-11-23 11:00")
        for hour in [2, 8, 14, 20] { often.addDaily("2026-11-16", through: "2026-11-22", at: hour) }
        often.addDaily("2026-11-23", through: "2026-11-23", at: 2)
        often.addDaily("2026-11-23", through: "2026-11-23", at: 8)
        func loss(_ often: Series) -> Duration? {
            WorstCaseLoss.compute(
                [(points(nightly), Retention([.daily: 30])), (points(often), Retention([.daily: 7]))], until: nightly.now, openEnded: true
            )?.loss
        }
        #expect(loss(often) == .seconds(6 * 3600 + 40))
        // Missing while it was to be there, and not made any more: nothing excuses that.
        var gone = often
        gone.remove("2026-11-21 14:00")
        #expect(loss(gone) == .seconds(12 * 3600 + 40))
        gone = often
        let stopped = often.date("2026-11-15 00:00").timeIntervalSince(often.date("2026-11-23 00:00"))
        for index in gone.copies.indices { gone.copies[index].point.time += stopped }
        #expect(loss(gone) == .seconds(86_400 + 40))
        nightly.remove("2026-11-10 02:00")
        #expect(loss(often) == .seconds(6 * 3600 + 40), "the dumps of every six hours were there, and could have been restored")
        #expect(loss(gone) == .seconds(2 * 86_400 + 40))
    }

    @Test func onePointIsNoMeasurement() {
        var series = Series(now: "2026-11-26 02:00")
        series.add("2026-11-23 02:00")
        #expect(WorstCaseLoss.compute(points(series), until: series.now) == nil)
    }

    @Test func thePromiseIsJudged() throws {
        var series = Series(now: "2026-11-23 11:00")
        series.addDaily("2026-11-01", through: "2026-11-23")
        let worst = try #require(WorstCaseLoss.compute(points(series), until: series.now))
        func verdict(_ target: Duration?, _ worst: WorstCase?) -> Verdict {
            BackupPolicy.judge(worstCase: worst, target: target, service: "postgres", timeZone: series.zone).verdict
        }
        #expect(verdict(.seconds(25 * 3600), worst) == .passed)
        #expect(verdict(.seconds(86_400), worst) == .failed, "the time that a backup takes comes on top")
        #expect(verdict(nil, worst) == .skipped)
        #expect(verdict(.seconds(86_400), nil) == .error)
    }
}
