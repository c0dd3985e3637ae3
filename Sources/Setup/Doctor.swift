// Looks at this machine the way a drill will need it.

import BackupAccess
import ArtifactFormats
import BackupCatalog
import Cryptography
public import DrillModel
import Foundation
import Glibc
import OutsideTools
import PostgresRecovery
import RedisRecovery
import Reports
public import ScratchHost

/// One thing that drills need.
public struct MachineNeed: Sendable, Hashable {
    public enum State: Sendable, Hashable {
        case here
        /// Drills run, and prove less.
        case weak
        case missing
        /// Not looked at, and said so.
        case unasked
    }
    public var state: State
    public var name: String
    public var detail = ""
    public var mend = ""

    public var sign: String {
        switch state {
        case .here: "✓"
        case .weak: "–"
        case .missing: "✗"
        case .unasked: "?"
        }
    }
}

/// One look at one machine.
public struct Doctor: Sendable {
    /// nil: only what every estate needs.
    var estate: Estate?
    var root: ScratchRoot
    var installed: [PostgresBinaries] = PostgresBinaries.installed()
    /// Whether a program is on PATH.
    var has: @Sendable (String) -> Bool = { ScratchHost.locate($0) != nil }
    /// Whether the unprivileged user finds it there too.
    var hasForOthers: @Sendable (String) -> Bool = { ScratchHost.locate($0, forOthers: geteuid() == 0) != nil }

    public init(estate: Estate?, root: ScratchRoot) {
        self.estate = estate
        self.root = root
    }

    public func look() async -> [MachineNeed] {
        var needs = await machine()
        guard let estate else { return needs + ServerNeeds(postgres: installed).look() }
        for store in estate.stores.values.sorted(by: { $0.name < $1.name }) { needs.append(await look(at: store)) }
        for (name, reference) in estate.keys.sorted(by: { $0.key < $1.key }) { needs.append(look(at: reference, of: "key \(name)")) }
        for file in estate.seals.trustedKeys {
            let there = FileManager.default.isReadableFile(atPath: file.path)
            needs.append(
                MachineNeed(
                    state: there ? .here : .missing, name: "trusted key \(file.lastPathComponent)",
                    mend: there ? "" : "copy the public key to \(file.path): without it no seal can be believed"))
        }
        var asked: Set<String> = []
        for set in estate.allSets {
            needs += access(to: set)
            for need in decryption(of: set) + programs(of: set) where asked.insert(need.name).inserted { needs.append(need) }
        }
        // What can't be opened here is told above, and need not be told again by each series.
        let isReady = needs.allSatisfy { $0.state != .missing || !["unprivileged user", "quarantine"].contains($0.name) }
        for set in isReady ? estate.allSets : [] {
            needs += await NewestBackup(estate: estate, set: set, root: root, installed: installed).look()
        }
        for application in estate.applications.values.sorted(by: { $0.name < $1.name }) {
            for need in ApplicationNeeds(application, has: hasForOthers).look() where asked.insert(need.name).inserted {
                needs.append(need)
            }
        }
        for channel in estate.notify {
            for (key, secret) in zip(["url", "token"], channel.secrets) {
                needs.append(look(at: secret, of: "\(key) of notify.\(channel.name)"))
            }
            let need = program(channel.program.path, for: channel.title, package: channel.program.package)
            if asked.insert(need.name).inserted { needs.append(need) }
        }
        for (zone, commands) in estate.zones.sorted(by: { $0.key < $1.key }) {
            for word in [commands.cut, commands.restore].compactMap(\.run.first) where asked.insert(word).inserted {
                // As a hook's: a path starts at the folder of the file that states it.
                let place = commands.file.deletingLastPathComponent()
                let path =
                    word.contains("/") ? URL(fileURLWithPath: word, isDirectory: false, relativeTo: place).standardizedFileURL.path : word
                let isThere = has(path)
                needs.append(
                    MachineNeed(
                        state: isThere ? .here : .missing, name: word, detail: isThere ? "" : "needed to cut off zone \(zone)",
                        mend: isThere ? "" : "check its path and that it is executable"))
            }
        }
        return needs
    }

    // MARK: The machine

    private func machine() async -> [MachineNeed] {
        do throws(ScratchError) {
            let host = try await ScratchHost.prepare(in: root, purpose: "doctor")
            let free = host.folder.freeBytes() ?? 0
            var needs = [
                MachineNeed(
                    state: free < 1 << 30 ? .weak : .here, name: "scratch folder \(root.folder.path)",
                    detail: "\(Readable.bytes(free)) free",
                    mend: free < 1 << 30 ? "free some space, or choose another disk with --scratch" : ""),
                // As in a container with a user id of its own choice.
                host.namelessUser.map { MachineNeed(state: .missing, name: "unprivileged user", detail: $0.message, mend: $0.hint) }
                    ?? MachineNeed(state: .here, name: "unprivileged user", detail: host.userName),
            ]
            needs.append(
                MachineNeed(
                    state: host.isolation.isWhole ? .here : .weak, name: "quarantine", detail: host.isolation.summary,
                    mend: host.isolation.mend))
            try await host.remove()
            return needs
        } catch {
            let name = error.kind == .toolMissing ? "quarantine" : "scratch folder \(root.folder.path)"
            return [MachineNeed(state: .missing, name: name, detail: error.message, mend: error.hint)]
        }
    }

    // MARK: The estate

    private func look(at store: Store) async -> MachineNeed {
        switch store.location {
        case .remote: return await reach(store)
        case .folder(let url):
            let there = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) != nil
            return MachineNeed(
                state: there ? .here : .missing, name: "store \(store.name)", detail: there ? "" : "\(url.path) can't be read",
                mend: there ? "" : "mount it, or mend its path and permissions")
        }
    }

    /// What lies in its stores, as far as this user may not read it: a drill would stop at that.
    private func access(to set: BackupSet) -> [MachineNeed] {
        guard let estate, ![.pgBackRest, .command].contains(set.kind) else { return [] }
        let catalogue = Catalogue(estate: estate, set: set, trusted: [], decryption: nil)
        let listing = catalogue.listing()
        let archived = set.wal?.stores.compactMap { estate.stores[$0] }.flatMap { (try? catalogue.walFiles(in: $0)) ?? [] } ?? []
        let closed =
            listing.points.compactMap { StoredAccess.refused(of: $0) } + archived.compactMap { StoredAccess.refused(below: $0.location) }
        let refused =
            listing.problems.map(\.failure.finding).filter { $0.rule == .accessDenied }.map(\.message)
            + closed.map { "\($0.path) may not be read by this user" }
        guard let first = refused.first else { return [] }
        return [
            MachineNeed(
                state: .missing, name: "read access to \(set.service)/\(set.name)",
                detail: refused.count == 1 ? first : "\(first), and \(refused.count - 1) more",
                mend: "run muster as a user who may, or let this one: setfacl -R -m u:\(ScratchHost.callerName):rX FOLDER")
        ]
    }

    /// Lists the store's top, unless a key's command would have to be run for it.
    private func reach(_ store: Store) async -> MachineNeed {
        guard let estate, has("rclone") else { return program("rclone", for: "store \(store.name)", package: "rclone") }
        let name = "store \(store.name)"
        let asks = (store.remote?.keys ?? []).contains { if case .command = estate.keys[$0] { true } else { false } }
        if asks { return MachineNeed(state: .unasked, name: name, detail: "not tried: its key comes from a command") }
        let failure: DrillFailure?
        do {
            failure = try await RemoteScope.with(estate, in: root) { stores in await stores.failure(of: store) }
        } catch {
            return MachineNeed(state: .missing, name: name, detail: "no scratch folder", mend: "choose another with --scratch")
        }
        return failure.map { MachineNeed(state: .missing, name: name, detail: $0.finding.message, mend: $0.finding.hint) }
            ?? MachineNeed(state: .here, name: name, detail: store.remote?.address ?? "")
    }

    /// Commands are not run: they may ask somebody, or count their calls.
    private func look(at reference: KeyReference, of name: String) -> MachineNeed {
        switch reference {
        case .file(let url):
            let there = FileManager.default.isReadableFile(atPath: url.path)
            return MachineNeed(
                state: there ? .here : .missing, name: name, detail: there ? "" : "its file can't be read",
                mend: there ? "" : "put it at \(url.path), readable for this user alone")
        case .environment(let variable):
            let there = ProcessInfo.processInfo.environment[variable]?.isEmpty == false
            return MachineNeed(
                state: there ? .here : .missing, name: name, detail: there ? "" : "the environment variable \(variable) is not set",
                mend: there ? "" : "set \(variable) before running muster")
        case .command(let words):
            return program(words.first ?? "", for: name)
        }
    }

    private func program(_ program: String, for user: String, package: String? = nil) -> MachineNeed {
        let there = has(program)
        return MachineNeed(
            state: there ? .here : .missing, name: package == nil ? "\(program) of \(user)" : program,
            detail: there ? "" : "needed for \(user)",
            mend: there ? "" : package.map { "apt-get install \($0)" } ?? "install it, or put its folder on PATH")
    }

    /// What opens its files.
    private func decryption(of set: BackupSet) -> [MachineNeed] {
        switch set.encryption?.format {
        case .age?: [program("age", for: "\(set.service)/\(set.name)", package: "age")]
        case .gpg?: [program("gpg", for: "\(set.service)/\(set.name)", package: "gnupg")]
        case .opensslEnc?, .pgBackRest?, .cms?, nil: []
        }
    }

    private func programs(of set: BackupSet) -> [MachineNeed] {
        let name = "\(set.service)/\(set.name)"
        let found = survey(set)
        switch set.kind {
        case .pgDump:
            return [postgres(major: found.major, orNewer: true, for: name)] + decompressors(found.formats, for: name)
        case .baseBackup:
            return [postgres(major: found.major, orNewer: false, for: name)] + decompressors(found.formats, for: name)
        case .pgBackRest:
            return [program("pgbackrest", for: name, package: "pgbackrest"), postgres(major: nil, orNewer: false, for: name)]
        case .command:
            let words = [set.restore?.restore.first, set.restore?.fetchWAL?.first].compactMap { $0 }
            return words.map { program($0, for: name) } + [postgres(major: nil, orNewer: false, for: name)]
        case .env: return live(of: set, for: name) + decompressors(found.formats, for: name)
        case .gitBundle, .gitMirror:
            return [program("git", for: name, package: "git")] + running(of: set, for: name) + decompressors(found.formats, for: name)
        case .rdb, .aof:
            let software = estate?.redisSoftware(of: set.service) ?? RedisSoftware()
            return RedisNeeds(software, of: name, origin: found.redis).look() + decompressors(found.formats, for: name)
        }
    }

    /// What the configuration is compared with.
    private func live(of set: BackupSet, for user: String) -> [MachineNeed] {
        switch set.configuration?.live {
        case .file(let url): [readable(url, name: "live configuration of \(user)", key: "live")]
        case .command(let words): [program(words.first ?? "", for: "\(user), which asks for the live configuration")]
        case .environment, nil: []
        }
    }

    /// Where it stands which commit production runs.
    private func running(of set: BackupSet, for user: String) -> [MachineNeed] {
        switch set.code?.runs {
        case .file(let url): [readable(url, name: "running commit of \(user)", key: "runs")]
        case .command(let words): [program(words.first ?? "", for: "\(user), which asks for the running commit")]
        case .commit, nil: []
        }
    }

    private func readable(_ file: URL, name: String, key: String) -> MachineNeed {
        let there = FileManager.default.isReadableFile(atPath: file.path)
        return MachineNeed(
            state: there ? .here : .missing, name: name, detail: there ? "" : "\(file.path) can't be read",
            mend: there ? "" : "put it there, readable for this user, or mend \"\(key)\" in the estate file")
    }

    private func postgres(major: Int?, orNewer: Bool, for user: String) -> MachineNeed {
        let have = installed.map { String($0.major) }.joined(separator: ", ")
        guard let newest = installed.last else {
            return MachineNeed(
                state: .missing, name: "postgres", detail: "needed for \(user)",
                mend: "apt-get install postgresql, or name its bin folder in MUSTER_PG_BIN")
        }
        guard let major else {
            return MachineNeed(
                state: .here, name: "postgres \(have)",
                detail: orNewer ? "" : "\(user) needs the source's own major version, which only reading it tells")
        }
        let fits = orNewer ? newest.major >= major : installed.contains { $0.major == major }
        return MachineNeed(
            state: fits ? .here : .missing, name: "postgres \(major)\(orNewer ? " or newer" : "")",
            detail: fits ? "" : "\(user) is of postgres \(major), and this machine has \(have)",
            mend: fits ? "" : "apt-get install postgresql-\(major), or name its bin folder in MUSTER_PG_BIN")
    }

    private func decompressors(_ formats: Set<ArtifactFormat>, for user: String) -> [MachineNeed] {
        formats.compactMap(Decompressor.of).sorted { $0.program < $1.program }.map { program($0.program, for: user, package: $0.package) }
    }

    /// The keys by which a seal may say what an encrypted artifact doesn't.
    private var trustedKeys: [Ed25519PublicKey] {
        (estate?.seals.trustedKeys ?? []).compactMap { file in
            (try? String(contentsOf: file, encoding: .utf8)).flatMap { try? Ed25519PublicKey(pem: $0) }
        }
    }

    /// What the newest artifacts tell by their first bytes, their names and their seals.
    private func survey(_ set: BackupSet) -> (major: Int?, formats: Set<ArtifactFormat>, redis: RedisOrigin?) {
        guard let estate, ![.pgBackRest, .command, .gitMirror].contains(set.kind) else { return (nil, [], nil) }
        let catalogue = Catalogue(estate: estate, set: set, trusted: trustedKeys, decryption: nil)
        guard let newest = catalogue.listing().points.max(by: { $0.time < $1.time }) else { return (nil, [], nil) }
        let names =
            [newest.location.lastPathComponent] + ((try? FileManager.default.contentsOfDirectory(atPath: newest.location.path)) ?? [])
        let plain = names.map { $0.replacing(/\.(enc|age|gpg|pgp|asc|cms|p7m)$/, with: "") }
        var formats = Set(Decompressor.all.filter { $0.value.suffixes.contains { suffix in plain.contains { $0.hasSuffix(suffix) } } }.keys)
        let head = FirstBytes.of(newest.location)
        formats.insert(ArtifactFormat(head: head))
        if set.kind.engine == .redis {
            let isFolder = (try? newest.location.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
            let origin =
                set.kind == .aof ? AppendOnlySource(newest.location, isFolder: isFolder)?.origin : RDBHeader(head).map { RedisOrigin($0) }
            return (nil, formats, origin)
        }
        if let text = try? String(contentsOf: newest.location.appendingPathComponent("PG_VERSION"), encoding: .utf8) {
            return (Int(text.trimmingCharacters(in: .whitespacesAndNewlines)), formats, nil)
        }
        let sealed = newest.sealState.seal?.identity.map { $0.serverVersion / 10000 }
        return (ArchiveHeader(head, timeZone: estate.timeZone)?.serverMajor ?? sealed, formats, nil)
    }
}
