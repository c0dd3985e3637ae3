// How one objective developed: a picture, the forecast in words, and the same figures as a table.

import DrillModel
import Foundation

/// One drill and objective.
struct TrendView {
    struct Row {
        let time: String
        let achieved: String
        let verdict: VerdictView
        let run: String
    }
    let id: String
    let drill: String
    let objective: String
    let target: String
    let latest: String?
    let alternative: String
    /// The forecast, or why there is none.
    let words: String
    let isForecast: Bool
    /// What could not be drawn.
    let unmeasured: String?
    let picture: TrendPicture?
    let rows: [Row]
    let hasRows: Bool
    let more: String?

    init(_ trend: ComplianceReport.Trend, number: Int, in report: ComplianceReport, _ limits: ComplianceLimits) {
        let zone = report.timeZone
        id = "trend-\(number)"
        drill = HTMLText.clean(trend.drill, longest: limits.text)
        objective = HTMLText.clean(trend.service.map { "RPO \($0)" } ?? "RTO", longest: limits.text)
        target = trend.target.map { "< \(Readable.duration($0))" } ?? "none"
        latest = trend.points.last.map { Readable.duration($0.achieved) }
        isForecast = trend.forecast != nil
        words = HTMLText.clean(
            trend.forecast.map { Self.words($0, trend, in: zone) } ?? trend.silence ?? "No forecast is made.", longest: limits.text)

        // What brought nothing back has no height at which it could be drawn.
        let own = report.runs.filter { $0.drill == trend.drill && !$0.isInspection }
        let nothing = own.compactMap { run in trend.service.map { run.recoveryPoints[$0] } ?? run.recoveryTime }.count {
            $0.achieved == nil
        }
        unmeasured = nothing > 0 ? "Not drawn: \(Readable.count(nothing, "run")) of the period in which nothing came back to measure." : nil

        let shown = Array(trend.points.suffix(limits.points))
        let span = report.period.moments(in: zone)
        picture = TrendPicture(trend, points: shown, period: span, in: zone)
        rows = shown.reversed().map {
            Row(
                time: ComplianceTime.minute($0.time, in: zone), achieved: Readable.duration($0.achieved), verdict: VerdictView($0.verdict),
                run: HTMLText.clean($0.run, longest: limits.text))
        }
        hasRows = !rows.isEmpty
        more = ComplianceLimits.more(trend.points.count - shown.count, " that are older", in: "compliance.json")
        let range = trend.points.min { $0.achieved < $1.achieved }.flatMap { least in
            trend.points.max { $0.achieved < $1.achieved }.map { most in
                "\(Readable.count(trend.points.count, "point")) between \(Readable.duration(least.achieved)) and "
                    + Readable.duration(most.achieved)
            }
        }
        alternative = HTMLText.clean("\(objective) of \(drill), target \(target): \(range ?? "no points"). \(words)")
    }

    /// The interval is told beside the date: a date alone would pass for a promise.
    private static func words(_ forecast: ComplianceReport.Forecast, _ trend: ComplianceReport.Trend, in zone: TimeZone) -> String {
        func day(_ date: Date) -> String { ComplianceTime.day(date, in: zone) }
        func growth(_ duration: Duration) -> String { (duration >= .zero ? "+" : "") + Readable.duration(duration) }
        let pace =
            "\(growth(forecast.perMonth)) in 30 days (95 % interval: \(growth(forecast.perMonthLow)) to \(growth(forecast.perMonthHigh)))"
        let target = trend.target.map { " of \(Readable.duration($0))" } ?? ""
        let latest = forecast.latest.map { "at the latest on \(day($0))" } ?? "or later than anybody would plan for"
        let isPast = trend.points.last.map { forecast.likely <= $0.time } ?? false
        let likely = isPast ? "the line reached the target\(target) on" : "the target\(target) is reached on"
        return "\(pace): \(likely) \(day(forecast.likely)), at the earliest on \(day(forecast.earliest)), \(latest)."
    }
}

extension Verdict {
    /// A mark around the origin, 12 wide: told apart by its shape where nobody sees its colour.
    var mark: String {
        switch self {
        case .passed: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z"
        case .failed: "M-6-3-3-6 0-3 3-6 6-3 3 0 6 3 3 6 0 3-3 6-6 3-3 0Z"
        case .error: "M0-7 7 6-7 6Z"
        case .skipped: "M0-6 6 0 0 6-6 0Z"
        }
    }
}
