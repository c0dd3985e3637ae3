// Is everything there that was to be kept, and gone what was not?

import DrillModel
import Foundation

extension Rule {
    static let retentionMissing = Rule("retention-missing")
    static let retentionExceeded = Rule("retention-exceeded")
}

/// Holds the moments against the retention.
enum RetentionKept {
    /// A job that removes what is old runs once a day at the most.
    static let grace: TimeInterval = 86_400

    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        guard let retention = series.set.retention else {
            return [series.skipped("kept as long as promised", "the estate promises no retention for this backup")]
        }
        guard series.set.kind != .gitMirror else {
            return [
                series.skipped(
                    "kept as long as promised", "a mirror is one recovery point that changes in place: its history is in its commits")
            ]
        }
        let window = PolicyWindow(series, now: series.now)
        let gone = "what is older is gone"
        let tiers = retention.tiers.map { tier in
            let count = retention.counts[tier] ?? 0
            return (tier, count, name: "\(count) \(tier.rawValue) \(count == 1 ? "backup" : "backups") kept")
        }
        guard !series.moments.isEmpty else {
            return (tiers.map(\.name) + [gone]).map { series.unasked($0, .nothingToJudge(series)) }
        }
        return tiers.map { tier, count, name in
            let findings = missing(tier, count: count, series, window)
            guard findings.isEmpty, let held = held(tier, count: count, series, window) else { return series.judged(name, findings) }
            return series.skipped(name, "\(held) of \(count) are there: what is missing has a finding where the schedule is asked")
        } + [series.judged(gone, excess(series, window))]
    }

    /// How many are there where runs of the schedule have left none, and no older ones stand in for them; nil where it is all.
    private static func held(_ tier: Retention.Tier, count: Int, _ series: BackupSeries, _ window: PolicyWindow) -> Int? {
        guard series.set.retention?.tiers.first == tier, let runs = window.runs(of: tier), runs.contains(where: { $0.moment == nil }) else {
            return nil
        }
        let start = window.denseStart
        let held = Set(series.moments.filter { $0.time >= start }.map { window.period(tier, holding: $0.time) }).count
        return held < count ? held : nil
    }

    private static func missing(_ tier: Retention.Tier, count: Int, _ series: BackupSeries, _ window: PolicyWindow) -> [Finding] {
        let wanted: [Date]
        if let runs = window.runs(of: tier) {
            // Holes between two that are there, and a series that has stopped, are the schedule's to tell.
            guard let first = runs.firstIndex(where: { $0.moment != nil }) else { return [] }
            wanted = runs[..<first].map(\.slot.earliest)
        } else {
            let times = series.moments.map(\.time)
            var periods = window.complete(tier, count: count).filter { period in
                !times.contains { $0 >= period.start && $0 < period.end }
            }
            if let schedule = series.set.schedule, ScheduleMatch.tier(of: schedule) == tier, let first = times.first {
                periods.removeAll { $0.end > first }
            }
            wanted = periods.map(\.start)
        }
        return ranges(wanted, tier: tier, window).map { first, last in
            let span = text(first, tier, series) + (first == last ? "" : " to \(text(last, tier, series))")
            return Finding(
                .retentionMissing, object: "\(series.name), the \(tier.rawValue) of \(span)", expected: "kept",
                actual: "not there",
                message:
                    "the \(tier.rawValue) \(first == last ? "backup" : "backups") of \(span) \(first == last ? "is" : "are") not there",
                hint: "find out whether it was never made, or removed too early; a copy in another store can be put back")
        }
    }

    /// Neighbouring periods are one finding.
    private static func ranges(_ dates: [Date], tier: Retention.Tier, _ window: PolicyWindow) -> [(Date, Date)] {
        var ranges: [(Date, Date)] = []
        for date in dates {
            if let last = ranges.last, window.period(tier, holding: last.1).end >= window.period(tier, holding: date).start {
                ranges[ranges.count - 1].1 = date
            } else {
                ranges.append((date, date))
            }
        }
        return ranges
    }

    private static func text(_ date: Date, _ tier: Retention.Tier, _ series: BackupSeries) -> String {
        let day = LocalText.date(date, in: series.timeZone)
        switch tier {
        case .daily, .weekly: return day
        case .monthly: return String(day.prefix(7))
        case .yearly: return String(day.prefix(4))
        }
    }

    private static func excess(_ series: BackupSeries, _ window: PolicyWindow) -> [Finding] {
        let kept = window.kept().union(PolicyWindow(series, now: series.now.addingTimeInterval(-grace), counting: false).kept())
        return series.moments.indices.filter { !kept.contains($0) }.map { index in
            let moment = series.moments[index]
            let stores = moment.copies.map(\.point.store).joined(separator: ", ")
            return Finding(
                .retentionExceeded, object: "\(moment.path) of \(series.text(moment.time))", expected: "removed by now",
                actual: "still in \(stores)", message: "the backup of \(series.text(moment.time)) should be gone, and is not",
                hint: "let the job that removes old backups run, and look at its log; or mend the retention in the estate file")
        }
    }
}
