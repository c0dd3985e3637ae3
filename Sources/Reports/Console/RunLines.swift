// The single lines of the console: openings, what happens in between, and the end of the run.

import DrillModel
import Foundation

/// Lines that the console makes from one event each.
enum RunLines {
    static func opening(_ info: RunInfo) -> ConsoleLine {
        ConsoleLine("muster \(info.musterVersion)", .bold)
            .adding(" · \(Readable.count(info.drills, "drill")) on \(info.host) · run \(info.runID)", .dim)
    }

    static func opening(_ info: DrillInfo) -> [ConsoleLine] {
        if info.kind == .inspection {
            return [
                ConsoleLine(),
                ConsoleLine("Inspection of \(info.estate)", .bold).adding(" · nothing is restored"),
                ConsoleLine("  judged as of \(Readable.time(info.disaster, in: info.timeZone)) (\(info.timeZone.identifier))", .dim),
            ]
        }
        return [
            ConsoleLine(),
            ConsoleLine("Drill \(info.name)", .bold)
                .adding(" · estate \(info.estate) · scenario \(info.scenario.rawValue) · profile \(info.profile.rawValue)"),
            ConsoleLine("  disaster declared for \(Readable.time(info.disaster, in: info.timeZone)) (\(info.timeZone.identifier))", .dim),
        ] + otherEstate(info)
    }

    /// Nobody should take the rehearsal on one estate for that on another.
    private static func otherEstate(_ info: DrillInfo) -> [ConsoleLine] {
        guard let named = info.namedEstateFile, let used = info.estateFile else { return [] }
        return [ConsoleLine("  against \(used), named by --estate in place of \(named)", .yellow)]
    }

    static func name(of step: Step, _ service: String?) -> String {
        service.map { "\(step.rawValue) \($0)" } ?? step.rawValue
    }

    static func chosen(_ point: ChosenPoint, in zone: TimeZone) -> ConsoleLine {
        var line = ConsoleLine("  → ", .dim).adding("\(point.service) from \(point.store):\(point.path)")
        line.add(", \(Readable.bytes(point.size)), of \(Readable.time(point.time, in: zone)), ")
        switch (point.sealed, point.truth) {
        case (false, _): line.add("not sealed", .yellow)
        case (true, .backup?): line.add("sealed from the backup itself")
        case (true, _): line.add("sealed")
        }
        if point.rejected > 0 { line.add("; \(Readable.count(point.rejected, "newer point")) turned out bad", .yellow) }
        return line
    }

    /// A failed or errored case, told at once; its findings follow in the summary.
    static func red(_ result: CaseResult) -> ConsoleLine {
        var line = ConsoleLine("  ").adding(result.verdict.sign, result.verdict.style)
        line.add(" \(result.group.rawValue)\(result.service.map { " \($0)" } ?? "") · \(result.name)")
        line.add(" (\(result.verdict.rawValue))", result.verdict.style)
        let message = JUnitText.leading(result)?.message ?? result.reason
        if !message.isEmpty { line.add(": \(message)") }
        return line
    }

    static func finished(_ activity: StepActivity) -> ConsoleLine {
        var line = ConsoleLine("  ").adding(activity.verdict.sign, activity.verdict.style)
        line.add(" \(name(of: activity.step, activity.service)), \(Readable.duration(activity.end - activity.start))")
        if activity.verdict != .passed { line.add(", \(activity.verdict.rawValue)", activity.verdict.style) }
        if !activity.detail.isEmpty { line.add(": \(activity.detail)", .dim) }
        return line
    }

    static func closing(_ report: RunReport) -> [ConsoleLine] {
        var lines = [ConsoleLine()]
        // With a single drill its own verdict has just been read.
        if report.drills.count != 1 || report.interrupted {
            lines.append(ConsoleLine("Run", .bold))
            for drill in report.drills {
                lines.append(ConsoleLine("  ").adding(DrillSummary(drill: drill, duration: report.duration(of: drill)).verdict()))
            }
        }
        let verdict = report.conclusion
        let planned = max(report.drills.count, report.info?.drills ?? 0)
        let ended = report.drills.count { !$0.interrupted }
        let drills = ended == planned ? Readable.count(planned, "drill") : "\(Readable.count(ended)) of \(Readable.count(planned, "drill"))"
        var line = ConsoleLine("\(verdict.sign) \(verdict.rawValue.uppercased())", verdict.boldStyle)
        line.add("  run of \(drills) in \(Readable.duration(report.duration))")
        if report.interrupted {
            line.add(": \(RunReport.interruption)")
        } else if report.drills.isEmpty {
            line.add(": no drill ran")
        } else if report.drills.count > 1 {
            line.add(": \(VerdictCounts(report.drills.map(\.conclusion)).words)")
        }
        return lines + [line]
    }
}

extension ConsoleLine {
    func adding(_ other: ConsoleLine) -> ConsoleLine {
        var line = self
        line.append(other)
        return line
    }
}
