// `muster clean`: removes what killed runs left, and nothing else.

import ArgumentParser
import Cleanup
import Drills
import DrillModel
import Foundation
import Reports
import ScratchHost

struct CleanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean", abstract: "End and remove what killed runs left behind.",
        discussion: """
            Only folders that carry muster's ownership mark and whose run is no more are touched. What a run with --keep left on purpose \
            goes with --kept: the runs that are named, from wherever they were started; without a name those that were started in this \
            folder, once somebody at the terminal has agreed.
            """)

    @OptionGroup var scratch: ScratchOption

    @Flag(help: "Also remove the folders that runs with --keep left on purpose.")
    var kept = false

    @Flag(help: "Don't ask before what was left on purpose goes.")
    var yes = false

    @Flag(name: .customLong("dry-run"), help: "Only show what would be removed.")
    var dryRun = false

    @Argument(help: ArgumentHelp("With --kept: runs as listed (a beginning or end will do), or their folders.", valueName: "run"))
    var runs: [String] = []

    func validate() throws {
        if !kept, !runs.isEmpty || yes { throw ValidationError("runs are named, and --yes is said, only with --kept") }
    }

    func run() async throws {
        let chosen = kept ? try KeptRuns(in: scratch.root).chosen(runs) : []
        let folders = Set(chosen.map(\.folder))
        if dryRun { return showOnly(folders) }
        if runs.isEmpty, !yes, !chosen.isEmpty, try !agrees(to: chosen) {
            Console.print("nothing that was kept is removed")
            return try await clean([])
        }
        try await clean(folders)
    }

    private func showOnly(_ folders: Set<URL>) {
        let found = ScratchCleaner.find(in: scratch.root).filter { !$0.inUse && (!$0.kept || folders.contains($0.folder)) }
        for remains in found { Console.print("would remove \(Self.describe(remains))") }
        for title in RemainsRemoval(root: scratch.root, kept: folders).pausedReplays {
            Console.print("would look after \(title), which a killed seal may have left paused")
        }
        if found.isEmpty { Console.print("nothing to clean in \(scratch.root.folder.path)") }
    }

    /// - Throws: ``CommandFailure`` where nobody can be asked.
    private func agrees(to chosen: [ScratchCleaner.Remains]) throws -> Bool {
        for remains in chosen { Console.print("kept \(KeptRuns.describe(remains))") }
        guard TerminalConfirmer.isPossible else {
            throw CommandFailure(
                .usage, "what was kept on purpose goes once somebody has agreed, and there is no terminal to ask on",
                hint: "name the runs: muster clean --kept \(KeptRuns.name(of: chosen[0])); or add --yes for all that are listed")
        }
        Console.write("? remove \(chosen.count == 1 ? "it" : "these \(chosen.count)") [y/N]: ")
        return ["y", "yes"].contains((readLine() ?? "").trimmingCharacters(in: .whitespaces).lowercased())
    }

    private func clean(_ folders: Set<URL>) async throws {
        var due: CommandFailure?
        try await RemainsRemoval(root: scratch.root, kept: folders).run { removed in
            for remains in removed { Console.print("removed \(Self.describe(remains))") }
            if removed.isEmpty { Console.print("nothing to clean in \(scratch.root.folder.path)") }
        } undone: {
            Console.print($0)
        } due: {
            due = due ?? $0
        }
        for remains in ScratchCleaner.find(in: scratch.root) {
            let why =
                remains.inUse
                ? "its run still lives"
                : remains.kept
                    ? "kept on purpose\(KeptRuns.origin(of: remains)), muster clean --kept \(KeptRuns.name(of: remains)) removes it"
                    : "it knows of a standby that may still stand still; remove it by hand once that is settled otherwise"
            Console.print("left \(Self.describe(remains)): \(why)")
        }
        if let due { throw due }
    }

    private static func describe(_ remains: ScratchCleaner.Remains) -> String {
        "\(remains.folder.path) (\(remains.purpose), \(remains.processes) process(es))"
    }
}
