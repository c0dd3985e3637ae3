// `muster seal`: makes a backup and its truth under one snapshot, or seals one that was already taken.

import ArgumentParser
import DrillFiles
import DrillModel
import Foundation
import Reports
import Sealing

struct SealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seal", abstract: "Back up a source and record, signed, what it held at that instant.",
        discussion: """
            Writes the artifact into the backup's first store, encrypted as the estate file says, and beside it \
            <artifact>.seal.json. With --existing it seals an artifact that another tool took: the truth is then that of the \
            backup, and every drill says so. Of a backup with cluster: true it is all databases and roles, as pg_dumpall writes them. \
            Of a physical backup, --moment seals what the source holds now: a drill with to: sealed-moment rolls forward to it.
            """)

    enum Pause: String, ExpressibleByArgument, CaseIterable {
        case snapshot, dump
    }

    @OptionGroup var estateFile: EstateArgument

    @Option(help: "The estate's service to back up.")
    var service: String

    @Option(help: "Which of the service's backups this is.")
    var backup: String

    @Option(
        help: ArgumentHelp(
            "The artifact's path below the store (default: the backup's match with its one * filled in).", valueName: "path"))
    var output: String?

    @Option(help: ArgumentHelp("Seal this artifact instead of making one: a path below the store, or 'latest'.", valueName: "path"))
    var existing: String?

    @Option(help: ArgumentHelp("Keep the source busy with fingerprints for at most this share of the time.", valueName: "percent"))
    var load = 100

    @Flag(help: "Let the source use its parallel workers for fingerprints.")
    var parallel = false

    @Option(
        help: ArgumentHelp(
            """
            Where the source is a standby: what its replay stands still for, the snapshot alone or the whole dump (default: the snapshot \
            where hot_standby_feedback is on or max_standby_streaming_delay is -1, otherwise the dump).
            """, valueName: "snapshot|dump"))
    var pause: Pause?

    @Option(
        name: .customLong("max-pause"),
        help: ArgumentHelp("Where the source is a standby: for how long its replay may stand still, such as 2h.", valueName: "duration"))
    var maxPause = "30m"

    @Flag(
        name: .customLong("allow-older-pg-dump"),
        help: "Seal even where pg_dump is older than the server by a minor release and writes what only that release restores.")
    var allowOlderClient = false

    @Flag(help: "Seal what the source holds now, beside its write-ahead log: for a drill with to: sealed-moment.")
    var moment = false

    @Option(help: ArgumentHelp("With --moment: how long to wait until its log is archived, such as 10m.", valueName: "duration"))
    var wait: String?

    @Flag(name: .customLong("switch-wal"), help: "With --moment: have the source begin a new segment, so that its own is archived now.")
    var switchWAL = false

    @Option(help: ArgumentHelp("Also seal the answers to the sealed queries of this drill file; may be given again.", valueName: "drill"))
    var queries: [String] = []

    @OptionGroup var scratch: ScratchOption

    func validate() throws {
        guard moment || wait == nil && !switchWAL else { throw ValidationError("--wait and --switch-wal go with --moment") }
        guard !moment || existing == nil && !allowOlderClient else {
            throw ValidationError("--moment makes no dump: leave --existing and --allow-older-pg-dump away")
        }
        guard wait.map({ DrillFiles.duration($0) != nil }) ?? true else { throw ValidationError("--wait takes a duration such as 10m") }
        guard (1...100).contains(load) else { throw ValidationError("--load takes a percentage from 1 to 100") }
        guard existing == nil || output == nil else { throw ValidationError("--existing and --output exclude each other") }
        guard DrillFiles.duration(maxPause) != nil else {
            throw ValidationError("--max-pause takes a duration such as 30m, 2h or 90s, ten years at the most")
        }
    }

    func run() async throws {
        let (estate, _) = try estateFile.load()
        guard let service = estate.services[service] else {
            throw CommandFailure(
                .usage, "the estate has no service \(service)", hint: "it has \(estate.services.keys.sorted().joined(separator: ", "))")
        }
        guard let set = service.backups[backup] else {
            throw CommandFailure(
                .usage, "\(service.name) has no backup \(backup)",
                hint: "it has \(service.backups.keys.sorted().joined(separator: ", "))")
        }
        try await scratch.cleanUpAfterEarlierRuns()
        var job = SealJob(
            estate: estate, service: service, set: set, root: scratch.root, loadPercent: load, parallelWorkers: parallel,
            pause: pause.flatMap { PostgresSealer.Options.Pause(rawValue: $0.rawValue) },
            maxPause: DrillFiles.duration(maxPause) ?? .seconds(1800), allowOlderClient: allowOlderClient
        ) { Console.complain("muster: \($0)") }
        job.questions = queries.isEmpty ? [] : try DrillFiles.load(queries).flatMap { $0.sealedQuestions(of: service.name) }
        guard queries.isEmpty || !job.questions.isEmpty else {
            throw CommandFailure(
                .usage, "--queries names no sealed query of \(service.name)", hint: "add - sealed: {…} to the drill's checks")
        }
        let (started, ready) = (ContinuousClock.now, job)
        let (existing, output) = (existing, output)
        let options = moment ? SealJob.MomentOptions(wait: wait.flatMap(DrillFiles.duration), switchesWAL: switchWAL) : nil
        let (artifact, seal) = try await SignalGuard.run {
            if let options { return try await ready.sealMoment(output: output, options) }
            return try await ready.run(existing: existing, output: output)
        }
        Console.print("sealed \(artifact.path)")
        SealSummary.lines(seal, in: estate.timeZone, took: ContinuousClock.now - started).forEach(Console.print)
        SealSummary.warnings(seal).forEach { Console.complain("muster: warning: \($0)") }
    }
}
