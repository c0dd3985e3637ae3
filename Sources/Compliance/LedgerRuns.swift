// What an estate's ledger says of its runs.

import DrillModel
import Evidence
import Foundation
import Reports

/// The entries of one estate, and what verifying the ledger found.
struct LedgerRuns {
    var state: ComplianceReport.LedgerState
    /// By run.
    var runs: [String: [ComplianceReport.Run]] = [:]
    /// Whether what it doesn't name is known to be in none.
    var isReadable = false

    /// - Returns: nil where the estate keeps none.
    init?(of estate: Estate, in folder: URL) {
        guard let policy = estate.evidence else { return nil }
        do throws(CommandFailure) {
            // A folder that --keep-runs removed is no alteration: what its entry says holds without it.
            let found = try LedgerVerification(
                folder: folder, trusting: policy.trustedKeys, allowsMissingRuns: true, collectingRecords: true)
            state = ComplianceReport.LedgerState(
                verdict: found.verdict, entries: found.entries, head: found.head?.description,
                problems: found.problems.map(\.description) + found.obstacles, notes: found.notes)
            guard found.verdict != .error else { return }
            isReadable = true
            for record in found.records where record.estate == estate.name {
                runs[record.run, default: []] += record.drills.map { ComplianceReport.Run($0, of: record) }
            }
        } catch {
            state = ComplianceReport.LedgerState(verdict: .error, entries: 0, head: nil, problems: [error.message], notes: [])
        }
    }
}

extension ComplianceReport.Run {
    fileprivate init(_ drill: LedgerRecord.Drill, of record: LedgerRecord) {
        self.init(
            run: record.run, drill: drill.name, isInspection: drill.kind == DrillInfo.Kind.inspection.rawValue,
            started: record.started ?? RunHistory.started(record.run) ?? record.recorded, verdict: drill.verdict,
            isUnfinished: drill.interrupted, profile: drill.profile, recoveryTime: drill.rto.map(RunHistory.Objective.init),
            recoveryPoints: drill.rpo.mapValues(RunHistory.Objective.init), findings: nil, user: record.user, host: record.host,
            trigger: record.trigger, job: record.job,
            record: !record.isIntact ? .altered : record.isFolderGone ? .entryOnly : .vouched)
    }
}

extension RunHistory.Objective {
    fileprivate init(_ objective: LedgerRecord.Objective) {
        self.init(achieved: objective.achieved, target: objective.target, verdict: objective.verdict)
    }
}
