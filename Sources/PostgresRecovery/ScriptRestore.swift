// A script of one database → scratch server, by psql, and again where something in it has to be gone round.

import DrillModel
import Foundation
import PostgresClient
import ScratchHost

extension DumpRestorer {
    func runScript(
        _ source: DumpSource, script: DumpScript, database: String, identity: PostgresIdentity?, on server: ScratchPostgres
    ) async throws -> Made {
        var findings: [Finding] = []
        if script.database == nil {
            findings += try await createDatabase(database, for: script, identity: identity, on: server)
        } else {
            try await makeRoom(for: database, on: server)
        }
        let errors = folder.appendingPathComponent("psql.log")
        var location = source.location
        if !script.tablespaceLines.isEmpty {
            location = folder.appendingPathComponent("script.sql")
            try await copy(script, of: source, without: [], to: location)
        }
        defer { if location != source.location { try? FileManager.default.removeItem(at: location) } }
        let start = script.database == nil ? database : "template1"
        var properties = script.database != nil
        var runs = 1
        var result = try await psql(location, database: start, on: server, errors: errors)
        var verdict = try self.verdict("psql", errors, script: script, harmless: script.harmlessLines)
        if let line = script.databaseLine, verdict.log.isDatabaseTrouble, !verdict.isMachineTrouble, server.process.ending == nil {
            // Without its database the script could connect to nothing, and psql has ended: it begins anew where one is ready.
            findings += try await makeDatabase(database, insteadOf: verdict, script: script, identity: identity, on: server)
            properties = false
            runs += 1
            result = try await psql(location, database: start, on: server, errors: errors)
            verdict = try self.verdict("psql", errors, script: script, harmless: script.harmlessLines.union([line]))
        }
        // An old psql reads the rows behind a COPY that failed as SQL, and a quote in them takes what follows along: the others are restored without it.
        var without: Set<Int> = []
        var told: [RestoreLog.Problem] = []
        while result.succeeded, !verdict.isMachineTrouble, server.process.ending == nil {
            let failed = verdict.log.failedCopies.subtracting(without)
            guard !failed.isEmpty, without.count < Self.mostFailedCopies else { break }
            without.formUnion(failed)
            runs += 1
            told += verdict.log.problems.filter { $0.line.map(failed.contains) == true }
            let copy = folder.appendingPathComponent("without.sql")
            defer { try? FileManager.default.removeItem(at: copy) }
            try await self.copy(script, of: source, without: without, to: copy)
            try await ask(server) { try await $0.execute("DROP DATABASE IF EXISTS \(SQL.identifier(database)) WITH (FORCE)") }
            if script.database == nil {
                _ = try await createDatabase(database, for: script, identity: identity, on: server)
            } else if !properties {
                _ = try await makeDatabase(database, insteadOf: verdict, script: script, identity: identity, on: server)
            }
            result = try await psql(copy, database: start, on: server, errors: errors)
            let harmless = script.harmlessLines.union(properties ? [] : script.databaseLine.map { [$0] } ?? [])
            verdict = try self.verdict("psql", errors, script: script, harmless: harmless)
        }
        verdict.log.carry(told)
        // Roles before a dump in one file: initdb's own is here, and what was made for it or by a run before.
        let there = rolesThere(before: script, of: source, on: server).union(runs > 1 ? script.madeRoles : [])
        verdict.log.forgive { $0.isRole(among: there) }
        try await name(&verdict.log, by: source)
        findings += await AfterRestore(database: database, service: service).switchTriggersAgain(&verdict.log, on: server)
        guard result.succeeded, server.process.ending == nil, !verdict.isMachineTrouble else {
            throw verdict.failure(
                of: result, object: service, scratch: host.folder.url.path, serverDied: server.process.ending != nil)
        }
        verdict.log.forgive { NewDatabase.explains($0, in: script) }
        let (judged, unrestored) = verdict.weighed(notes: findings + notes(on: script, verdict))
        return Made(cases: [judged], properties: properties, unrestored: unrestored)
    }

    /// Which of the roles that it makes are there before it: initdb's own, those that were made for it, and those of a globals file beside it.
    func rolesThere(before script: DumpScript, of source: DumpSource, on server: ScratchPostgres) -> Set<String> {
        script.lateRoles.union([server.superuser]).union(source.globals == nil ? [] : script.madeRoles)
    }

    /// What is to be said of any script.
    func notes(on script: DumpScript, _ verdict: RestoreVerdict) -> [Finding] {
        LineEnds.warning(script, object: service) + RowsByInsert.note(on: script, object: service) + olderClient(script, verdict)
            + NewDatabase.note(on: script)
    }

    /// psql names a line, and which statement ends there the script tells.
    func name(_ log: inout RestoreLog, by source: DumpSource) async throws {
        let lines = Set(log.problems.compactMap(\.line))
        let statements = try await BlockingRead.run { try DumpScript.statements(of: source.location, at: lines) }
        for (index, problem) in log.problems.enumerated() {
            if let line = problem.line, let statement = statements[line] { log.problems[index].statement = statement }
        }
    }

    func copy(_ script: DumpScript, of source: DumpSource, without: Set<Int>, blank: Set<Int> = [], to target: URL) async throws {
        do {
            try await BlockingRead.run { try script.write(source.location, without: without, blank: blank, to: target) }
            try host.folder.own(target)
        } catch {
            throw host.folder.isFull
                ? ScratchPostgres.diskFull(host) : unusable("the script can't be copied without what is left out of it")
        }
    }

    /// Each costs another restore.
    private static let mostFailedCopies = 1000
}
