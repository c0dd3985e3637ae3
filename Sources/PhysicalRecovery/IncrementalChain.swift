// PostgreSQL's own incremental backups: the chain back to a full one, each link verified, and combined by pg_combinebackup.

public import ArtifactFormats
public import DrillModel
public import Foundation
import OutsideTools
public import PostgresRecovery
public import ScratchHost

extension Rule {
    public static let chainBroken = Rule("incremental-chain-broken")
    public static let combineFailed = Rule("combine-failed")
}

/// Brings one base backup, and whatever it builds on, into one data folder.
public struct IncrementalChain: Sendable {
    /// A base backup that may be a link.
    public struct Link: Sendable {
        public var name: String
        public var backup: BaseBackup

        public init(name: String, backup: BaseBackup) {
            self.name = name
            self.backup = backup
        }
    }
    let host: ScratchHost
    let folder: URL
    /// All other base backups of the set, the newest first.
    let others: [Link]
    let profile: Profile
    let installed: [PostgresBinaries]

    /// - Parameters:
    ///   - folder: A private folder of the host's.
    ///   - others: Where the links before the wanted backup are looked for.
    public init(
        host: ScratchHost, folder: URL, others: [Link], profile: Profile, installed: [PostgresBinaries] = PostgresBinaries.installed()
    ) {
        self.host = host
        self.folder = folder
        self.others = others
        self.profile = profile
        self.installed = installed
    }

    /// What came of it.
    public struct Outcome: Sendable {
        public var copied: CopiedBase
        /// The full backup first; one name where the backup is a full one.
        public var links: [String]
    }

    /// - Parameters:
    ///   - manifest: Of the wanted backup.
    ///   - progress: Bytes copied so far, of all links together.
    /// - Throws: ``DrillFailure``: failed where a link is missing; `CancellationError`. Damaged files are findings of the outcome.
    public func bring(_ wanted: Link, manifest: BackupManifest, progress: @escaping @Sendable (Int64) -> Void) async throws -> Outcome {
        guard manifest.isIncremental else {
            let copied = try await BaseBackupCopy(host: host, folder: folder).copy(wanted.backup, manifest: manifest, progress: progress)
            return Outcome(copied: copied, links: [wanted.name])
        }
        var links = [wanted]
        var parts = [try await copy(wanted, manifest: manifest, number: 0, progress: progress)]
        var known: [(link: Link, manifest: BackupManifest)]?
        while let from = try self.label(of: parts[parts.count - 1], name: links[links.count - 1].name).incrementalFrom {
            if known == nil { known = await manifests() }
            guard let next = known?.first(where: { $0.manifest.ranges.contains { $0.start == from } && !Self.holds(links, $0.link) }) else {
                throw broken(links, from: from)
            }
            let before = parts.reduce(0) { $0 + $1.bytes }
            links.append(next.link)
            parts.append(try await copy(next.link, manifest: next.manifest, number: parts.count) { progress(before + $0) })
        }
        return Outcome(
            copied: try await combine(parts.reversed(), of: wanted.name), links: links.reversed().map(\.name))
    }

    private static func holds(_ links: [Link], _ link: Link) -> Bool { links.contains { $0.name == link.name } }

    private func copy(
        _ link: Link, manifest: BackupManifest, number: Int, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> CopiedBase {
        let place = folder.appendingPathComponent("link\(number)", isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try host.folder.own(place)
        } catch {
            throw DrillFailure.error(
                Finding(
                    .scratchUnusable, object: link.name, message: "a folder can't be made in the scratch folder",
                    hint: "check its disk and permissions"))
        }
        return try await BaseBackupCopy(host: host, folder: place).copy(link.backup, manifest: manifest, progress: progress)
    }

    /// One whose manifest can't be read is no link that could be trusted; the catalogue and inspect tell of it.
    private func manifests() async -> [(link: Link, manifest: BackupManifest)] {
        var found: [(link: Link, manifest: BackupManifest)] = []
        for link in others {
            if let manifest = try? await link.backup.manifest() { found.append((link, manifest)) }
        }
        return found
    }

    private func label(of part: CopiedBase, name: String) throws(DrillFailure) -> BackupLabel {
        let text = try? String(contentsOf: part.dataFolder.appendingPathComponent("backup_label"), encoding: .utf8)
        guard let label = text.flatMap({ BackupLabel($0) }) else {
            throw .broken(
                .baseFileMissing, "\(name)/backup_label", expected: "a backup_label", actual: "none that can be read",
                "an incremental backup has no label, so nothing says what it builds on", hint: "fetch another copy of it")
        }
        return label
    }

    private func broken(_ links: [Link], from: UInt64) -> DrillFailure {
        let chain = links.map(\.name).joined(separator: " builds on ")
        return .broken(
            .chainBroken, links[links.count - 1].name, expected: "the backup that began at \(WALPosition.text(from))",
            actual: "none with a readable manifest among \(others.count) others",
            "the chain of incremental backups is broken: \(chain), which builds on a backup that isn't there; recoverable up to: nothing, from this backup",
            hint: "find the missing backup in another store; until then only older full backups can be restored, so take a new full one now"
        )
    }

    private func combine(_ parts: [CopiedBase], of name: String) async throws -> CopiedBase {
        guard let last = parts.last else { throw broken([], from: 0) }
        let findings = parts.flatMap(\.findings)
        // Combining damaged links gives a cluster that nobody should look at: the finding is the answer.
        if let critical = findings.first(where: { $0.severity == .critical }) { throw DrillFailure.failed(critical) }
        let text = (try? String(contentsOf: last.dataFolder.appendingPathComponent("PG_VERSION"), encoding: .utf8)) ?? ""
        let major = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        guard let binaries = installed.first(where: { $0.major == major }) else {
            throw DrillFailure.error(
                Finding(
                    .postgresMissing, object: "pg_combinebackup \(major)", expected: "the programs of postgres \(major)", actual: "none",
                    message: "incremental backups are combined by their own version's pg_combinebackup, and this machine has none",
                    hint: "apt-get install postgresql-\(major), or name its bin folder in MUSTER_PG_BIN"))
        }
        let data = folder.appendingPathComponent("data", isDirectory: true)
        let tablespaces = last.tablespaces.map { number in
            (
                from: last.dataFolder.deletingLastPathComponent().appendingPathComponent("ts/\(number)"),
                to: folder.appendingPathComponent("ts/\(number)")
            )
        }
        let log = folder.appendingPathComponent("pg_combinebackup.log")
        let result: ToolResult
        do {
            result = try await host.run(
                PgCombinebackup(program: binaries.path("pg_combinebackup")).combine(
                    parts.map(\.dataFolder), into: data, tablespaces: tablespaces, isSynced: profile != .fast), errors: log)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchUnusable, object: "pg_combinebackup", message: error.message, hint: error.hint))
        }
        guard result.succeeded else {
            if host.folder.isFull {
                throw DrillFailure.error(
                    Finding(
                        .scratchDiskFull, object: name, expected: "room for the combined backup", actual: "a full disk",
                        message: "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch"))
            }
            throw DrillFailure.broken(
                .combineFailed, name, expected: "one backup", actual: "pg_combinebackup ended with \(result.ending)",
                "the chain of incremental backups can't be combined",
                hint: "run again with --keep, and read pg_combinebackup.log in the scratch folder")
        }
        try mapTablespaces(last.tablespaces, data: data)
        for part in parts { host.discard(part.dataFolder.deletingLastPathComponent()) }
        return CopiedBase(
            dataFolder: data, asideFolder: try keepAside(of: last), findings: findings, files: parts.reduce(0) { $0 + $1.files },
            bytes: parts.reduce(0) { $0 + $1.bytes }, tablespaces: last.tablespaces)
    }

    /// The last link's configuration is the one that would have been read.
    private func keepAside(of part: CopiedBase) throws(DrillFailure) -> URL {
        let aside = folder.appendingPathComponent("aside", isDirectory: true)
        do {
            try FileManager.default.moveItem(at: part.asideFolder, to: aside)
        } catch {
            throw .error(
                Finding(
                    .scratchUnusable, object: "aside", message: "a folder can't be moved in the scratch folder",
                    hint: "check its disk and permissions"))
        }
        return aside
    }

    /// The map of the last link leads into its own folder, which goes.
    private func mapTablespaces(_ tablespaces: [String], data: URL) throws {
        guard !tablespaces.isEmpty else { return }
        let map = tablespaces.map { "\($0) \(folder.appendingPathComponent("ts/\($0)").path)\n" }.joined()
        let file = try ScratchFile(data.appendingPathComponent("tablespace_map"))
        try Array(map.utf8).withUnsafeBytes { try file.write($0) }
        try file.give(to: host)
    }
}

extension BackupManifest {
    /// Whether files of it hold only what changed since another backup.
    public var isIncremental: Bool {
        files.contains { file in file.path.split(separator: "/").last.map { $0.hasPrefix("INCREMENTAL.") } ?? false }
    }
}
