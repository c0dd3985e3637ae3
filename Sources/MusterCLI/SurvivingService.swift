// What stands for one living service: who it is, and what it holds, before and after.

import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import RedisClient

extension Rule {
    static let existingGone = Rule("existing-gone")
    static let existingRestarted = Rule("existing-restarted")
    static let existingLost = Rule("existing-lost")
    static let existingChanged = Rule("existing-changed")
}

/// One look at one server.
struct SurvivingService: Sendable {
    /// More findings than these help nobody.
    static let mostFindings = 20

    /// The same for as long as the server isn't started anew, and for no other server.
    struct Identity: Sendable, Hashable {
        var server: String
        var start: String
    }

    enum Holdings: Sendable, Hashable {
        case tables([String: TableFingerprint])
        case keys(Int64)
        /// Of a living server: whether nobody can write to it. What production does with it is no business of a drill's.
        case readOnly(Bool)
    }

    /// It answered, and with nothing that tells: that must not look like the same as before.
    private struct NoAnswer: Error {}

    var service: String
    var endpoint: ScratchEndpoint

    /// - Throws: ``DrillFailure`` (failed): what lived is gone.
    func identity() async throws -> Identity {
        do {
            switch endpoint {
            case .postgres(let configuration), .living(let configuration):
                let connection = try await PostgresConnection.connect(configuration)
                let row = try await connection.query(
                    "SELECT system_identifier::text, pg_postmaster_start_time()::text FROM pg_control_system()"
                ).first
                await connection.close()
                guard let server = row?[0], let start = row?[1] else { throw NoAnswer() }
                return Identity(server: server, start: start)
            case .redis(let socket):
                let connection = try await RedisConnection.connect(unixSocket: socket)
                defer { connection.close() }
                let info = try await connection.command(["INFO", "server"]).text
                guard let id = info?.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("run_id:") }).map(String.init) else {
                    throw NoAnswer()
                }
                return Identity(server: id, start: id)
            }
        } catch {
            if endpoint.isLiving { throw LivingDriver.gone(service) }
            throw DrillFailure.failed(
                Finding(
                    .existingGone, object: service, expected: "a server that lives through the disaster", actual: "no answer",
                    message: "the existing \(service) doesn't answer any more",
                    hint: "run again with --keep, and read its server.log: did a hook, or the application, end it?"))
        }
    }

    /// A count of what is there; of tables with a hash of their content.
    func holdings() async throws -> Holdings {
        switch endpoint {
        case .postgres(let configuration):
            let connection = try await PostgresConnection.connect(configuration)
            let inventory = PostgresInventory(connection, options: PostgresInventory.Options(parallelWorkers: true))
            var tables: [String: TableFingerprint] = [:]
            for table in try await inventory.tables() { tables[table.name] = try await inventory.fingerprint(table) }
            await connection.close()
            return .tables(tables)
        case .living(let configuration):
            let connection = try await PostgresConnection.connect(configuration)
            let isStandby = try await connection.value("SELECT pg_is_in_recovery()")
            await connection.close()
            return .readOnly(isStandby == "t")
        case .redis(let socket):
            let connection = try await RedisConnection.connect(unixSocket: socket)
            defer { connection.close() }
            guard let info = try await connection.command(["INFO", "keyspace"]).text, info.hasPrefix("# Keyspace") else { throw NoAnswer() }
            // db0:keys=12,expires=3,avg_ttl=0
            return .keys(info.matches(of: /keys=([0-9]+)/).reduce(0) { $0 + (Int64($1.output.1) ?? 0) })
        }
    }

    /// What an application may do is to write; what it must not do is to lose.
    static func differences(_ before: Holdings, _ after: Holdings, service: String) -> [Finding] {
        switch (before, after) {
        case (.tables(let before), .tables(let after)):
            var findings: [Finding] = []
            for (name, old) in before.sorted(by: { $0.key < $1.key }) {
                guard let new = after[name] else {
                    findings.append(lost(name, expected: "a table", actual: "none", "the restarted application took a table away"))
                    continue
                }
                if new.rows < old.rows {
                    findings.append(
                        lost(name, expected: "at least \(old.rows) rows", actual: "\(new.rows)", "rows are gone since the application runs")
                    )
                } else if new != old, new.hash != old.hash {
                    findings.append(
                        Finding(
                            .existingChanged, .note, object: name, expected: "\(old.rows) rows", actual: "\(new.rows) rows, or others",
                            message: "the table was written to since the application runs",
                            hint: "nothing to mend where the application writes to it as it starts"))
                }
            }
            return Array(findings.prefix(mostFindings))
        case (.keys(let before), .keys(let after)):
            // Keys whose time has come go by themselves; all of them at once don't.
            return before > 0 && after == 0
                ? [lost(service, expected: "keys", actual: "none", "all keys are gone since the application runs")] : []
        case (_, .readOnly(let isReadOnly)): return isReadOnly ? [] : [LivingDriver.promoted(service)]
        default: return []
        }
    }

    private static func lost(_ object: String, expected: String, actual: String, _ message: String) -> Finding {
        Finding(
            .existingLost, object: object, expected: expected, actual: actual, message: message,
            hint: "a new instance must not clear what it finds: look at what it does as it starts, migrations first")
    }
}
