// A copy of a living replica's dataset, as a snapshot in the scratch folder. The replica lends it, and is not changed.

import ArtifactFormats
public import DrillModel
public import Foundation
import OutsideTools
import RedisClient
public import ScratchHost

extension Rule {
    static let cloneFailed = Rule("clone-failed")
}

extension Finding {
    /// A snapshot that no client gets: a Valkey sends one in RDB version 11 to whoever doesn't name a version, and that has no place for the
    /// time to live of a hash's field.
    public static func withheld(by object: String) -> Finding {
        Finding(
            .cloneFailed, object: object, expected: "a snapshot of the running server", actual: "a refusal, which stands in its log",
            message: "a valkey whose hash fields have a time to live sends its snapshot to no client: it sends them RDB version 11",
            hint: "have it save one itself (BGSAVE), store that file, and seal it with muster seal --existing")
    }
}

/// A dataset that was copied.
public struct ReplicaSnapshot: Sendable, Hashable {
    public enum Way: Sendable, Hashable {
        /// Of one instant, as any replica gets it.
        case stream
        /// Key by key, while nothing changed: a replica whose own link is down gives no other replica a stream.
        case keyByKey
    }
    public var file: URL
    public var way: Way
    /// Keys by database that the replica reported at the very instant of the copy, without the expired; nil where it was never asked at that
    /// instant.
    public var keys: [Int: Int64]?
    /// Keys whose time had run out, and which were therefore not copied: a promoted replica drops them.
    public var expired: Int64
}

/// Copies one replica.
public struct ReplicaCopy: Sendable {
    public var host: ScratchHost
    /// A private folder of the host's.
    public var folder: URL
    public var replica: LiveRedis
    public var service: String
    public var software: RedisSoftware

    public init(host: ScratchHost, folder: URL, replica: LiveRedis, service: String, software: RedisSoftware = RedisSoftware()) {
        self.host = host
        self.folder = folder
        self.replica = replica
        self.service = service
        self.software = software
    }

    private var probe: ReplicaProbe { ReplicaProbe(replica: replica, service: service) }

    /// - Parameter progress: Keys done and keys in all, where they are copied one by one.
    /// - Throws: ``DrillFailure``, `CancellationError`.
    public func take(progress: @escaping @Sendable (Int64, Int64?) -> Void) async throws -> ReplicaSnapshot {
        let before = try await probe.state()
        guard before.isLinked else {
            return try await ReplicaKeys(host: host, folder: folder, replica: replica, service: service, software: software).copy(
                before, progress: progress)
        }
        return try await stream()
    }

    private func stream() async throws -> ReplicaSnapshot {
        let file = folder.appendingPathComponent("replica.rdb")
        let log = folder.appendingPathComponent("redis-cli.log")
        // What the replica says of itself meanwhile: one of these moments is that of the snapshot, unless much is written.
        let samples = Task { [replica] in await Self.samples(of: replica) }
        let result: ToolResult
        do {
            result = try await host.runAsInvoker(
                RedisCli(program: software.client).snapshot(of: replica.words, to: file), environment: replica.environment,
                output: .discard, errors: log)
        } catch {
            samples.cancel()
            _ = await samples.value
            if Task.isCancelled { throw CancellationError() }
            throw (error as? ScratchError).map {
                DrillFailure.error(Finding(.redisMissing, object: "redis-cli", message: $0.message, hint: $0.hint))
            }
                ?? error
        }
        samples.cancel()
        var known = await samples.value
        guard result.succeeded, let header = Self.header(of: file) else {
            if await replica.withholdsSnapshot() { throw DrillFailure.error(.withheld(by: "\(service)'s replica")) }
            throw failure(result, log)
        }
        if let last = await Self.sample(of: replica) { known[last.moment] = last.keys }
        let moment = header.replicationOffset.map { Moment(history: header.replicationID ?? "", offset: $0) }
        return ReplicaSnapshot(file: file, way: .stream, keys: moment.flatMap { known[$0] }, expired: 0)
    }

    // MARK: What it held, and when

    private struct Moment: Hashable, Sendable {
        var history: String
        var offset: Int64
    }

    private static func samples(of replica: LiveRedis) async -> [Moment: [Int: Int64]] {
        var known: [Moment: [Int: Int64]] = [:]
        guard let connection = try? await replica.connect() else { return known }
        defer { connection.close() }
        // A copy that takes hours of a busy replica has more moments than are worth keeping.
        while !Task.isCancelled, known.count < 100_000 {
            guard let sample = await sample(over: connection) else { break }
            known[sample.moment] = sample.keys
            try? await Task.sleep(for: .milliseconds(20))
        }
        return known
    }

    private static func sample(of replica: LiveRedis) async -> (moment: Moment, keys: [Int: Int64])? {
        guard let connection = try? await replica.connect() else { return nil }
        defer { connection.close() }
        return await sample(over: connection)
    }

    private static func sample(over connection: RedisConnection) async -> (moment: Moment, keys: [Int: Int64])? {
        guard let fields = try? await LiveRedis.info(connection), let offset = fields["master_repl_offset"].flatMap(Int64.init),
            let history = fields["master_replid"]
        else { return nil }
        return (Moment(history: history, offset: offset), LiveRedis.keys(fields))
    }

    private static func header(of file: URL) -> RDBHeader? {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: RDBHeader.bytesNeeded)).flatMap { RDBHeader(Array($0)) }
    }

    // MARK: Why not

    /// What is shown of its words: the rest of a line may name hosts and users.
    private static let reasons = [
        "NOMASTERLINK", "NOPERM", "NOAUTH", "WRONGPASS", "Can't SYNC while", "Connection refused", "No such file or directory",
        "I/O error", "Error reading", "Short write", "No space left on device",
    ]

    private func failure(_ result: ToolResult, _ log: URL) -> DrillFailure {
        let text = String(decoding: UnlinkedFile.data(log)?.suffix(8192) ?? Data(), as: UTF8.self)
        if text.contains("No space left on device") || host.folder.isFull {
            return Self.full(host)
        }
        return .error(
            Finding(
                .cloneFailed, object: "\(service)'s replica", expected: "a snapshot of the running replica",
                actual: Self.reasons.first { text.contains($0) } ?? "a reason that stands in redis-cli.log",
                message: "redis-cli --rdb ended with \(result.ending)",
                hint: "let the user run SYNC and REPLCONF: ACL SETUSER … +psync +sync +replconf; and see the replica's own log"))
    }

    static func full(_ host: ScratchHost) -> DrillFailure {
        .error(
            Finding(
                .scratchDiskFull, object: host.folder.url.path, expected: "room for a copy of the dataset", actual: "a full disk",
                message: "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch"))
    }
}
