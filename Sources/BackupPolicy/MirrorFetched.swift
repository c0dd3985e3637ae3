// Is a git mirror fetched into as often as promised?

import DrillModel
import Foundation

/// Judges the one thing that a mirror tells of its past: when it was fetched into last.
enum MirrorFetched {
    static func ask(_ series: BackupSeries, _ schedule: Schedule) -> CaseResult {
        let name = "fetched \(schedule)"
        let copies = Array(series.allCopies)
        guard !copies.isEmpty else { return series.unasked(name, .nothingToJudge(series)) }
        let known = copies.map(\.point).filter { $0.timeSource == .lastFetch }
        guard known.count == copies.count else {
            return series.skipped(name, "a mirror that nobody fetches into doesn't tell when it was written: it has no FETCH_HEAD")
        }
        guard known.allSatisfy({ $0.time <= series.now }) else {
            return series.skipped(name, "it was fetched into since, so nothing tells how it was at that instant")
        }
        let longest = Self.interval(schedule) + TimeInterval(schedule.tolerance.components.seconds)
        let findings = known.filter { series.now.timeIntervalSince($0.time) > longest }.map { point in
            Finding(
                .gapTooLong, object: series.object(point), expected: "a fetch within \(LocalText.span(longest))",
                actual: "none for \(LocalText.span(series.now.timeIntervalSince(point.time)))",
                message: "the mirror was not fetched into since \(series.text(point.time))",
                hint: "look at the job that runs git remote update, and at its access to the source")
        }
        return series.judged(name, findings)
    }

    /// In seconds.
    private static func interval(_ schedule: Schedule) -> TimeInterval {
        switch schedule.interval {
        case .day: 86_400
        case .week: 7 * 86_400
        case .span(let span): TimeInterval(span.components.seconds)
        }
    }
}
