// The backups of a period, day by day, as the inspections of these days saw them.

import DrillModel
import Foundation
import Reports

/// Makes the calendar of backups.
struct BackupDays {
    /// An inspection vouches for so many days before it: by then nothing of a sensible retention is gone.
    static let reach = 7

    let days: [CalendarDay]
    private let zone: TimeZone
    private var inspections: [CalendarDay: Verdict] = [:]
    private var counts: [String: [CalendarDay: Int]] = [:]

    init(_ period: CalendarPeriod, today: CalendarDay, zone: TimeZone) {
        days = period.days.filter { $0 <= today }
        self.zone = zone
    }

    /// The verdict of an inspection of the period.
    mutating func add(_ row: ComplianceReport.Run) {
        let day = CalendarDay(row.started, in: zone)
        inspections[day] = inspections[day].map { Verdict.combined([$0, row.verdict]) } ?? row.verdict
    }

    /// What it saw.
    mutating func add(_ record: RunHistory.Record) {
        let seenOn = CalendarDay(record.row.started, in: zone)
        for fact in record.facts where fact.name.hasSuffix(DaysSeen.suffix) {
            guard let seen = DaysSeen(fact.value) else { continue }
            let series = String(fact.name.dropLast(DaysSeen.suffix.count))
            for run in seen.runs {
                for day in CalendarPeriod(from: run.first, to: run.last).days where day <= seenOn && day.days(to: seenOn) <= Self.reach {
                    counts[series, default: [:]][day] = max(run.count, counts[series]?[day] ?? 0)
                }
            }
        }
    }

    func calendar(of estate: Estate) -> ComplianceReport.BackupCalendar {
        ComplianceReport.BackupCalendar(
            days: days.map { ComplianceReport.BackupCalendar.Day(day: $0, inspection: inspections[$0]) },
            series: estate.allSets.filter { $0.kind != .gitMirror }.map { set in
                let seen = counts["\(set.service).\(set.name)"] ?? [:]
                return ComplianceReport.BackupCalendar.Series(
                    service: set.service, backup: set.name, schedule: set.schedule?.description, isDaily: set.schedule?.isDaily == true,
                    counts: days.map { seen[$0] })
            })
    }
}

extension Schedule {
    /// Whether one is due on each day.
    var isDaily: Bool {
        switch interval {
        case .day: true
        case .week: false
        case .span(let span): span <= .seconds(86_400)
        }
    }
}
