// The picture of a trend: where its points, its target, its axes and its forecast lie.

import DrillModel
import Foundation

/// Across, everything is a share of the width, so that letters and marks stay as they are on a phone and on paper; down, pixels.
struct TrendPicture {
    struct Mark {
        let x: String
        let y: String
        let name: String
        let shape: String
        let title: String
    }
    struct Tick {
        let x: String
        let label: String
        let anchor: String
        /// Left out where there is no room.
        let isSecond: Bool
    }
    struct Level {
        let y: String
        let label: String
    }
    let box: String
    let height: String
    let plot: String
    let tickY: String
    let periodX: String
    let periodWidth: String
    let ticks: [Tick]
    let levels: [Level]
    let hasTarget: Bool
    let targetY: String
    let targetWordY: String
    let targetWord: String
    /// Of a drawing that is 1000 wide.
    let line: String?
    let band: String?
    let forecast: String?
    let marks: [Mark]

    private static let tall = 180.0

    /// - Returns: nil where there is no point.
    init?(_ trend: ComplianceReport.Trend, points: [ComplianceReport.Trend.Point], period: Range<Date>, in zone: TimeZone) {
        guard let first = points.first, let last = points.last else { return nil }
        let outlook = Outlook(trend, from: first.time, to: last.time)
        let start = min(first.time, period.lowerBound)
        let end = max(last.time, period.upperBound, outlook?.end ?? last.time)
        let width = max(1, end.timeIntervalSince(start))
        let target = trend.target.map(Self.seconds)
        let most = max(points.map { Self.seconds($0.achieved) }.max() ?? 0, target ?? 0)
        // Where all is nothing there must still be a height that nothing is none of.
        let whole = most > 0 ? most * 1.15 : 1
        func across(_ date: Date) -> Double { date.timeIntervalSince(start) / width }
        func down(_ seconds: Double) -> Double { (1 - seconds / whole) * Self.tall }
        func corner(_ date: Date, _ seconds: Double) -> String { "\(Self.tenths(across(date) * 1000)),\(Self.tenths(down(seconds)))" }
        func path(_ corners: [(Date, Double)]) -> String { corners.map { corner($0.0, $0.1) }.joined(separator: " ") }

        box = "0 0 1000 \(Int(Self.tall))"
        plot = String(Int(Self.tall))
        tickY = String(Int(Self.tall) + 18)
        height = String(Int(Self.tall) + 24)
        periodX = SVG.percent(across(period.lowerBound), of: 1)
        periodWidth = SVG.percent(period.upperBound.timeIntervalSince(period.lowerBound) / width, of: 1)
        ticks = TrendAxis.days(from: start, to: end, in: zone).enumerated().map { index, day in
            let place = across(day.date)
            let anchor = place < 0.04 ? "start" : place > 0.94 ? "end" : "middle"
            return Tick(x: SVG.percent(place, of: 1), label: day.label, anchor: anchor, isSecond: index % 2 == 1)
        }
        levels = (most > 0 ? TrendAxis.levels(to: whole) : [0]).map {
            Level(y: Self.tenths(down($0)), label: $0 == 0 ? "0" : Readable.duration(.milliseconds(Int64(($0 * 1000).rounded()))))
        }
        hasTarget = target != nil
        targetY = Self.tenths(down(target ?? 0))
        targetWordY = Self.tenths(down(target ?? 0) - 6)
        targetWord = trend.target.map { "target \(Readable.duration($0))" } ?? ""
        line = points.count > 1 ? path(points.map { ($0.time, Self.seconds($0.achieved)) }) : nil
        forecast = outlook.map { path([($0.start, $0.value), ($0.end, $0.likely)]) }
        band = outlook.map { path([($0.start, $0.value), ($0.end, $0.high), ($0.end, $0.low)]) }
        marks = points.map {
            Mark(
                x: SVG.percent(across($0.time), of: 1), y: Self.tenths(down(Self.seconds($0.achieved))), name: $0.verdict.rawValue,
                shape: $0.verdict.mark,
                title: HTMLText.clean(
                    "\(ComplianceTime.minute($0.time, in: zone)): \(Readable.duration($0.achieved)), \($0.verdict.rawValue), \($0.run)",
                    longest: 300))
        }
    }

    private static func seconds(_ duration: Duration) -> Double { max(0, Double(Readable.milliseconds(of: duration)) / 1000) }

    /// `12.3`; what lies far outside of the picture stays a number that can be written.
    private static func tenths(_ value: Double) -> String {
        let tenths = Int64((min(max(value, -100_000), 100_000) * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(sign)\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }
}

/// The forecast as a line with the two that bound it, from the newest point on.
private struct Outlook {
    let start: Date
    let end: Date
    /// Of the line, at its start; in seconds, as the others, which are at its end.
    let value: Double
    let likely: Double
    let low: Double
    let high: Double

    init?(_ trend: ComplianceReport.Trend, from first: Date, to last: Date) {
        guard let forecast = trend.forecast, let target = trend.target else { return nil }
        let month = 30 * 86_400.0
        func slope(_ growth: Duration) -> Double { growth / .seconds(1) / month }
        let pace = slope(forecast.perMonth)
        let known = max(last.timeIntervalSince(first), month)
        let left = forecast.likely.timeIntervalSince(last)
        // The day itself is shown where it lies as near as all that is known is long; else the line leaves the picture before it.
        let ahead = left > 0 ? min(left * 1.1, known) : known / 4
        let aim = target / .seconds(1)
        let value = aim - pace * left
        func reach(_ date: Date?, _ growth: Duration) -> Double {
            guard let days = date?.timeIntervalSince(last), days > ahead / 20 else { return value + slope(growth) * ahead }
            return value + (aim - value) / days * ahead
        }
        guard value.isFinite, pace.isFinite else { return nil }
        start = last
        end = last.addingTimeInterval(ahead)
        self.value = value
        likely = value + pace * ahead
        low = reach(forecast.latest, forecast.perMonthLow)
        high = reach(forecast.earliest, forecast.perMonthHigh)
    }
}
