// The databases of a restored cluster: which of them is asked, and what in it would have acted by itself.

import DrillModel
import Foundation
import PhysicalRecovery
import PostgresClient
import PostgresRecovery

/// A cluster holds several databases, and a drill's questions go to one.
struct RestoredDatabases: Sendable {
    var server: ScratchPostgres
    var service: String

    /// The one that the estate names as the source's, or the largest that isn't there by itself.
    func main(preferring declared: String?) async throws(DrillFailure) -> String {
        let rows: [PostgresRow]
        do {
            let connection = try await PostgresConnection.connect(server.configuration(database: "template1"))
            rows = try await connection.query(
                "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
                    + " ORDER BY datname <> $1, datname = 'postgres', pg_database_size(oid) DESC", [declared ?? ""])
            await connection.close()
        } catch {
            if let failure = await server.ended(error.message) { throw failure }
            throw .failed(
                Finding(
                    .stepConnection, object: service, expected: "a cluster that takes connections", actual: error.message,
                    message: "the restored cluster can't be asked for its databases",
                    hint: "name the source's superuser as source: {user: …} in the estate file"))
        }
        guard let name = rows.first?[0], declared == nil || name == declared else {
            throw .failed(
                Finding(
                    .stepConnection, object: declared ?? service, expected: "the source's database", actual: "none of that name",
                    message: "the restored cluster doesn't hold the database that the estate names",
                    hint: "check source: {database: …} in the estate file, and that the base backup is of the right server"))
        }
        return name
    }

    /// Subscriptions and scheduled jobs that came back with the data: shown, and asked of the server whether they can act.
    func armed(in database: String) async -> [CaseResult] {
        let name = "subscriptions and jobs in the data are disarmed"
        do {
            let connection = try await PostgresConnection.connect(server.configuration(database: database))
            var notes: [Finding] = []
            for row in try await connection.query("SELECT subname::text FROM pg_subscription WHERE subenabled ORDER BY 1") {
                notes.append(ArmedSettings.note("subscription \(row[0] ?? "")", could: "connect to the subscription's publisher"))
            }
            if try await connection.value("SELECT to_regclass('cron.job') IS NOT NULL") == "t" {
                let jobs = try await connection.value("SELECT count(*) FROM cron.job WHERE active") ?? "0"
                if jobs != "0" { notes.append(ArmedSettings.note("\(jobs) jobs of pg_cron", could: "run its scheduled jobs")) }
            }
            let workers = try await connection.query(
                "SELECT backend_type FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%worker' OR backend_type ILIKE '%cron%'"
            )
            for row in workers {
                notes.append(
                    Finding(
                        Rule("quarantine-broken"), object: row[0] ?? "a worker", expected: "no such process", actual: "running",
                        message: "a background worker of the restored data runs", hint: "report this as a defect of muster"))
            }
            await connection.close()
            return [.judged(.quarantine, service: service, name: name, findings: notes)]
        } catch {
            return [
                .unasked(
                    .quarantine, service: service, name: name,
                    finding: Finding(Rule("not-asked"), object: service, message: error.message, hint: error.hint))
            ]
        }
    }
}
