// The views of the compliance report: trends of few points, calendars, and what is left out when there is too much.

import DrillModel
import Foundation
import Testing

@testable import Reports

@Suite struct ComplianceViewTests {
    private func view(of trend: ComplianceReport.Trend, _ change: (inout ComplianceReport) -> Void = { _ in }) -> TrendView {
        var report = ComplianceSample.empty
        change(&report)
        return TrendView(trend, number: 1, in: report, ComplianceLimits.all[0])
    }

    private func trend(_ seconds: [Double], target: Double?) -> ComplianceReport.Trend {
        let points = seconds.enumerated().map { index, value in
            ComplianceReport.Trend.Point(
                time: ComplianceSample.at(8, 1 + index, 10), achieved: .seconds(value), verdict: .passed, run: "run-\(index)")
        }
        return .init(drill: "d", service: nil, target: target.map { .seconds($0) }, points: points, forecast: nil, silence: nil)
    }

    @Test func onePointIsDrawnWithoutALine() throws {
        let picture = try #require(view(of: trend([100], target: 200)).picture)
        #expect(picture.marks.count == 1 && picture.line == nil && picture.forecast == nil && picture.hasTarget)
        // 200 seconds lie at 1/1.15 of the height, and 100 at half of that.
        #expect(picture.targetY == "23.5" && picture.marks[0].y == "101.7")
        #expect(picture.periodX == "0.00%" && picture.periodWidth == "100.00%")
    }

    @Test func twoAndEqualAndZeroPointsLieWhereTheyShould() throws {
        let two = try #require(view(of: trend([50, 50], target: nil)).picture)
        #expect(two.line != nil && two.marks.map(\.y) == ["23.5", "23.5"] && !two.hasTarget)
        let zero = try #require(view(of: trend([0, 0, 0], target: nil)).picture)
        #expect(zero.marks.map(\.y) == ["180", "180", "180"] && zero.levels.map(\.label) == ["0"])
        #expect(view(of: trend([], target: 60)).picture == nil)
    }

    /// No height fits what never came back.
    @Test func whatBroughtNothingBackIsCounted() throws {
        let own = view(of: trend([50], target: 60)) { report in
            report.runs = ComplianceSample.quarter.runs.map { run in
                var run = run
                run.drill = "d"
                return run
            }
        }
        #expect(own.unmeasured == "Not drawn: 1 run of the period in which nothing came back to measure.")
        #expect(view(of: trend([50], target: 60)).unmeasured == nil)
    }

    @Test func theForecastGoesToItsTarget() throws {
        var own = trend([60, 80, 100], target: 200)
        let last = try #require(own.points.last?.time)
        own.forecast = .init(
            perMonth: .seconds(100), perMonthLow: .seconds(50), perMonthHigh: .seconds(150), likely: last.addingTimeInterval(30 * 86_400),
            earliest: last.addingTimeInterval(20 * 86_400), latest: nil)
        let view = view(of: own)
        #expect(
            view.words.hasPrefix("+1m 40s in 30 days (95 % interval: +50.0 s to +2m 30s): the target of 3m 20s is reached on 2026-09-02"))
        #expect(view.words.hasSuffix("or later than anybody would plan for."))
        let picture = try #require(view.picture)
        let corners = try #require(picture.forecast).split(separator: " ")
        // From the height of 100 to that of 200, as far ahead as is known.
        #expect(corners.count == 2 && corners[0].hasSuffix(",101.7") && corners[1].hasSuffix(",23.5"), "\(corners)")
        #expect(try #require(picture.band).split(separator: " ").count == 3)
        for date in [Date.distantPast, .distantFuture] {
            own.forecast?.likely = date
            own.forecast?.earliest = date
            #expect(self.view(of: own).picture?.forecast != nil)
        }
    }

    @Test func axesHaveRoundNumbers() {
        #expect(TrendAxis.levels(to: 16_560) == [0, 7_200, 14_400] || TrendAxis.levels(to: 16_560) == [0, 3_600, 7_200, 10_800, 14_400])
        let zone = ComplianceSample.zone
        let year = TrendAxis.days(from: ComplianceSample.at(1, 20, 3), to: ComplianceSample.at(12, 20, 3), in: zone)
        #expect(year.map(\.label) == ["2026-03", "2026-05", "2026-07", "2026-09", "2026-11"])
        let week = TrendAxis.days(from: ComplianceSample.at(8, 1, 0), to: ComplianceSample.at(8, 5, 0), in: zone)
        #expect(week.map(\.label) == ["2026-08-01", "2026-08-02", "2026-08-03", "2026-08-04", "2026-08-05"])
    }

    @Test func unknownDaysAreNoDaysWithoutBackups() throws {
        let view = try #require(CalendarView(ComplianceSample.quarter.calendar, ComplianceLimits.all[0]))
        #expect(view.months.map(\.label) == ["2026-07", "2026-08", "2026-09"])
        #expect(view.months.flatMap(\.lines).allSatisfy { $0.cells.count == 31 })
        let august = view.months[1].lines
        #expect(august.map(\.kind) == ["head", "inspections"] + Array(repeating: "series", count: 5))
        #expect(august[1].cells[9].state == "unknown" && august[2].cells[9].state == "unknown")
        #expect(august[2].cells[20].state == "bad" && august[2].cells[20].text == "0")
        #expect(august[6].cells[20].state == "nothing" && view.months[2].lines[1].cells[30].state == "blank")
        #expect(
            view.gaps == [
                "2026-08-21 to 2026-08-22: no backup of postgres daily, of which one is due every day.",
                "2026-08-10 to 2026-08-13: no inspection: what lay there then is not known.",
                "2026-08-30: no inspection: what lay there then is not known.",
                "2026-09-14: no inspection: what lay there then is not known.",
            ])
        #expect(CalendarView(.init(days: [], series: []), ComplianceLimits.all[0]) == nil)
    }

    /// What is red is never left out for what is green.
    @Test func theGraveOnesStay() {
        let picked = ComplianceLimits.pick(Array(1...10), 3) { $0 == 2 }
        #expect(picked.shown == [2, 9, 10] && picked.left == 7)
        #expect(ComplianceLimits.pick([1, 2], 2) { _ in false }.left == 0)
        #expect(ComplianceLimits.more(0, in: "a") == nil && ComplianceLimits.more(1_200, in: "a") == "… and 1,200 more: see a")
    }

    @Test func whatNobodyOwnsIsLoud() throws {
        let actions = ActionsView(ComplianceSample.quarter.actions, isDrilled: true, in: ComplianceSample.zone, ComplianceLimits.all[0])
        #expect(actions.summary == "1 overdue, 1 open, 1 closed.")
        #expect(actions.open.map(\.owner) == [nil, "storage-lead"] && actions.closed.map(\.retest) == ["passed on 2026-09-22"])
        let html = String(decoding: try ComplianceHTML.render(ComplianceSample.quarter), as: UTF8.self)
        #expect(html.contains("NO OWNER IS NAMED"))
        // Nobody has found anything where nobody looked.
        let none = FigureView.views(of: ComplianceSample.empty)
        #expect(none.allSatisfy { $0.state.name != "passed" } && none[2].value == "none known")
    }
}
