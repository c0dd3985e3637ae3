// RDB or append-only files → running scratch server.

import ArtifactFormats
public import DrillModel
public import Foundation
public import ScratchHost

extension Rule {
    static let artifactNotRedis = Rule("artifact-not-a-redis-backup")
    static let appendOnlyIncomplete = Rule("aof-incomplete")
}

/// A dataset that came back.
public struct RestoredRedis: Sendable {
    public var server: ScratchRedis
    public var cases: [CaseResult]
    public var detail: String
}

/// Restores Redis backups, time-faithfully: nothing expires in the scratch server.
public struct RedisRestorer: Sendable {
    public var host: ScratchHost
    /// A private folder of the host's; it becomes the server's own.
    public var folder: URL
    public var service: String
    /// The server's network has a loopback device: where a replica is to be built of it.
    public var loopback: Bool

    public init(host: ScratchHost, folder: URL, service: String, loopback: Bool = false) {
        self.host = host
        self.folder = folder
        self.service = service
        self.loopback = loopback
    }

    /// Restores a snapshot file.
    ///
    /// - Parameter artifact: Decrypted and unpacked, in the scratch folder; it is moved, never the original.
    /// - Throws: ``DrillFailure``, `CancellationError`. No server is left running then.
    public func restoreSnapshot(
        _ artifact: URL, isSnapshot: Bool, progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> RestoredRedis {
        guard isSnapshot else { throw notRedis("a file without a snapshot's first bytes", expected: "a redis snapshot (RDB)") }
        let target = folder.appendingPathComponent("dump.rdb")
        try place(artifact, at: target)
        let check = try await checked(["redis-check-rdb", target.path], object: "redis snapshot")
        let server = try await ScratchRedis.start(on: host, in: folder, content: .snapshot, loopback: loopback, progress: progress)
        return RestoredRedis(server: server, cases: [check], detail: "snapshot, as a replica of nowhere so that nothing expires")
    }

    /// Restores an append-only folder of several parts: a manifest, a base file and increments.
    public func restoreAppendOnly(
        _ artifact: URL, isFolder: Bool, progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> RestoredRedis {
        guard isFolder else { throw notRedis("a single file", expected: "a folder of append-only files, or a tar of it") }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: artifact.path)) ?? []).sorted()
        guard let manifest = names.first(where: { $0.hasSuffix(".manifest") }) else {
            throw notRedis("a folder without a manifest", expected: "a folder of append-only files")
        }
        let target = folder.appendingPathComponent("appendonlydir", isDirectory: true)
        try place(artifact, at: target)
        try requireParts(of: target.appendingPathComponent(manifest), in: target)
        let check = try await checked(
            ["redis-check-aof", target.appendingPathComponent(manifest).path], object: "redis append-only files")
        let stem = String(manifest.dropLast(".manifest".count))
        let server = try await ScratchRedis.start(
            on: host, in: folder, content: .appendOnly(folder: target.lastPathComponent, stem: stem), progress: progress)
        return RestoredRedis(
            server: server, cases: [check], detail: "append-only files, as a replica of nowhere so that nothing expires")
    }

    /// The manifest names every file that belongs to the set: `file NAME seq N type b`.
    func requireParts(of manifest: URL, in folder: URL) throws(DrillFailure) {
        let text = (try? String(contentsOf: manifest, encoding: .utf8)) ?? ""
        let parts = text.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            return words.count >= 2 && words[0] == "file" ? String(words[1]) : nil
        }
        let missing = parts.filter { !FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path) }
        guard !parts.isEmpty, missing.isEmpty else {
            throw .failed(
                Finding(
                    .appendOnlyIncomplete, object: manifest.lastPathComponent, expected: "\(parts.count) files that the manifest names",
                    actual: parts.isEmpty ? "an empty manifest" : "without \(missing.joined(separator: ", "))",
                    message: "the append-only set is not whole", hint: "back up the whole folder while no rewrite is running"))
        }
    }

    func checked(_ command: [String], object: String) async throws -> CaseResult {
        let name = "\(command[0]) finds no damage"
        let started = ContinuousClock.now
        let result: ToolResult
        do {
            result = try await host.run(command, workingFolder: folder)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.redisMissing, object: command[0], message: error.message, hint: error.hint))
        }
        let duration = ContinuousClock.now - started
        if result.succeeded { return CaseResult(.backup, service: service, name: name, verdict: .passed, duration: duration) }
        let text = result.output.lowercased()
        // Most often the kernel's, for want of memory: it says nothing about the backup.
        if result.signal == 9 {
            throw DrillFailure.error(
                Finding(
                    .scratchServerFailed, object: command[0], expected: "an answer", actual: result.ending,
                    message: "\(command[0]) was killed", hint: "look at this machine's memory and kernel log"))
        }
        if text.contains("can't handle rdb format version") {
            throw DrillFailure.error(
                Finding(
                    .redisTooOld, object: object, expected: "a redis that reads this file", actual: "an older one",
                    message: "the backup is of a newer redis than the tools on this machine",
                    hint: "install the redis version that production runs"))
        }
        let cut = ["unexpected eof", "unexpected end of file", "expected to read"].contains(where: text.contains)
        throw DrillFailure.failed(
            Finding(
                .redisDataDamaged, object: object, expected: "files without damage", actual: cut ? "a cut file" : "a damaged file",
                message: "\(command[0]) refuses the backup (\(result.ending))",
                hint: "fetch another copy; the backup may have been copied while redis was writing it"))
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

    func notRedis(_ actual: String, expected: String) -> DrillFailure {
        .failed(
            Finding(
                .artifactNotRedis, object: service, expected: expected, actual: actual, message: "the artifact isn't what its kind says",
                hint: "check the backup's kind and match in the estate file"))
    }
}
