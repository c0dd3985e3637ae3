// Looks for what PostgreSQL's own restore leaves behind by chance, where the backup is good.

import DrillModel
import PostgresClient

extension Rule {
    static let partitionedIndexInvalid = Rule("partitioned-index-invalid")
    static let partitionTriggerLate = Rule("partition-trigger-late")
    static let eventTriggerInTheWay = Rule("event-trigger-in-the-way")
}

/// What is asked of a database as soon as pg_restore is through.
struct AfterRestore: Sendable {
    var database: String
    var service: String

    /// - Returns: A case with what was noticed, or a skipped one where it couldn't be asked; none where there is nothing to say.
    func cases(on server: ScratchPostgres) async -> [CaseResult] {
        let name = "a restore in earnest comes to the same"
        do throws(PostgresError) {
            let connection = try await PostgresConnection.connect(
                server.configuration(database: database, settings: ["search_path": "", "default_transaction_read_only": "off"]))
            let findings: [Finding]
            do throws(PostgresError) {
                findings = try await attachAgain(connection) + tryEventTriggers(connection)
            } catch {
                await connection.close()
                throw error
            }
            await connection.close()
            return findings.isEmpty ? [] : [.judged(.restore, service: service, name: name, findings: findings)]
        } catch {
            // A warning is missing then, and no verdict: whether the database answers, and whether an index is valid, the checks ask too.
            let why = error.sqlState.map { "SQLSTATE \($0)" } ?? error.kind.rawValue
            return [.skipped(.restore, service: service, name: name, reason: "it could not be asked: \(why)")]
        }
    }

    /// pg_dump writes the state of a trigger of a partition's partition without a dependency on the trigger of the whole table (PostgreSQL 15 to 19): it may stand,
    /// or with several jobs come, before the trigger is made. What failed so is run once more, and leaves the log where it succeeds.
    /// Seen in findings/partition-trigger-state-before-trigger.sh.
    ///
    /// - Parameter isHere: Whether a problem is this database's.
    func switchTriggersAgain(
        _ log: inout RestoreLog, on server: ScratchPostgres, where isHere: (RestoreLog.Problem) -> Bool = { _ in true }
    ) async -> [Finding] {
        let late = log.problems.filter { Self.isLateTrigger($0) && isHere($0) }
        guard !late.isEmpty,
            let connection = try? await PostgresConnection.connect(
                server.configuration(database: database, settings: ["search_path": "", "default_transaction_read_only": "off"]))
        else { return [] }
        var findings: [Finding] = []
        for problem in late {
            // One that fails again stays a problem of the backup's. Not as a script: a text that would be two statements is refused.
            guard (try? await connection.query(problem.statement)) != nil else { continue }
            log.remove(problem)
            findings.append(
                Finding(
                    .partitionTriggerLate, .warning, object: problem.object.isEmpty ? problem.text : problem.object,
                    expected: "the state that the trigger of this partition had", actual: "an error, since the trigger wasn't there yet",
                    message:
                        "PostgreSQL restores this state before the trigger itself, and fails on it; the backup is good, and it was run again",
                    hint: "after a recovery in earnest run such a statement again: else a trigger that was switched off fires"))
        }
        await connection.close()
        return findings
    }

    private static func isLateTrigger(_ problem: RestoreLog.Problem) -> Bool {
        problem.text.hasPrefix("trigger \"") && problem.text.hasSuffix(" does not exist") && problem.statement.hasPrefix("ALTER TABLE ")
            && [" DISABLE TRIGGER ", " ENABLE TRIGGER ", " ENABLE ALWAYS TRIGGER ", " ENABLE REPLICA TRIGGER "].contains {
                problem.statement.contains($0)
            }
    }

    /// Two jobs of pg_restore that attach the last parts of a partitioned index at the same time each miss the other's, and the index stays invalid
    /// although all its parts are there (PostgreSQL 15 to 19). To attach a part once more has the server look again.
    private func attachAgain(_ connection: PostgresConnection) async throws(PostgresError) -> [Finding] {
        var mended: [String] = []
        // Inner levels first: an outer index becomes valid when the inner ones are.
        for _ in 0..<16 {
            let rows = try await connection.query(Self.invalidButWhole)
            let open = rows.compactMap { row in row["index"].flatMap { index in row["part"].map { (index, $0) } } }
                .filter { !mended.contains($0.0) }
            guard !open.isEmpty else { break }
            for (index, part) in open {
                try await connection.execute("ALTER INDEX \(index) ATTACH PARTITION \(part)")
                mended.append(index)
            }
        }
        return mended.map { index in
            Finding(
                .partitionedIndexInvalid, .warning, object: "index \(index)", expected: "a valid index",
                actual: "an invalid one whose parts are all valid",
                message:
                    "pg_restore with several jobs left it invalid, by a race of PostgreSQL's own; the backup is good, and it was attached again",
                hint:
                    "after a recovery in earnest look for invalid indexes, or restore with one job; ALTER INDEX \(index) ATTACH PARTITION … mends it"
            )
        }
    }

    private static let invalidButWhole = """
        SELECT x.indexrelid::regclass::text AS index, min(i.inhrelid::regclass::text) AS part
        FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_inherits i ON i.inhparent = x.indexrelid JOIN pg_index p ON p.indexrelid = i.inhrelid
        WHERE c.relkind = 'I' AND NOT x.indisvalid
        GROUP BY x.indexrelid, x.indrelid
        HAVING bool_and(p.indisvalid) AND count(*) = (SELECT count(*) FROM pg_inherits t WHERE t.inhparent = x.indrelid)
        """

    /// Event triggers are made before materialized views are filled, so one that forbids DDL stops pg_restore there: always with one job, by
    /// chance with more.
    private func tryEventTriggers(_ connection: PostgresConnection) async throws(PostgresError) -> [Finding] {
        let view = try await connection.value(
            """
            SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'm' AND c.oid >= 16384
              AND EXISTS (SELECT FROM pg_event_trigger WHERE evtevent LIKE 'ddl_command%' AND evtenabled IN ('O', 'A'))
            ORDER BY c.relpages, c.oid LIMIT 1
            """)
        guard let view else { return [] }
        try await connection.execute("BEGIN TRANSACTION READ WRITE; SET LOCAL statement_timeout = '10s'")
        var isRefused = false
        do throws(PostgresError) {
            try await connection.execute("REFRESH MATERIALIZED VIEW \(view) WITH NO DATA")
        } catch {
            guard error.sqlState != nil else { throw error }
            isRefused = true
        }
        try await connection.execute("ROLLBACK")
        guard isRefused else { return [] }
        return [
            Finding(
                .eventTriggerInTheWay, .warning, object: "materialized view \(view)",
                expected: "REFRESH MATERIALIZED VIEW as pg_restore runs it",
                actual: "refused while the database's event triggers are enabled",
                message:
                    "pg_restore makes event triggers before it fills materialized views: with one job it fails there, with more by chance",
                hint:
                    "in an emergency fill them by hand with the event trigger disabled; better let the trigger pass REFRESH MATERIALIZED VIEW"
            )
        ]
    }
}
