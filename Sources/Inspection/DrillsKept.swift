// Is each drill that the estate promises drilled as often as it says?

public import DrillModel
import Foundation
public import Reports

extension Rule {
    /// Nobody drilled in the last whole period, nor in the one that runs.
    static let drillOverdue = Rule("drill-overdue")
    static let noHistory = Rule("no-history")
    static let drillUnreadable = Rule("drill-unreadable")
}

/// What an inspection needs to ask whether drills are overdue.
public struct DrillsKept: Sendable {
    /// A drill file beside the estate's that can't be read.
    public struct Unreadable: Sendable {
        public var file: String
        public var problem: String
        public var hint: String

        public init(file: String, problem: String, hint: String) {
            self.file = file
            self.problem = problem
            self.hint = hint
        }
    }
    /// Those that lie beside the estate's file.
    public var plans: [DrillPlan]
    public var unreadable: [Unreadable]
    /// What can't be read where nothing is known to be due: it may be a drill, or somebody's secrets. Sentences.
    public var doubts: [String]
    /// Where their runs lie.
    public var history: RunHistory
    /// As whoever reads it named that folder.
    public var folder: String

    public init(plans: [DrillPlan], unreadable: [Unreadable], doubts: [String] = [], history: RunHistory, folder: String) {
        self.plans = plans
        self.unreadable = unreadable
        self.doubts = doubts
        self.history = history
        self.folder = folder
    }

    private static let name = "drills are not overdue"

    /// One case for each drill that is due.
    func ask(of estate: Estate, now: Date) async -> [CaseResult] {
        var cases = unreadable.map { file in
            CaseResult.unasked(
                .policy, name: "\(file.file): \(Self.name)",
                finding: Finding(.drillUnreadable, object: file.file, message: file.problem, hint: file.hint))
        }
        let due = plans.compactMap { plan in plan.cadence.map { (plan: plan, cadence: $0) } }
        guard !due.isEmpty else {
            if !doubts.isEmpty {
                let reason = "\(doubts.joined(separator: "; ")): so nobody knows whether a drill is due"
                cases.append(.skipped(.policy, name: Self.name, reason: reason))
            } else if !plans.isEmpty {
                cases.append(.skipped(.policy, name: Self.name, reason: "no drill beside the estate file says how often it is due"))
            }
            return cases
        }
        let zone = estate.timeZone
        let today = CalendarDay(now, in: zone)
        let search = await Search(due.map { ($0.plan, $0.cadence) }, of: estate, in: history, today: today, now: now, zone: zone)
        for (plan, cadence) in due { cases.append(judge(plan, cadence, search, today, zone)) }
        return cases
    }

    private func judge(
        _ plan: DrillPlan, _ cadence: Cadence, _ search: Search, _ today: CalendarDay, _ zone: TimeZone
    ) -> CaseResult {
        let name = "\(plan.name): drilled \(cadence.interval.rawValue)"
        let current = CalendarPeriod(cadence.interval, containing: today)
        let last = current.previous(cadence.interval)
        let newest = search.newest[plan.name]
        if let newest, newest >= last.moments(in: zone).lowerBound { return .judged(.policy, name: name, findings: []) }
        guard cadence.covers(last) else {
            return .skipped(.policy, name: name, reason: "it is due for the first time by \(max(current, cadence).last)")
        }
        if !search.hasRuns {
            return .unasked(
                .policy, name: name,
                finding: Finding(
                    .noHistory, object: plan.name, expected: "runs in \(folder)", actual: "none",
                    message: "no run lies in \(folder), so nobody can say when it was drilled last",
                    hint: "name the folder that the drills' runs are written to with --output, or drill: muster run"))
        }
        if let unreadable = search.unreadable {
            return .unasked(
                .policy, name: name,
                finding: Finding(
                    .noHistory, object: plan.name, message: "\(unreadable.run) may have been its last run: \(unreadable.problem.message)",
                    hint: unreadable.problem.hint))
        }
        let actual = newest.map { "the last on \(CalendarDay($0, in: zone))" } ?? "none since \(last.first)"
        return .judged(
            .policy, name: name,
            findings: [
                Finding(
                    .drillOverdue, object: plan.name, expected: "a run in \(last.label), or by now in \(current.label)", actual: actual,
                    message: "no run of it passed or failed in \(last.label), nor since",
                    hint: "run it: muster run \(plan.file.lastPathComponent)")
            ])
    }

    /// The period that a promise begins with is the first.
    private func max(_ current: CalendarPeriod, _ cadence: Cadence) -> CalendarPeriod {
        guard let since = cadence.since, since > current.last else { return current }
        return CalendarPeriod(cadence.interval, containing: since)
    }

    /// When each drill was last conducted: a run that passed or failed. One that could not be verified, or was cut off, is none.
    private struct Search {
        var newest: [String: Date] = [:]
        var hasRuns = false
        /// The newest of those that may hide one.
        var unreadable: RunHistory.Unreadable?

        init(
            _ due: [(plan: DrillPlan, cadence: Cadence)], of estate: Estate, in history: RunHistory, today: CalendarDay, now: Date,
            zone: TimeZone
        ) async {
            var missing = Dictionary(
                due.flatMap { plan, _ in ([plan.name] + plan.formerNames).map { ($0, plan.name) } }, uniquingKeysWith: { first, _ in first }
            )
            let oldest =
                due.map { CalendarPeriod($1.interval, containing: today).previous($1.interval).moments(in: zone).lowerBound }.min() ?? now
            for run in (try? history.runs()) ?? [] {
                guard let started = RunHistory.started(run), started <= now else { continue }
                let records: [RunHistory.Record]
                do throws(ReplayError) {
                    records = try await history.records(of: run)
                } catch {
                    if error.kind == .unreadable, unreadable == nil { unreadable = RunHistory.Unreadable(run: run, problem: error) }
                    continue
                }
                for row in records.filter({ $0.isOf(estate) }).map(\.row) where !row.isInspection {
                    hasRuns = true
                    guard let plan = missing[row.drill], !row.isUnfinished, [.passed, .failed].contains(row.verdict) else { continue }
                    newest[plan] = row.started
                    missing = missing.filter { $0.value != plan }
                }
                // What is older keeps no promise.
                if missing.isEmpty || (started < oldest && hasRuns) { break }
            }
        }
    }
}
