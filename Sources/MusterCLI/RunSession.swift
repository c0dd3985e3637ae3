// One run: its folder, its event stream, its drills one after another, its end.

import DrillEngine
import DrillModel
import Drills
import Evidence
import Foundation
import Notifications
import Reports
import ScratchHost
import Synchronization

/// Runs drills and leaves their reports.
struct RunSession: Sendable {
    var plans: [DrillPlan]
    var output: URL
    var root: ScratchRoot
    var keep: Bool
    /// People are there to be asked what only they can do.
    var live: Bool
    /// Only what is red is said.
    var quiet: Bool
    /// The first drill that doesn't pass is the last.
    var failFast: Bool
    /// How many runs are left in the folder; nil: all.
    var keptRuns: Int?
    var metrics: MetricsFile?

    /// - Returns: The run's verdict, which the exit code is made of.
    /// - Throws: ``CommandFailure`` where the run could not begin or its reports could not be written; ``ExitCode`` after a signal.
    func run() async throws -> Verdict {
        let evidence = try RunEvidence(plans.map { ($0.estate, $0.file) })
        let notifications = RunNotifications(plans.map { ($0.estate, $0) })
        let recorded = RecordedRun(
            drills: plans.count, output: output, kept: keptRuns, metrics: metrics, evidence: evidence, notifications: notifications,
            quiet: quiet)
        let kept = KeptFolders()
        defer {
            for path in kept.paths {
                Console.print("kept \(path), which holds decrypted data: remove it with muster clean --kept \(recorded.name)")
                let folder = URL(fileURLWithPath: path, isDirectory: true)
                let name = kept.paths.count == 1 ? recorded.name : folder.lastPathComponent
                KeptServers(in: [folder]).lines(for: name, in: root).forEach(Console.print)
            }
        }
        let drills = DrillRun(root: root, keep: keep, confirmer: live ? TerminalConfirmer(write: Console.write) : nil) { kept.add($0) }
        return try await recorded.run { hub in
            var verdicts: [Verdict] = []
            var known: [URL: EarlierRuns] = [:]
            for plan in plans {
                try Task.checkCancellation()
                var plan = plan
                let restored = known[plan.estate.file]
                plan.drilledBefore = if let restored { restored } else { await RunHistory(folder: output).restored(of: plan.estate) }
                known[plan.estate.file] = plan.drilledBefore
                verdicts.append(try await drills.run(plan, hub: hub, of: recorded.name))
                let rest = plans.dropFirst(verdicts.count)
                guard failFast, verdicts.last != .passed, !rest.isEmpty else { continue }
                Console.complain("muster: --fail-fast: not run: \(rest.map(\.name).joined(separator: ", "))")
                break
            }
            return Verdict.combined(verdicts)
        }
    }
}

/// The scratch folders that a run left on purpose, to be named at its end.
private final class KeptFolders: Sendable {
    private let list = Mutex<[String]>([])

    var paths: [String] { list.withLock { $0 } }

    func add(_ path: String) { list.withLock { $0.append(path) } }
}
