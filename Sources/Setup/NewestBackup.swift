// The newest artifact of a series, opened with its key as a drill would, and what it says of itself: the disappointments of a first drill
// without the restore.

import ArtifactFormats
import BackupAccess
import BackupCatalog
import DrillEngine
import DrillModel
import FileRecovery
import Foundation
import PhysicalRecovery
import PostgresRecovery
import RedisRecovery
import Reports
import ScratchHost

/// Looks at the newest artifact of one backup set.
struct NewestBackup: Sendable {
    var estate: Estate
    var set: BackupSet
    var root: ScratchRoot
    var installed: [PostgresBinaries]

    private var name: String { "newest of \(set.service)/\(set.name)" }

    /// Nothing where a key is missing, which has a line of its own.
    func look() async -> [MachineNeed] {
        guard set.kind != .command else { return [] }
        let remote = set.stores.compactMap { estate.stores[$0]?.remote?.keys }.flatMap(\.self)
        for reference in ([set.encryption?.key].compactMap(\.self) + remote).compactMap({ estate.keys[$0] }) {
            switch reference {
            case .command:
                return [MachineNeed(state: .unasked, name: name, detail: "not opened: its key comes from a command, which is not run here")]
            case .file(let url): if !FileManager.default.isReadableFile(atPath: url.path) { return [] }
            case .environment(let variable): if ProcessInfo.processInfo.environment[variable]?.isEmpty != false { return [] }
            }
        }
        do {
            return try await RemoteScope.with(estate, in: root) { stores in
                let backups = ServiceBackups(estate: estate, set: set, stores: stores)
                let identified = try await backups.identify(before: Date())
                guard let point = identified.points.first else { return [] }
                // What a drill would be red of before it fetches anything: one from the future, a store without any.
                let red = identified.cases.filter { $0.verdict == .failed }.flatMap(\.findings).filter { $0.severity == .critical }
                return try await open(point, backups) + red.map(need)
            }
        } catch let failure as DrillFailure {
            // Those have lines of their own: the store's, and that of read access.
            let told: [Rule] = [.accessDenied, .storeUnreadable, Rule("store-missing"), Rule("store-unreachable")]
            return told.contains(failure.finding.rule) ? [] : [need(failure.finding)]
        } catch let failure as CommandFailure {
            return [MachineNeed(state: .missing, name: name, detail: failure.message, mend: failure.hint)]
        } catch is CancellationError {
            return [MachineNeed(state: .unasked, name: name, detail: "the look at it was broken off")]
        } catch {
            // Whatever stopped it, nobody knows whether it opens.
            let known = error as? ScratchError
            return [
                MachineNeed(
                    state: .missing, name: name,
                    detail: "it could not be looked at: \(known?.message ?? String(describing: type(of: error)))",
                    mend: known?.hint ?? "run a drill of it, which says more")
            ]
        }
    }

    private func here(_ detail: String) -> MachineNeed { MachineNeed(state: .here, name: name, detail: detail) }

    private func need(_ finding: Finding) -> MachineNeed {
        let object = finding.object.isEmpty ? "" : "\(finding.object): "
        let actual = finding.actual.isEmpty ? "" : ", \(finding.actual)"
        return MachineNeed(state: .missing, name: name, detail: object + finding.message + actual, mend: finding.hint)
    }

    private func open(_ point: RecoveryPoint, _ backups: ServiceBackups) async throws -> [MachineNeed] {
        let what = "\(point.path) of \(Readable.time(point.time, in: estate.timeZone).prefix(16)), \(Readable.bytes(point.size))"
        try backups.requireAccess(to: point)
        let host: ScratchHost
        do throws(ScratchError) {
            host = try await ScratchHost.prepare(in: root, purpose: "look at \(set.service)/\(set.name)", view: estate.view)
        } catch {
            return [MachineNeed(state: .missing, name: name, detail: error.message, mend: error.hint)]
        }
        do {
            let needs = try await read(try await fetched(point, backups, on: host), backups, on: host).map { need in
                var need = need
                if need.name == name { need.detail = "\(what), \(need.detail)" }
                return need
            }
            try await host.remove()
            return needs
        } catch {
            try? await host.remove()
            throw error
        }
    }

    /// Of a large artifact in a remote store no more than what is looked at.
    private func fetched(_ point: RecoveryPoint, _ backups: ServiceBackups, on host: ScratchHost) async throws -> RecoveryPoint {
        let isFolder = (try? point.location.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
        guard estate.stores[point.store]?.remote != nil, !isFolder, point.size > ArtifactRetriever.beginning,
            let bytes = try await backups.stores.beginning(of: point, count: ArtifactRetriever.beginning)
        else {
            try await backups.stores.bring(point)
            return point
        }
        var point = point
        point.location = try host.privateFolder("stored", of: set.service).appendingPathComponent(point.location.lastPathComponent)
        try Data(bytes).write(to: point.location)
        return point
    }

    private func read(_ point: RecoveryPoint, _ backups: ServiceBackups, on host: ScratchHost) async throws -> [MachineNeed] {
        switch set.kind {
        case .command, .gitMirror, .pgBackRest:
            return [here("listed and not opened: its own tool reads it in a drill")]
        case .baseBackup:
            let encryption = try backups.keyring.decryption(of: set)
            let files = try await BaseBackup(at: point.location, name: point.path, encryption: encryption).manifest().files.count
            return [here("its manifest opens and names \(Readable.count(files, "file"))")]
        case .pgDump, .rdb, .aof, .env, .gitBundle: return try await look(at: point, backups, on: host)
        }
    }

    private func look(at point: RecoveryPoint, _ backups: ServiceBackups, on host: ScratchHost) async throws -> [MachineNeed] {
        let folder = try host.privateFolder("look", of: set.service)
        if set.kind == .env || set.kind == .gitBundle && point.size <= ArtifactRetriever.beginning {
            let file = FileBackup(backups: backups, host: host, folder: folder)
            let retrieved = try await file.retrieve(point) { _ in }
            // Its values stay where they are.
            if set.kind == .env { _ = try file.environment(of: retrieved, object: point.path) }
            if set.kind == .gitBundle, retrieved.format != .gitBundle { throw stranger(point, retrieved.format) }
            let what = set.kind == .env ? "variables" : "a git bundle"
            return [here("\(set.encryption == nil ? "readable" : "opens with its key"), \(what)")]
        }
        let opened = try await ArtifactRetriever(host: host, decryption: try backups.keyring.decryption(of: set))
            .beginning(of: point, into: folder)
        let opens = (set.encryption == nil ? "readable" : "opens with its key") + (opened.isWhole ? "" : " (its beginning was read)")
        switch set.kind {
        case .pgDump: return try await dump(point, opened, opens, on: host, in: folder)
        case .rdb:
            guard case .file(let snapshot) = SnapshotSource(opened.location, isSnapshot: opened.format == .rdb) else {
                throw stranger(point, opened.format)
            }
            let server = RedisOrigin(RDBHeader(FirstBytes.of(snapshot))).version.map { " of \($0)" } ?? ""
            return [here("\(opens), a snapshot\(server)")]
        case .aof where AppendOnlySource(opened.location, isFolder: opened.isFolder) != nil || opened.format == .tar:
            return [here("\(opens), append-only files")]
        case .gitBundle where opened.format == .gitBundle:
            return [here("\(opens), a git bundle")]
        default: throw stranger(point, opened.format)
        }
    }

    private func stranger(_ point: RecoveryPoint, _ format: ArtifactFormat) -> DrillFailure {
        DrillFailure.failed(
            Finding(
                .artifactUnknown, object: point.path, expected: "a backup of kind \(set.kind.rawValue)", actual: format.rawValue,
                message: "the newest backup is not what the estate says",
                hint: Finding.strangerHint(isDecrypted: set.encryption != nil, then: "check its kind and match in the estate file")))
    }

    private func dump(
        _ point: RecoveryPoint, _ opened: ArtifactBeginning, _ opens: String, on host: ScratchHost, in folder: URL
    ) async throws -> [MachineNeed] {
        // Noise: another key opens nothing else out of it.
        if !opened.isFolder, opened.format == .unknown { throw stranger(point, opened.format) }
        let dump = try DumpSource(
            location: opened.location, format: opened.format, isFolder: opened.isFolder, globals: nil, backup: point.path)
        let contents = try await DumpContents.read(dump, on: host, in: folder)
        if contents == nil, let writer = dump.header?.dumpVersion, let major = Int(writer.prefix { $0.isNumber }),
            let newest = installed.last, newest.major < major
        {
            return [
                MachineNeed(
                    state: .missing, name: name,
                    detail: "it was written by pg_dump \(major), and no pg_restore of this machine (\(newest.major)) reads it",
                    mend: "apt-get install postgresql-client-\(major), or name its bin folder in MUSTER_PG_BIN")
            ]
        }
        var words = [opens, "\(dump.format.rawValue) dump of PostgreSQL \(dump.header?.serverVersion ?? version(dump.serverVersion))"]
        if let tables = contents?.tables { words.append(Readable.count(tables, "table")) }
        let room = self.room(for: point, opened)
        words.append("needs \(room.isKnown ? "" : "more than ")\(Readable.bytes(room.bytes)) of scratch")
        if let extensions = contents?.extensions, !extensions.isEmpty { words.append("extensions \(extensions.joined(separator: ", "))") }
        var needs = [MachineNeed(state: .here, name: name, detail: words.joined(separator: ", "))]
        if let free = host.folder.freeBytes(), free < room.bytes {
            needs.append(
                MachineNeed(
                    state: .missing, name: "room for \(set.service)/\(set.name)",
                    detail: "\(Readable.bytes(free)) free in \(root.folder.path)",
                    mend: "free some space, or choose another disk with --scratch"))
        }
        return needs + (await lacking(contents?.extensions ?? [], of: dump, on: host))
    }

    private func lacking(_ extensions: [String], of dump: DumpSource, on host: ScratchHost) async -> [MachineNeed] {
        let major = dump.serverMajor ?? 0
        guard !extensions.isEmpty, let server = installed.first(where: { $0.major >= major }),
            let lacking = await server.lacking(extensions, on: host)
        else { return [] }
        return lacking.map { name in
            MachineNeed(
                state: .missing, name: "extension \(name) of postgres \(server.major)", detail: "needed for \(set.service)/\(set.name)",
                mend: "install the package that brings extension/\(name).control (apt-cache search postgresql-\(server.major))")
        }
    }

    private func version(_ number: Int?) -> String {
        number.map { $0 % 10_000 == 0 ? "\($0 / 10_000)" : "\($0 / 10_000).\($0 % 10_000)" } ?? "unknown version"
    }

    /// The stored file is fetched, and its database made beside it.
    private func room(for point: RecoveryPoint, _ opened: ArtifactBeginning) -> (bytes: Int64, isKnown: Bool) {
        if let size = point.sealState.seal?.identity?.size { return (point.size + size, true) }
        return (point.size + max(point.size, opened.plainBytes ?? 0), false)
    }
}
