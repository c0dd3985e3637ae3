// What a run and its drills come to, those included that were cut off before they could say so themselves.

import DrillModel
import Foundation

extension RunReport {
    static let interruption = "the run was interrupted"

    /// The run ended before it had a verdict.
    var interrupted: Bool { verdict == nil }

    /// The verdict that every report shows. What was cut off counts as an error, and so does a run of no drills.
    var conclusion: Verdict {
        verdict ?? .combined(drills.map(\.conclusion) + [.error])
    }

    /// How long a drill took; of one that was cut off: until the last that is known of it.
    func duration(of drill: DrillReport) -> Duration {
        if let outcome = drill.outcome { return outcome.duration }
        guard let started else { return .zero }
        return max(.zero, duration - .seconds(drill.started.timeIntervalSince(started)))
    }
}

extension DrillReport {
    var interrupted: Bool { outcome == nil }

    var conclusion: Verdict { outcome?.verdict ?? .error }

    /// The recovery point that each service ended up with, in the order in which they were first chosen.
    var finalPoints: [ChosenPoint] {
        var order: [String] = []
        var last: [String: ChosenPoint] = [:]
        for point in points {
            if last.updateValue(point, forKey: point.service) == nil { order.append(point.service) }
        }
        return order.compactMap { last[$0] }
    }

    var counts: VerdictCounts { VerdictCounts(cases.map(\.verdict)) }
}

/// How many answers of each kind there are.
struct VerdictCounts: Sendable, Hashable, Codable {
    var passed = 0
    var failed = 0
    var error = 0
    var skipped = 0

    init(_ verdicts: some Sequence<Verdict>) {
        for verdict in verdicts {
            switch verdict {
            case .passed: passed += 1
            case .failed: failed += 1
            case .error: error += 1
            case .skipped: skipped += 1
            }
        }
    }

    var total: Int { passed + failed + error + skipped }

    /// `13 passed, 1 failed`; what there is none of is left out.
    var words: String {
        let parts = [(passed, "passed"), (failed, "failed"), (error, "in error"), (skipped, "skipped")]
        return parts.filter { $0.0 > 0 }.map { "\(Readable.count($0.0)) \($0.1)" }.joined(separator: ", ")
    }
}
