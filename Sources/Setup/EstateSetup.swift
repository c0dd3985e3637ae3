// From a place where backups lie to the files that drill them: what `muster init` does.

import BackupAccess
import BackupCatalog
import Cryptography
public import DrillModel
public import Foundation
public import ScratchHost

/// One estate to be.
public struct EstateSetup: Sendable {
    /// Where the backups lie.
    var store: Store
    /// What the store itself is opened with.
    var keys: [String: KeyReference]
    /// The store's place as the user named it.
    var place: String
    /// nil: that of the seals, or the place's.
    var name: String?
    /// The public key that seals are trusted by.
    var trusted: URL?
    var root: ScratchRoot

    public init(store: Store, keys: [String: KeyReference], place: String, name: String?, trusted: URL?, root: ScratchRoot) {
        self.store = store
        self.keys = keys
        self.place = place
        self.name = name
        self.trusted = trusted
        self.root = root
    }

    /// Finds the backups. A remote store is looked at by what stands for it: each object's name, size and time, and the first bytes of the
    /// newest.
    ///
    /// - Throws: ``CommandFailure`` where it can't be listed.
    public func look() async throws -> BackupFinder.Found {
        if let folder = store.folder { return try await find(in: folder) }
        let bare = Estate(
            name: "init", timeZone: .gmt, stores: [store.name: store], keys: keys, services: [:], seals: SealPolicy(),
            file: URL(fileURLWithPath: "estate.yaml"))
        do {
            return try await RemoteScope.with(bare, in: root) { stores in
                var found = try await find(in: try await stores.standIns(for: store))
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

    /// What is packed is unpacked for its first bytes inside the quarantine; where this machine has none, names tell.
    private func find(in folder: URL) async throws -> BackupFinder.Found {
        let finder = BackupFinder(root: folder)
        guard let host = try? await ScratchHost.prepare(in: root, purpose: "init") else { return await finder.find() }
        let found = await finder.find { await PackedContent.look(at: $0, on: host) }
        try? await host.remove()
        try Task.checkCancellation()
        return found
    }

    /// Writes an estate and its drills into a folder. Nothing that is there already is written over.
    ///
    /// - Throws: ``CommandFailure``.
    public func write(_ found: BackupFinder.Found, to target: URL) throws -> [EstateDraft.File] {
        let sets = try named(found.sets)
        // Seals are believed for their own estate alone.
        let sealedEstates = sets.reduce(into: Set<String>()) { $0.formUnion($1.sealed.estates) }
        let sealedAs = sealedEstates.count == 1 ? sealedEstates.first : nil
        let files = EstateDraft(
            name: name ?? sealedAs ?? EstateDraft.word(store.folder?.lastPathComponent ?? place), store: store, keys: keys, sets: sets,
            trusted: trusted
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
        return files
    }

    /// Each set with the names that its seals carry, as far as the key vouches for them.
    private func named(_ sets: [FoundSet]) throws -> [FoundSet] {
        guard let trusted else { return sets }
        guard FileManager.default.isReadableFile(atPath: trusted.path) else {
            throw CommandFailure(.usage, "\(trusted.path) can't be read", hint: "--trust names the public key's file")
        }
        guard let root = store.folder else { return sets }
        let key: Ed25519PublicKey
        do {
            key = try Ed25519PublicKey(pem: String(contentsOf: trusted, encoding: .utf8))
        } catch {
            throw CommandFailure(.usage, "\(trusted.path) is no Ed25519 public key, PEM", hint: "--trust names the public key's file")
        }
        return sets.map { set in
            var set = set
            set.sealed = SealedNames(of: set, below: root, trusted: key)
            return set
        }
    }
}
