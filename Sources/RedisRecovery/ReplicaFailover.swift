// Promotes a clone of a replica, and times how long it takes until that one takes writes.

import DrillModel
import Foundation
import RedisClient

extension Rule {
    static let failoverFailed = Rule("failover-failed")
}

/// The promotion of one clone, a scratch server that is a replica of nowhere.
public struct ReplicaFailover: Sendable {
    /// The last that scratch servers have: no service's own keys lie there.
    static let ownDatabase = "1023"
    static let patience: Duration = .seconds(60)

    public var server: ScratchRedis
    public var service: String

    public init(server: ScratchRedis, service: String) {
        self.server = server
        self.service = service
    }

    /// Whatever was to be asked of the dataset must have been: from here on, keys whose time has come go.
    ///
    /// - Returns: From the order until a write was taken and read back.
    /// - Throws: ``DrillFailure``: failed where it takes no writes, error where it can't be spoken to; `CancellationError`.
    public func run() async throws -> Duration {
        do throws(RedisError) {
            let connection = try await server.connect()
            defer { connection.close() }
            try await connection.command(["SELECT", Self.ownDatabase])
            let mark = "muster:failover:\(UUID().uuidString)"
            let began = ContinuousClock.now
            try await connection.command(["REPLICAOF", "NO", "ONE"])
            try await connection.command(["SET", mark, mark])
            let read = try await connection.command(["GET", mark]).text
            let took = began.duration(to: .now)
            try await connection.command(["DEL", mark])
            let role = try await LiveRedis.info(connection)["role"]
            guard read == mark, role == "master" else { throw RedisError(.unexpectedAnswer, message: "role \(role ?? "none")", hint: "") }
            return took
        } catch {
            if Task.isCancelled { throw CancellationError() }
            let finding = Finding(
                .failoverFailed, object: service, expected: "a promoted clone that takes a write", actual: error.message,
                message: "the clone of the replica was not promoted", hint: "run again with --keep, and read its server.log")
            switch error.kind {
            case .refused, .unexpectedAnswer: throw DrillFailure.failed(finding)
            default: throw DrillFailure.error(finding)
            }
        }
    }
}
