// A data folder that another tool restored: taken over, cleared of the source's configuration, and given to the unprivileged user.

public import DrillModel
public import Foundation
import Glibc
public import ScratchHost

extension Rule {
    public static let restoreCommandFailed = Rule("restore-command-failed")
    public static let restoredOutside = Rule("restored-outside")
    public static let restoredNothing = Rule("restored-nothing")
}

/// Restores a backup by the tool that made it.
public struct ForeignBase: Sendable {
    public enum Tool: Sendable {
        case pgBackRest(PgBackRest, label: String)
        /// A command of the estate's, and what is filled in.
        case command([String], values: [RestoreCommand.Placeholder: String], hidden: Set<String>)
    }
    let tool: Tool
    let host: ScratchHost
    let folder: URL
    /// The backup's path in its store, for messages.
    let backup: String

    /// - Parameter folder: A private folder of the host's.
    public init(_ tool: Tool, backup: String, host: ScratchHost, folder: URL) {
        self.tool = tool
        self.backup = backup
        self.host = host
        self.folder = folder
    }

    private var data: URL { folder.appendingPathComponent("data", isDirectory: true) }

    /// - Throws: ``DrillFailure``; `CancellationError`.
    public func bring() async throws -> CopiedBase {
        let tablespaces = folder.appendingPathComponent("ts", isDirectory: true)
        let aside = folder.appendingPathComponent("aside", isDirectory: true)
        for part in [data, tablespaces, aside] {
            guard mkdir(part.path, 0o700) == 0 || errno == EEXIST else {
                throw unusable("the folder \(part.lastPathComponent) can't be made")
            }
        }
        let log = folder.appendingPathComponent("restore.log")
        switch tool {
        case .pgBackRest(let repository, let label):
            try await repository.restore(label, to: data, tablespaces: tablespaces, on: host, log: log)
        case .command(let words, var values, let hidden):
            values[.data] = data.path
            try await run(RestoreCommand.filled(words, with: values), hiding: hidden, log: log)
        }
        return try takeOver(aside: aside)
    }

    private func run(_ command: [String], hiding hidden: Set<String>, log: URL) async throws {
        let program = command.first ?? ""
        // The tool needs its own settings, keys and network; of Muster's keys it gets none.
        let environment = ProcessInfo.processInfo.environment.filter { !hidden.contains($0.key) }
        let result: ToolResult
        do {
            result = try await host.runAsInvoker(command, environment: environment, isolated: false, output: log)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.restoreCommandFailed, object: program, message: error.message, hint: error.hint))
        }
        guard result.succeeded else {
            // Some tools say why on standard output, others on standard error.
            let told = ToolWords(hiding: hidden).tail(
                of: [log, log.appendingPathExtension("err")].map(ToolWords.end))
            throw DrillFailure.broken(
                .restoreCommandFailed, backup, expected: "exit 0", actual: told.isEmpty ? result.ending : "\(result.ending): \(told)",
                "the declared restore command of this backup failed",
                hint: "run it by hand, or run again with --keep and read restore.log and restore.log.err in the scratch folder")
        }
    }

    private func takeOver(aside: URL) throws -> CopiedBase {
        let files = FileManager.default
        guard files.fileExists(atPath: data.appendingPathComponent("PG_VERSION").path),
            files.fileExists(atPath: data.appendingPathComponent("global/pg_control").path)
        else {
            throw DrillFailure.broken(
                .restoredNothing, backup, expected: "a data folder with PG_VERSION and global/pg_control",
                actual: "something else, or nothing",
                "the restore ended without an error, and there is no cluster in the folder",
                hint: "let the command restore into {data} itself, and not into a folder below it")
        }
        // pgbackrest leaves one of its own, whatever type it is asked for: it says nothing of production.
        if case .pgBackRest = tool { unlink(data.appendingPathComponent("recovery.signal").path) }
        var findings: [Finding] = []
        for name in BaseBackupCopy.aside where files.fileExists(atPath: data.appendingPathComponent(name).path) {
            guard rename(data.appendingPathComponent(name).path, aside.appendingPathComponent(name).path) == 0 else {
                throw unusable("\(name) of the restored folder can't be put aside")
            }
        }
        try putSlotsAside(aside)
        var count = 0
        var bytes: Int64 = 0
        for top in [data, folder.appendingPathComponent("ts", isDirectory: true)] {
            try host.folder.own(top)
            let walk = files.enumerator(atPath: top.path)
            while let path = walk?.nextObject() as? String {
                let item = top.appendingPathComponent(path)
                var info = stat()
                guard lstat(item.path, &info) == 0 else { continue }
                switch info.st_mode & S_IFMT {
                case S_IFLNK:
                    if let finding = outside(item, path: path) { findings.append(finding) }
                case S_IFREG:
                    count += 1
                    bytes += Int64(info.st_size)
                default: break
                }
                try host.folder.own(item)
            }
        }
        // A server on production's own files would be the end of them: nothing of it is started.
        if let first = findings.first { throw DrillFailure.error(first) }
        chmod(data.path, 0o700)
        return CopiedBase(
            dataFolder: data, asideFolder: aside, findings: [], files: count, bytes: bytes, tablespaces: [], isForeign: isCommand)
    }

    private var isCommand: Bool { if case .command = tool { true } else { false } }

    /// Replication slots are the source's own: one of logical replication keeps a server from starting at a lower wal_level.
    private func putSlotsAside(_ aside: URL) throws {
        let slots = data.appendingPathComponent("pg_replslot", isDirectory: true)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: slots.path)) ?? []
        guard !names.isEmpty else { return }
        let kept = aside.appendingPathComponent("pg_replslot", isDirectory: true)
        guard mkdir(kept.path, 0o700) == 0 || errno == EEXIST else { throw unusable("the folder pg_replslot can't be made") }
        for name in names where rename(slots.appendingPathComponent(name).path, kept.appendingPathComponent(name).path) != 0 {
            throw unusable("the replication slots of the restored folder can't be put aside")
        }
    }

    /// A link of the restored folder that leads anywhere but into the scratch folder.
    private func outside(_ link: URL, path: String) -> Finding? {
        guard let real = realpath(link.path, nil) else { return nil }
        defer { free(real) }
        let target = String(cString: real)
        guard let home = realpath(folder.path, nil) else { return nil }
        defer { free(home) }
        guard !target.hasPrefix(String(cString: home) + "/") else { return nil }
        return Finding(
            .restoredOutside, object: path, expected: "links that stay inside the scratch folder", actual: "a link that leads out of it",
            message: "the restored folder links to files outside of the scratch folder, so no server is started on it",
            hint: "let the command put tablespaces and the write-ahead log below {data}'s parent folder")
    }

    private func unusable(_ message: String) -> DrillFailure {
        .error(Finding(.scratchUnusable, object: backup, message: message, hint: "check the scratch folder's disk and permissions"))
    }
}
