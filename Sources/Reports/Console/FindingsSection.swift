// The findings of a drill, case by case, for people.

import DrillModel

/// What a person must read, the gravest first.
struct FindingsSection {
    /// So many are shown in full; the rest is counted.
    static let shown = 20
    private static let shownDiffLines = 30

    let cases: [CaseResult]
    /// Of stored backups: what a finding speaks of is a file then, named for its day.
    var isInspection = false

    func lines() -> [ConsoleLine] {
        let findings = findings()
        return findings.isEmpty ? [] : [ConsoleLine(), ConsoleLine("Findings", .bold)] + findings
    }

    /// The gravest first: nothing that somebody must act upon hides behind many of what weighs less, or of one rule.
    func findings() -> [ConsoleLine] {
        let told = cases.filter { !$0.findings.isEmpty || $0.verdict == .failed || $0.verdict == .error }
        // Within one weight the order stays that of the drill.
        let sorted = [Verdict.failed, .error, .passed, .skipped].flatMap { verdict in
            Finding.Severity.allCases.flatMap { worst in told.filter { $0.verdict == verdict && ($0.worst ?? .critical) == worst } }
        }
        var folds = FoldedFindings(cases, from: isInspection ? 4 : 6, isInspection: isInspection)
        var lines: [ConsoleLine] = []
        var left = Self.shown
        var untold = 0
        for result in sorted {
            let entries = Finding.Severity.allCases.flatMap { severity in result.findings.filter { $0.severity == severity } }
                .compactMap { folds.entry(for: $0, of: result) }
            // All that it has is told with that of another one.
            if entries.isEmpty, !result.findings.isEmpty { continue }
            guard left > 0 else {
                untold += max(1, entries.reduce(0) { $0 + $1.count })
                continue
            }
            lines += heading(result)
            for entry in entries.prefix(left) { lines += text(of: entry[0], among: entry) }
            untold += entries.dropFirst(left).reduce(0) { $0 + $1.count }
            left -= max(1, entries.count)
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

    /// - Parameter all: Those that are told with it, itself among them.
    private func text(of finding: Finding, among all: [Finding]) -> [ConsoleLine] {
        let style: ConsoleLine.Style =
            switch finding.severity {
            case .critical: .red
            case .warning: .yellow
            case .note: .plain
            }
        let severity = finding.severity == .critical ? "" : " (\(finding.severity.rawValue))"
        var lines = [ConsoleLine("    \(finding.rule)\(severity)", style).adding("  \(objects(of: all))")]
        func isShared(_ text: (Finding) -> String) -> Bool { all.allSatisfy { text($0) == text(finding) } }
        lines.append(ConsoleLine("      \(finding.message)\(isShared(\.message) ? "" : " (the first of them)")"))
        if !isShared(\.expected) || !isShared(\.actual) || !isShared(\.diff.description) {
            return lines + (finding.hint.isEmpty ? [] : [ConsoleLine("      hint: \(finding.hint)")])
        }
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

    /// `7 files, oldest …, newest …`
    private func objects(of all: [Finding]) -> String {
        let names = Set(all.map(\.object)).sorted()
        guard all.count > 1, let first = names.first, let last = names.last else { return all[0].object }
        guard names.count > 1 else { return "\(first), \(Readable.count(all.count)) times" }
        let dated = isInspection ? names.compactMap { name in Self.day(in: name).map { (day: $0, name: name) } } : []
        // Of two of one day either may be named: no more is claimed than the names tell.
        guard dated.count == names.count, let oldest = dated.min(by: { $0.day < $1.day }), let newest = dated.max(by: { $0.day < $1.day })
        else { return "\(Readable.count(names.count)) of them, from \(first) to \(last)" }
        return "\(Readable.count(names.count, "file")), oldest \(oldest.name), newest \(newest.name)"
    }

    /// The digits from an artifact's first date on: `20261127020000`; nil where its name has none.
    private static func day(in name: String) -> String? {
        guard let date = name.firstMatch(of: #/(?:19|20)[0-9]{2}[-_.\/]?(?:0[1-9]|1[0-2])[-_.\/]?[0-3][0-9]/#) else { return nil }
        return String(name[date.range.lowerBound...].filter(\.isNumber).prefix(14))
    }
}

extension CaseResult {
    /// nil without any finding.
    fileprivate var worst: Finding.Severity? {
        Finding.Severity.allCases.first { severity in findings.contains { $0.severity == severity } }
    }
}

/// Many findings of one rule, about one service, told at once where the first of them stands.
private struct FoldedFindings {
    private struct Kind: Hashable {
        var rule: Rule
        var severity: Finding.Severity
        var service: String?
        /// Of an inspection, whose questions begin with it.
        var series: Substring
        var verdict: Verdict
    }
    private let isInspection: Bool
    private var many: [Kind: [Finding]]
    private var told: Set<Kind> = []

    /// - Parameter least: As many are told at once; fewer one by one.
    init(_ cases: [CaseResult], from least: Int, isInspection: Bool) {
        self.isInspection = isInspection
        many = [:]
        var all: [Kind: [Finding]] = [:]
        for result in cases { for finding in result.findings { all[kind(finding, result), default: []].append(finding) } }
        many = all.filter { $0.value.count >= least }
    }

    /// - Returns: What is told in its place; nil where that has been.
    mutating func entry(for finding: Finding, of result: CaseResult) -> [Finding]? {
        let kind = kind(finding, result)
        guard let all = many[kind] else { return [finding] }
        return told.insert(kind).inserted ? all : nil
    }

    private func kind(_ finding: Finding, _ result: CaseResult) -> Kind {
        let series = isInspection ? result.name.prefix { $0 != ":" } : ""
        return Kind(rule: finding.rule, severity: finding.severity, service: result.service, series: series, verdict: result.verdict)
    }
}
