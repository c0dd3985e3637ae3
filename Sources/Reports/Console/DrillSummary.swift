// What the console shows of a drill when it has ended: steps, checks, what was not proven, and the verdict.

import DrillModel
import Foundation

/// The lines for one ended drill.
struct DrillSummary {
    let drill: DrillReport
    let duration: Duration

    /// - Parameter width: The terminal's columns; nil: as many as it takes.
    func lines(width: Int? = nil) -> [ConsoleLine] {
        var lines = steps() + checks()
        lines += FindingsSection(cases: drill.cases, isInspection: drill.info.kind == .inspection).lines()
        if let objectives = drill.outcome?.objectives {
            lines += ObjectivesSection(rows: ObjectiveRow.rows(of: drill), skew: objectives.skew, width: width).lines()
        }
        lines += unproven()
        return lines + [ConsoleLine(), verdict()]
    }

    /// Its verdict, and below it what is red.
    func quietLines() -> [ConsoleLine] {
        let red = drill.cases.filter { $0.verdict == .failed || $0.verdict == .error }
        return [verdict()] + FindingsSection(cases: red, isInspection: drill.info.kind == .inspection).findings()
    }

    /// One line: `✗ FAILED  database-corruption in 4m 2s: 58 passed, 2 failed`.
    func verdict() -> ConsoleLine {
        let verdict = drill.conclusion
        var line = ConsoleLine("\(verdict.sign) \(verdict.rawValue.uppercased())", verdict.boldStyle)
        line.add("  \(drill.info.name)", .bold)
        line.add(" in \(Readable.duration(duration)): ")
        if drill.interrupted { line.add("\(RunReport.interruption); ") }
        line.add(drill.cases.isEmpty ? "nothing was asked" : drill.counts.words)
        return line
    }

    private func steps() -> [ConsoleLine] {
        guard let steps = drill.outcome?.steps, !steps.isEmpty else { return [] }
        let services = steps.flatMap(\.activities).compactMap { $0.service.map(ConsoleLine.width(of:)) }
        let serviceColumn = 15
        let timeColumn = serviceColumn + max(services.max() ?? 0, 7) + 2
        var lines = [ConsoleLine(), ConsoleLine("Steps", .bold)]
        for step in steps {
            var line = ConsoleLine("  ").adding(step.verdict.sign, step.verdict.style).adding(" \(step.step.rawValue)", .bold)
            if let only = step.activities.first, step.activities.count == 1 {
                line = row(line, only, time: step.duration, serviceColumn, timeColumn)
            } else {
                line = line.padded(to: timeColumn).adding(Readable.duration(step.duration))
                if let interval = step.interval { line = line.padded(to: timeColumn + 9).adding(" \(interval)", .dim) }
                if step.activities.isEmpty, step.verdict != .passed { line.add("  \(step.verdict.rawValue)") }
            }
            lines.append(line)
            guard step.activities.count > 1 else { continue }
            for activity in step.activities {
                let start = ConsoleLine("    ").adding(activity.verdict.sign, activity.verdict.style)
                lines.append(row(start, activity, time: activity.end - activity.start, serviceColumn, timeColumn))
            }
        }
        return lines
    }

    private func row(_ start: ConsoleLine, _ activity: StepActivity, time: Duration, _ service: Int, _ column: Int) -> ConsoleLine {
        var line = start.padded(to: service).adding(activity.service ?? "").padded(to: column).adding(Readable.duration(time))
        let detail = activity.detail.isEmpty && activity.verdict != .passed ? activity.verdict.rawValue : activity.detail
        let parts = [activity.verdict == .skipped ? nil : activity.interval, detail.isEmpty ? nil : detail].compactMap { $0 }
        if !parts.isEmpty { line = line.padded(to: column + 9).adding(" \(parts.joined(separator: "  "))", .dim) }
        line.hang = column + 10
        return line
    }

    private struct Kind: Hashable {
        var group: CaseResult.Group
        var service: String?
    }

    private func checks() -> [ConsoleLine] {
        let asked = drill.cases.filter { $0.group != .step }
        guard !asked.isEmpty else { return [] }
        if drill.info.kind == .inspection { return promises(asked) }
        let kinds = Dictionary(grouping: asked) { Kind(group: $0.group, service: $0.service) }
        let order = CaseResult.Group.allCases
        let sorted = kinds.sorted {
            let left = (order.firstIndex(of: $0.key.group) ?? 0, $0.key.service ?? "")
            let right = (order.firstIndex(of: $1.key.group) ?? 0, $1.key.service ?? "")
            return left < right
        }
        let services = kinds.keys.map { ConsoleLine.width(of: $0.service ?? "") }.max() ?? 0
        var lines = [ConsoleLine(), ConsoleLine("Checks", .bold)]
        for (kind, cases) in sorted {
            let verdict = Verdict.combined(cases.map(\.verdict))
            let counts = VerdictCounts(cases.map(\.verdict))
            var line = ConsoleLine("  ").adding(verdict.sign, verdict.style).adding(" \(kind.group.rawValue)").padded(to: 15)
            if services > 0 { line = line.adding(kind.service ?? "").padded(to: 15 + services + 2) }
            line.add(counts.words)
            let reasons = Set(cases.filter { $0.verdict == .skipped }.map(\.reason)).subtracting([""]).sorted()
            if let first = reasons.first {
                line.add(" (\(first)\(reasons.count > 1 ? ", and \(reasons.count - 1) more reasons" : ""))", .dim)
            }
            lines.append(line)
        }
        return lines
    }

    /// Of an inspection each promise is a row: there are few, and to read that they hold is what it is for.
    private func promises(_ asked: [CaseResult]) -> [ConsoleLine] {
        var lines = [ConsoleLine(), ConsoleLine("Promises", .bold)]
        let services = asked.map { ConsoleLine.width(of: $0.service ?? "") }.max() ?? 0
        for result in asked {
            var line = ConsoleLine("  ").adding(result.verdict.sign, result.verdict.style).adding(" \(result.service ?? "")")
            line = line.padded(to: 4 + services + 2).adding(result.name)
            let count = result.findings.count
            if count > 0 { line.add("  \(Readable.count(count, "finding"))", result.verdict == .passed ? .yellow : result.verdict.style) }
            if result.verdict == .skipped { line.add("  skipped", .dim) }
            lines.append(line)
        }
        return lines
    }

    private func unproven() -> [ConsoleLine] {
        guard let sentences = drill.outcome?.unproven, !sentences.isEmpty else { return [] }
        return [ConsoleLine(), ConsoleLine("Not proven", .bold)] + sentences.map { ConsoleLine("  – ", .yellow).adding($0) }
    }
}

extension StepActivity {
    /// From when to when, on the drill's clock: `[1.2 s → 3.4 s]`.
    fileprivate var interval: String { "[\(Readable.duration(start)) → \(Readable.duration(end))]" }
}

extension StepResult {
    /// From its first activity's start to its last one's end; nil without any that was not skipped.
    fileprivate var interval: String? {
        let done = activities.filter { $0.verdict != .skipped }
        guard let start = done.map(\.start).min(), let end = done.map(\.end).max() else { return nil }
        return "[\(Readable.duration(start)) → \(Readable.duration(end))]"
    }
}
