// `muster init`: looks at a folder of backups, and writes an estate and drills for what it finds.

import ArgumentParser
import BackupCatalog
import Cryptography
import DrillFiles
import DrillModel
import Foundation

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Look at a folder or bucket of backups, and write an estate and drills for what is there.",
        discussion: """
            Kinds are told by content; of what is encrypted, by the names around it, and the file says so. Nothing that is there already is \
            written over. Read what it wrote: targets, checks and promises are yours to add.
            """)

    @OptionGroup var source: InitSource

    @Option(help: ArgumentHelp("Where the files go.", valueName: "folder"))
    var output = "drills"

    @Option(help: ArgumentHelp("The estate's name (default: the backup folder's).", valueName: "name"))
    var estate: String?

    @Option(help: ArgumentHelp("The Ed25519 public key, PEM, that the seals beside the backups are signed with.", valueName: "file"))
    var trust: String?

    @OptionGroup var scratch: ScratchOption

    private func tellPassedOver(_ found: BackupFinder.Found) {
        for name in found.passedOver.prefix(10) { Console.print("passed over \(name)") }
        if found.passedOver.count > 10 { Console.print("passed over \(found.passedOver.count - 10) more") }
    }

    func run() async throws {
        let (store, keys) = try source.store()
        var found = try await find(in: store, keys)
        guard !found.sets.isEmpty else {
            tellPassedOver(found)
            throw CommandFailure(
                .unverified, "no backup was recognised in \(store.folder?.path ?? source.place)",
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
        if let trusted, let root = store.folder {
            let key: Ed25519PublicKey
            do {
                key = try Ed25519PublicKey(pem: String(contentsOf: trusted, encoding: .utf8))
            } catch {
                throw CommandFailure(.usage, "\(trusted.path) is no Ed25519 public key, PEM", hint: "--trust names the public key's file")
            }
            for index in found.sets.indices {
                found.sets[index].sealed = SealedNames(of: found.sets[index], below: root, trusted: key)
            }
        }
        // Seals are believed for their own estate alone.
        let sealedEstates = found.sets.reduce(into: Set<String>()) { $0.formUnion($1.sealed.estates) }
        let sealedAs = sealedEstates.count == 1 ? sealedEstates.first : nil
        let files = EstateDraft(
            name: estate ?? sealedAs ?? EstateDraft.word(store.folder?.lastPathComponent ?? source.place), store: store, keys: keys,
            sets: found.sets, trusted: trusted
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
        tellPassedOver(found)
        for file in files { Console.print("wrote \(target.appendingPathComponent(file.name).relativePath)") }
        // What it writes must be what it reads.
        _ = try DrillFiles.load([target.path])
        if found.sets.contains(where: { $0.encryption != nil }) {
            Console.print(
                "The key is named by the environment variable \(EstateDraft.keyVariable): set it, or name another place under keys.")
        }
        if found.hasSeals, trusted == nil {
            Console.print("Seals lie beside the backups: name their public key under seals: {trust: […]}. Until then they count as forged.")
        }
        Console.print("Try:  muster run \(target.relativePath) --dry-run")
    }

    /// A remote store is looked at by what stands for it: each object's name, size and time, and the first bytes of the newest.
    private func find(in store: Store, _ keys: [String: KeyReference]) async throws -> BackupFinder.Found {
        if let folder = store.folder { return BackupFinder(root: folder).find() }
        let bare = Estate(
            name: "init", timeZone: .gmt, stores: [store.name: store], keys: keys, services: [:], seals: SealPolicy(),
            file: URL(fileURLWithPath: "estate.yaml"))
        let root = scratch.root
        return try await SignalGuard.run {
            do {
                return try await RemoteScope.with(bare, in: root) { stores in
                    var found = BackupFinder(root: try await stores.standIns(for: store)).find()
                    found.passedOver += found.sets.filter { $0.kind == .pgBackRest }.map {
                        "\($0.match) (a pgBackRest repository: mount it)"
                    }
                    found.sets.removeAll { $0.kind == .pgBackRest }
                    return found
                }
            } catch let failure as DrillFailure {
                throw CommandFailure(.unverified, failure.finding.message, hint: failure.finding.hint)
            }
        }
    }
}
