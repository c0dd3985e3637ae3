// Damage to a series of backups: what breaks a promise about all of them, and shows in no single one.

public import DrillModel
public import Foundation

/// When the backups of a series were made, and what the estate promises of that.
public struct SeriesTimes: Sendable {
    public let schedule: Schedule?
    public let retention: Retention?
    /// The oldest first; at least one.
    public var times: [Date]
    /// When a backup was made that should have been removed since; no part of ``times``.
    public var leftover: Date?

    public init(schedule: Schedule?, retention: Retention?, times: [Date]) {
        self.schedule = schedule
        self.retention = retention
        self.times = times
    }
}

extension Damage {
    static let seriesDamages: [Damage] = [
        Damage(
            "missed-run", "a backup of the series was never made",
            .series { series in
                guard let schedule = series.schedule, let newest = series.times.last else { return nil }
                let interval = schedule.interval.seconds
                let tolerance = TimeInterval(schedule.tolerance.components.seconds)
                // The run before the newest, with whatever else could stand in for it.
                let start = newest.addingTimeInterval(-1.75 * interval - (schedule.at == nil ? tolerance : 0))
                let left = series.times.filter { $0 < start || $0 == newest }
                guard left.count < series.times.count, let rule = series.missedRun(left: left.count) else { return nil }
                series.times = left
                let consequences: Set = [Rule("backup-early"), Rule("backup-late"), Rule("retention-missing")]
                return Harm(rule, object: "", consequences: consequences)
            }),
        Damage(
            "kept-too-long", "a backup of the series is still there long after the retention's end",
            .series { series in
                guard let retention = series.retention, let coarsest = retention.tiers.last, let count = retention.counts[coarsest],
                    let newest = series.times.last
                else { return nil }
                // So far back that no outage among the younger ones explains it.
                series.leftover = newest.addingTimeInterval(-coarsest.longest * Double(2 * count + 2))
                // Where the schedule is asked as far back as the series reaches, it reaches further now.
                let consequences: Set = [Rule("backup-missing"), Rule("gap-too-long"), Rule("retention-missing")]
                return Harm(Rule("retention-exceeded"), object: "", consequences: consequences)
            }),
    ]
}

extension SeriesTimes {
    /// What says that the run before the newest is missing; nil where nothing that is promised does.
    fileprivate func missedRun(left: Int) -> Rule? {
        guard let schedule else { return nil }
        let kept: Int?
        switch schedule.interval {
        case .span where schedule.at == nil: return left > 1 ? Rule("gap-too-long") : nil
        case .span: kept = nil
        case .day: kept = retention?.counts[.daily]
        case .week: kept = retention?.counts[.weekly]
        }
        // With nothing before it, the series seems to begin with its newest, unless a retention says how far back it should reach.
        guard let kept, kept <= 2 || left == 1 else { return left > 1 ? Rule("backup-missing") : nil }
        return kept > 1 ? Rule("retention-missing") : nil
    }
}

extension Schedule.Interval {
    fileprivate var seconds: TimeInterval {
        switch self {
        case .day: 86_400
        case .week: 7 * 86_400
        case .span(let span): TimeInterval(span.components.seconds)
        }
    }
}

extension Retention.Tier {
    /// The longest that one of its periods can be, in seconds.
    fileprivate var longest: TimeInterval {
        let days: Double =
            switch self {
            case .daily: 1
            case .weekly: 7
            case .monthly: 31
            case .yearly: 366
            }
        return days * 86_400
    }
}
