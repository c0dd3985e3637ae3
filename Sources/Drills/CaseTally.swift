// Counts what a verify step answered, for its one line in the report.

import DrillEngine
import DrillModel
import Synchronization

/// Passes cases on to the log and counts them.
final class CaseTally: Sendable {
    private let log: any StepLog
    private let counts = Mutex<[Verdict: Int]>([:])

    init(_ log: any StepLog) {
        self.log = log
    }

    func record(_ result: CaseResult) {
        counts.withLock { $0[result.verdict, default: 0] += 1 }
        log.record(result)
    }

    /// `132 checks: 130 passed, 2 failed`.
    var summary: String {
        let counts = counts.withLock { $0 }
        let total = counts.values.reduce(0, +)
        let parts = [Verdict.passed, .failed, .error, .skipped].compactMap { verdict in
            counts[verdict].map { "\($0) \(verdict == .error ? "in error" : verdict.rawValue)" }
        }
        return "\(total) checks: \(parts.joined(separator: ", "))"
    }
}
