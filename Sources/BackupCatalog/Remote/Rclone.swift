// Asks one remote store, through rclone: list, read a part, bring files.

import DrillModel
import Foundation
import ScratchHost

/// Runs rclone as Muster's own user, marked as a part of the scratch host that it works for.
struct Rclone: Sendable {
    var connection: RcloneConnection
    var host: ScratchHost

    /// How often something that may pass is tried.
    static let attempts = 3

    /// Everything in the store.
    ///
    /// - Throws: ``DrillFailure``; `CancellationError`.
    func list() async throws -> (objects: [RemoteObject], unusable: [UnusableObject]) {
        let file = host.folder.url.appendingPathComponent("listing-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let digests = connection.listsDigests ? ["--hash"] : []
        try await retrying {
            try await run(
                ["lsjson", "-R", "--files-only", "--no-mimetype", "--fast-list"] + digests + [connection.base], output: .file(file))
        }
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        return (lines.compactMap { RemoteObject(line: $0) }, lines.compactMap { UnusableObject(line: $0) })
    }

    /// What the store says of one object now; nil where there is none.
    func look(at path: String) async throws -> RemoteObject? {
        let file = host.folder.url.appendingPathComponent("object-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let digests = connection.listsDigests ? ["--hash"] : []
        do {
            try await retrying {
                try await run(["lsjson", "--stat", "--no-mimetype"] + digests + [connection.place(of: path)], output: .file(file))
            }
        } catch let failure as DrillFailure where failure.finding.rule == .storeMissing {
            return nil
        }
        let text = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").joined()
        guard var object = RemoteObject(line: text) else { return nil }
        object.path = path
        return object
    }

    /// So many bytes from an offset on; fewer where the object ends, none where it isn't there.
    func read(_ path: String, from offset: Int64 = 0, count: Int) async throws -> [UInt8] {
        let file = host.folder.url.appendingPathComponent("part-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let range = ["--offset", String(offset), "--count", String(count)]
        do {
            try await retrying { try await run(["cat"] + range + [connection.place(of: path)], output: .file(file)) }
        } catch let failure as DrillFailure where failure.finding.rule == .storeMissing {
            return []
        }
        return Array(try Data(contentsOf: file))
    }

    /// Brings named files below a folder, each under its own path; those that aren't there are left out.
    func bring(_ paths: [String], into folder: URL) async throws {
        guard !paths.isEmpty else { return }
        let list = host.folder.url.appendingPathComponent("wanted-\(UUID().uuidString)")
        try Data(paths.joined(separator: "\n").utf8).write(to: list)
        defer { try? FileManager.default.removeItem(at: list) }
        try await retrying {
            try await run(
                [
                    "copy", "--files-from-raw", list.path, "--transfers", String(connection.width), "--checkers", String(connection.width),
                    connection.base, folder.path,
                ],
                output: .discard)
        }
    }

    /// One run to its end.
    ///
    /// - Throws: ``RemoteTrouble`` where rclone reports one; ``ScratchError`` where it can't be started; `CancellationError`.
    func run(_ words: [String], output: ToolRunner.Destination) async throws {
        let log = host.folder.url.appendingPathComponent("rclone-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: log) }
        let result = try await host.runAsInvoker(
            ["rclone"] + connection.flags + words, environment: connection.environment, output: output, errors: log)
        guard !result.succeeded else { return }
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        throw RemoteTrouble(exitCode: result.exitCode, log: text, ending: result.ending)
    }

    /// Tries again what may pass, a bounded number of times, and says in the end what stood in the way.
    func retrying(_ body: () async throws -> Void) async throws {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch let trouble as RemoteTrouble {
                guard trouble.mayPass, attempt < Self.attempts else { throw trouble.failure(of: connection) }
                try await Task.sleep(for: .milliseconds(500 << attempt))
                attempt += 1
            } catch let error as ScratchError {
                throw DrillFailure.error(
                    Finding(
                        Rule(error.kind == .toolMissing ? "tool-missing" : "scratch-unusable"), object: "store \(connection.store.name)",
                        expected: "rclone", actual: error.message, message: error.message, hint: "apt-get install rclone"))
            }
        }
    }
}
