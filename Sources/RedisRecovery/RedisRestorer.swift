// RDB or append-only files → running scratch server.

import ArtifactFormats
public import DrillModel
public import Foundation
public import ScratchHost

extension Rule {
    static let artifactNotRedis = Rule("artifact-not-a-redis-backup")
    static let appendOnlyIncomplete = Rule("aof-incomplete")
    static let commandsRefused = Rule("redis-commands-refused")
}

/// A dataset that came back.
public struct RestoredRedis: Sendable {
    public var server: ScratchRedis
    public var cases: [CaseResult]
    public var detail: String
    /// What the backup says of its writer.
    public var origin: RedisOrigin
    /// Whether there were commands among the files: these carry no checksum, as a snapshot does.
    public var hasCommands = false
}

/// Restores Redis backups, time-faithfully: nothing expires in the scratch server.
public struct RedisRestorer: Sendable {
    public var host: ScratchHost
    /// A private folder of the host's; it becomes the server's own.
    public var folder: URL
    public var service: String
    /// What it may be restored with.
    public var software: RedisSoftware
    /// The server's network has a loopback device: where a replica is to be built of it.
    public var loopback: Bool

    public init(
        host: ScratchHost, folder: URL, service: String, software: RedisSoftware = RedisSoftware(), loopback: Bool = false
    ) {
        self.host = host
        self.folder = folder
        self.service = service
        self.software = software
        self.loopback = loopback
    }

    /// Restores a snapshot file.
    ///
    /// - Parameter artifact: Decrypted and unpacked, in the scratch folder; it is moved, never the original.
    /// - Throws: ``DrillFailure``, `CancellationError`. No server is left running then.
    public func restoreSnapshot(
        _ artifact: URL, isSnapshot: Bool, progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> RestoredRedis {
        let artifact = try snapshot(in: artifact, isSnapshot: isSnapshot)
        let target = folder.appendingPathComponent("dump.rdb")
        try place(artifact, at: target)
        let origin = RedisOrigin(RDBHeader(AppendOnlySource.head(of: target)))
        let binaries = try software.suitable(for: origin)
        let checked = try await check(with: binaries, origin).snapshot(target)
        let server = try await start(.snapshot, with: binaries, origin, checked, progress)
        return RestoredRedis(
            server: server, cases: [checked.result],
            detail: "snapshot, as a replica of nowhere so that nothing expires", origin: origin)
    }

    /// Restores append-only files: a folder of several parts, with a manifest, or the one file of Redis 2 to 6.
    ///
    /// - Parameters:
    ///   - name: The artifact's own, where it is a file: a part of a set is no backup.
    ///   - sealedBy: The server that the seal's digest is of: commands don't tell their writer, and the two projects don't digest alike.
    public func restoreAppendOnly(
        _ artifact: URL, isFolder: Bool, name: String? = nil, sealedBy: RedisVersion? = nil,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> RestoredRedis {
        let source = try appendOnly(artifact, isFolder: isFolder, name: name)
        var origin = source.origin
        if origin.version == nil { origin.version = sealedBy }
        let (binaries, others) = try software.candidates(for: origin)
        let placed = try place(source)
        do {
            return try await restore(placed, with: binaries, origin, progress)
        } catch let failure as DrillFailure where failure.finding.expected == RedisLog.everyCommand {
            // A server that doesn't take a command says nothing of the backup: another one may.
            for other in others {
                try placeAgain(placed)
                do {
                    return try await restore(placed, with: other, origin, progress)
                } catch let another as DrillFailure where another.finding.expected == RedisLog.everyCommand || another.verdict == .error {
                    continue
                }
            }
            var failure = failure
            failure.finding.actual +=
                others.isEmpty ? "" : ", on \(([binaries] + others).map(\.version.description).joined(separator: ", "))"
            throw failure
        }
    }

    /// Append-only files in the server's folder.
    private enum Placed {
        case parts(AppendOnlySet)
        case single(URL)
    }

    private func place(_ source: AppendOnlySource) throws(DrillFailure) -> Placed {
        switch source {
        case .parts(let parts, let manifest):
            let target = folder.appendingPathComponent("appendonlydir", isDirectory: true)
            try place(parts, at: target)
            return .parts(try AppendOnlySet(in: target, manifest: manifest))
        case .single(let file):
            let target = folder.appendingPathComponent("appendonly.aof")
            try place(file, at: target)
            return .single(target)
        }
    }

    /// As before the first server: from 7 on, one takes a single file over as the base of a set.
    private func placeAgain(_ placed: Placed) throws(DrillFailure) {
        try? FileManager.default.removeItem(at: folder.appendingPathComponent("server.log"))
        guard case .single(let target) = placed else { return }
        let taken = folder.appendingPathComponent("appendonlydir", isDirectory: true)
        if !FileManager.default.fileExists(atPath: target.path) {
            try place(taken.appendingPathComponent(target.lastPathComponent), at: target)
        }
        try? FileManager.default.removeItem(at: taken)
    }

    private func restore(
        _ placed: Placed, with binaries: RedisBinaries, _ origin: RedisOrigin, _ progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> RestoredRedis {
        let checked: RedisFileCheck.Outcome
        let content: ScratchRedis.Content
        let hasCommands: Bool
        switch placed {
        case .parts(let set):
            checked = try await check(with: binaries, origin).parts(of: set)
            content = .appendOnly(folder: set.folder.lastPathComponent, stem: set.stem)
            hasCommands = set.hasCommands
        case .single(let file):
            checked = try await check(with: binaries, origin).single(file)
            content = .appendOnlyFile(file.lastPathComponent)
            hasCommands = true
        }
        let server = try await start(content, with: binaries, origin, checked, progress)
        let log = RedisLog(String(decoding: UnlinkedFile.data(server.log) ?? Data(), as: UTF8.self))
        let refused = log.refusedCommands
        let commands = refused.subtracting(RedisLog.scripts).sorted()
        guard commands.isEmpty else {
            await server.stop()
            throw DrillFailure.failed(.refused(commands, by: binaries.version))
        }
        let scripts = refused.intersection(RedisLog.scripts).sorted()
        let cases = scripts.isEmpty ? [] : [refusedScripts(scripts)]
        return RestoredRedis(
            server: server, cases: [checked.result] + cases,
            detail: "append-only files, as a replica of nowhere so that nothing expires", origin: origin, hasCommands: hasCommands)
    }

    private func refusedScripts(_ names: [String]) -> CaseResult {
        let finding = Finding(
            .commandsRefused, .warning, object: "redis append-only files", expected: "scripts that run to their ends",
            actual: "\(names.joined(separator: ", ")) ended with an error",
            message: "a script in the append-only files ended with an error, as it may have at the source too",
            hint: "declare a check of what such scripts write; from redis 7 on, files hold what a script wrote and not the script")
        return .judged(.backup, service: service, name: "every script is run to its end", findings: [finding])
    }

    private func start(
        _ content: ScratchRedis.Content, with binaries: RedisBinaries, _ origin: RedisOrigin, _ checked: RedisFileCheck.Outcome,
        _ progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> ScratchRedis {
        try await ScratchRedis.start(
            on: host, in: folder, content: content, binaries: binaries, modules: software.modules, origin: origin,
            databases: checked.highestDatabase + 1, loopback: loopback, progress: progress)
    }

    func check(with binaries: RedisBinaries, _ origin: RedisOrigin) -> RedisFileCheck {
        RedisFileCheck(host: host, workingFolder: folder, service: service, binaries: binaries, origin: origin)
    }

    /// - Throws: ``DrillFailure`` (failed): there is none, or not one alone.
    func snapshot(in artifact: URL, isSnapshot: Bool) throws(DrillFailure) -> URL {
        switch SnapshotSource(artifact, isSnapshot: isSnapshot) {
        case .file(let file): return file
        case .none(let actual): throw notRedis(actual, expected: "a redis snapshot (RDB)")
        case .appendOnlyFiles:
            throw notRedis(
                "a data folder with append-only files, which its server loads in place of the snapshot", expected: "a redis snapshot (RDB)",
                hint: "declare kind: aof, which restores them")
        }
    }

    func appendOnly(_ artifact: URL, isFolder: Bool, name: String?) throws(DrillFailure) -> AppendOnlySource {
        let expected = "a folder of append-only files, a tar of it, or the appendonly.aof of redis 2 to 6"
        // By itself an increment would load, and be a small part of the data.
        if !isFolder, let name, AppendOnlySource.isPart(name) {
            throw notRedis("one part of a set", expected: expected)
        }
        if !isFolder, AppendOnlySource.isLoneBase(artifact) {
            throw notRedis("the base of a set, without the commands that were written since", expected: expected)
        }
        guard let source = AppendOnlySource(artifact, isFolder: isFolder) else {
            throw notRedis(isFolder ? "a folder without its manifest" : "another file", expected: expected)
        }
        return source
    }

    /// Moves the artifact to where the server looks for it, and gives it to the server's user.
    private func place(_ artifact: URL, at target: URL) throws(DrillFailure) {
        do {
            if artifact.standardizedFileURL.path != target.path { try FileManager.default.moveItem(at: artifact, to: target) }
            try host.folder.own(target)
            for name in (try? FileManager.default.contentsOfDirectory(atPath: target.path)) ?? [] {
                try host.folder.own(target.appendingPathComponent(name))
            }
        } catch {
            throw .error(
                Finding(
                    .scratchUnusable, object: folder.path, message: "the artifact can't be put into the scratch server's folder",
                    hint: "check free space and permissions there, or choose another folder with --scratch"))
        }
    }

    func notRedis(
        _ actual: String, expected: String, hint: String = "check the backup's kind and match in the estate file"
    ) -> DrillFailure {
        .failed(
            Finding(
                .artifactNotRedis, object: service, expected: expected, actual: actual, message: "the artifact isn't what its kind says",
                hint: hint))
    }
}

extension Finding {
    fileprivate static func refused(_ commands: [String], by version: RedisVersion) -> Finding {
        Finding(
            .commandsRefused, object: "redis append-only files", expected: RedisLog.everyCommand,
            actual: "\(commands.joined(separator: ", ")) ended with an error",
            message: "the server refused commands that it loaded, and came up without what they had written",
            hint:
                "fetch another copy; where production runs a newer server than \(version), name it in MUSTER_REDIS_BIN or as binaries of the service"
        )
    }
}
