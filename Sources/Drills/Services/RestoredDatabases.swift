// The databases of a restored cluster: which of them is asked, and what in it would have acted by itself.

import DrillEngine
public import DrillModel
import Foundation
import IntegrityChecks
import PhysicalRecovery
import PostgresClient
public import PostgresRecovery
import Reports
import ScratchHost

/// A cluster holds several databases, and a drill's questions go to one.
public struct RestoredDatabases: Sendable {
    var server: ScratchPostgres
    var service: String

    public init(server: ScratchPostgres, service: String) {
        self.server = server
        self.service = service
    }

    /// The one that the estate names as the source's, or the largest that isn't there by itself.
    public func main(preferring declared: String?) async throws(DrillFailure) -> String {
        let rows: [PostgresRow]
        do {
            let connection = try await PostgresConnection.connect(server.configuration(database: "template1"))
            do {
                rows = try await connection.query(Self.listed("pg_database_size(oid) DESC"), [declared ?? ""])
            } catch  where error.isStorageDamage {
                // A tablespace that isn't there has no size; which database is asked doesn't hang on that.
                rows = try await connection.query(Self.listed("oid"), [declared ?? ""])
            }
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
                    message: "the restored cluster doesn't hold the database that the drill or the estate names",
                    hint:
                        "check database in the drill file and source: {database: …} in the estate file, and that the base backup is of the right server"
                ))
        }
        return name
    }

    private static func listed(_ order: String) -> String {
        "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname <> $1, datname = 'postgres', \(order)"
    }

    /// Everything that is asked of a cluster which came back as files.
    ///
    /// - Parameters:
    ///   - database: The one whose content is asked.
    ///   - seal: What it must hold; nil where recovery went elsewhere than to a sealed moment.
    func askCluster(
        _ database: String, seal: PostgresTruth? = nil, origin: PostgresCheckContext.Origin, unsealedReason: String,
        declared: [DeclaredCheck],
        commands: CommandChecks, _ tally: CaseTally, _ log: any StepLog
    ) async throws {
        // Before any row is read: what reads by an index takes the trace of a lost page away.
        try await storage(first: database, tally, log)
        let connection = try await server.connect(toRecovered: database)
        for result in await armed(in: database) { tally.record(result) }
        tally.record(await prepared())
        let names = try? await all(first: database).open
        let own = names?.filter { !$0.hasPrefix("template") } ?? []
        let routes = DeclaredRoutes(declared, main: database, all: names, own: own, service: service)
        await tellUnasked(besides: database, asked: Set(routes.byDatabase.keys).union(routes.commands.keys).sorted(), tally, log)
        routes.unasked.forEach(tally.record)
        var context = PostgresCheckContext(
            connection: connection, service: service, seal: seal, origin: origin, unsealedReason: unsealedReason,
            declared: routes.byDatabase[database] ?? [], scratch: commands.scratch(server, database),
            inventoryOptions: PostgresInventory.Options(parallelWorkers: true), emit: { tally.record($0) },
            unproven: { log.unproven($0) },
            progress: { log.progress($0, completed: $1, total: $2, unit: .bytes) })
        context.sealsEveryRole = seal != nil
        await PostgresChecks.run(context)
        await connection.close()
        for (name, questions) in routes.byDatabase.sorted(by: { $0.key < $1.key }) where name != database {
            let other = try await server.connect(toRecovered: name)
            await PostgresChecks.askDeclared(
                PostgresCheckContext(
                    connection: other, service: service, seal: nil, origin: origin, declared: questions,
                    scratch: commands.scratch(server, name),
                    emit: { result in
                        var named = result
                        named.name += " in \(name)"
                        tally.record(named)
                    }))
            await other.close()
        }
        try await runCommands(routes, unnamed: database, tally) { connection, name, checks, heard in
            PostgresCheckContext(
                connection: connection, service: service, seal: nil, origin: origin, declared: checks,
                scratch: commands.scratch(server, name), emit: { heard.hear($0) })
        }
    }

    /// Behind all that is asked otherwise.
    ///
    /// - Parameters:
    ///   - unnamed: The database that needs no mention.
    ///   - lack: What this machine could not restore, for which no backup is blamed.
    func runCommands(
        _ routes: DeclaredRoutes, unnamed: String?, lack: MachineLack? = nil, _ tally: CaseTally,
        _ context: (PostgresConnection, _ database: String, [DeclaredCheck], HeardCases) -> PostgresCheckContext
    ) async throws {
        for (name, checks) in routes.commands.sorted(by: { ($0.key != unnamed ? 1 : 0, $0.key) < ($1.key != unnamed ? 1 : 0, $1.key) }) {
            let heard = HeardCases()
            do {
                let connection = try await server.connect(toRecovered: name)
                await PostgresChecks.askDeclared(context(connection, name, checks, heard))
                await connection.close()
                try Task.checkCancellation()
            } catch let failure as DrillFailure {
                // It was there when everything else was asked: whatever a command did to it since is not the backup's doing.
                for check in checks {
                    heard.hear(
                        .unasked(
                            .declared, service: service, name: check.name,
                            finding: Finding(
                                .commandNotRun, object: check.name, actual: failure.finding.actual,
                                message: "the command was not run: the scratch server takes no connection any more",
                                hint: "look at what the command before it did to the server")))
                }
            }
            for var result in heard.all {
                if name != unnamed { result.name += " in \(name)" }
                tally.record(lack?.weighed(result) ?? result)
            }
        }
    }

    /// What can be connected to, templates too, the one that is asked first; and what can't be.
    func all(first main: String) async throws(PostgresError) -> (open: [String], closed: [String]) {
        let connection = try await PostgresConnection.connect(server.configuration(database: "template1"))
        do throws(PostgresError) {
            let rows = try await connection.query("SELECT datname, datallowconn FROM pg_database ORDER BY datname <> $1, datname", [main])
            await connection.close()
            let closed = rows.filter { $0[1] != "t" }.compactMap { $0[0] }
            return (rows.filter { $0[1] == "t" }.compactMap { $0[0] }, closed.filter { $0 != "template0" })
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Names the databases that hold something and were asked nothing but about their storage, or not even that.
    func tellUnasked(besides main: String, asked: [String] = [], _ tally: CaseTally, _ log: any StepLog) async {
        let question = "which databases were asked"
        let names: (open: [String], closed: [String])
        do throws(PostgresError) {
            names = try await all(first: main)
        } catch {
            log.unproven("\(service): the checks were put to the database \(main); which others came back could not be asked.")
            return tally.record(
                .unasked(
                    .restore, service: service, name: question,
                    finding: Finding(Rule("not-asked"), object: service, message: error.message, hint: error.hint)))
        }
        var others: [String] = []
        for name in names.open where name != main && !asked.contains(name) {
            // What every cluster has by itself is named only where somebody has put something into it.
            let ownTables = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind IN ('r', 'm', 'p'))"
            guard ["postgres", "template1"].contains(name) else {
                others.append(name)
                continue
            }
            // One that can't be asked may hold anything.
            guard let connection = try? await PostgresConnection.connect(server.configuration(database: name)) else {
                others.append(name)
                continue
            }
            if (try? await connection.value(ownTables)) != "f" { others.append(name) }
            await connection.close()
        }
        others += names.closed
        guard !others.isEmpty else { return }
        let list = others.prefix(20).joined(separator: ", ") + (others.count > 20 ? " and \(others.count - 20) more" : "")
        let finding = Finding(
            Rule("databases-not-asked"), .warning, object: list, expected: "every database asked", actual: "\(main) alone",
            message: "the backup holds more databases than the one that the drill's questions went to",
            hint: "declare a service for each that matters, or choose the one to ask: source: {host: …, database: …} of the service in the "
                + "estate file")
        tally.record(.judged(.restore, service: service, name: question, findings: [finding]))
        log.unproven("\(service): the checks were put to the database \(main); what these hold was not asked: \(list).")
    }

    /// Transactions that somebody prepared and nobody ended: they come back, invisible, with every lock that they held.
    func prepared() async -> CaseResult {
        let name = "no prepared transaction is left open"
        do {
            let connection = try await PostgresConnection.connect(server.configuration(database: "template1"))
            let rows = try await connection.query(
                """
                SELECT gid, database, owner, to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS at,
                  extract(epoch FROM clock_timestamp() - prepared)::bigint AS age FROM pg_prepared_xacts ORDER BY prepared, gid LIMIT 20
                """)
            await connection.close()
            let findings = rows.map { row in
                let age = row["age"].flatMap { Int64($0) }.map { Readable.duration(.seconds(max(0, $0))) } ?? "unknown"
                return Finding(
                    Rule("prepared-transaction-open"), .warning, object: "\(row["gid"] ?? "") in \(row["database"] ?? "")",
                    expected: "none, or one that its owner \(row["owner"] ?? "") ends",
                    actual: "prepared at \(row["at"] ?? "") UTC, \(age) ago",
                    message: "a prepared transaction came back: its rows are invisible, its locks hold, and vacuum waits for it",
                    hint: "in a real recovery ask its transaction manager, then COMMIT PREPARED or ROLLBACK PREPARED it")
            }
            return .judged(.restore, service: service, name: name, findings: findings)
        } catch {
            return .unasked(
                .restore, service: service, name: name,
                finding: Finding(Rule("not-asked"), object: service, message: error.message, hint: error.hint))
        }
    }

    /// Reads the storage of every database that can be connected to, before anybody reads a row.
    func storage(first main: String, _ tally: CaseTally, _ log: any StepLog) async throws {
        let names: (open: [String], closed: [String])
        do {
            names = try await all(first: main)
        } catch {
            if let failure = await server.ended(error.message) { throw failure }
            log.unproven("\(service): the storage of \(main) alone was read: which other databases there are could not be asked.")
            names = ([main], [])
        }
        for (index, database) in names.open.enumerated() {
            let pass = StoragePass(server: server, service: service, database: database, isFirst: index == 0)
            let connection: PostgresConnection
            do {
                connection = try await server.connect(toRecovered: database)
            } catch {
                guard error.verdict == .failed, database != main else { throw error }
                tally.record(
                    .judged(.restore, service: service, name: "the database \(database) can be reached", findings: [error.finding]))
                continue
            }
            let outcome = await pass.ask(connection) {
                log.progress("storage of \(database)", completed: $0, total: $1, unit: .bytes)
            }
            await connection.close()
            try Task.checkCancellation()
            if let failure = server.process.ending == nil ? nil : await server.ended("while its storage was read") { throw failure }
            outcome.cases.forEach(tally.record)
            for sentence in outcome.unproven { log.unproven("\(service): \(sentence)") }
        }
        for database in names.closed {
            log.unproven(
                "\(service): the database \(database) takes no connections (datallowconn), so its tables and indexes were not read.")
        }
    }

    /// Subscriptions and scheduled jobs that came back with the data: shown, and asked of the server whether they can act.
    func armed(in database: String) async -> [CaseResult] {
        let name = "subscriptions and jobs in the data are disarmed"
        do {
            let connection = try await PostgresConnection.connect(server.configuration(database: database))
            var notes: [Finding] = []
            for row in try await connection.query("SELECT subname::text FROM pg_subscription WHERE subenabled ORDER BY 1") {
                notes.append(OutboundSettings.note("subscription \(row[0] ?? "")", could: "connect to the subscription's publisher"))
            }
            if try await connection.value("SELECT to_regclass('cron.job') IS NOT NULL") == "t" {
                let jobs = try await connection.value("SELECT count(*) FROM cron.job WHERE active") ?? "0"
                if jobs != "0" { notes.append(OutboundSettings.note("\(jobs) jobs of pg_cron", could: "run its scheduled jobs")) }
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
        } catch  where error.isStorageDamage {
            return [
                .judged(
                    .quarantine, service: service, name: name,
                    findings: [.storageDamaged(database, error)])
            ]
        } catch {
            return [
                .unasked(
                    .quarantine, service: service, name: name,
                    finding: Finding(Rule("not-asked"), object: service, message: error.message, hint: error.hint))
            ]
        }
    }
}
