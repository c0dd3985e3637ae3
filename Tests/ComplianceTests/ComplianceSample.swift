// A period in which everything happened that clauses ask for, and the same with one thing taken away.

import DrillModel
import Foundation

@testable import Reports

enum ComplianceSample {
    static let day = Date(timeIntervalSince1970: 1_793_000_000)
    static let objective = RunHistory.Objective(achieved: .seconds(60), target: .seconds(120), verdict: .passed)

    static func run(
        _ drill: String, _ verdict: Verdict = .passed, inspection: Bool = false, unfinished: Bool = false, objective: Verdict = .passed,
        record: ComplianceReport.Run.Record = .vouched
    ) -> ComplianceReport.Run {
        let measured = RunHistory.Objective(achieved: .seconds(60), target: .seconds(120), verdict: objective)
        return ComplianceReport.Run(
            run: "run-20261026T023000Z-0a1b", drill: drill, isInspection: inspection, started: day, verdict: verdict,
            isUnfinished: unfinished, profile: inspection ? nil : "production", recoveryTime: inspection ? nil : measured,
            recoveryPoints: inspection ? [:] : ["postgres": measured], findings: 0, user: "u", host: "h", trigger: "systemd", job: "j",
            record: record)
    }

    static func coverage(_ drill: String, _ scenario: Scenario, _ state: ComplianceReport.Coverage.State) -> ComplianceReport.Coverage {
        let period = CalendarPeriod(.quarterly, containing: CalendarDay(year: 2026, month: 10, day: 26))
        return ComplianceReport.Coverage(
            drill: drill, scenario: scenario, cadence: Cadence(.quarterly), targets: Targets(rto: .seconds(120), rpo: .seconds(120)),
            windows: [
                ComplianceReport.Coverage.Window(
                    period: period, state: state, passed: 1, failed: 0, unverified: 0, run: "run-20261026T023000Z-0a1b", date: day)
            ])
    }

    static func report(
        runs: [ComplianceReport.Run] = [
            run("corruption"), run("outage", objective: .failed), run("failure"), run("estate", inspection: true),
        ]
    ) -> ComplianceReport {
        let today = CalendarDay(year: 2026, month: 10, day: 26)
        let period = CalendarPeriod(.quarterly, containing: today)
        var report = ComplianceReport(
            musterVersion: "0", made: day, estate: "shop", estateFile: "estate.yaml", timeZone: .gmt, period: period, isOver: true)
        report.runs = runs
        report.coverage = [
            coverage("corruption", .databaseCorruption, .kept), coverage("outage", .dataCenterOutage, .retested),
            coverage("failure", .serverFailure, .missing),
        ]
        report.trends = [
            ComplianceReport.Trend(
                drill: "corruption", service: nil, target: .seconds(120),
                points: [ComplianceReport.Trend.Point(time: day, achieved: .seconds(60), verdict: .passed, run: "r")],
                forecast: ComplianceReport.Forecast(
                    perMonth: .seconds(3), perMonthLow: .seconds(2), perMonthHigh: .seconds(4), likely: day, earliest: day, latest: day),
                silence: nil)
        ]
        report.actions = [
            action(.closed), action(.overdue),
        ]
        report.participants = [ComplianceReport.Participant(user: "u", host: "h", trigger: "systemd", runs: 4, first: day, last: day)]
        report.promises = [
            ComplianceReport.Promise(
                service: "postgres", name: "daily: every artifact is encrypted", kept: 60, broken: 0, unverified: 0, reason: nil, last: day,
                lastVerdict: .passed, lastRun: "r")
        ]
        report.calendar = ComplianceReport.BackupCalendar(
            days: [ComplianceReport.BackupCalendar.Day(day: today, inspection: .passed)],
            series: [
                ComplianceReport.BackupCalendar.Series(
                    service: "postgres", backup: "daily", schedule: "every day at 02:00", isDaily: true, counts: [30])
            ])
        report.ledger = ComplianceReport.LedgerState(verdict: .passed, entries: 4, head: "4:00", problems: [], notes: [])
        return report
    }

    static func action(_ state: ComplianceReport.CorrectiveAction.State) -> ComplianceReport.CorrectiveAction {
        ComplianceReport.CorrectiveAction(
            drill: "outage", rule: "rows-differ", object: "public.domains", service: "postgres", message: "m", hint: "h", state: state,
            opened: day, openedBy: "r", lastSeen: day, occurrences: 1, closed: state == .closed ? day : nil,
            closedBy: state == .closed ? "r" : nil, owner: "o", due: CalendarDay(year: 2026, month: 11, day: 26), isDueDeclared: true,
            note: nil)
    }
}
