// What an estate's ledger says of its runs.

import DrillModel
import Evidence
import Foundation
import Reports

/// The entries of one estate, and what verifying the ledger found.
struct LedgerRuns {
    var state: ComplianceReport.LedgerState
    /// In the order of the entries.
    var rows: [ComplianceReport.Run] = []
    /// Whether what it doesn't name is known to be in none.
    var isReadable = false

    /// Clocks are set right by minutes.
    private static let patience: TimeInterval = 900

    /// - Returns: nil where the estate keeps none.
    init?(of estate: Estate, in folder: URL, head: LedgerHead? = nil) {
        guard let policy = estate.evidence else { return nil }
        do throws(CommandFailure) {
            // A folder that --keep-runs removed is no alteration: what its entry says holds without it.
            let found = try LedgerVerification(
                folder: folder, trusting: policy.trustedKeys, anchor: head, allowsMissingRuns: true, collectingRecords: true)
            state = ComplianceReport.LedgerState(
                verdict: found.verdict, entries: found.entries, head: found.head?.description,
                problems: found.problems.map(\.description) + found.obstacles, notes: found.notes)
            guard found.verdict != .error else { return }
            isReadable = true
            var latest = Date.distantPast
            let now = Date()
            for record in found.records {
                // An entry that claims to be older than those before it was made with a clock set back: its run is not of when it says.
                let isBackdated = record.recorded < latest.addingTimeInterval(-Self.patience)
                if record.recorded <= now.addingTimeInterval(Self.patience) { latest = max(latest, record.recorded) }
                guard record.estate == estate.name else { continue }
                // What was rehearsed on a stand-in proves nothing of the estate that the drill names, though both may have one name.
                let isOwn = record.estateFile == estate.file.path
                for drill in record.drills where !drill.isRetrospective && (isOwn || !drill.isOnStandIn) {
                    rows.append(ComplianceReport.Run(drill, of: record, isBackdated: isBackdated))
                }
            }
        } catch {
            state = ComplianceReport.LedgerState(verdict: .error, entries: 0, head: nil, problems: [error.message], notes: [])
        }
    }
}

extension ComplianceReport.Run {
    fileprivate init(_ drill: LedgerRecord.Drill, of record: LedgerRecord, isBackdated: Bool) {
        self.init(
            run: record.run, drill: drill.name, isInspection: drill.kind == DrillInfo.Kind.inspection.rawValue,
            started: record.started ?? RunHistory.started(record.run) ?? record.recorded, verdict: drill.verdict,
            isUnfinished: drill.interrupted, profile: drill.profile, recoveryTime: drill.rto.map(RunHistory.Objective.init),
            recoveryPoints: drill.rpo.mapValues(RunHistory.Objective.init), findings: drill.verdict == .passed ? 0 : nil, user: record.user,
            host: record.host,
            trigger: record.trigger, job: record.job,
            record: !record.isIntact ? .altered : isBackdated ? .backdated : record.isFolderGone ? .entryOnly : .vouched)
    }
}

extension RunHistory.Objective {
    fileprivate init(_ objective: LedgerRecord.Objective) {
        self.init(achieved: objective.achieved, target: objective.target, verdict: objective.verdict)
    }
}
