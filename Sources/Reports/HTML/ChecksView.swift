// Questions by group and service: what is red stands open, what passed is folded.

import DrillModel

/// The cases of one group of one service.
struct ChecksView {
    struct Case {
        let verdict: VerdictView
        let name: String
        let note: String?
    }
    let verdict: VerdictView
    let title: String
    let service: String?
    let meaning: String?
    let counts: String
    let isOpen: Bool
    let others: [Case]
    let hasOthers: Bool
    let othersMore: String?
    let passed: [Case]
    let hasPassed: Bool
    let passedMore: String?

    private struct Kind: Hashable {
        var group: CaseResult.Group?
        var service: String?
    }

    enum Order { case group, service }

    /// - Parameter order: By group and service; or by service alone, where there is but one group.
    static func views(of cases: [CaseResult], by order: Order, isOpen: Bool = false, _ limits: HTMLLimits) -> [ChecksView] {
        let kinds = Dictionary(grouping: cases) { Kind(group: order == .group ? $0.group : nil, service: $0.service) }
        let groups = CaseResult.Group.allCases
        let sorted = kinds.sorted {
            let left = ($0.key.group.flatMap(groups.firstIndex) ?? 0, $0.key.service ?? "")
            return left < ($1.key.group.flatMap(groups.firstIndex) ?? 0, $1.key.service ?? "")
        }
        return sorted.map { ChecksView($0.key, $0.value, isOpen: isOpen, limits) }
    }

    private init(_ kind: Kind, _ cases: [CaseResult], isOpen: Bool, _ limits: HTMLLimits) {
        let verdict = Verdict.combined(cases.map(\.verdict))
        self.verdict = VerdictView(verdict)
        let service = kind.service.map { HTMLText.clean($0, longest: limits.text) }
        title = kind.group.map(\.title) ?? service ?? "The whole"
        self.service = kind.group == nil ? nil : service
        meaning = kind.group?.meaning
        counts = VerdictCounts(cases.map(\.verdict)).words
        self.isOpen = isOpen || verdict == .failed || verdict == .error
        let passed = cases.filter { $0.verdict == .passed }
        let weights: [Verdict] = [.failed, .error, .skipped]
        let others = weights.flatMap { verdict in cases.filter { $0.verdict == verdict } }
        self.passed = passed.prefix(limits.cases).map { Case($0, limits) }
        self.others = others.prefix(limits.cases).map { Case($0, limits) }
        hasPassed = !passed.isEmpty
        hasOthers = !others.isEmpty
        func more(_ count: Int, _ words: String) -> String? {
            count > limits.cases ? "… and \(Readable.count(count - limits.cases)) more\(words): report.json has all of them." : nil
        }
        passedMore = more(passed.count, " that passed")
        othersMore = more(others.count, "")
    }
}

extension ChecksView.Case {
    init(_ result: CaseResult, _ limits: HTMLLimits) {
        verdict = VerdictView(result.verdict)
        name = HTMLText.clean(JUnitText.filled(result.name, or: "(no name)"), longest: limits.text)
        let count = result.findings.count
        let told =
            result.verdict == .failed || result.verdict == .error ? JUnitText.leading(result)?.message ?? result.reason : result.reason
        let note = !told.isEmpty ? told : count > 0 ? Readable.count(count, "finding") : ""
        self.note = note.isEmpty ? nil : HTMLText.clean(note, longest: limits.text)
    }
}

extension CaseResult.Group {
    /// For people.
    var title: String {
        switch self {
        case .step: "Steps"
        case .quarantine: "Quarantine"
        case .backup: "Backup"
        case .restore: "Restore"
        case .rows: "Row counts"
        case .content: "Content"
        case .schema: "Schema"
        case .declared: "Declared checks"
        case .keys: "Keys"
        case .operation: "Operation"
        case .objective: "Objectives"
        case .policy: "Promises"
        }
    }

    /// What is asked there.
    var meaning: String {
        switch self {
        case .step: "whether each step of the recovery plan ended well"
        case .quarantine: "whether the restored copy can reach nothing of production"
        case .backup: "whether the stored artifact is whole and what its seal says"
        case .restore: "whether it could be restored, without anything left out"
        case .rows: "whether every table has as many rows as were sealed"
        case .content: "whether every row is what was sealed, and every file whole"
        case .schema: "whether tables, indexes, roles and the like are what was sealed"
        case .declared: "what the drill file asks"
        case .keys: "whether the keys are those that were sealed"
        case .operation: "whether there is operation again, and what outlived the disaster is unharmed"
        case .objective: "whether time and loss stay within their targets"
        case .policy: "whether the stored backups keep what the estate promises"
        }
    }
}
