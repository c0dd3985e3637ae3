// Removes what killed runs left, and undoes what they had changed elsewhere.

public import DrillModel
public import Foundation
public import ScratchHost
import Sealing

/// One removal below one scratch root.
public struct RemainsRemoval: Sendable {
    var root: ScratchRoot
    /// Those of the folders left on purpose that go as well.
    var kept: Set<URL>

    public init(root: ScratchRoot, kept: Set<URL> = []) {
        self.root = root
        self.kept = kept
    }

    /// The standbys that a killed seal may have left paused, in a sentence's words.
    public var pausedReplays: [String] { ScratchCleaner.due(PausedReplay.self, in: root, kept: kept).map(\.title) }

    /// Removes remains, and undoes what their runs had changed elsewhere.
    ///
    /// - Parameters:
    ///   - removed: Hears what is gone.
    ///   - undone: Hears a sentence for each of these.
    ///   - due: Hears of a standby that may still stand still for a killed run. What knows of it stays, where another try may help.
    /// - Throws: ``CommandFailure`` where something is left, after all the rest was done.
    public func run(
        removed: ([ScratchCleaner.Remains]) -> Void, undone: (String) -> Void, due: (CommandFailure) -> Void
    ) async throws {
        let undos = ScratchCleaner.claim(UndoCommand.self, in: root, kept: kept).map(\.cleanup)
        let unfinished = ScratchCleaner.claim(UnfinishedBackup.self, in: root, kept: kept).map(\.cleanup)
        // They wait for nothing: what reads a standby doesn't hold it.
        let spared = await endPauses(undone: undone, due: due)
        var failure: CommandFailure?
        do {
            removed(try ScratchCleaner.clean(root, kept: kept, sparing: spared))
        } catch {
            failure = CommandFailure(.unverified, error.message, hint: error.hint)
        }
        unfinished.forEach { $0.remove() }
        for undo in undos {
            // Wanted also by whoever is in a hurry: a cancelled task would not start it.
            guard let how = await Task(operation: { await undo.run() }).value else {
                undone("brought \(undo.title) back, which a killed run had cut off")
                continue
            }
            failure =
                failure
                ?? CommandFailure(
                    .unverified,
                    "\(undo.title), which a killed run had cut off, may still be: the command that brings it back came to: \(how)",
                    hint: "run \(undo.origin) by hand, unless it is back already")
        }
        if let failure { throw failure }
    }

    /// - Returns: The folders that still know of a pause.
    private func endPauses(undone: (String) -> Void, due: (CommandFailure) -> Void) async -> Set<URL> {
        var spared: Set<URL> = []
        for claimed in ScratchCleaner.claim(PausedReplay.self, in: root, kept: kept) {
            let pause = claimed.cleanup
            switch await Task(operation: { await pause.end() }).value {
            case .resumed: undone("\(pause.title) goes on, which a killed seal had paused")
            case .over: break
            case .unclear:
                due(
                    CommandFailure(
                        .unverified, "\(pause.title) is paused: by a seal that was killed, or by somebody since, nobody can tell",
                        hint: "unless somebody wants it paused, run on that standby: SELECT pg_wal_replay_resume()"))
            case .unknown(let problem):
                claimed.giveBack()
                spared.insert(claimed.folder)
                due(CommandFailure(.unverified, problem.message, hint: problem.hint))
            }
        }
        return spared
    }
}
