// Asks every database that a dump brought back, each what concerns it.

import DrillEngine
import DrillModel
import IntegrityChecks
import PostgresClient
import PostgresRecovery
import Reports

extension Rule {
    static let databaseEmpty = Rule("database-empty")
    static let databaseGone = Rule("database-gone")
}

/// The databases of a restored dump, and which questions go where.
struct AskedDatabases: Sendable {
    let service: String
    let restored: RestoredDatabase
    let seal: Seal?
    /// Where an application is started, and what names no database is asked.
    let main: String
    /// Somebody named it, or there is no other.
    let isChosen: Bool
    /// What the last run of the drill found in its backup; empty where it found one, or none is known.
    let before: Set<String>

    /// - Parameters:
    ///   - wanted: The one that the drill names.
    ///   - source: The one that the estate names as the source's.
    ///   - before: What the last run of the drill found in its backup.
    /// - Throws: ``DrillFailure`` (failed): the drill names one that did not come back.
    init(
        _ restored: RestoredDatabase, service: String, wanted: String?, source: String?, seal: Seal?, before: Set<String> = []
    ) throws(DrillFailure) {
        self.service = service
        self.restored = restored
        self.before = before
        self.seal = seal
        let own = restored.databases
        if let wanted, restored.isNamed, !own.contains(wanted) { throw .failed(.notInBackup(wanted, holding: own)) }
        // A dump that doesn't say what its database is called holds the one that is meant.
        let named = [wanted, source, seal?.postgres?.identity.database].compactMap { $0 }.first(where: own.contains)
        main = named ?? restored.database
        isChosen = named != nil || own.count < 2
    }

    /// The one that a seal is about, or else the main one: there alone it is said what was not asked, and what is the cluster's.
    private var first: String {
        seal?.postgres.map(\.identity.database).flatMap { name in restored.databases.first { $0 == name } } ?? main
    }

    /// - Parameter context: Of a connection to a database, with its seal and its own questions.
    func ask(
        _ declared: [DeclaredCheck], _ tally: CaseTally, _ log: any StepLog,
        _ context: @Sendable (PostgresConnection, Scope) -> PostgresCheckContext
    ) async throws {
        let databases = RestoredDatabases(server: restored.server, service: service)
        let open = try? await databases.all(first: main).open
        let routes = DeclaredRoutes(declared, main: isChosen ? main : nil, all: open, own: restored.databases, service: service)
        let sealed = SealedDatabases(seal, first: first)
        // What every cluster has by itself is nobody's, and compared with the seal all the same.
        let others = sealed.names.filter { name in name != first && !restored.databases.contains(name) && open?.contains(name) == true }
        let more = Set(routes.byDatabase.keys).filter { $0 != first && !restored.databases.contains($0) && !others.contains($0) }.sorted()
        let names = [first] + restored.databases.filter { $0 != first } + others + more
        if let result = sealed.complete(open: open, own: restored.databases, service: service) {
            tally.record(restored.lack?.weighed(result) ?? result)
        }
        await databases.tellUnasked(besides: main, asked: names, tally, log)
        routes.unasked.forEach(tally.record)
        var empty: [(database: String, result: CaseResult)] = []
        var isAnyFull = false
        for name in names {
            let connection = try await restored.server.connect(toRecovered: name)
            let heard = HeardCases()
            let scope = Scope(
                database: name, seal: sealed.truth(of: name), declared: routes.byDatabase[name] ?? [], comparesRoles: name == first,
                heard: heard)
            if more.contains(name) {
                await PostgresChecks.askDeclared(context(connection, scope))
            } else {
                await PostgresChecks.run(context(connection, scope))
            }
            await connection.close()
            for var result in heard.all {
                // Once is enough that there is no seal; and roles are compared once.
                if name != first, result.verdict == .skipped, scope.seal == nil || result.reason == Scope.rolesElsewhere { continue }
                if seal?.cluster != nil, !restored.withProperties.contains(name) {
                    guard let weighed = Self.ofNewCluster(result, isEmpty: others.contains(name)) else { continue }
                    result = weighed
                }
                let isOfContent = result.name == PostgresChecks.restoredSomething
                if !isChosen || name != main { result.name += " in \(name)" }
                // One that somebody has named, or sealed, has to hold what it held.
                if isOfContent, result.verdict == .failed, name != main || !isChosen, scope.seal == nil {
                    empty.append((name, result))
                    continue
                }
                if isOfContent, result.verdict == .passed, result.findings.isEmpty { isAnyFull = true }
                tally.record(restored.lack?.weighed(result) ?? result)
            }
        }
        for (name, result) in empty {
            tally.record(isAnyFull ? Self.excused(result, of: name) : restored.lack?.weighed(result) ?? result)
        }
        try await databases.runCommands(routes, unnamed: isChosen ? main : nil, lack: restored.lack, tally) {
            connection, name, checks, heard in
            context(connection, Scope(database: name, seal: nil, declared: checks, comparesRoles: false, heard: heard))
        }
        if !before.isEmpty, restored.isNamed { tally.record(goneSinceLastRun) }
        tell(names, routes, sealed, log)
    }

    /// `template1` and `postgres` are there before a script runs, stored and sorted as whoever made the new cluster chose.
    ///
    /// - Returns: nil where that says nothing, since nobody has put anything there.
    private static func ofNewCluster(_ result: CaseResult, isEmpty: Bool) -> CaseResult? {
        let rules = result.findings.map(\.rule.name)
        if isEmpty { return ["nothing-sealed", "collation-differs", "encoding-differs"].contains(where: rules.contains) ? nil : result }
        guard rules.contains("encoding-differs") else { return result }
        var weighed = result
        for index in weighed.findings.indices where rules[index] == "encoding-differs" { weighed.findings[index].severity = .warning }
        weighed.verdict = .passed
        return weighed
    }

    /// No file says what a cluster held; the last run's report says what its backup did.
    private var goneSinceLastRun: CaseResult {
        let gone = before.subtracting(restored.databases).sorted()
        let finding = Finding(
            .databaseGone, .warning, object: gone.joined(separator: ", "), expected: before.sorted().joined(separator: ", "),
            actual: restored.databases.isEmpty ? "none" : restored.databases.sorted().joined(separator: ", "),
            message: "the last run of this drill restored what this backup doesn't hold",
            hint: "nothing to mend where somebody dropped it on purpose; else look at the backup job: --exclude-database, a new name, "
                + "a role that may not read it")
        return .judged(
            .restore, service: service, name: "no database is gone since the last run", findings: gone.isEmpty ? [] : [finding])
    }

    /// Of several databases one may be empty, as it was; all of them are not.
    private static func excused(_ result: CaseResult, of database: String) -> CaseResult {
        var excused = result
        excused.verdict = .passed
        for index in excused.findings.indices where excused.findings[index].rule.name == "nothing-restored" {
            excused.findings[index].rule = .databaseEmpty
            excused.findings[index].severity = .warning
            excused.findings[index].object = database
            excused.findings[index].hint = "check whether it is empty in the source too; named as database in the drill file, it is red"
        }
        return excused
    }

    private func tell(_ names: [String], _ routes: DeclaredRoutes, _ sealed: SealedDatabases, _ log: any StepLog) {
        if let cluster = seal?.cluster {
            let skew = Readable.preciseDuration(.seconds(cluster.skewSeconds))
            log.fact("snapshot-skew", skew)
            log.unproven(
                "\(service): each database is consistent in itself, and not with the others: the newest of their snapshots was taken \(skew) "
                    + "after the oldest, from which the RPO counts.")
        }
        if restored.databases.count > 1 || !before.isEmpty, !restored.databases.isEmpty {
            // The next run's report is held against it.
            log.fact(EarlierRuns.databasesFact, restored.databases.sorted().joined(separator: ", "))
        }
        guard restored.databases.count > 1 else { return }
        let others = names.filter { routes.byDatabase[$0] == nil && routes.commands[$0] == nil && sealed.truth(of: $0) == nil }
        guard !others.isEmpty else { return }
        let list = others.prefix(20).joined(separator: ", ") + (others.count > 20 ? " and \(others.count - 20) more" : "")
        log.unproven("\(service): of these databases it was only asked whether tables and rows came back: \(list).")
    }

    /// What is asked of one database.
    struct Scope: Sendable {
        static let rolesElsewhere = "compared once, in another database of the cluster"

        var database: String
        var seal: PostgresTruth?
        var declared: [DeclaredCheck]
        /// Roles are the cluster's: one of its databases is asked.
        var comparesRoles: Bool
        var heard: HeardCases
    }
}
