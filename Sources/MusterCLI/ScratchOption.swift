// The option that several commands share: where scratch folders go.

import ArgumentParser
import DrillModel
import Foundation
import ScratchHost

/// Where throw-away servers live.
struct ScratchOption: ParsableArguments {
    @Option(
        name: .customLong("scratch"),
        help: ArgumentHelp(
            "The folder for throw-away servers and decrypted copies (default: $MUSTER_SCRATCH_ROOT, or /tmp).", valueName: "folder"))
    var folder: String?

    var root: ScratchRoot {
        ScratchRoot(folder.map { URL(fileURLWithPath: $0, isDirectory: true) })
    }

    /// Removes what killed runs left, as every run does before its own work.
    func cleanUpAfterEarlierRuns() async throws {
        try await clean(kept: false) { removed in
            for remains in removed {
                Console.complain(
                    "muster: removed what an earlier run left: \(remains.folder.path), \(remains.processes) process(es)")
            }
        } undone: {
            Console.complain("muster: brought \($0.title) back, which a killed run had cut off")
        }
    }

    /// Removes remains, and then undoes what their runs had changed elsewhere.
    ///
    /// - Throws: ``CommandFailure`` where something is left, after all the rest was done.
    func clean(
        kept: Bool, removed: ([ScratchCleaner.Remains]) -> Void, undone: (ScratchUndo) -> Void
    ) async throws {
        let undos = ScratchCleaner.claimUndos(in: root, kept: kept)
        var failure: CommandFailure?
        do {
            removed(try ScratchCleaner.clean(root, kept: kept))
        } catch {
            failure = CommandFailure(.unverified, error.message, hint: error.hint)
        }
        for undo in undos {
            // Wanted also by whoever is in a hurry: a cancelled task would not start it.
            guard let how = await Task(operation: { await undo.run() }).value else {
                undone(undo)
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
}
