// `muster init backups`: looks at a folder of backups, and writes an estate and drills for what it finds.

import ArgumentParser
import DrillFiles
import DrillModel
import Foundation
import Setup

struct InitBackupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backups", abstract: "Look at a folder or bucket of backups, and write an estate and drills for what is there.",
        discussion: """
            Kinds are told by content; of what is encrypted, by the names around it, and the file says so. Nothing that is there already is \
            written over. Read what it wrote: targets, checks and promises are yours to add.
            """)

    @OptionGroup var source: InitSource

    @Option(help: ArgumentHelp("Where the files go.", valueName: "folder"), completion: .directory)
    var output = "drills"

    @Option(help: ArgumentHelp("The estate's name (default: the backup folder's).", valueName: "name"))
    var estate: String?

    @Option(
        help: ArgumentHelp("The Ed25519 public key, PEM, that the seals beside the backups are signed with.", valueName: "file"),
        completion: .file())
    var trust: String?

    @OptionGroup var scratch: ScratchOption

    private func tellPassedOver(_ found: BackupFinder.Found) {
        for line in found.named { Console.print("named, not taken: \(line)") }
        for name in found.passedOver.prefix(10) { Console.print("passed over \(name)") }
        if found.passedOver.count > 10 { Console.print("passed over \(found.passedOver.count - 10) more") }
    }

    func run() async throws {
        let (store, keys) = try source.store()
        let setup = EstateSetup(
            store: store, keys: keys, place: source.place, name: estate,
            trusted: trust.map { URL(fileURLWithPath: $0).standardizedFileURL }, root: scratch.root)
        let found = try await SignalGuard.run { try await setup.look() }
        guard !found.sets.isEmpty else {
            tellPassedOver(found)
            throw found.failure(in: store.folder?.path ?? source.place)
        }
        let target = URL(fileURLWithPath: output, isDirectory: true)
        let files = try setup.write(found, to: target)
        for set in found.sets { Console.print("found \(set.summary)") }
        tellPassedOver(found)
        for file in files { Console.print("wrote \(target.appendingPathComponent(file.name).relativePath)") }
        // What it writes must be what it reads.
        _ = try DrillFiles.load([target.path])
        let variables = EstateDraft.keyVariables(found.sets)
        if !variables.isEmpty {
            let several = variables.count > 1
            Console.print(
                "\(several ? "Keys are" : "The key is") named by the environment variable\(several ? "s" : "") "
                    + "\(variables.joined(separator: ", ")): set \(several ? "them" : "it"), or name another place under keys.")
        }
        if found.hasSeals, trust == nil {
            Console.print("Seals lie beside the backups: name their public key under seals: {trust: […]}. Until then they count as forged.")
        }
        Console.print("Try:  muster run \(ShellWord.of(target.relativePath)) --dry-run")
    }
}
