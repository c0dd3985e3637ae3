// One drill of a run: a scratch host, its participants, its end.

import BackupAccess
public import DrillEngine
public import DrillModel
public import Foundation
public import ScratchHost

/// Runs one plan after the other, each on a scratch host of its own.
public struct DrillRun: Sendable {
    var root: ScratchRoot
    /// Whether what was restored stays, for a look.
    var keep: Bool
    /// Who is asked what only people can do; nil: nobody is there.
    var confirmer: (any ManualConfirmer)?
    /// What nothing of these drills may see beside what the plans' own estates hide.
    var hidden: [URL]
    /// Hears the path of each scratch folder that was left on purpose.
    var kept: @Sendable (String) -> Void

    public init(
        root: ScratchRoot, keep: Bool = false, confirmer: (any ManualConfirmer)? = nil, hidden: [URL] = [],
        kept: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.root = root
        self.keep = keep
        self.confirmer = confirmer
        self.hidden = hidden
        self.kept = kept
    }

    /// - Parameter run: What the scratch folder is asked for by, where it is kept.
    /// - Throws: ``CommandFailure`` where no scratch folder can be had.
    public func run(_ plan: DrillPlan, hub: EventHub, of run: String? = nil) async throws -> Verdict {
        let host: ScratchHost
        do throws(ScratchError) {
            var view = plan.estate.view
            view.hidden += hidden
            host = try await ScratchHost.prepare(in: root, purpose: "drill \(plan.name)", view: view)
        } catch {
            throw CommandFailure(.unverified, error.message, hint: error.hint)
        }
        let (keep, kept) = (keep, kept)
        let runner = DrillRunner(
            plan: plan, participants: ParticipantFactory(plan: plan, host: host, confirmer: confirmer).make(), hub: hub
        ) {
            hub.emit(.fact(.peakMemory))
            do throws(ScratchError) {
                if keep {
                    try await host.keep(of: run)
                    kept(host.folder.url.path)
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
}
