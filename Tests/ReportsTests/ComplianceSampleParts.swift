// The larger parts of the samples: trends, corrective actions, promises, days and clauses.

import DrillModel
import Foundation

@testable import Reports

enum ComplianceSampleParts {
    private static func at(_ month: Int, _ day: Int, _ hour: Int = 10) -> Date { ComplianceSample.at(month, day, hour) }

    static func trends(_ name: (String) -> String) -> [ComplianceReport.Trend] {
        func points(_ minutes: [Double], target: Double?, every days: Int, to last: Date) -> [ComplianceReport.Trend.Point] {
            minutes.enumerated().map { index, value in
                let time = last.addingTimeInterval(-Double((minutes.count - 1 - index) * days) * 86_400)
                return .init(
                    time: time, achieved: .seconds(value * 60), verdict: target.map { value < $0 } ?? true ? .passed : .failed,
                    run: name("run-\(index)"))
            }
        }
        var grown = points([141, 148, 151, 163, 160, 172, 265, 194], target: 240, every: 45, to: at(9, 22))
        grown[3].verdict = .error
        return [
            .init(
                drill: name("database-corruption"), service: nil, target: .seconds(14_400), points: grown,
                forecast: .init(
                    perMonth: .seconds(330), perMonthLow: .seconds(210), perMonthHigh: .seconds(460),
                    likely: at(9, 22).addingTimeInterval(240 * 86_400),
                    earliest: at(9, 22).addingTimeInterval(170 * 86_400), latest: at(9, 22).addingTimeInterval(400 * 86_400)), silence: nil),
            .init(
                drill: name("database-corruption"), service: name("postgres"), target: .seconds(21_600),
                points: points([331.7, 330, 332, 331, 329, 331.6, 385, 331.7], target: 360, every: 45, to: at(9, 22)), forecast: nil,
                silence: name("No forecast: no growth can be told from chance.")),
            .init(
                drill: name("server-failure"), service: nil, target: .seconds(3_600),
                points: points([21, 21.8], target: 60, every: 91, to: at(8, 22)),
                forecast: nil, silence: name("No forecast: it takes five points, and there are 2.")),
            .init(
                drill: name("daily-dump"), service: name("redis"), target: nil,
                points: points([0, 0, 0], target: nil, every: 30, to: at(9, 14)), forecast: nil,
                silence: name("No forecast: there is no target.")),
        ]
    }

    static func actions(_ name: (String) -> String) -> [ComplianceReport.CorrectiveAction] {
        func action(
            _ object: String, _ message: String, _ state: ComplianceReport.CorrectiveAction.State, due: CalendarDay, owner: String?,
            service: String? = "postgres",
            times: Int, closed: (Date, String)? = nil, note: String? = nil, hint: String
        ) -> ComplianceReport.CorrectiveAction {
            .init(
                drill: name("database-corruption"), rule: name("rows-differ"), object: name(object), service: service.map(name),
                message: name(message),
                hint: name(hint), state: state, opened: at(9, 3), openedBy: name(ComplianceSample.run(9, 3)),
                lastSeen: at(9, times == 1 ? 3 : 10),
                occurrences: times, closed: closed?.0, closedBy: closed.map { name($0.1) }, owner: owner.map(name), due: due,
                isDueDeclared: owner != nil,
                note: note.map(name))
        }
        return [
            action(
                "public.audit_log", "has 1,204,311 rows where 1,204,318 were sealed", .overdue, due: ComplianceSample.day(9, 10),
                owner: nil, times: 2,
                hint: "dump under the snapshot that is sealed: muster seal does both at once"),
            action(
                "postgres.daily/2026-09-09.dump.enc", "is in ksdc and not in dr", .open, due: ComplianceSample.day(10, 31),
                owner: "storage-lead", times: 1,
                note: "the upload's exit code is checked from 2026-10-15 on",
                hint: "copy it again from the other store, and check the upload's exit code"),
            action(
                "RTO", "4h 25m, where less than 4h is promised", .closed, due: ComplianceSample.day(9, 30), owner: "platform-lead",
                service: nil, times: 1,
                closed: (at(9, 22), ComplianceSample.run(9, 22)), hint: "restore with more jobs: restore.jobs in the drill file"),
        ]
    }

    static func promises(_ name: (String) -> String) -> [ComplianceReport.Promise] {
        func promise(
            _ service: String?, _ words: String, _ kept: Int, _ broken: Int = 0, _ unverified: Int = 0, reason: String? = nil
        ) -> ComplianceReport.Promise {
            let isAsked = kept + broken + unverified > 0
            return .init(
                service: service.map(name), name: name(words), kept: kept, broken: broken, unverified: unverified, reason: reason.map(name),
                last: isAsked ? at(9, 30, 3) : nil, lastVerdict: isAsked ? (broken > 40 ? .failed : .passed) : nil,
                lastRun: isAsked ? name(ComplianceSample.run(9, 30)) : nil)
        }
        return [
            promise("postgres", "daily: made every day at 02:00, within 30m", 84, 2),
            promise("postgres", "daily: 30 daily backups kept", 86),
            promise("postgres", "six-hourly: made every 6h, counted from 02:00, within 30m", 83, 0, 3),
            promise("postgres", "the worst case loses less than 6h", 0, 86), promise("postgres", "daily: every artifact is encrypted", 86),
            promise("postgres", "daily: each is in ksdc and dr, with the same bytes", 85, 1),
            promise("redis", "rdb: made every day at 02:15, within 30m", 86),
            promise(
                "code", "bundle: it holds the commit that production runs", 0,
                reason: "inspections without --deep don't open the repository, and no drill restored it"),
            promise(nil, "the keys' files are private", 0, reason: "the keys are environment variables on this machine"),
        ]
    }

    /// With days that nobody inspected, one that lacks its dump, and one series that began late.
    static func calendar(of period: CalendarPeriod, _ name: (String) -> String) -> ComplianceReport.BackupCalendar {
        let days = period.days
        let gap = Set([40, 41, 42, 43, 60, 75])
        func isBare(_ index: Int) -> Bool { gap.contains(index % 92) }
        func counts(_ count: (Int) -> Int?) -> [Int?] { days.indices.map { isBare($0) ? nil : count($0) } }
        return .init(
            days: days.enumerated().map { index, day in
                .init(
                    day: day,
                    inspection: isBare(index) ? nil : index % 92 == 51 || index % 92 == 52 ? .failed : index % 92 == 67 ? .error : .passed)
            },
            series: [
                .init(
                    service: name("postgres"), backup: name("daily"), schedule: name("every day at 02:00"), isDaily: true,
                    counts: counts { $0 % 92 == 51 || $0 % 92 == 52 ? 0 : 1 }),
                .init(
                    service: name("postgres"), backup: name("six-hourly"), schedule: name("every 6h, counted from 02:00"), isDaily: true,
                    counts: counts { $0 % 92 == 51 ? 2 : 4 }),
                .init(
                    service: name("postgres"), backup: name("wal"), schedule: nil, isDaily: false,
                    counts: counts { $0 < 10 ? nil : 96 + $0 % 7 }),
                .init(
                    service: name("redis"), backup: name("rdb"), schedule: name("every day at 02:15"), isDaily: true,
                    counts: counts { _ in 1 }),
                .init(
                    service: name("code"), backup: name("mirror"), schedule: name("every Sunday"), isDaily: false,
                    counts: counts { $0 % 7 == 4 ? 1 : 0 }),
            ])
    }

    static func controls(_ name: (String) -> String) -> [ComplianceReport.Control] {
        [
            .init(
                framework: name("ISO/IEC 27001:2022"), clause: name("A.8.13 Information backup"),
                asks: name("Copies of information, software and systems are kept and tested regularly, by a policy that was agreed on."),
                supports: [
                    .init(
                        field: name("report.json: drills[].cases[]"),
                        words: name("each question that was asked of a restored copy, with its answer")),
                    .init(field: name("compliance.json: calendar"), words: name("which backups lay there on which day")),
                ],
                doesNotShow: [name("that the policy was agreed on by the management"), name("backups of systems outside of this estate")],
                hasEvidence: true, summary: name("7 drills restored backups of 3 services; 86 of 92 days were inspected.")),
            .init(
                framework: name("ISO/IEC 27001:2022"), clause: name("A.5.30 ICT readiness for business continuity"),
                asks: name("Readiness is planned, maintained and tested against the objectives of continuity."),
                supports: [.init(field: name("compliance.json: trends[]"), words: name("recovery times against their targets"))],
                doesNotShow: [name("whether the targets are the right ones for the business")], hasEvidence: true,
                summary: name("The longest recovery took 4h 25m against a target of 4h.")),
            .init(
                framework: name("SOC 2 (2017 Trust Services Criteria)"), clause: name("A1.3"),
                asks: name("Recovery procedures are tested."),
                supports: [], doesNotShow: [], hasEvidence: false, summary: name("No drill of the data-center scenario ran in this period.")
            ),
        ]
    }
}
