// `muster inspect`: an estate's whole backup regime as checks, without a restore.

public import ArgumentParser
import BackupAccess
import DrillFiles
import DrillModel
import Evidence
import Foundation
import Inspection
import Notifications
import Reports

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Judge the stored backups against the estate's promises, without a restore.",
        discussion: """
            Schedule, retention, sizes, encryption, copies, seals and permissions: each promise of the estate file is one test case, with \
            the dates that break it. Reports land in a folder of their own below reports/, as those of muster run.
            """)

    @OptionGroup var estateFile: EstateArgument

    @Flag(help: "Show the recovery points that there are, and judge nothing.")
    var list = false

    @Flag(help: "Read every artifact to its end: digest against the seal, decrypt, and let the services' own tools go through it.")
    var deep = false

    @Option(help: ArgumentHelp("How --list is shown: text or json.", valueName: "format"))
    var format = RecoveryPointList.Format.text

    @Option(
        name: .customLong("at"),
        help: ArgumentHelp("Judge as of this past instant instead of now, such as 2026-03-01T02:00:00+05:30.", valueName: "instant"))
    var instant: String?

    @OptionGroup var drills: DrillsOption

    @Option(help: ArgumentHelp("Where the run's folder is made.", valueName: "folder"), completion: .directory)
    var output = "reports"

    @OptionGroup var keepRuns: KeepRunsOption

    @OptionGroup var metrics: MetricsOption

    @OptionGroup var scratch: ScratchOption

    func validate() throws {
        guard !(list && deep) else { throw ValidationError("--list and --deep exclude each other") }
        guard !(list && metrics.metrics != nil) else { throw ValidationError("--list judges nothing that --metrics could tell") }
        for folder in drills.folders where !DrillsOption.isFolder(folder) { throw ValidationError("--drills \(folder) is no folder") }
        guard format == .text || list else { throw ValidationError("--format goes with --list; the reports have their own formats") }
    }

    func run() async throws {
        let (estate, _) = try estateFile.load()
        let now = try self.now()
        if list {
            let root = scratch.root
            let list = try await SignalGuard.run {
                try await RemoteScope.with(estate, in: root) { stores in
                    do throws(DrillFailure) {
                        return try await RecoveryPointList(of: estate, asOf: now, in: stores, looking: root)
                    } catch {
                        throw CommandFailure(.unverified, error.finding.message, hint: error.finding.hint)
                    }
                }
            }
            try list.show(format, tell: Console.print)
            return
        }
        let metrics = try metrics.file()
        if deep || estate.hasRemoteStores { try await scratch.cleanUpAfterEarlierRuns() }
        let (deep, root) = (deep, scratch.root)
        let evidence = try RunEvidence([(estate, nil)])
        let kept = drillsKept(of: estate)
        // How things were is no news.
        let recorded = RecordedRun(
            drills: 1, output: URL(fileURLWithPath: output, isDirectory: true), kept: keepRuns.count, metrics: metrics,
            evidence: evidence, notifications: instant == nil ? RunNotifications([(estate, nil)]) : nil)
        let verdict = try await recorded.run { hub in
            try await RemoteScope.with(estate, in: root) { stores in
                try await EstateInspection(
                    estate: estate, now: now, deep: deep ? root : nil, scratch: root, stores: stores, drills: kept
                ).run(hub: hub)
            }
        }
        let code = DrillModel.ExitCode(verdict)
        if code != .passed { throw code }
    }

    private func drillsKept(of estate: Estate) -> DrillsKept {
        let beside = DrillFiles.drills(of: estate, in: drills.folders)
        return DrillsKept(
            plans: beside.plans,
            unreadable: beside.problems.map {
                DrillsKept.Unreadable(
                    file: URL(fileURLWithPath: $0.file).lastPathComponent,
                    problem: $0.line > 0 ? "line \($0.line): \($0.message)" : $0.message, hint: $0.hint)
            }, doubts: beside.doubts.map { "\(URL(fileURLWithPath: $0.file).lastPathComponent) \($0.message)" },
            history: RunHistory(folder: URL(fileURLWithPath: output, isDirectory: true)), folder: output)
    }

    private func now() throws -> Date {
        guard let instant else { return Date() }
        guard let date = DrillFiles.instant(instant) else {
            throw CommandFailure(.usage, "--at \(instant) is no instant", hint: "write it with its zone: 2026-03-01T02:00:00+05:30")
        }
        guard date <= Date() else {
            throw CommandFailure(.usage, "--at \(instant) is yet to come", hint: "name a past instant, or leave it out for now")
        }
        return date
    }
}

extension RecoveryPointList.Format: ExpressibleByArgument {}
