// Where a service's scratch server is reached: what the application is told, and what Muster itself asks.

import DrillEngine
import DrillModel
import Foundation
import PostgresClient
import RedisClient
import RedisRecovery

/// One running scratch server.
enum ScratchEndpoint: Sendable {
    case postgres(PostgresConfiguration)
    case redis(ScratchRedis)
    /// No scratch server: a standby of production's that is only read.
    case living(PostgresConfiguration)

    /// As ``Template/fields(of:)`` names them; nil for any other.
    func value(_ field: String) -> String? {
        switch (self, field) {
        case (.redis(let server), "socket"): server.socketPath
        case (_, "database"): postgres?.database
        case (_, "socket-folder"): postgres?.host
        case (_, "port"): postgres.map { String($0.port) }
        case (_, "user"): postgres?.user
        default: nil
        }
    }

    /// How a Postgres is reached.
    var postgres: PostgresConfiguration? {
        switch self {
        case .postgres(let configuration), .living(let configuration): configuration
        case .redis: nil
        }
    }

    var isLiving: Bool { if case .living = self { true } else { false } }
}

/// What a service that came back is to those who use it.
enum ServiceProvision: Sendable {
    case server(ScratchEndpoint)
    /// The folder of its code, inside the scratch folder.
    case code(URL)
    /// The variables of an application. They may be secrets: they go into a process' environment and nowhere else.
    case configuration([String: String])

    var endpoint: ScratchEndpoint? { if case .server(let endpoint) = self { endpoint } else { nil } }
}

extension [String: ServiceProvision] {
    /// The running servers, by service.
    var endpoints: [String: ScratchEndpoint] { compactMapValues(\.endpoint) }
}

extension ScratchEndpoint {
    /// Lets an application write: until it has been verified, a scratch Redis is a replica of nowhere, which keeps every key and takes none.
    ///
    /// - Throws: ``DrillFailure`` (error).
    func open() async throws {
        guard case .redis(let server) = self else { return }
        do {
            let connection = try await server.connect()
            defer { connection.close() }
            _ = try await connection.command(["REPLICAOF", "NO", "ONE"])
        } catch {
            throw DrillFailure.error(
                Finding(.scratchServerFailed, object: "redis", message: error.message, hint: error.hint))
        }
    }
}

extension ScratchEndpoint {
    /// Why nothing can be judged by what uses this server; nil where it answers, or is none of Muster's.
    ///
    /// A server that died, or stands still, is this machine's trouble: neither the backup nor the application is to blame.
    func failure(of service: String) async -> DrillFailure? {
        let answers: Bool
        switch self {
        case .living: return nil
        case .postgres(let configuration): answers = await PostgresConnection.accepts(configuration)
        case .redis(let server): answers = await server.answers()
        }
        if answers || Task.isCancelled { return nil }
        return .error(
            Finding(
                .scratchServerFailed, object: service, expected: "a scratch server that lives as long as the drill",
                actual: "none that answers", message: "the scratch server ended by itself, or answers no more",
                hint: "look at this machine's memory and kernel log; run again with --keep to read server.log"))
    }
}

extension [String: ScratchEndpoint] {
    /// The first service, by name, whose scratch server is gone.
    func failure() async -> DrillFailure? {
        for (service, endpoint) in sorted(by: { $0.key < $1.key }) {
            if let failure = await endpoint.failure(of: service) { return failure }
        }
        return nil
    }
}
