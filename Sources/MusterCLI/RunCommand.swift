// `muster run`: flags in, drills run, an exit code out.

import ArgumentParser
import DrillFiles
import DrillModel
import Drills
import Foundation
import Reports

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Rehearse disasters: restore real backups into scratch servers, check and measure.",
        discussion: "Reads drill files, or every drill of a folder. Reports land in a folder of their own below reports/.")

    @Argument(
        help: ArgumentHelp(
            "Drill files, or folders of them. Without any, those beside the estate file that muster inspect would take, and in drills beside it.",
            valueName: "file|folder"))
    var paths: [String] = []

    @Option(help: ArgumentHelp("Where the run's folder is made.", valueName: "folder"))
    var output = "reports"

    @OptionGroup var keepRuns: KeepRunsOption

    @Option(help: ArgumentHelp("Only drills whose name matches this regular expression.", valueName: "regex"))
    var filter: String?

    @Option(help: ArgumentHelp("Only the i-th of n equal parts of the drills, such as 2/3.", valueName: "i/n"))
    var shard: String?

    @Flag(
        help: "Leave the scratch servers' files in place, for muster attach. They hold decrypted data: muster clean --kept removes them.")
    var keep = false

    @Flag(help: "Ask on this terminal for every manual step, and count the time it really takes instead of its allowance.")
    var live = false

    @Flag(name: .customLong("dry-run"), help: "Show what would be restored and asked, and touch nothing.")
    var dryRun = false

    @Option(help: ArgumentHelp("Draw the backups of select: random as the run did that names this seed.", valueName: "number"))
    var seed: UInt64?

    @OptionGroup var metrics: MetricsOption

    @OptionGroup var estate: EstateOption

    @OptionGroup var scratch: ScratchOption

    func run() async throws {
        let plans = try selected(try DrillFiles.load(try EstatePlaces().drills(paths, tell: Console.complain), estate: estate.file))
            .map { plan in
                var plan = plan
                plan.seed = seed
                return plan
            }
        if dryRun {
            let root = scratch.root
            try await SignalGuard.run { try await DryRun(plans: plans, root: root, tell: Console.print).show() }
            return
        }
        guard !live || TerminalConfirmer.isPossible else {
            throw CommandFailure(.usage, "--live asks on a terminal, and there is none", hint: "run it in a terminal, or without --live")
        }
        let metrics = try metrics.file()
        try await scratch.cleanUpAfterEarlierRuns()
        let session = RunSession(
            plans: plans, output: URL(fileURLWithPath: output, isDirectory: true), root: scratch.root, keep: keep, live: live,
            keptRuns: keepRuns.count, metrics: metrics)
        let verdict = try await session.run()
        let code = DrillModel.ExitCode(verdict)
        if code != .passed { throw code }
    }

    /// Filter first, then shard: so a filtered run is split evenly as well.
    private func selected(_ plans: [DrillPlan]) throws -> [DrillPlan] {
        var plans = plans
        if let filter {
            guard let pattern = try? Regex(filter) else {
                throw CommandFailure(.usage, "--filter \(filter) is no regular expression", hint: "quote special characters with \\")
            }
            plans = plans.filter { $0.name.contains(pattern) }
            guard !plans.isEmpty else {
                throw CommandFailure(.usage, "no drill's name matches \(filter)", hint: "muster run --dry-run shows the names")
            }
        }
        if let shard {
            let parts = shard.split(separator: "/").compactMap { Int($0) }
            guard parts.count == 2, parts[1] >= 1, (1...parts[1]).contains(parts[0]) else {
                throw CommandFailure(.usage, "--shard \(shard) is no i/n", hint: "write --shard 1/3, --shard 2/3 and --shard 3/3")
            }
            plans = plans.enumerated().filter { $0.offset % parts[1] == parts[0] - 1 }.map(\.element)
            guard !plans.isEmpty else {
                throw CommandFailure(
                    .usage, "shard \(shard) is empty: there are fewer drills than shards", hint: "use fewer shards")
            }
        }
        return plans
    }
}
