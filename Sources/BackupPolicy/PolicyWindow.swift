// How far back a retention reaches, and what it keeps.

import DrillModel
import Foundation

/// A length of the calendar that a tier keeps one backup of.
struct Period: Hashable {
    var start: Date
    var end: Date
}

/// The windows of a retention at one instant.
struct PolicyWindow {
    private let series: BackupSeries
    private let now: Date
    /// Whether so many periods that hold a backup count as well, and not by the calendar alone.
    private let counting: Bool
    private let calendar: Calendar

    init(_ series: BackupSeries, now: Date, counting: Bool = true) {
        self.series = series
        self.now = now
        self.counting = counting
        calendar = LocalText.calendar(series.timeZone)
    }

    func period(_ tier: Retention.Tier, holding date: Date) -> Period {
        let component: Calendar.Component =
            switch tier {
            case .daily: .day
            case .weekly: .weekOfYear
            case .monthly: .month
            case .yearly: .year
            }
        let interval = calendar.dateInterval(of: component, for: date)
        return Period(start: interval?.start ?? date, end: interval?.end ?? date.addingTimeInterval(86_400))
    }

    /// The last periods that are over, the oldest first.
    func complete(_ tier: Retention.Tier, count: Int) -> [Period] {
        var periods: [Period] = []
        var current = period(tier, holding: now)
        for _ in 0..<count {
            current = period(tier, holding: current.start.addingTimeInterval(-1))
            periods.append(current)
        }
        return periods.reversed()
    }

    /// The runs that a tier promises, where the schedule's own runs make it up; nil where it is a matter of the calendar.
    func runs(of tier: Retention.Tier) -> [ScheduleMatch.Run]? {
        guard let schedule = series.set.schedule, ScheduleMatch.tier(of: schedule) == tier else { return nil }
        if case .span = schedule.interval, schedule.at == nil { return nil }
        return ScheduleMatch(series, schedule, now: now).runs
    }

    /// From here on everything is kept: the start of the finest tier.
    ///
    /// Tools that count backups instead of days keep an older one for each that failed: that is as good a way of keeping so many.
    var denseStart: Date {
        guard let retention = series.set.retention, let tier = retention.tiers.first, let count = retention.counts[tier] else {
            return .distantPast
        }
        let byDate: Date
        if let schedule = series.set.schedule, let first = runs(of: tier)?.first {
            byDate = first.slot.earliest.addingTimeInterval(-ScheduleMatch.tolerance(of: schedule))
        } else {
            byDate = complete(tier, count: count).first?.start ?? now
        }
        return min(byDate, startByCount(tier, count: count))
    }

    /// The start of the n-th newest period that holds a backup, as far as the holes explain that it is still there.
    ///
    /// Behind the first n periods a backup stands in for one that failed among them, so no longer hole lies before it than there, but for an
    /// outage that goes on from there: none from long ago becomes one of the newest since a night was missed.
    private func startByCount(_ tier: Retention.Tier, count: Int) -> Date {
        guard counting else { return now }
        let times = series.moments.map(\.time).filter { $0 <= now }
        guard let newest = times.last else { return now }
        var start = period(tier, holding: newest).start
        var (passed, held, hole, longest) = (1, 1, 0, 0)
        var isOutage = false
        var rest = times[...]
        while held < count {
            while let last = rest.last, last >= start { rest.removeLast() }
            guard let next = rest.last else { break }
            let current = period(tier, holding: start.addingTimeInterval(-1))
            passed += 1
            if next >= current.start {
                held += 1
                hole = 0
                isOutage = false
            } else {
                hole += 1
                if passed <= count {
                    longest = max(longest, hole)
                    isOutage = hole > 1
                } else if hole > (isOutage ? count : longest) {
                    break
                }
            }
            start = current.start
        }
        return period(tier, holding: times.first { $0 >= start } ?? newest).start
    }

    /// What the retention keeps, as positions in the series.
    func kept() -> Set<Int> {
        guard let retention = series.set.retention, let finest = retention.tiers.first else { return Set(series.moments.indices) }
        let dense = denseStart
        let old = series.moments.indices.filter { series.moments[$0].time < dense }
        var kept = Set(series.moments.indices.filter { series.moments[$0].time >= dense })
        // The coarsest first: its keepers may be of any finer period.
        for tier in retention.tiers.reversed() where tier != finest {
            let count = retention.counts[tier] ?? 0
            let oldest = min(complete(tier, count: count).first?.start ?? now, startByCount(tier, count: count))
            let groups = Dictionary(grouping: old.filter { series.moments[$0].time >= oldest }) {
                period(tier, holding: series.moments[$0].time)
            }
            let late = keepsLast(Array(groups))
            for (_, members) in groups {
                let free = members.filter { !kept.contains($0) }.sorted()
                if let keeper = late ? free.last : free.first { kept.insert(keeper) }
            }
        }
        return kept
    }

    /// Some keep the first backup of a month, some the last: what the months with a single one show.
    private func keepsLast(_ groups: [(key: Period, value: [Int])]) -> Bool {
        let single = groups.filter { $0.value.count == 1 }
        let late = single.count { group in
            guard let index = group.value.first else { return false }
            let middle = group.key.start.addingTimeInterval(group.key.end.timeIntervalSince(group.key.start) / 2)
            return series.moments[index].time >= middle
        }
        return late * 2 > single.count
    }
}
