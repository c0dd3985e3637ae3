// When an objective's growth breaks its target, and where the figures don't say that, why.

import DrillModel
import Foundation
import Reports

/// A forecast from what drills measured: silent rather than wrong.
enum TrendForecast {
    /// The least points, and the least days from the first to the last, that a forecast is made from.
    static let leastPoints = 6
    static let leastDays = 60.0
    /// Nobody plans for more, and no line is straight for so long.
    private static let longestDays = 3 * 365.25
    /// Behind so many days, an end of the interval says nothing.
    private static let endlessDays = 10 * 365.25
    private static let day = 86_400.0
    /// No figure is of a thousand years.
    private static let largest = 3.2e10

    /// - Parameters:
    ///   - points: In any order; those that are no numbers are passed over.
    ///   - target: In seconds; nil where nothing is promised.
    ///   - end: The moment that the forecast is made for.
    /// - Returns: Either a forecast, whose dates lie in the past where the target is exceeded already, or a short sentence why there is none.
    static func forecast(
        points: [(time: Date, seconds: Double)], target: Double?, end: Date
    ) -> (forecast: ComplianceReport.Forecast?, silence: String?) {
        guard let target, target.isFinite, abs(target) < largest else { return (nil, "there is no target") }
        let known = points.filter {
            $0.seconds.isFinite && abs($0.seconds) < largest && abs($0.time.timeIntervalSinceReferenceDate) < largest
        }
        guard known.count >= leastPoints else {
            return (nil, "\(known.count == 1 ? "1 drill" : "\(known.count) drills") measured it: a forecast takes \(leastPoints)")
        }
        // In one order, so that rounding is one, too.
        let days = known.sorted { ($0.time, $0.seconds) < ($1.time, $1.seconds) }.map {
            (x: $0.time.timeIntervalSince(end) / day, y: $0.seconds)
        }
        guard let first = days.map(\.x).min(), let last = days.map(\.x).max() else { return (nil, "nothing measured it") }
        let span = last - first
        guard span >= 1 else { return (nil, "all drills that measured it lie within one day") }
        guard span >= leastDays else {
            return (nil, "the drills that measured it span \(Int(span)) days: a forecast takes \(Int(leastDays))")
        }
        // One odd figure is no growth: it must show without each of them.
        guard let line = LeastSquaresLine(days), line.rises, days.indices.allSatisfy({ rises(days, without: $0) }),
            let crossing = line.crossing(target)
        else { return (nil, "no growth that can be told from chance") }
        guard crossing.likely >= first else { return (nil, "the target was exceeded before the first drill that measured it") }
        let horizon = min(2 * span, longestDays)
        guard crossing.likely <= horizon else {
            return (nil, "not within \(horizon == longestDays ? "3 years" : "\(Int(horizon)) days")")
        }
        func growth(_ perDay: Double) -> Duration { .milliseconds(Int64((perDay * 30 * 1000).rounded())) }
        func date(_ days: Double) -> Date { end.addingTimeInterval(days * day) }
        return (
            ComplianceReport.Forecast(
                perMonth: growth(line.slope), perMonthLow: growth(line.slope - line.slopeMargin),
                perMonthHigh: growth(line.slope + line.slopeMargin), likely: date(crossing.likely), earliest: date(crossing.earliest),
                latest: crossing.latest < endlessDays ? date(crossing.latest) : nil), nil
        )
    }

    private static func rises(_ points: [(x: Double, y: Double)], without index: Int) -> Bool {
        var others = points
        others.remove(at: index)
        return LeastSquaresLine(others)?.rises ?? false
    }
}
