// Asks the running scratch server whether it could touch anything outside of its quarantine.

public import DrillModel
import Foundation
import RedisClient
public import ScratchHost

extension Rule {
    static let redisArmed = Rule("quarantine-broken")
}

/// The quarantine's questions for Redis. Each ends as one test case.
public enum RedisQuarantine {
    public static func ask(
        _ server: ScratchRedis, service: String, host: ScratchHost, demand: QuarantineDemand
    ) async -> [CaseResult] {
        var cases = QuarantineCases.make(
            await QuarantineAnswers.ask(server.process, host: host), service: service, demand: demand)
        do {
            let connection = try await server.connect()
            defer { connection.close() }
            let port = try await setting("port", connection)
            cases.append(judged(service, "no TCP port is listened on", port == "0", actual: "port \(port)"))
            let save = try await setting("save", connection)
            cases.append(judged(service, "no snapshot is written", save.isEmpty, actual: "save \(save)"))
            let reply = try await connection.command(["INFO", "replication"])
            let fields = ScratchRedis.fields(reply.text ?? "")
            let source = "\(fields["master_host"] ?? "nowhere"):\(fields["master_port"] ?? "")"
            // Nothing listens on port 1 of a loopback that has no other process: the link can't come up, and the state says so.
            let isSevered = source == "127.0.0.1:1" && fields["master_link_status"] == "down"
            // One that begins empty keeps nothing that could be replaced, and is nobody's replica.
            let harmless = server.content == .nothing ? fields["role"] == "master" : isSevered
            cases.append(judged(service, "no replication source can replace the data", harmless, actual: source))
            let folder = try await setting("dir", connection)
            cases.append(
                judged(service, "it works in its own folder", folder == server.folder.path, actual: "another folder"))
        } catch {
            cases.append(
                .unasked(
                    .quarantine, service: service, name: "the scratch server answers for itself",
                    finding: Finding(
                        .scratchServerFailed, object: service, message: "the scratch redis server did not answer",
                        hint: "run again with --keep and read server.log")))
        }
        return cases
    }

    private static func setting(_ name: String, _ connection: RedisConnection) async throws -> String {
        let reply = try await connection.command(["CONFIG", "GET", name])
        guard let values = reply.array, values.count == 2, let text = values[1].text else {
            throw RedisError(.unexpectedAnswer, message: "no answer to CONFIG GET \(name)", hint: "")
        }
        return text
    }

    private static func judged(_ service: String, _ name: String, _ holds: Bool, actual: String) -> CaseResult {
        let findings =
            holds
            ? []
            : [
                Finding(
                    .redisArmed, object: service, expected: name, actual: actual,
                    message: "the scratch server is not as muster configured it",
                    hint:
                        "look into the backup: commands of append-only files can change settings; where there are none, report a defect of muster"
                )
            ]
        return .judged(.quarantine, service: service, name: name, findings: findings)
    }
}
