// The instants at which a schedule wants its runs, on the clocks of a zone that may change them twice a year.

import DrillModel
import Foundation

/// One run that was due. Where the wall clock showed its time twice or never, any instant that it can mean will do.
struct Slot: Sendable, Hashable {
    var earliest: Date
    var latest: Date
}

/// Lists the runs of a schedule.
struct ScheduleSlots {
    let schedule: Schedule
    private let calendar: Calendar

    init(_ schedule: Schedule, in zone: TimeZone) {
        self.schedule = schedule
        calendar = LocalText.calendar(zone)
    }

    /// The runs of all local days that the span touches, in their order; none for a schedule without times of its own.
    func slots(from start: Date, through end: Date) -> [Slot] {
        var slots: [Slot] = []
        var day = calendar.startOfDay(for: start)
        while day <= end {
            slots += self.slots(ofDay: day)
            // Noon is there on every day of every zone, midnight isn't.
            guard let noon = calendar.date(byAdding: .hour, value: 12, to: day),
                let next = calendar.date(byAdding: .day, value: 1, to: noon)
            else { break }
            day = calendar.startOfDay(for: next)
        }
        return slots
    }

    private func slots(ofDay day: Date) -> [Slot] {
        switch schedule.interval {
        case .day:
            guard let at = schedule.at else { return [wholeDay(day)] }
            return [slot(wallDay(day), seconds: at.seconds)]
        case .week(let weekday):
            guard calendar.component(.weekday, from: day) == weekday.number else { return [] }
            guard let at = schedule.at else { return [wholeDay(day)] }
            return [slot(wallDay(day), seconds: at.seconds)]
        case .span(let span):
            let step = Int(span.components.seconds)
            guard let at = schedule.at, step > 0 else { return [] }
            let wall = wallDay(day)
            return stride(from: at.seconds % step, to: 86_400, by: step).flatMap { slots(wall, seconds: $0, step: step) }
                .sorted { $0.earliest < $1.earliest }
        }
    }

    private func wholeDay(_ day: Date) -> Slot {
        let next = calendar.date(byAdding: .day, value: 1, to: day) ?? day.addingTimeInterval(86_400)
        return Slot(earliest: day, latest: next)
    }

    /// Runs so close together that the clocks' change holds one of them, or more: those of an hour that is not there aren't due, and those of
    /// one that comes twice are due twice.
    private func slots(_ day: WallDay, seconds: Int, step: Int) -> [Slot] {
        let change = (day.offsets.max() ?? 0) - (day.offsets.min() ?? 0)
        guard change > 0, step <= change else { return [slot(day, seconds: seconds)] }
        return instants(day, seconds: seconds).real.map { Slot(earliest: $0, latest: $0) }
    }

    /// What a wall-clock time of a day can mean: one instant nearly always, two where clocks are put back. Where they are put forward over
    /// it, schedulers differ in what they make of it: from what the new clock would have meant to what the old one would.
    private func slot(_ day: WallDay, seconds: Int) -> Slot {
        let (readings, real) = instants(day, seconds: seconds)
        let meant = (real.isEmpty ? readings : real).sorted()
        guard let first = meant.first, let last = meant.last else { return Slot(earliest: day.midnight, latest: day.midnight) }
        return Slot(earliest: first, latest: last)
    }

    /// The wall clock read as if it were UTC, then taken back by each offset that is in force around it; and which of that is so.
    private func instants(_ day: WallDay, seconds: Int) -> (readings: [Date], real: [Date]) {
        let wall = day.midnight.addingTimeInterval(TimeInterval(seconds))
        let zone = calendar.timeZone
        let readings = day.offsets.map { wall.addingTimeInterval(-TimeInterval($0)) }
        return (
            readings, readings.count == 1 ? readings : readings.filter { zone.secondsFromGMT(for: $0) == Int(wall.timeIntervalSince($0)) }
        )
    }

    private func wallDay(_ day: Date) -> WallDay {
        let wanted = calendar.dateComponents([.year, .month, .day], from: day)
        var utc = Calendar(identifier: .iso8601)
        utc.timeZone = .gmt
        let parts = DateComponents(year: wanted.year, month: wanted.month, day: wanted.day)
        let midnight = utc.date(from: parts) ?? day
        // No zone is a day off, so these lie before and after anything that the day's clock may show.
        let around = [-86_400.0, 2 * 86_400].map { calendar.timeZone.secondsFromGMT(for: midnight.addingTimeInterval($0)) }
        return WallDay(midnight: midnight, offsets: Set(around))
    }
}

/// A day of the wall clock.
private struct WallDay {
    /// As if its zone were UTC.
    var midnight: Date
    /// The offsets from UTC that are in force on it, in seconds; two where clocks change on it or close to it.
    var offsets: Set<Int>
}

extension TimeOfDay {
    /// Since midnight.
    fileprivate var seconds: Int { hour * 3600 + minute * 60 }
}
