// One run: its folder, its event stream, its drills one after another, its end.

import BackupCatalog
import DrillEngine
import DrillModel
import Foundation
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
    private let kept = KeptFolders()

    init(plans: [DrillPlan], output: URL, root: ScratchRoot, keep: Bool, live: Bool = false) {
        self.plans = plans
        self.output = output
        self.root = root
        self.keep = keep
        self.live = live
    }

    /// - Returns: The run's verdict, which the exit code is made of.
    /// - Throws: ``CommandFailure`` where the run could not begin or its reports could not be written; ``ExitCode`` after a signal.
    func run() async throws -> Verdict {
        let recorded = RecordedRun(drills: plans.count, output: output)
        defer {
            for path in kept.paths {
                Console.print("kept \(path), which holds decrypted data: remove it with muster clean --kept \(recorded.name)")
            }
        }
        return try await recorded.run { hub in try await runDrills(hub: hub, of: recorded.name) }
    }

    private func runDrills(hub: EventHub, of run: String) async throws -> Verdict {
        var verdicts: [Verdict] = []
        for plan in plans {
            try Task.checkCancellation()
            verdicts.append(try await self.run(plan, hub: hub, of: run))
        }
        return Verdict.combined(verdicts)
    }

    /// - Parameter run: What the scratch folder is asked for by, where it is kept.
    func run(_ plan: DrillPlan, hub: EventHub, of run: String? = nil) async throws -> Verdict {
        let host: ScratchHost
        do throws(ScratchError) {
            host = try await ScratchHost.prepare(in: root, purpose: "drill \(plan.name)", view: plan.estate.view)
        } catch {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
        let keep = keep
        let kept = kept
        let runner = DrillRunner(plan: plan, party: DrillCast(plan: plan, host: host, live: live).party(), hub: hub) {
            hub.emit(.fact(Fact("muster.peak-memory-bytes", String(Self.peakMemory))))
            do throws(ScratchError) {
                if keep {
                    try await host.keep(of: run)
                    kept.add(host.folder.url.path)
                    hub.emit(.fact(Fact("scratch.kept", host.folder.url.path)))
                } else {
                    try await host.remove()
                }
                return []
            } catch {
                return [
                    Finding(
                        .scratchUnusable, object: host.folder.url.path, expected: "nothing left", actual: "remains",
                        message: error.message, hint: error.hint)
                ]
            }
        }
        return try await runner.run()
    }

    /// The most memory that this process itself has held so far, in bytes; its servers' are not in it. 0 where /proc doesn't tell.
    ///
    /// Not by getrusage, whose figure a program inherits: one that a large process started would seem to be as large.
    static var peakMemory: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line.flatMap { Int($0.filter(\.isNumber)) } ?? 0) * 1024
    }
}

/// The scratch folders that a run left on purpose, to be named at its end.
private final class KeptFolders: Sendable {
    private let list = Mutex<[String]>([])

    var paths: [String] { list.withLock { $0 } }

    func add(_ path: String) { list.withLock { $0.append(path) } }
}
