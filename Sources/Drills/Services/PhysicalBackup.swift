// How each kind of physical backup comes into a scratch data folder, and where the write-ahead log for it is read.

public import BackupAccess
public import ArtifactFormats
public import BackupCatalog
import Cryptography
public import DrillEngine
public import DrillModel
public import Foundation
public import PhysicalRecovery
import Reports
public import ScratchHost

/// One physical backup of one set.
public struct PhysicalBackup: Sendable {
    var source: ServiceBackups
    var point: RecoveryPoint
    /// All points of the set, where the links of an incremental chain are looked for.
    var others: [RecoveryPoint]
    var profile: Profile
    var target: RecoveryTarget
    var host: ScratchHost

    public init(
        source: ServiceBackups, point: RecoveryPoint, others: [RecoveryPoint], profile: Profile, target: RecoveryTarget, host: ScratchHost
    ) {
        self.source = source
        self.point = point
        self.others = others
        self.profile = profile
        self.target = target
        self.host = host
    }

    private var set: BackupSet { source.set }

    /// Brings it into a folder, and tells what was verified on the way.
    public func bring(into folder: URL, _ log: any StepLog) async throws -> CopiedBase {
        switch set.kind {
        case .pgBackRest: return try await pgBackRest(into: folder, log)
        case .command: return try await command(into: folder, log)
        default: return try await baseBackup(into: folder, log)
        }
    }

    private func base(of point: RecoveryPoint) throws(DrillFailure) -> BaseBackup {
        try BaseBackup(at: point.location, name: point.path, encryption: try source.keyring.decryption(of: set))
    }

    private func baseBackup(into folder: URL, _ log: any StepLog) async throws -> CopiedBase {
        let base = try base(of: point)
        let manifest = try await base.manifest()
        log.record(.judged(.backup, service: set.service, name: "backup_manifest matches its own checksum", findings: []))
        // The links of a chain are found by what stands inside them.
        if manifest.isIncremental {
            for other in others where other.store == point.store && other.time < point.time { try await source.stores.bring(other) }
        }
        let total = manifest.files.reduce(0) { $0 + $1.size }
        try checkRoom(for: total)
        let start = ContinuousClock.now
        let links = others.filter { $0.path != point.path }.compactMap { other in
            (try? self.base(of: other)).map { IncrementalChain.Link(name: other.path, backup: $0) }
        }
        let outcome = try await IncrementalChain(host: host, folder: folder, others: links, profile: profile).bring(
            IncrementalChain.Link(name: point.path, backup: base), manifest: manifest
        ) {
            log.progress("copying and verifying", completed: $0, total: max(total, $0), unit: .bytes)
        }
        log.record(
            .judged(
                .backup, service: set.service, name: "every file is the one that the manifest names",
                duration: start.duration(to: .now), findings: outcome.copied.findings))
        if outcome.links.count > 1 {
            log.record(.judged(.backup, service: set.service, name: "the chain of incremental backups is whole", findings: []))
            log.fact("base-backup.chain", outcome.links.joined(separator: " + "))
        }
        return outcome.copied
    }

    private func pgBackRest(into folder: URL, _ log: any StepLog) async throws -> CopiedBase {
        let label = point.location.lastPathComponent
        try checkRoom(for: point.size)
        let start = ContinuousClock.now
        let copied = try await ForeignBase(
            .pgBackRest(try repository(), label: label), backup: point.path, host: host, folder: folder
        ).bring()
        log.record(
            .judged(
                .backup, service: set.service, name: "every file is the one that pgbackrest backed up", duration: start.duration(to: .now),
                findings: []))
        log.fact("base-backup.label", label)
        return copied
    }

    private func command(into folder: URL, _ log: any StepLog) async throws -> CopiedBase {
        guard let restore = set.restore else {
            throw DrillFailure.error(
                Finding(
                    .scratchUnusable, object: set.name, expected: "a restore command", actual: "none",
                    message: "a set of kind command is restored by its command", hint: "add restore: {run: […]} to it in the estate file"))
        }
        try checkRoom(for: point.size)
        let copied = try await ForeignBase(
            .command(
                restore.restore,
                values: [.backup: point.location.path, .name: point.location.lastPathComponent, .target: target.argument],
                hidden: source.keyring.secretVariables), backup: point.path, host: host, folder: folder
        ).bring()
        log.record(.judged(.backup, service: set.service, name: "the declared command restores a cluster", findings: []))
        log.unproven(
            "\(set.service): the backup was restored by a command of the estate's, as Muster's own user and outside of the quarantine; "
                + "nothing but that command has verified its files.")
        return copied
    }

    private func repository() throws(DrillFailure) -> PgBackRest {
        guard let store = source.estate.stores[point.store] else {
            throw .error(
                Finding(.scratchUnusable, object: point.store, message: "the store is gone", hint: "report this as a defect of muster"))
        }
        return try PgBackRestPoints(estate: source.estate, set: set).repository(in: store)
    }

    /// nil where nothing is archived beside the backup itself.
    public func archive(of files: [ArchivedWAL], partial: Set<WALSegmentName>, data: URL) throws(DrillFailure) -> WALSource? {
        if set.kind == .pgBackRest { return WALSource(tool: WALFetch(.pgBackRest(try repository()), data: data)) }
        if let restore = set.restore, let fetch = restore.fetchWAL {
            return WALSource(
                tool: WALFetch(.command(fetch, missing: restore.missingCodes, hidden: source.keyring.secretVariables), data: data))
        }
        return try source.archive(of: files, partial: partial)
    }

    /// Saying so at once beats a full disk half-way; segments that lie ready need some room too.
    private func checkRoom(for bytes: Int64) throws(DrillFailure) {
        let needed = bytes + 512 << 20
        guard let free = host.folder.freeBytes(), free < needed else { return }
        throw .error(
            Finding(
                .scratchDiskFull, object: host.folder.url.path, expected: "\(needed) bytes for the restored data",
                actual: "\(free) bytes free",
                message: "the scratch disk has too little room for this restore",
                hint: "free some space there, or choose another disk with --scratch"))
    }
}

extension RecoveryTarget {
    /// As a command line takes it.
    fileprivate var argument: String {
        switch goal {
        case .end, .moment: "latest"
        case .time(let date): Self.text(date)
        case .lsn(let lsn): Self.text(lsn: lsn)
        case .name(let name): name
        case .xid(let xid): String(xid)
        }
    }
}
