// `muster init`: looks at a folder of backups, and writes an estate and drills for what it finds.

import ArgumentParser
import DrillFiles
import DrillModel
import Foundation

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Look at a folder of backups, and write an estate and drills for what is there.",
        discussion: """
            Kinds are told by content; of what is encrypted, by the names around it, and the file says so. Nothing that is there already is \
            written over. Read what it wrote: targets, checks and promises are yours to add.
            """)

    @Argument(help: ArgumentHelp("The folder that holds the backups. It is only read.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("Where the files go.", valueName: "folder"))
    var output = "drills"

    @Option(help: ArgumentHelp("The estate's name (default: the backup folder's).", valueName: "name"))
    var estate: String?

    @Option(help: ArgumentHelp("The Ed25519 public key, PEM, that the seals beside the backups are signed with.", valueName: "file"))
    var trust: String?

    func run() async throws {
        let source = URL(fileURLWithPath: folder, isDirectory: true).standardizedFileURL
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw CommandFailure(.usage, "\(folder) is no folder", hint: "name the folder that holds the backups")
        }
        let found = BackupFinder(root: source).find()
        guard !found.sets.isEmpty else {
            throw CommandFailure(
                .unverified, "no backup was recognised in \(source.path)",
                hint: "it looks for dumps, base backups, pgBackRest repositories, RDB and AOF files; is the store mounted?")
        }
        let target = URL(fileURLWithPath: output, isDirectory: true)
        let trusted = try trust.map { path in
            let file = URL(fileURLWithPath: path).standardizedFileURL
            guard FileManager.default.isReadableFile(atPath: file.path) else {
                throw CommandFailure(.usage, "\(path) can't be read", hint: "--trust names the public key's file")
            }
            return file
        }
        let files = EstateDraft(
            name: estate ?? EstateDraft.word(source.lastPathComponent), root: source, sets: found.sets, trusted: trusted
        ).files
        for file in files where FileManager.default.fileExists(atPath: target.appendingPathComponent(file.name).path) {
            throw CommandFailure(
                .usage, "\(target.appendingPathComponent(file.name).path) is there already", hint: "choose another folder with --output")
        }
        do {
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            for file in files { try Data(file.text.utf8).write(to: target.appendingPathComponent(file.name), options: .withoutOverwriting) }
        } catch {
            throw CommandFailure(.unverified, "\(target.path) can't be written", hint: "check its permissions and free space")
        }
        for set in found.sets { Console.print("found \(set.summary)") }
        for name in found.passedOver.prefix(10) { Console.print("passed over \(name): not recognised") }
        if found.passedOver.count > 10 { Console.print("passed over \(found.passedOver.count - 10) more") }
        for file in files { Console.print("wrote \(target.appendingPathComponent(file.name).relativePath)") }
        // What it writes must be what it reads.
        _ = try DrillFiles.load([target.path])
        if found.sets.contains(where: \.isEncrypted) {
            Console.print(
                "The key is named by the environment variable \(EstateDraft.keyVariable): set it, or name another place under keys.")
        }
        if found.hasSeals, trusted == nil {
            Console.print("Seals lie beside the backups: name their public key under seals: {trust: […]}. Until then they count as forged.")
        }
        Console.print("Try:  muster run \(target.relativePath) --dry-run")
    }
}
