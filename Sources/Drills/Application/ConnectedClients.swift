// Asks a scratch server who is connected to it beside Muster.

import DrillModel
import Foundation
import PostgresClient
import RedisClient
import RedisRecovery

extension Rule {
    static let stillConnected = Rule("still-connected")
}

/// The proof that nothing writes to what an application is about to be started against.
struct ConnectedClients: Sendable {
    var service: String
    var endpoint: ScratchEndpoint

    func ask() async -> CaseResult {
        let name = "nothing but muster is connected"
        guard !endpoint.isLiving else {
            return .skipped(
                .operation, service: service, name: name, reason: "it is a living server: whoever is connected to it has a right to be")
        }
        do {
            // A session of Muster's own that was just closed takes the server a moment to forget.
            let deadline = ContinuousClock.now + .seconds(2)
            var others = try await others()
            while others > 0, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
                others = try await self.others()
            }
            let findings =
                others == 0
                ? []
                : [
                    Finding(
                        .stillConnected, object: service, expected: "no other session", actual: "\(others)",
                        message: "something else is connected to the server that the application is to be started against",
                        hint: "end what your hooks started on it; a scratch server that strangers reach is a defect of muster")
                ]
            return .judged(.operation, service: service, name: name, findings: findings)
        } catch {
            return .unasked(
                .operation, service: service, name: name,
                finding: Finding(
                    Rule("not-asked"), object: service, expected: "an answer", actual: "none",
                    message: "the server could not be asked who is connected to it", hint: "run again with --keep, and read its server.log")
            )
        }
    }

    private func others() async throws -> Int {
        switch endpoint {
        case .postgres(let configuration), .living(let configuration):
            let connection = try await PostgresConnection.connect(configuration)
            let count = try await connection.value(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
            await connection.close()
            guard let count = count.flatMap(Int.init) else { throw NoAnswer() }
            return count
        case .redis(let server):
            let connection = try await server.connect()
            defer { connection.close() }
            guard let list = try await connection.command(["CLIENT", "LIST"]).text else { throw NoAnswer() }
            let count = list.split(whereSeparator: \.isNewline).count
            guard count > 0 else { throw NoAnswer() }
            return count - 1
        }
    }

    private struct NoAnswer: Error {}
}
