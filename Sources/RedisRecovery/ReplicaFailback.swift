// Builds a fresh replica of a promoted server, and times how long it takes until that one follows.

import DrillModel
public import Foundation
import RedisClient
public import ScratchHost

extension Rule {
    static let failbackFailed = Rule("failback-failed")
}

/// The way back: a new server replicates the promoted one, inside the promoted one's own network, which has a loopback and nothing else.
public struct ReplicaFailback: Sendable {
    /// In a network of the two servers' own, where nobody else can have it.
    static let port = 6379
    static let patience: Duration = .seconds(120)

    public var host: ScratchHost
    /// Started with a loopback.
    public var promoted: ScratchRedis
    /// A private folder of the host's, where the fresh replica lies.
    public var folder: URL
    public var service: String

    public init(host: ScratchHost, promoted: ScratchRedis, folder: URL, service: String) {
        self.host = host
        self.promoted = promoted
        self.folder = folder
        self.service = service
    }

    /// The replica has been ended, and the port closed, when this returns and whatever it throws.
    ///
    /// - Returns: From the beginning until the replica held what the promoted server wrote after it, and as many keys.
    /// - Throws: ``DrillFailure`` (error), `CancellationError`.
    public func run() async throws -> Duration {
        do {
            let primary = try await promoted.connect()
            defer { primary.close() }
            try await primary.command(["CONFIG", "SET", "bind", "127.0.0.1"])
            try await primary.command(["CONFIG", "SET", "repl-diskless-sync-delay", "0"])
            let began = ContinuousClock.now
            try await primary.command(["CONFIG", "SET", "port", String(Self.port)])
            do {
                let replica = try await ScratchRedis.start(
                    on: host, in: folder, content: .replica(port: Self.port), binaries: promoted.binaries, modules: promoted.modules,
                    databases: promoted.databases, inNetworkOf: promoted)
                do {
                    try await follow(replica, primary)
                    let took = began.duration(to: .now)
                    await replica.stop()
                    try await close(primary)
                    return took
                } catch {
                    await replica.stop()
                    throw error
                }
            } catch {
                try? await close(primary)
                throw error
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            guard let error = error as? RedisError else { throw error }
            throw DrillFailure.error(
                Finding(
                    .failbackFailed, object: service, expected: "a fresh replica", actual: error.message,
                    message: "no fresh replica could be built of the promoted server",
                    hint: "a redis of version 7 or later is needed; run again with --keep, and read server.log of both"))
        }
    }

    private func close(_ primary: RedisConnection) async throws {
        try await primary.command(["CONFIG", "SET", "port", "0"])
    }

    /// Something is written that the first copy can't hold: it has come over the stream once it is read.
    private func follow(_ replica: ScratchRedis, _ primary: RedisConnection) async throws {
        let follower = try await replica.connect()
        defer { follower.close() }
        try await primary.command(["SELECT", ReplicaFailover.ownDatabase])
        try await follower.command(["SELECT", ReplicaFailover.ownDatabase])
        let mark = "muster:failback:\(UUID().uuidString)"
        let deadline = ContinuousClock.now + Self.patience
        func wait(_ condition: () async throws -> Bool) async throws {
            while try await !condition() {
                guard ContinuousClock.now < deadline else {
                    throw DrillFailure.error(
                        Finding(
                            .failbackFailed, object: service, expected: "a replica that holds what the promoted server wrote",
                            actual: "none within \(Self.patience)", message: "the fresh replica does not follow the promoted server",
                            hint: "run again with --keep, and read server.log of both in the scratch folder"))
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        try await wait { try await LiveRedis.info(follower)["master_link_status"] == "up" }
        try await primary.command(["SET", mark, mark])
        // Refused while the first copy is being loaded.
        try await wait { (try? await follower.command(["GET", mark]))?.text == mark }
        try await primary.command(["DEL", mark])
        try await wait { LiveRedis.keys(try await LiveRedis.info(follower)) == LiveRedis.keys(try await LiveRedis.info(primary)) }
    }
}
