// The script of a whole cluster → scratch server: as `psql -f` would run it on a new one, with its own roles and databases.

import DrillModel
import Foundation
import PostgresClient
import ScratchHost

extension DumpRestorer {
    /// Where the script begins: `pg_dumpall --clean` drops the templates and `postgres`, which nobody may be connected to then.
    static let start = "muster start"

    /// Of a script that holds several databases.
    func runCluster(_ source: DumpSource, script: DumpScript, on server: ScratchPostgres) async throws -> Made {
        try await ask(server) { try await $0.execute("CREATE DATABASE \(SQL.identifier(Self.start)) TEMPLATE template0") }
        var (blank, findings) = try await makeRefused(script, of: source, on: server)
        // The role that the restore works as, as far as the script would shut it out.
        if let line = script.weakened[server.superuser] { blank.insert(line) }
        var location = source.location
        if !blank.isEmpty || !script.tablespaceLines.isEmpty {
            location = folder.appendingPathComponent("script.sql")
            try await copy(script, of: source, without: [], blank: blank, to: location)
        }
        let errors = folder.appendingPathComponent("psql.log")
        let result = try await psql(location, database: Self.start, on: server, errors: errors)
        if location != source.location { host.discard(location) }
        var verdict = try self.verdict("psql", errors, script: script, harmless: script.harmlessLines)
        verdict.log.forgive { $0.isRole(among: rolesThere(before: script, of: source, on: server)) }
        try await name(&verdict.log, by: source)
        guard result.succeeded, server.process.ending == nil, !verdict.isMachineTrouble else {
            throw verdict.failure(
                of: result, object: service, scratch: host.folder.url.path, serverDied: server.process.ending != nil)
        }
        for database in script.databases.entered {
            findings += await AfterRestore(database: database, service: service).switchTriggersAgain(&verdict.log, on: server) {
                $0.line.map(script.databases.database) == database
            }
        }
        try await ask(server) { try await $0.execute("DROP DATABASE \(SQL.identifier(Self.start)) WITH (FORCE)") }
        verdict.log.forgive { NewDatabase.explains($0, in: script) }
        let (judged, unrestored) = verdict.weighed(notes: findings + notes(on: script, verdict))
        return Made(cases: [judged], properties: true, unrestored: unrestored)
    }

    /// Makes the databases whose own CREATE DATABASE this machine refuses, for a locale that it lacks or a tablespace, which is a folder of another machine.
    ///
    /// - Returns: The lines that must not run any more, and what was noticed.
    private func makeRefused(
        _ script: DumpScript, of source: DumpSource, on server: ScratchPostgres
    ) async throws -> (blank: Set<Int>, findings: [Finding]) {
        var blank: Set<Int> = []
        var findings: [Finding] = []
        let statements = try await BlockingRead.run {
            try DumpScript.statements(of: source.location, at: Set(script.databases.made.values))
        }
        for (name, line) in script.databases.made.sorted(by: { $0.value < $1.value }) {
            guard let statement = statements[line] else { continue }
            let bare = statement.replacing(#/ TABLESPACE = ("[^"]*"|[^ ;]+)/#, with: "")
            switch try await tryToMake(bare, on: server) {
            case .made where bare == statement:
                try await ask(server) { try await $0.execute("DROP DATABASE \(SQL.identifier(name))") }
                continue
            case .made: break
            case .isThere, .failed: continue
            case .refused:
                // One that is there is as good as one in C.
                if !["postgres", "template1"].contains(name) {
                    try await createInC(name, encoding: DumpScript.encoding(ofDatabaseIn: statement), on: server)
                }
                findings.append(localeFinding(name))
            }
            // What `--clean` drops first would be gone.
            blank.formUnion([line, script.databases.dropped[name]].compactMap { $0 })
        }
        return (blank, findings)
    }

    private enum Making: Sendable {
        case made
        case isThere
        /// This machine can't make it so.
        case refused
        /// For another reason, which psql will meet and tell.
        case failed
    }

    private func tryToMake(_ statement: String, on server: ScratchPostgres) async throws -> Making {
        try await ask(server) { connection in
            do throws(PostgresError) {
                try await connection.execute(statement)
                return .made
            } catch {
                switch error.sqlState {
                case "42P04": return .isThere
                // As of a single dump; and an option that is newer than the server.
                case "42809", "22023", "0A000", "42601": return .refused
                case "53100", nil: throw error
                default: return .failed
                }
            }
        }
    }

    /// The databases of a cluster that are somebody's, the largest first: `postgres` counts where somebody has put a table into it.
    func ownDatabases(on server: ScratchPostgres) async throws -> [String] {
        let names = try await ask(server) {
            try await $0.query(
                "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY pg_database_size(oid) DESC, datname"
            ).compactMap { $0[0] }
        }
        guard names.contains("postgres") else { return names }
        let tables = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind IN ('r', 'm', 'p'))"
        let holdsSomething = try await ask(server, in: "postgres") { try await $0.value(tables) != "f" }
        return names.filter { $0 != "postgres" || holdsSomething }
    }
}
