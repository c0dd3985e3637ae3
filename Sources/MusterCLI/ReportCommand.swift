// `muster report`: an estate's compliance in a quarter, a year, or any days.

import ArgumentParser
import Compliance
import DrillFiles
import DrillModel
import Evidence
import Foundation
import Reports

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Report what was drilled and inspected in a period, against what was due.",
        discussion: """
            Reads the runs of an estate and its ledger, and writes a page for people, with Markdown, JSON and CSV beside it. The estate's \
            drills say how often they are due. A period in which a due drill is missing fails. Exit codes: 0 all that was due was drilled \
            and passed, 1 something is missing, failed or overdue, 2 it could not be told, 64 wrong usage.
            """)

    @OptionGroup var estateFile: EstateArgument

    @Option(help: ArgumentHelp("The quarter, such as 2026-Q4. Without a period: the one that runs now.", valueName: "quarter"))
    var quarter: String?

    @Option(help: ArgumentHelp("The year, such as 2026.", valueName: "year"))
    var year: String?

    @Option(help: ArgumentHelp("The first day, such as 2026-10-01.", valueName: "day"))
    var from: String?

    @Option(help: ArgumentHelp("The last day; without it, today.", valueName: "day"))
    var to: String?

    @OptionGroup var drills: DrillsOption

    @Option(help: ArgumentHelp("Where the runs' folders are.", valueName: "folder"), completion: .directory)
    var output = "reports"

    @Option(
        help: ArgumentHelp(
            "Where the report's files are made. Default: a folder beside the runs, named for the period.", valueName: "folder"),
        completion: .directory)
    var into: String?

    @Option(
        help: ArgumentHelp(
            "Who mends what, until when. Default: corrective-actions.yaml beside the estate file, where there is one.", valueName: "file"),
        completion: .file())
    var actions: String?

    @Option(help: ArgumentHelp("The ledger's head as it was kept elsewhere: a newer end must follow it.", valueName: "number:hash"))
    var head: String?

    func validate() throws {
        if let head, LedgerHead(head) == nil {
            throw ValidationError("--head wants an entry's number and its hash, as a run prints them: 12:9f86d081…")
        }
        for folder in drills.folders where !DrillsOption.isFolder(folder) { throw ValidationError("--drills \(folder) is no folder") }
        let given = [quarter != nil, year != nil, from != nil || to != nil].count { $0 }
        guard given <= 1 else { throw ValidationError("--quarter, --year and --from/--to exclude each other") }
        guard to == nil || from != nil else { throw ValidationError("--to wants --from beside it") }
    }

    func run() async throws {
        let now = Date()
        let (estate, _) = try estateFile.load()
        let period = try ReportPeriod(quarter: quarter, year: year, from: from, to: to).period(today: CalendarDay(now, in: estate.timeZone))
        let beside = DrillFiles.drills(of: estate, in: drills.folders)
        let collector = ComplianceCollector(
            estate: estate, plans: beside.plans,
            unreadablePlans: (beside.problems + beside.doubts).map {
                "\(URL(fileURLWithPath: $0.file).lastPathComponent)\($0.line > 0 ? ":\($0.line)" : ""): \($0.message)"
            },
            history: RunHistory(folder: URL(fileURLWithPath: output, isDirectory: true)), actions: try actionPlan(estate), period: period,
            now: now, musterVersion: Muster.version, head: head.flatMap(LedgerHead.init))
        let report = try await collector.report()
        let page = try ComplianceFormat.write(report, into: into ?? "\(output)/\(report.folderName)")
        ComplianceLines(report).lines(color: Console.options.color).forEach(Console.print)
        Console.print("  \(page)")
        let code = DrillModel.ExitCode(report.verdict)
        if code != .passed { throw code }
    }

    private func actionPlan(_ estate: Estate) throws -> ActionPlan {
        if let actions { return try DrillFiles.loadActions(actions) }
        let beside = estate.file.deletingLastPathComponent().appendingPathComponent(Self.actionsFile)
        return FileManager.default.fileExists(atPath: beside.path) ? try DrillFiles.loadActions(beside.path) : ActionPlan()
    }

    private static let actionsFile = "corrective-actions.yaml"
}
