// `muster evidence`: what the ledger of the runs proves.

import ArgumentParser
import DrillFiles
import DrillModel
import Evidence
import Foundation
import Reports

struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence", abstract: "Prove that past runs are as they were.", subcommands: [VerifyEvidenceCommand.self])
}

struct VerifyEvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Hold the ledger and the runs' files against the keys that are trusted.",
        discussion: """
            Says what was altered, removed, inserted, reordered, or cut off the end. Exit codes: 0 whole, 1 altered, 2 could not be \
            verified, 64 wrong usage.
            """)

    @Option(help: ArgumentHelp("Where the ledger and the runs' folders are.", valueName: "folder"), completion: .directory)
    var output = "reports"

    @Option(
        help: ArgumentHelp(
            "Trust the keys that this estate file names under evidence. Without it and --trust: the one that muster inspect would take.",
            valueName: "estate.yaml"), completion: .file())
    var estate: String?

    @Option(help: ArgumentHelp("Trust this Ed25519 public key, PEM; may be given several times.", valueName: "file"), completion: .file())
    var trust: [String] = []

    @Option(help: ArgumentHelp("The ledger's head as it was kept elsewhere: a newer end must follow it.", valueName: "number:hash"))
    var head: String?

    @Flag(help: "Take it for no damage where a run's folder is gone as a whole, as --keep-runs leaves it.")
    var allowMissingRuns = false

    func validate() throws {
        if let head, LedgerHead(head) == nil {
            throw ValidationError("--head wants an entry's number and its hash, as a run prints them: 12:9f86d081…")
        }
    }

    func run() async throws {
        var files = trust.map { URL(fileURLWithPath: $0) }
        if estate != nil || trust.isEmpty {
            let (read, path) = try EstatePlaces().estate(estate, tellsAlways: true, tell: Console.complain)
            guard let policy = read.evidence else {
                throw CommandFailure(
                    .usage, "\(path) names no keys of a ledger", hint: "add evidence: {…} to it, or name keys with --trust")
            }
            files += policy.trustedKeys
        }
        let folder = URL(fileURLWithPath: output, isDirectory: true)
        let found = try LedgerVerification(
            folder: folder, trusting: files, anchor: head.flatMap(LedgerHead.init), allowsMissingRuns: allowMissingRuns)
        for problem in found.problems { Console.print("✗ \(problem)") }
        for obstacle in found.obstacles { Console.print("! \(obstacle)") }
        for note in found.notes { Console.print("note: \(note)") }
        let counts =
            "\(Readable.count(found.entries)) \(found.entries == 1 ? "entry" : "entries") of \(Readable.count(found.runs, "run")), "
            + "\(Readable.count(found.files, "file")) as they were written"
        switch found.verdict {
        case .passed: Console.print("✓ the ledger is whole: \(counts)")
        case .failed: Console.print("✗ \(Readable.count(found.problems.count, "problem")); \(counts)")
        case .error, .skipped: Console.print("! the ledger could not be verified")
        }
        if let head = found.head { Console.print("head \(head)") }
        let code = DrillModel.ExitCode(found.verdict)
        if code != .passed { throw code }
    }
}
