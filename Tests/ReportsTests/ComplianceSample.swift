// Compliance reports to render: DomainScope's, in a quarter that was mixed, a year that lacks one, a green quarter and an empty one.

import DrillModel
import Foundation

@testable import Reports

enum ComplianceSample {
    static let zone = TimeZone(identifier: "Asia/Kolkata") ?? .gmt

    /// A quarter with something of everything.
    static var quarter: ComplianceReport { quarter { $0 } }

    /// Every place that a name can come to, filled with what is made of a harmless one.
    static func quarter(_ name: (String) -> String) -> ComplianceReport {
        var report = empty(.quarterly, month: 8, made: at(10, 2, 9), name)
        report.verdict = .failed
        report.reasons = [
            name("a corrective action is overdue: public.audit_log, due 2026-09-10"),
            name("daily-dump was due in 2026-08 and never came to a verdict"),
            name("6 days of the period were not inspected"),
        ]
        report.coverage = [
            coverage(
                name("daily-dump"), .databaseCorruption, Cadence(.monthly, since: day(7, 1)), Targets(rpo: .seconds(86_400)),
                [("2026-07", 7, .kept), ("2026-08", 8, .unverified), ("2026-09", 9, .retested)], name),
            coverage(
                name("database-corruption"), .databaseCorruption, Cadence(.quarterly),
                Targets(rto: .seconds(14_400), rpo: .seconds(21_600), rpoWorstCase: .seconds(21_600)), [("2026-Q3", 9, .retested)], name),
            coverage(
                name("server-failure"), .serverFailure, Cadence(.quarterly), Targets(rto: .seconds(3_600)), [("2026-Q3", 8, .kept)], name),
        ]
        report.runs = runs(name)
        report.trends = ComplianceSampleParts.trends(name)
        report.actions = ComplianceSampleParts.actions(name)
        report.participants = [
            .init(
                user: name("drill-service"), host: name("drill-host-1"), trigger: "systemd", runs: 86, first: at(7, 1, 3),
                last: at(9, 30, 3)),
            .init(
                user: name("platform-lead"), host: name("drill-host-1"), trigger: "terminal", runs: 4, first: at(7, 14, 10),
                last: at(9, 22, 10)),
            .init(user: name("ci-runner"), host: nil, trigger: nil, runs: 1, first: at(8, 20, 10), last: at(8, 20, 10)),
        ]
        report.promises = ComplianceSampleParts.promises(name)
        report.calendar = ComplianceSampleParts.calendar(of: report.period, name)
        report.controls = ComplianceSampleParts.controls(name)
        report.ledger = .init(
            verdict: .failed, entries: 412, head: name("412:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            problems: [name("entry 397: report.json of \(run(8, 20)) is not the file that was signed")],
            notes: [name("two runs were removed by --keep-runs")])
        report.notes = [name("server-failure has no RPO: nothing is lost in it"), name("the increments are dumps: see the plan")]
        return report
    }

    /// A year of which nobody drilled in the second quarter, and which isn't over.
    static var year: ComplianceReport {
        var report = quarter
        report.period = CalendarPeriod(.yearly, containing: day(1, 1))
        report.made = at(11, 30, 9)
        report.isOver = false
        report.reasons = ["database-corruption was due in 2026-Q2, and nobody drilled"]
        report.coverage = [
            coverage(
                "data-center-outage", .dataCenterOutage, Cadence(.yearly), nil, [("2026", nil, .open)]),
            coverage(
                "database-corruption", .databaseCorruption, Cadence(.quarterly),
                Targets(rto: .seconds(14_400), rpo: .seconds(21_600), rpoWorstCase: .seconds(21_600)),
                [("2026-Q1", 2, .kept), ("2026-Q2", nil, .missing), ("2026-Q3", 9, .retested), ("2026-Q4", nil, .open)]),
            coverage(
                "server-failure", .serverFailure, Cadence(.quarterly), Targets(rto: .seconds(3_600)),
                [("2026-Q1", 2, .kept), ("2026-Q2", 5, .kept), ("2026-Q3", 8, .kept), ("2026-Q4", 11, .failed)]),
            coverage("redis-loss", .databaseCorruption, nil, nil, [("2026", 6, .kept)]),
        ]
        report.calendar = ComplianceSampleParts.calendar(of: CalendarPeriod(from: day(1, 1), to: day(11, 30))) { $0 }
        return report
    }

    static var green: ComplianceReport {
        var report = quarter
        report.verdict = .passed
        report.reasons = []
        report.coverage = report.coverage.map { drill in
            var drill = drill
            drill.windows = drill.windows.map { window in
                var window = window
                (window.state, window.failed, window.unverified, window.passed) = (.kept, 0, 0, 1)
                return window
            }
            return drill
        }
        report.runs = report.runs.filter { $0.verdict == .passed }.map { run in
            var run = run
            run.record = .vouched
            return run
        }
        report.actions = report.actions.filter { $0.state == .closed }
        report.promises = report.promises.filter { $0.broken + $0.unverified == 0 && $0.reason == nil }
        report.calendar.days = report.calendar.days.map { .init(day: $0.day, inspection: .passed) }
        report.calendar.series = report.calendar.series.map { series in
            var series = series
            series.counts = series.counts.map { max($0 ?? 1, series.isDaily ? 1 : 0) }
            return series
        }
        report.ledger = .init(verdict: .passed, entries: 412, head: report.ledger?.head, problems: [], notes: [])
        report.notes = []
        return report
    }

    /// A quarter in which nothing was promised, and nothing was done.
    static var empty: ComplianceReport { empty(.quarterly, month: 8, made: at(10, 2, 9)) { $0 } }

    private static func empty(
        _ interval: Cadence.Interval, month: Int, made: Date, _ name: (String) -> String
    ) -> ComplianceReport {
        ComplianceReport(
            musterVersion: "0.9.0", made: made, estate: name("DomainScope"), estateFile: name("drills/domainscope/estate.yaml"),
            timeZone: zone, period: CalendarPeriod(interval, containing: day(month, 15)), isOver: true)
    }

    // MARK: Parts

    static func day(_ month: Int, _ day: Int) -> CalendarDay { CalendarDay(year: 2026, month: month, day: day) }

    static func at(_ month: Int, _ day: Int, _ hour: Int) -> Date {
        self.day(month, day).start(in: zone).addingTimeInterval(Double(hour) * 3_600)
    }

    static func run(_ month: Int, _ day: Int) -> String {
        func two(_ number: Int) -> String { "\(number < 10 ? "0" : "")\(number)" }
        return "run-2026\(two(month))\(two(day))T043000Z-0a\(two(month))"
    }

    static func coverage(
        _ drill: String, _ scenario: Scenario, _ cadence: Cadence?, _ targets: Targets?,
        _ windows: [(label: String, month: Int?, state: ComplianceReport.Coverage.State)], _ name: (String) -> String = { $0 }
    ) -> ComplianceReport.Coverage {
        ComplianceReport.Coverage(
            drill: drill, scenario: scenario, cadence: cadence, targets: targets,
            windows: windows.map { label, month, state in
                var period = CalendarPeriod(cadence?.interval ?? .yearly, containing: day(month ?? 5, 15))
                period.label = label
                let isTried = state != .missing && state != .open
                return .init(
                    period: period, state: state, passed: state == .kept || state == .retested ? 1 : 0,
                    failed: state == .failed || state == .retested ? 1 : 0, unverified: state == .unverified ? 2 : 0,
                    run: isTried ? month.map { name(run($0, 22)) } : nil, date: isTried ? month.map { at($0, 22, 10) } : nil)
            })
    }

    private static func runs(_ name: (String) -> String) -> [ComplianceReport.Run] {
        func drill(
            _ drill: String, _ month: Int, _ date: Int, _ verdict: Verdict, rto: Int?, target: Int, rpo: Int? = nil,
            _ record: ComplianceReport.Run.Record, profile: String = "production", trigger: String? = "terminal"
        ) -> ComplianceReport.Run {
            let rpoVerdict: Verdict = (rpo ?? 99_999) < 21_600 ? .passed : .failed
            let points = Dictionary(
                [
                    (
                        name("postgres"),
                        RunHistory.Objective(achieved: rpo.map { .seconds($0) }, target: .seconds(21_600), verdict: rpoVerdict)
                    ),
                    (name("redis"), RunHistory.Objective(achieved: .seconds(9_100), target: nil, verdict: .passed)),
                ], uniquingKeysWith: { first, _ in first })
            return ComplianceReport.Run(
                run: name(run(month, date)), drill: name(drill), isInspection: false, started: at(month, date, 10), verdict: verdict,
                isUnfinished: verdict == .error, profile: name(profile),
                recoveryTime: verdict == .error
                    ? nil
                    : .init(
                        achieved: rto.map { .seconds($0) }, target: .seconds(target),
                        verdict: rto.map { $0 < target } ?? false ? .passed : .failed),
                recoveryPoints: target == 3_600 || verdict == .error ? [:] : points,
                findings: record == .entryOnly ? nil : verdict == .failed ? 3 : 0, user: trigger == nil ? nil : name("platform-lead"),
                host: trigger == nil ? nil : name("drill-host-1"), trigger: trigger,
                job: trigger == "github-actions" ? name("https://ci.example/domainscope/actions/runs/4711") : nil, record: record)
        }
        var runs = [
            drill("daily-dump", 7, 22, .passed, rto: 780, target: 14_400, rpo: 8_400, .entryOnly, trigger: "systemd"),
            drill("server-failure", 8, 22, .passed, rto: 1_310, target: 3_600, .vouched),
            drill("daily-dump", 8, 20, .error, rto: nil, target: 14_400, .altered, trigger: "github-actions"),
            drill("database-corruption", 9, 3, .failed, rto: nil, target: 14_400, .unrecorded, trigger: nil),
            drill("database-corruption", 9, 10, .failed, rto: 15_900, target: 14_400, rpo: 23_100, .vouched),
            drill("daily-dump", 9, 14, .passed, rto: 800, target: 14_400, rpo: 8_400, .unverified, profile: "fast", trigger: "systemd"),
            drill("database-corruption", 9, 22, .passed, rto: 11_640, target: 14_400, rpo: 19_900, .vouched),
        ]
        for (date, verdict) in [(5, Verdict.passed), (6, .failed), (7, .passed), (8, .error)] {
            runs.append(
                ComplianceReport.Run(
                    run: name(run(9, date)), drill: name("DomainScope"), isInspection: true, started: at(9, date, 3), verdict: verdict,
                    isUnfinished: false, profile: nil, recoveryTime: nil, recoveryPoints: [:], findings: verdict == .failed ? 1 : 0,
                    user: name("drill-service"), host: name("drill-host-1"), trigger: "systemd", record: .vouched))
        }
        return runs.sorted { $0.started < $1.started }
    }
}
