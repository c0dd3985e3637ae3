// The option that several commands share: where scratch folders go.

import ArgumentParser
import Cleanup
import DrillModel
import Foundation
import ScratchHost

/// Where throw-away servers live.
struct ScratchOption: ParsableArguments {
    @Option(
        name: .customLong("scratch"),
        help: ArgumentHelp(
            "The folder for throw-away servers and decrypted copies (default: $MUSTER_SCRATCH_ROOT, or /tmp).", valueName: "folder"),
        completion: .directory)
    var folder: String?

    var root: ScratchRoot {
        ScratchRoot(folder.map { URL(fileURLWithPath: $0, isDirectory: true) })
    }

    /// Removes what killed runs left, as every run does before its own work.
    func cleanUpAfterEarlierRuns() async throws {
        try await RemainsRemoval(root: root).run { removed in
            for remains in removed {
                Console.complain(
                    "muster: removed what an earlier run left: \(remains.folder.path), \(remains.processes) process(es)")
            }
        } undone: {
            Console.complain("muster: \($0)")
        } due: { failure in
            // What this run is about needs no standby of another one's; `muster clean` tries again.
            Console.complain("muster: warning: \(failure.message)\nhint: \(failure.hint)")
        }
    }
}
