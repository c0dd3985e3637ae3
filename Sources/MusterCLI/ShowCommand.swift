// `muster show`: a past run on the console, as it was seen.

import ArgumentParser
import DrillModel
import Foundation
import Reports

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a past run as the console showed it.",
        discussion: "Replays the run's events.jsonl. What a killed run left is shown as far as it came.")

    @Argument(
        help: ArgumentHelp("The run's name or its last four characters, the path of its folder, or latest.", valueName: "run"))
    var name = "latest"

    @Option(help: ArgumentHelp("Where the runs' folders are.", valueName: "folder"), completion: .directory)
    var output = "reports"

    func run() async throws {
        do {
            let log = try RunHistory(folder: URL(fileURLWithPath: output, isDirectory: true)).log(of: name)
            var options = Console.options
            // It is over: nothing is redrawn.
            options.live = false
            let console = ConsoleReport(options: options, sink: { Console.write($0) })
            let ending = try await EventReplay.read(log) { await console.record($0) }
            await console.finish()
            if ending == .broken { Console.complain("note: the log breaks off: the run was killed, or is not over") }
        } catch let error as ReplayError {
            throw CommandFailure(error.kind == .notFound ? .usage : .unverified, error.message, hint: error.hint)
        }
    }
}
