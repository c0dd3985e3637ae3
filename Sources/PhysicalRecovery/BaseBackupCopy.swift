// Brings a base backup into a scratch data folder and verifies each file while it is copied, on all cores.

public import ArtifactFormats
public import DrillModel
public import Foundation
import Glibc
public import ScratchHost

/// A base backup on the scratch disk.
public struct CopiedBase: Sendable {
    public var dataFolder: URL
    /// What must never be read: configuration and signal files of the source.
    public var asideFolder: URL
    /// Against the manifest: damaged, missing and extra files. Empty where all hold.
    public var findings: [Finding]
    public var files: Int
    public var bytes: Int64
    /// Tablespaces by their OID.
    var tablespaces: [String]
    /// A whole folder that something else copied: of a server that was shut down, it needs no label.
    var isForeign = false
}

/// Copies one base backup.
public struct BaseBackupCopy: Sendable {
    /// Files at the top that say how the source ran: kept for the report, out of the new server's sight.
    static let aside: Set<String> = [
        "postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf", "standby.signal", "recovery.signal", "recovery.conf",
        "recovery.done", "tablespace_map", "postmaster.pid", "postmaster.opts", "backup_manifest", "current_logfiles",
    ]
    /// As pg_verifybackup has it: what the manifest doesn't cover, or what may rightly change after it was written.
    static func isUnlisted(_ path: String) -> Bool {
        path.hasPrefix("pg_wal/") || ["postgresql.auto.conf", "backup_manifest", "standby.signal", "recovery.signal"].contains(path)
    }
    /// A store may lose empty folders, and the server wants them.
    private static let folders = [
        "base", "global", "pg_commit_ts", "pg_dynshmem", "pg_logical/mappings", "pg_logical/snapshots", "pg_multixact/members",
        "pg_multixact/offsets", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat", "pg_stat_tmp", "pg_subtrans",
        "pg_tblspc", "pg_twophase", "pg_wal/archive_status", "pg_xact",
    ]

    let host: ScratchHost
    let folder: URL

    /// - Parameter folder: A private folder of the host's.
    public init(host: ScratchHost, folder: URL) {
        self.host = host
        self.folder = folder
    }

    private var data: URL { folder.appendingPathComponent("data", isDirectory: true) }
    private var asideFolder: URL { folder.appendingPathComponent("aside", isDirectory: true) }

    /// - Parameter progress: Bytes so far.
    /// - Throws: ``DrillFailure``; `CancellationError`. Files that don't match the manifest are findings, not errors.
    public func copy(
        _ base: BaseBackup, manifest: BackupManifest, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> CopiedBase {
        let ledger = CopyLedger(manifest: manifest, name: base.name, progress: progress)
        do {
            try makeFolder(data)
            try makeFolder(asideFolder)
            for path in Self.folders { try makeFolder(data.appendingPathComponent(path), below: data) }
            switch base.form {
            case .folder: try await copyFolder(base.location, ledger)
            case .tars(let tars):
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for tar in tars { group.addTask { try await unpack(tar, of: base, ledger) } }
                    try await group.waitForAll()
                }
            }
            let tablespaces = ledger.tablespaces
            try linkTablespaces(tablespaces)
        } catch let error as DrillFailure {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            throw BaseBackup.failure(of: error, object: base.name, damaged: .baseFileDamaged)
        }
        return CopiedBase(
            dataFolder: data, asideFolder: asideFolder, findings: ledger.findings(), files: ledger.files, bytes: ledger.bytes,
            tablespaces: ledger.tablespaces)
    }

    /// Where a file of the backup goes.
    private func destination(_ path: String) -> URL {
        if Self.aside.contains(path) { return asideFolder.appendingPathComponent(path) }
        if path.hasPrefix("pg_tblspc/") { return folder.appendingPathComponent("ts" + path.dropFirst("pg_tblspc".count)) }
        return data.appendingPathComponent(path)
    }

    private func copyFolder(_ source: URL, _ ledger: CopyLedger) async throws {
        let (files, folders) = try Self.walk(source)
        for path in folders { try makeFolder(destination(path), below: folder) }
        try await BlockingQueue.forEach(files.count) { index, flag in
            try copyFile(source.appendingPathComponent(files[index]), path: files[index], ledger, flag)
        }
    }

    private func copyFile(_ source: URL, path: String, _ ledger: CopyLedger, _ flag: StopFlag) throws {
        let file = try ScratchFile(destination(path))
        var check = try ledger.begin(path)
        do {
            try StoredFile(location: source).decrypted(flag, acceptingAnything: true) { chunk in
                try check.take(chunk)
                try file.write(chunk)
            }
        } catch let problem as StoredFileProblem where problem.kind == .unreadable {
            return ledger.unreadable(path)
        }
        try file.give(to: host)
        try ledger.finish(check)
    }

    private func unpack(_ tar: BaseBackup.Tar, of base: BaseBackup, _ ledger: CopyLedger) async throws {
        let extraction = TarExtraction(
            prefix: tar.prefix, ledger: ledger,
            open: { path in
                let target = destination(path)
                try makeFolder(target.deletingLastPathComponent(), below: folder)
                return target
            }, makeFolder: { try makeFolder(destination($0), below: folder) }, host: host)
        do {
            try await StoredFile(location: tar.location, encryption: base.encryption).read(on: host) { try extraction.take($0) }
            try extraction.finish()
        } catch let problem as TarProblem {
            throw DrillFailure.broken(
                .baseFileDamaged, "\(base.name)/\(tar.location.lastPathComponent)", expected: "a whole tar", actual: problem.message,
                "the tar of the base backup can't be unpacked", hint: "compare its size with the backup job's log, and fetch another copy")
        } catch let problem as StoredFileProblem where problem.kind != .machine {
            throw BaseBackup.failure(
                of: problem, object: "\(base.name)/\(tar.location.lastPathComponent)", damaged: Rule("artifact-truncated"))
        }
    }

    /// Regular files and folders; links lead out of the backup and are not followed.
    private static func walk(_ source: URL) throws -> (files: [String], folders: [String]) {
        guard let walk = FileManager.default.enumerator(atPath: source.path) else { return ([], []) }
        var files: [String] = []
        var folders: [String] = []
        for case let path as String in walk {
            var info = stat()
            guard lstat(source.appendingPathComponent(path).path, &info) == 0 else { continue }
            if info.st_mode & S_IFMT == S_IFREG { files.append(path) }
            if info.st_mode & S_IFMT == S_IFDIR { folders.append(path) }
        }
        return (files, folders)
    }

    /// Makes a folder and what is missing above it, all for the unprivileged user.
    private func makeFolder(_ url: URL, below top: URL? = nil) throws {
        if mkdir(url.path, 0o700) == 0 { return try host.folder.own(url) }
        if errno == EEXIST { return }
        guard errno == ENOENT, let top, url.path.count > top.path.count else {
            throw StoredFileProblem(
                .machine, "the folder \(url.lastPathComponent) can't be made in the scratch folder", hint: "check its disk and permissions")
        }
        try makeFolder(url.deletingLastPathComponent(), below: top)
        try makeFolder(url, below: top)
    }

    /// The source's own links and its tablespace_map lead to production's paths: the server gets links and a map of ours.
    private func linkTablespaces(_ tablespaces: [String]) throws {
        guard !tablespaces.isEmpty else { return }
        var map = ""
        for number in tablespaces {
            let target = folder.appendingPathComponent("ts/\(number)", isDirectory: true).path
            let link = data.appendingPathComponent("pg_tblspc/\(number)")
            guard symlink(target, link.path) == 0 else {
                throw StoredFileProblem(
                    .machine, "a tablespace can't be linked in the scratch folder", hint: "check its disk and permissions")
            }
            try host.folder.own(link)
            map += "\(number) \(target)\n"
        }
        let file = try ScratchFile(data.appendingPathComponent("tablespace_map"))
        try Array(map.utf8).withUnsafeBytes { try file.write($0) }
        try file.give(to: host)
    }
}
