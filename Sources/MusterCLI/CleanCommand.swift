// `muster clean`: removes what killed runs left, and nothing else.

import ArgumentParser
import DrillModel
import Foundation
import ScratchHost

struct CleanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean", abstract: "End and remove what killed runs left behind.",
        discussion: "Only folders that carry muster's ownership mark and whose run is no more are touched.")

    @OptionGroup var scratch: ScratchOption

    @Flag(help: "Also remove the folders that runs with --keep left on purpose.")
    var kept = false

    @Flag(name: .customLong("dry-run"), help: "Only show what would be removed.")
    var dryRun = false

    func run() async throws {
        if dryRun {
            let found = ScratchCleaner.find(in: scratch.root).filter { !$0.inUse && (kept || !$0.kept) }
            for remains in found { Console.print("would remove \(Self.describe(remains))") }
            for pause in ScratchCleaner.due(PausedReplay.self, in: scratch.root, kept: kept) {
                Console.print("would look after \(pause.title), which a killed seal may have left paused")
            }
            if found.isEmpty { Console.print("nothing to clean in \(scratch.root.folder.path)") }
            return
        }
        var due: CommandFailure?
        try await scratch.clean(kept: kept) { removed in
            for remains in removed { Console.print("removed \(Self.describe(remains))") }
            if removed.isEmpty { Console.print("nothing to clean in \(scratch.root.folder.path)") }
        } undone: {
            Console.print($0)
        } due: {
            due = due ?? $0
        }
        let left = ScratchCleaner.find(in: scratch.root)
        for remains in left {
            let why =
                remains.inUse
                ? "its run still lives"
                : remains.kept
                    ? "kept on purpose, --kept removes it"
                    : "it knows of a standby that may still stand still; remove it by hand once that is settled otherwise"
            Console.print("left \(Self.describe(remains)): \(why)")
        }
        if let due { throw due }
    }

    private static func describe(_ remains: ScratchCleaner.Remains) -> String {
        "\(remains.folder.path) (\(remains.purpose), \(remains.processes) process(es))"
    }
}
