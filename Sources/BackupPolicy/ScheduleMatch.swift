// Which backup belongs to which run of the schedule.

import DrillModel
import Foundation

/// The runs that were due, each with the backup that answers it.
struct ScheduleMatch {
    struct Run {
        var slot: Slot
        /// nil: nothing came.
        var moment: BackupMoment?
        /// How far it is off the slot, before (negative) or after; 0 within.
        var off: TimeInterval
    }
    /// The oldest first; the last ones that are due by now, as far as the retention or the series reaches back.
    var runs: [Run] = []

    /// The tier of a retention that the schedule's own runs make up.
    static func tier(of schedule: Schedule) -> Retention.Tier {
        if case .week = schedule.interval { .weekly } else { .daily }
    }

    /// How far the schedule lets a backup be off; a run that has a whole day for itself needs none.
    static func tolerance(of schedule: Schedule) -> TimeInterval {
        schedule.at == nil ? 0 : TimeInterval(schedule.tolerance.components.seconds)
    }

    init(_ series: BackupSeries, _ schedule: Schedule, now: Date) {
        let slots = Self.due(series, schedule, now: now)
        guard let first = slots.first else { return }
        let tolerance = Self.tolerance(of: schedule)
        runs = slots.map { Run(slot: $0, moment: nil, off: 0) }
        // A backup that comes a little before its window is early, not of an older run.
        let start = first.earliest.addingTimeInterval(-tolerance)
        var leftOver: [BackupMoment] = []
        var next = 0
        for moment in series.moments where moment.time >= start && moment.time <= now {
            while next + 1 < runs.count, runs[next + 1].slot.earliest.addingTimeInterval(-tolerance) <= moment.time { next += 1 }
            if runs[next].moment == nil, moment.time <= runs[next].slot.latest.addingTimeInterval(tolerance) {
                runs[next].moment = moment
            } else {
                leftOver.append(moment)
            }
        }
        assign(leftOver)
    }

    /// A backup that missed its window goes to the nearer of the two runs around it, where that one has none.
    private mutating func assign(_ moments: [BackupMoment]) {
        var next = 0
        for moment in moments {
            while next + 1 < runs.count, runs[next + 1].slot.earliest <= moment.time { next += 1 }
            let candidates = [next, next + 1].filter { $0 < runs.count && runs[$0].moment == nil }
            let nearest = candidates.min { abs(Self.off(moment.time, runs[$0].slot)) < abs(Self.off(moment.time, runs[$1].slot)) }
            guard let nearest else { continue }
            runs[nearest].moment = moment
            runs[nearest].off = Self.off(moment.time, runs[nearest].slot)
        }
    }

    private static func off(_ time: Date, _ slot: Slot) -> TimeInterval {
        if time < slot.earliest { return time.timeIntervalSince(slot.earliest) }
        return max(0, time.timeIntervalSince(slot.latest))
    }

    /// The runs whose time and tolerance are over, and the one that came before they are: as many as the retention promises, or all since the
    /// first backup. Who keeps thirty may remove the oldest as soon as the newest is there.
    private static func due(_ series: BackupSeries, _ schedule: Schedule, now: Date) -> [Slot] {
        let calendar = LocalText.calendar(series.timeZone)
        let tier = tier(of: schedule)
        let count = series.set.retention?.counts[tier]
        let start: Date
        if let count {
            // A few periods more than needed; they are cut off below.
            let periods = -(count + 2) * (tier == .weekly ? 7 : 1)
            start = calendar.date(byAdding: .day, value: periods, to: now) ?? now
        } else if let first = series.moments.first?.time {
            start = first
        } else {
            return []
        }
        let tolerance = tolerance(of: schedule)
        var slots = ScheduleSlots(schedule, in: series.timeZone).slots(from: start, through: now)
            .filter { slot in
                let (opens, closes) = (slot.earliest.addingTimeInterval(-tolerance), slot.latest.addingTimeInterval(tolerance))
                return closes <= now || opens <= now && series.moments.contains { $0.time >= opens && $0.time <= now }
            }
        if count == nil { slots.removeAll { $0.latest.addingTimeInterval(tolerance) < start } }
        guard let count else { return slots }
        if case .span = schedule.interval {
            let today = calendar.startOfDay(for: now)
            let first = calendar.date(byAdding: .day, value: -count, to: today) ?? today
            return slots.filter { $0.earliest >= first }
        }
        return slots.suffix(count)
    }
}
