// Asks one remote store, through rclone: list, read parts, bring files.

import DrillModel
import Foundation
import Glibc
import ScratchHost

/// Runs rclone as Muster's own user, marked as a part of the scratch host that it works for.
struct Rclone: Sendable {
    var connection: RcloneConnection
    var host: ScratchHost
    /// How long nothing may come before it is ended: where a store sends every request elsewhere, rclone 1.60 asks for ever.
    var patience = Duration.seconds(60)

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

    // MARK: Running

    /// One run on named objects. Only so does rclone ask for them alone: by their place, it lists all that lies beside them.
    ///
    /// - Parameter lists: Whether it lists their folders, rather than to look at each object before it is read.
    func run(
        _ words: [String], on paths: [String], to folder: URL? = nil, lists: Bool = false, output: ToolRunner.Destination
    ) async throws {
        let list = host.folder.url.appendingPathComponent("wanted-\(UUID().uuidString)")
        try Data(paths.joined(separator: "\n").utf8).write(to: list)
        defer { try? FileManager.default.removeItem(at: list) }
        let named =
            (lists ? [] : ["--no-traverse"]) + ["--files-from-raw", list.path, "--checkers", String(connection.width), connection.base]
        guard let folder else { return try await run(words + named, output: output) }
        try await run(words + named + [folder.path], output: output) { Self.state(of: folder) }
    }

    /// One run to its end.
    ///
    /// - Parameter arrived: What has come of it, where its output doesn't show that.
    /// - Throws: ``RemoteTrouble`` where rclone reports one; ``ScratchError`` where it can't be started; `CancellationError`.
    func run(_ words: [String], output: ToolRunner.Destination, arrived: (@Sendable () -> Int64)? = nil) async throws {
        let log = host.folder.url.appendingPathComponent("rclone-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: log) }
        let result = try await unlessStalled(arrived ?? Self.watch(output)) {
            try await host.runAsInvoker(
                ["rclone"] + connection.flags + words, environment: connection.environment, output: output, errors: log)
        }
        guard let result else { throw RemoteTrouble(.stalled, cause: "none within \(patience.components.seconds) s") }
        guard !result.succeeded else { return }
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        throw RemoteTrouble(exitCode: result.exitCode, log: text, ending: result.ending)
    }

    /// - Returns: nil where nothing more had come for so long that it was ended.
    private func unlessStalled<Value: Sendable>(
        _ arrived: @escaping @Sendable () -> Int64, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask { [patience] in
                var (last, since) = (arrived(), ContinuousClock.now)
                while since.duration(to: .now) < patience {
                    try await Task.sleep(for: .seconds(2))
                    let now = arrived()
                    if now != last { (last, since) = (now, .now) }
                }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private static func watch(_ output: ToolRunner.Destination) -> @Sendable () -> Int64 {
        switch output {
        case .file(let url), .scratch(let url): { state(ofFile: url) }
        // The child moves the offset that it shares with us.
        case .open(let file): { Int64(lseek(file, 0, SEEK_CUR)) }
        case .discard, .capture: { 0 }
        }
    }

    /// Anything that changes with what is written; a file that is written at several places keeps its size for long.
    private static func state(ofFile url: URL) -> Int64 {
        var info = stat()
        guard stat(url.path, &info) == 0 else { return 0 }
        return Int64(info.st_size) &+ Int64(info.st_mtim.tv_sec) &* 1000 &+ Int64(info.st_mtim.tv_nsec) / 1_000_000
    }

    private static func state(of folder: URL) -> Int64 {
        guard let walk = FileManager.default.enumerator(atPath: folder.path) else { return 0 }
        var state: Int64 = 0
        while let path = walk.nextObject() as? String { state &+= 1 &+ Self.state(ofFile: folder.appendingPathComponent(path)) }
        return state
    }

    /// Tries again what may pass, a bounded number of times, and says in the end what stood in the way.
    ///
    /// - Parameter object: The one that is asked for; nil where it is the store.
    func retrying(of object: RemoteObject? = nil, _ body: () async throws -> Void) async throws {
        do {
            try await persisting(body)
        } catch let trouble as RemoteTrouble {
            throw object.map { trouble.failure(of: $0.path, tier: $0.archive, in: connection) } ?? trouble.failure(of: connection)
        }
    }

    /// Tries again what may pass, a bounded number of times.
    ///
    /// - Throws: ``RemoteTrouble``, ``DrillFailure`` (error), `CancellationError`.
    func persisting(_ body: () async throws -> Void) async throws {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch let trouble as RemoteTrouble {
                guard trouble.mayPass, attempt < Self.attempts else { throw trouble }
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
