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
            valueName: "file|folder"), completion: .file())
    var paths: [String] = []

    @Option(help: ArgumentHelp("Where the run's folder is made.", valueName: "folder"), completion: .directory)
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

    @Flag(help: "Say a line a drill, and what is red.")
    var quiet = false

    @Flag(name: .customLong("fail-fast"), help: "Stop after the first drill that doesn't pass.")
    var failFast = false

    @Flag(name: .customLong("last-failed"), help: "Only drills that did not pass when they last ran, by the reports in --output.")
    var lastFailed = false

    @Flag(help: "Only show the drills' names, and open no store.")
    var list = false

    @Flag(name: .customLong("dry-run"), help: "Show what would be restored and asked, and touch nothing.")
    var dryRun = false

    @Option(help: ArgumentHelp("Draw the backups of select: random as the run did that names this seed.", valueName: "number"))
    var seed: UInt64?

    @OptionGroup var metrics: MetricsOption

    @OptionGroup var estate: EstateOption

    @OptionGroup var scratch: ScratchOption

    func run() async throws {
        let output = URL(fileURLWithPath: output, isDirectory: true)
        let plans = try await DrillSelection(filter: filter, lastFailed: lastFailed, shard: shard).chosen(
            try DrillFiles.load(try EstatePlaces().drills(paths, tell: Console.complain), estate: estate.file), reports: output
        )
        .map { $0.drawing(by: seed) }
        if list { return plans.forEach { Console.print($0.name) } }
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
            plans: plans, output: output, root: scratch.root, keep: keep, live: live, quiet: quiet, failFast: failFast,
            keptRuns: keepRuns.count, metrics: metrics)
        let verdict = try await session.run()
        let code = DrillModel.ExitCode(verdict)
        if code != .passed { throw code }
    }
}
