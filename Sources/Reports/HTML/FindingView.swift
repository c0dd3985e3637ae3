// A finding with its mend, and the order in which findings are read.

import DrillModel

/// One thing that a person must read; or a red case that has no finding, told by its reason.
struct FindingView {
    struct Line {
        /// `added`, `removed`, `same`.
        let kind: String
        let text: String
    }
    let id: String
    let verdict: VerdictView
    let isRed: Bool
    let severity: String
    let rule: String?
    let object: String
    let message: String
    let place: String
    let expected: String?
    let actual: String?
    let hint: String?
    let hasDiff: Bool
    let diff: [Line]
    let diffMore: String?

    /// The gravest first; within one weight the order stays that of the drill.
    ///
    /// - Returns: As many as the limit lets through, and how many there are.
    static func views(of drill: DrillReport, id: String, _ limits: HTMLLimits) -> (shown: [FindingView], count: Int) {
        var told: [(weight: Int, result: CaseResult, finding: Finding?)] = []
        let isRedElsewhere = drill.cases.contains { $0.group != .step && ($0.verdict == .failed || $0.verdict == .error) }
        for result in drill.cases {
            let isRed = result.verdict == .failed || result.verdict == .error
            // That a step failed says what the findings of its questions say better.
            if isRed, result.findings.isEmpty, result.group != .step || !isRedElsewhere {
                told.append((weight(result.verdict, .critical), result, nil))
            }
            told += result.findings.map { (weight(result.verdict, $0.severity), result, $0) }
        }
        let sorted = told.enumerated().sorted { ($0.element.weight, $0.offset) < ($1.element.weight, $1.offset) }.map(\.element)
        let shown = sorted.prefix(limits.findings).enumerated().map {
            FindingView($0.element.result, $0.element.finding, id: "\(id)-finding-\($0.offset + 1)", limits)
        }
        return (shown, sorted.count)
    }

    private static func weight(_ verdict: Verdict, _ severity: Finding.Severity) -> Int {
        let verdicts: [Verdict] = [.failed, .error, .passed, .skipped]
        let severities: [Finding.Severity] = [.critical, .warning, .note]
        // A warning beside a critical finding of a failed case still comes after every critical one.
        let red = severity == .critical ? 0 : 10
        return red + (severities.firstIndex(of: severity) ?? 0) * 4 + (verdicts.firstIndex(of: verdict) ?? 0)
    }

    private init(_ result: CaseResult, _ finding: Finding?, id: String, _ limits: HTMLLimits) {
        func clean(_ text: String) -> String { HTMLText.clean(text, longest: limits.text) }
        func optional(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : clean($0) } }
        self.id = id
        verdict = VerdictView(finding == nil || finding?.severity == .critical ? result.verdict : .passed)
        isRed = finding == nil || finding?.severity == .critical
        severity =
            switch finding?.severity {
            case .warning?: "warning"
            case .note?: "note"
            default: result.verdict == .error ? "error" : result.verdict == .failed ? "failed" : "critical"
            }
        rule = finding.map { clean($0.rule.name) }
        object = clean(JUnitText.filled(finding?.object ?? result.name, or: "(no name)"))
        message = clean(JUnitText.filled(finding?.message ?? result.reason, or: "no reason was given"))
        place = clean([result.group.rawValue, result.service ?? "", result.name].filter { !$0.isEmpty }.joined(separator: " · "))
        expected = optional(finding?.expected)
        actual = optional(finding?.actual)
        hint = optional(finding?.hint)
        let lines = finding?.diff ?? []
        hasDiff = !lines.isEmpty
        diff = lines.prefix(limits.diffLines).map {
            Line(kind: $0.hasPrefix("+") ? "added" : $0.hasPrefix("-") ? "removed" : "same", text: clean($0))
        }
        let left = lines.count - limits.diffLines
        diffMore = left > 0 ? "\(Readable.count(left, "more line")): see report.json" : nil
    }
}
