// Asks the running scratch server whether it could touch anything outside of its quarantine.

public import DrillModel
import Foundation
import PostgresClient
public import ScratchHost

extension Rule {
    static let quarantineBroken = Rule("quarantine-broken")
}

/// The quarantine's questions for Postgres. Each ends as one test case.
public enum PostgresQuarantine {
    /// - Parameters:
    ///   - demand: What the drill insists on.
    ///   - restoreCommand: Muster's own, where the server was recovered from an archive; any other is a breach.
    public static func ask(
        _ server: ScratchPostgres, service: String, host: ScratchHost, demand: QuarantineDemand, restoreCommand: String = ""
    ) async -> [CaseResult] {
        var cases = QuarantineCases.make(
            await QuarantineAnswers.ask(server.process, host: host), service: service, demand: demand)
        let connection: PostgresConnection
        do {
            connection = try await PostgresConnection.connect(server.configuration(database: "template1"))
        } catch {
            cases.append(
                .unasked(
                    .quarantine, service: service, name: "the scratch server answers for itself",
                    finding: Finding(
                        .scratchServerFailed, object: service, message: error.message, hint: "run again with --keep and read server.log")))
            return cases
        }
        for question in questions(server, restoreCommand: restoreCommand) {
            do {
                let armed = try await connection.query(question.sql).compactMap { $0[0] }
                let findings = armed.map { name in
                    Finding(
                        .quarantineBroken, object: name, expected: "disarmed", actual: "armed", message: question.broken,
                        hint: "the scratch server was ended with this drill; report this as a defect of muster")
                }
                cases.append(.judged(.quarantine, service: service, name: question.name, findings: findings))
            } catch {
                cases.append(
                    .unasked(
                        .quarantine, service: service, name: question.name,
                        finding: Finding(.quarantineBroken, object: service, message: error.message, hint: error.hint)))
            }
        }
        await connection.close()
        return cases
    }

    /// Each query returns the names of what is armed; no row is the good answer.
    private struct Question {
        var name: String
        var sql: String
        var broken: String
    }

    /// A library's scheduler is a worker, and pg_cron 1.4 has no setting of its own that keeps it still.
    private static func preloading(_ server: ScratchPostgres, besides set: ([String], String) -> String) -> Question {
        let preload = server.needs.preload
        let none = set(["session_preload_libraries", "local_preload_libraries"], "")
        guard !preload.isEmpty else {
            return Question(
                name: "no library is preloaded", sql: set(["shared_preload_libraries"], "") + " UNION ALL " + none,
                broken: "a preloaded library could act by itself, as a job scheduler does")
        }
        return Question(
            name: "\(preload.joined(separator: ", ")) alone is preloaded, and can start no worker",
            sql: set(["shared_preload_libraries"], preload.joined(separator: ", ")) + " UNION ALL " + none
                + " UNION ALL " + set(["max_worker_processes"], "0"),
            broken: "a preloaded library could act by itself, as a job scheduler does")
    }

    private static func questions(_ server: ScratchPostgres, restoreCommand: String) -> [Question] {
        let data = SQL.literal(server.dataFolder.path + "/")
        let own = SQL.literal(server.socketFolder.deletingLastPathComponent().path + "/muster")
        func set(_ names: [String], besides value: String = "") -> String {
            let list = names.map(SQL.literal).joined(separator: ", ")
            return "SELECT name FROM pg_settings WHERE name IN (\(list)) AND setting <> \(SQL.literal(value))"
        }
        let preloading = preloading(server, besides: { set($0, besides: $1) })
        return [
            Question(
                name: "no TCP address is listened on", sql: set(["listen_addresses"]),
                broken: "the scratch server listens on a network address"),
            Question(
                name: "archiving is off",
                sql: set(["archive_mode"], besides: "off") + " UNION ALL "
                    + set(["archive_command", "archive_library"])
                    // An unset archive_command reads as this while archiving is off.
                    + " AND setting <> '(disabled)'",
                broken: "the scratch server could push into an archive"),
            Question(
                name: "no replication source is set",
                sql: set(["primary_conninfo", "primary_slot_name"]) + " UNION ALL " + set(["restore_command"], besides: restoreCommand)
                    + " UNION ALL " + set(["recovery_end_command", "archive_cleanup_command"])
                    + " UNION ALL SELECT 'wal receiver' FROM pg_stat_wal_receiver WHERE pid IS NOT NULL",
                broken: "the scratch server could follow production"),
            Question(
                name: "no subscription can run",
                sql: set(["max_logical_replication_workers"], besides: "0")
                    + " UNION ALL SELECT subname::text FROM pg_subscription WHERE subenabled"
                    + " AND current_setting('max_logical_replication_workers') <> '0'",
                broken: "a subscription could connect to production"),
            preloading,
            Question(
                name: "no setting comes from the restored data",
                // pg_file_settings shows what stands in the files, also what the command line outranks or no reload has read yet.
                sql: "SELECT DISTINCT name FROM pg_file_settings WHERE starts_with(sourcefile, \(data))"
                    + " UNION ALL SELECT name FROM pg_settings WHERE name IN ('config_file', 'hba_file', 'ident_file')"
                    + " AND NOT starts_with(setting, \(own))",
                broken: "a setting stands in the restored data folder"),
        ]
    }
}
