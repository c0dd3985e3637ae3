// The findings of a drill, case by case, for people.

import DrillModel

/// What a person must read, the gravest first.
struct FindingsSection {
    /// So many are shown in full; the rest is counted.
    static let shown = 20
    private static let shownDiffLines = 30

    let cases: [CaseResult]

    func lines() -> [ConsoleLine] {
        let told = cases.filter { !$0.findings.isEmpty || $0.verdict == .failed || $0.verdict == .error }
        guard !told.isEmpty else { return [] }
        // Within one weight the order stays that of the drill.
        let sorted = [Verdict.failed, .error, .passed, .skipped].flatMap { verdict in told.filter { $0.verdict == verdict } }
        var lines = [ConsoleLine(), ConsoleLine("Findings", .bold)]
        var left = Self.shown
        var untold = 0
        for result in sorted {
            let count = max(1, result.findings.count)
            guard left > 0 else {
                untold += count
                continue
            }
            lines += heading(result)
            for finding in result.findings.prefix(left) { lines += text(of: finding) }
            untold += max(0, count - left)
            left -= count
        }
        if untold > 0 { lines.append(ConsoleLine("  … \(Readable.count(untold, "more finding")): see report.json", .bold)) }
        return lines
    }

    private func heading(_ result: CaseResult) -> [ConsoleLine] {
        var line = ConsoleLine("  ").adding(result.verdict.sign, result.verdict.style).adding(" \(result.group.rawValue)", .bold)
        if let service = result.service { line.add(" \(service)", .bold) }
        line.add(" · \(result.name)", .bold)
        line.add(" (\(result.verdict.rawValue))", .dim)
        let reason = result.reason.isEmpty && result.findings.isEmpty ? "no reason was given" : result.reason
        let isTold = reason.isEmpty || result.findings.contains { $0.message == reason }
        return isTold ? [line] : [line, ConsoleLine("      \(reason)")]
    }

    private func text(of finding: Finding) -> [ConsoleLine] {
        let style: ConsoleLine.Style =
            switch finding.severity {
            case .critical: .red
            case .warning: .yellow
            case .note: .plain
            }
        let severity = finding.severity == .critical ? "" : " (\(finding.severity.rawValue))"
        var lines = [ConsoleLine("    \(finding.rule)\(severity)", style).adding("  \(finding.object)")]
        lines.append(ConsoleLine("      \(finding.message)"))
        if !finding.expected.isEmpty { lines.append(ConsoleLine("      expected  ", .dim).adding(finding.expected)) }
        if !finding.actual.isEmpty { lines.append(ConsoleLine("      actual    ", .dim).adding(finding.actual)) }
        for line in finding.diff.prefix(Self.shownDiffLines) {
            lines.append(ConsoleLine("      │ ", .dim).adding(line, line.hasPrefix("+") ? .green : line.hasPrefix("-") ? .red : .plain))
        }
        if finding.diff.count > Self.shownDiffLines {
            lines.append(
                ConsoleLine("      │ … \(Readable.count(finding.diff.count - Self.shownDiffLines, "more line")): see report.json", .dim))
        }
        if !finding.hint.isEmpty { lines.append(ConsoleLine("      hint: \(finding.hint)")) }
        return lines
    }
}
