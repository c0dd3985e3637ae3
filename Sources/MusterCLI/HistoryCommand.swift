// `muster history`: what ran, and how the targets were met over time.

import ArgumentParser
import DrillModel
import Foundation
import Reports

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show past runs: verdicts, RTO and RPO against their targets, and their trend.",
        discussion: "Reads the reports of the runs below reports/. Each drill of a run is one line, the newest first.")

    enum Format: String, ExpressibleByArgument {
        case text, json
    }

    @Option(help: ArgumentHelp("Where the runs' folders are.", valueName: "folder"), completion: .directory)
    var output = "reports"

    @Option(help: ArgumentHelp("Only drills of this name; of inspections, the estate's.", valueName: "name"))
    var drill: String?

    @Option(help: ArgumentHelp("At most so many lines.", valueName: "n"))
    var last = 20

    @Option(help: ArgumentHelp("How they are shown: text or json.", valueName: "format"))
    var format = Format.text

    func validate() throws {
        guard last > 0 else { throw ValidationError("--last wants a number above 0") }
    }

    func run() async throws {
        let history = RunHistory(folder: URL(fileURLWithPath: output, isDirectory: true))
        do {
            let (rows, unreadable) = try await history.rows(drill: drill, last: last)
            if format == .json {
                Console.print(try HistoryJSON.render(rows))
            } else if rows.isEmpty {
                Console.print(drill.map { "no run of \($0) lies in \(output)" } ?? "no run lies in \(output)")
            } else {
                HistoryTable(rows: rows).lines(color: Console.options.color).forEach(Console.print)
            }
            for run in unreadable { Console.complain("\(run.run): \(run.problem)") }
            if !unreadable.isEmpty { throw DrillModel.ExitCode.unverified }
        } catch let error as ReplayError {
            throw CommandFailure(error.kind == .notFound ? .usage : .unverified, error.message, hint: error.hint)
        }
    }
}
