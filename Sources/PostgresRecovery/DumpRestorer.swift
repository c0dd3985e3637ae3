// Dump → running scratch server: roles first, then the database, with every complaint of the tools read and judged.

import ArtifactFormats
public import DrillModel
public import Foundation
import OutsideTools
import PostgresClient
public import ScratchHost

extension Rule {
    static let rolesAfterUse = Rule("roles-after-use")
    static let rolesCreatedEmpty = Rule("roles-created-empty")
    static let globalsIncomplete = Rule("globals-incomplete")
    static let localeMissing = Rule("locale-missing")
    static let scriptForeignCommand = Rule("script-foreign-command")
    static let scriptTruncated = Rule("script-truncated")
    static let databaseOptionUnknown = Rule("database-option-unknown")
}

/// Restores `pg_dump` backups.
public struct DumpRestorer: Sendable {
    public var host: ScratchHost
    /// A private folder of the host's for the server and the tools' logs.
    public var folder: URL
    public var profile: Profile
    public var jobs: Int
    public var service: String
    /// What the estate names for the server.
    public var needs: ServerNeeds

    public init(host: ScratchHost, folder: URL, profile: Profile, jobs: Int, service: String, needs: ServerNeeds = ServerNeeds()) {
        self.needs = needs
        self.host = host
        self.folder = folder
        self.profile = profile
        self.jobs = jobs
        self.service = service
    }

    /// Starts the server that a dump will most likely need, while its artifact is still being fetched.
    ///
    /// - Parameter identity: Of the sealed source, where there is a seal.
    /// - Throws: ``DrillFailure``, `CancellationError`. No server is left running then.
    public func prepareServer(for identity: PostgresIdentity?) async throws -> ScratchPostgres {
        try await startServer(
            try PostgresBinaries.suitable(forDumpOf: identity.map { $0.serverVersion / 10000 }),
            superuser: identity?.bootstrapSuperuser ?? Self.superuser)
    }

    private static let superuser = "postgres"

    /// Restores a dump into a scratch server of its own.
    ///
    /// - Parameters:
    ///   - identity: Of the sealed source, where there is a seal: it names the superuser, the database and its locale.
    ///   - prepared: A server that was started ahead. It belongs to the restore from here on: used where it is of the
    ///     right version, ended otherwise.
    ///   - progress: The database's size on disk so far, in bytes.
    /// - Throws: ``DrillFailure``, `CancellationError`. No server is left running then.
    public func restore(
        _ source: DumpSource, identity: PostgresIdentity?, prepared: ScratchPostgres? = nil,
        progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> RestoredDatabase {
        let script: DumpScript
        let server: ScratchPostgres
        let pgRestore: PgRestore
        do {
            // The head of a cluster's script doesn't say of which version it is.
            let plain = source.format == .plain ? try await readPlain(source) : nil
            let version = source.serverVersion ?? plain?.serverVersion ?? identity?.serverVersion
            let binaries = try PostgresBinaries.suitable(forDumpOf: version.map { $0 / 10000 })
            try await requireWhole(source)
            if let plain {
                (script, pgRestore) = (plain, PgRestore(program: binaries.path("pg_restore")))
            } else {
                (script, pgRestore) = try await readArchive(source, for: binaries)
            }
            let superuser = identity?.bootstrapSuperuser ?? script.bootstrapSuperuser ?? Self.superuser
            if let prepared, prepared.binaries == binaries, prepared.superuser == superuser, prepared.process.ending == nil {
                server = prepared
            } else {
                await prepared?.stop()
                try? FileManager.default.removeItem(at: folder.appendingPathComponent("data"))
                server = try await startServer(binaries, superuser: superuser)
            }
        } catch {
            await prepared?.stop()
            throw error
        }
        do {
            let database = script.database ?? identity?.database ?? service
            // Both end with this scope, before the server does.
            return try await withThrowingTaskGroup(of: RestoredDatabase?.self) { group in
                group.addTask {
                    try await watch(script.databases.areSeveral ? nil : database, on: server, progress: progress)
                    return nil
                }
                group.addTask { try await fill(server, database, from: source, by: pgRestore, script: script, identity: identity) }
                defer { group.cancelAll() }
                while let restored = try await group.next() {
                    if let restored { return restored }
                }
                throw CancellationError()
            }
        } catch {
            await server.stop()
            throw error
        }
    }

    private func fill(
        _ server: ScratchPostgres, _ database: String, from source: DumpSource, by pgRestore: PgRestore, script: DumpScript,
        identity: PostgresIdentity?
    ) async throws -> RestoredDatabase {
        var cases: [CaseResult] = []
        cases.append(try await prepareRoles(of: source, script: script, on: server))
        if source.format == .plain, script.databases.areSeveral {
            let made = try await runCluster(source, script: script, on: server)
            let own = try await ownDatabases(on: server)
            return RestoredDatabase(
                server: server, database: own.first ?? "postgres", databases: own, isNamed: true, cases: cases + made.cases,
                withProperties: Set(script.databases.made.keys), hasRoles: source.globals != nil || !script.madeRoles.isEmpty,
                sourceVersion: source.serverVersion ?? script.serverVersion,
                positions: Dictionary(uniqueKeysWithValues: own.map { ($0, SequencePositions(names: script.sequencesSet[$0] ?? [])) }),
                unrestored: made.unrestored, detail: "a script of \(own.count == 1 ? "one database" : "\(own.count) databases")")
        }
        let made =
            source.format == .plain
            ? try await runScript(source, script: script, database: database, identity: identity, on: server)
            : try await runArchive(source, by: pgRestore, script: script, database: database, identity: identity, on: server)
        cases += made.cases
        if source.format != .plain { cases += await AfterRestore(database: database, service: service).cases(on: server) }
        let parallel = source.format == .custom || source.format == .directory
        let positions =
            source.format == .plain
            ? SequencePositions(names: script.sequencesSet.values.reduce(into: []) { $0.formUnion($1) })
            : try await positions(in: source, by: pgRestore)
        return RestoredDatabase(
            server: server, database: database, databases: [database], isNamed: script.database != nil, cases: cases,
            withProperties: made.properties ? [database] : [],
            hasRoles: source.globals != nil || !script.madeRoles.isEmpty, sourceVersion: source.serverVersion ?? script.serverVersion,
            positions: positions.map { [database: $0] } ?? [:],
            unrestored: made.unrestored,
            detail: "\(source.format.rawValue) format, \(parallel ? jobs : 1) job(s)")
    }

    private func startServer(_ binaries: PostgresBinaries, superuser: String) async throws -> ScratchPostgres {
        try await ScratchPostgres.start(
            on: host, in: folder, binaries: binaries, profile: profile, superuser: superuser, needs: needs)
    }

    // MARK: What the dump needs

    /// Asks what pg_restore itself would not notice.
    private func requireWhole(_ source: DumpSource) async throws {
        switch source.format {
        case .directory: try DirectoryDump.requireWhole(source.location, object: service)
        case .tar:
            do {
                try await TarDump.requireWhole(source.location, on: host, in: folder, object: service)
            } catch let error as ScratchError {
                throw DrillFailure.error(Finding(.scratchUnusable, object: "tar", message: error.message, hint: error.hint))
            }
        case .custom, .plain: break
        }
    }

    /// A script, read for roles, databases and its end.
    private func readPlain(_ source: DumpSource) async throws -> DumpScript {
        let script = try await BlockingRead.run { try DumpScript(reading: source.location) }
        if let command = script.foreignCommand {
            throw DrillFailure.failed(
                Finding(
                    .scriptForeignCommand, object: service, expected: "SQL as pg_dump writes it", actual: "a \(command) command",
                    message: "the dump script holds a command to psql that pg_dump never writes",
                    hint: "it could end the script early or run programs: find out who wrote it before anybody restores it"))
        }
        guard script.complete else {
            throw DrillFailure.failed(
                Finding(
                    .scriptTruncated, object: service, expected: "a script that ends with \"\(script.lastWordsExpected)\"",
                    actual: script.ending, message: "the dump script is cut short",
                    hint: "psql would restore it without an error and with rows missing: look at that day's backup log"))
        }
        try DataOnlyDump.refuse(script, object: service)
        return script
    }

    /// An archive's content as a script, but for its rows.
    ///
    /// - Returns: It, and the pg_restore that read it: of the server's own major where that reads the archive, since a newer one sets session
    ///   parameters that the server doesn't know.
    private func readArchive(_ source: DumpSource, for binaries: PostgresBinaries) async throws -> (DumpScript, pgRestore: PgRestore) {
        let candidates = PostgresBinaries.installed().filter { $0.major >= binaries.major }
        var failure: RestoreVerdict?
        var ended: ToolResult?
        let schema = folder.appendingPathComponent("schema.sql")
        let errors = folder.appendingPathComponent("pg_restore-schema.log")
        defer { try? FileManager.default.removeItem(at: schema) }
        for candidate in candidates.isEmpty ? [binaries] : candidates {
            let program = PgRestore(program: candidate.path("pg_restore"))
            let result = try await tool(
                program.script(source.location, .preData, .postData, creatingDatabase: true), output: schema, errors: errors)
            if result.succeeded {
                let script = try await BlockingRead.run { try DumpScript(reading: schema) }
                try await DataOnlyDump.refuse(script, object: service) { try await contents(of: source, by: program) }
                return (script, program)
            }
            failure = try verdict("pg_restore", errors)
            ended = result
            guard failure?.isToolTooOld == true else { break }
        }
        guard let failure, let ended else { throw unusable("no pg_restore was asked") }
        throw failure.failure(
            of: ended, object: service, scratch: host.folder.url.path, serverDied: false, writtenBy: source.header?.dumpVersion
        ).namingLineEnds(of: source)
    }

    /// Where an archive's sequences stand is among its rows, which its script was read without: its table of contents names them.
    private func positions(in source: DumpSource, by pgRestore: PgRestore) async throws -> SequencePositions? {
        try await contents(of: source, by: pgRestore).map { SequencePositions(contents: $0) }
    }

    private func contents(of source: DumpSource, by pgRestore: PgRestore) async throws -> String? {
        let list = folder.appendingPathComponent("contents.txt")
        let errors = folder.appendingPathComponent("pg_restore-list.log")
        defer { try? FileManager.default.removeItem(at: list) }
        guard try await tool(pgRestore.contents(source.location), output: list, errors: errors).succeeded else { return nil }
        // Of a hundred thousand tables it has some 50 MB.
        return UnlinkedFile.whole(list, of: 1 << 30).map { String(decoding: $0, as: UTF8.self) }
    }

    private func prepareRoles(of source: DumpSource, script: DumpScript, on server: ScratchPostgres) async throws -> CaseResult {
        var findings: [Finding] = []
        if let globals = source.globals { findings += try await restoreGlobals(globals, on: server) }
        let missing = try await ask(server) { connection in
            let existing = try await connection.query("SELECT rolname FROM pg_roles").compactMap { $0[0] }
            // What a script makes before it names it, it makes itself.
            let own = script.madeRoles.subtracting(script.lateRoles)
            let missing = script.roles.subtracting(existing).subtracting(own).sorted()
            for role in missing {
                let right = script.superusers.contains(role) ? " SUPERUSER" : ""
                try await connection.execute("CREATE ROLE \(SQL.identifier(role))\(right)")
            }
            return missing
        }
        // initdb's own is there in any order.
        let late = script.lateRoles.subtracting([server.superuser])
        if !late.isEmpty {
            findings.append(
                Finding(
                    .rolesAfterUse, .warning, object: late.sorted().joined(separator: ", "),
                    expected: "roles before what needs them", actual: "behind it",
                    message: "the script makes roles behind what needs them; they were made before for it",
                    hint: "psql would leave owners and rights out in an emergency: write pg_dumpall --globals-only first, and the dump then"
                ))
        }
        let unknown = missing.filter { !script.madeRoles.contains($0) }
        if !unknown.isEmpty {
            let names = unknown.joined(separator: ", ")
            findings.append(
                source.globals == nil && script.madeRoles.isEmpty
                    ? Finding(
                        .rolesCreatedEmpty, .warning, object: names, expected: "roles in the backup", actual: "no globals file",
                        message: "the dump needs roles that no part of the backup holds; they were created empty",
                        hint: "back up pg_dumpall --globals-only beside each dump, and name it as globals in the estate file")
                    : Finding(
                        .globalsIncomplete, object: names,
                        expected: source.globals == nil ? "made by the script, as others are" : "in the globals file", actual: "not there",
                        message: """
                            the dump needs roles that \(source.globals == nil ? "its own globals lack" : "the globals file lacks"); \
                            they were created empty
                            """,
                        hint: "take the globals after the dump, from the same cluster"))
        }
        return .judged(.restore, service: service, name: "roles are part of the backup", findings: findings)
    }

    private func restoreGlobals(_ globals: URL, on server: ScratchPostgres) async throws -> [Finding] {
        let file = folder.appendingPathComponent("globals.sql")
        let errors = folder.appendingPathComponent("globals.log")
        do {
            try GlobalsFile.prepare(globals, as: file, superuser: server.superuser)
            try host.folder.own(file)
        } catch let error as DrillFailure {
            throw error
        } catch {
            throw unusable("the globals file can't be prepared")
        }
        let result = try await psql(file, database: "template1", on: server, errors: errors)
        // It holds password verifiers.
        try? FileManager.default.removeItem(at: file)
        let verdict = try self.verdict("psql", errors)
        guard result.succeeded, server.process.ending == nil, !verdict.isMachineTrouble else {
            throw verdict.failure(
                of: result, object: "globals", scratch: host.folder.url.path, serverDied: server.process.ending != nil)
        }
        // The bootstrap superuser is in every globals file and already here.
        let real = verdict.log.problems.filter { !$0.isRole(among: [server.superuser]) }
        return real.map {
            Finding(
                .objectNotRestored, object: "globals", expected: "roles restored without an error", actual: $0.text,
                message: "a statement of the globals file failed", hint: "run pg_dumpall --globals-only again and compare")
        }
    }

    // MARK: The way in of archives; that of scripts is a file of its own

    private func runArchive(
        _ source: DumpSource, by pgRestore: PgRestore, script: DumpScript, database: String, identity: PostgresIdentity?,
        on server: ScratchPostgres
    ) async throws -> Made {
        try await makeRoom(for: database, on: server)
        let errors = folder.appendingPathComponent("pg_restore.log")
        var jobs = source.format == .tar ? 1 : max(1, self.jobs)
        func restore(into database: String, creating: Bool) async throws -> (ToolResult, RestoreVerdict) {
            let result = try await tool(
                pgRestore.restore(source.location, into: database, creating: creating, jobs: jobs),
                environment: server.environment(database: database), errors: errors)
            return (result, try self.verdict("pg_restore", errors))
        }
        var findings: [Finding] = []
        var properties = true
        var (result, verdict) = try await restore(into: "template1", creating: true)
        let created = verdict
        if !result.succeeded, verdict.log.isDatabaseTrouble, !verdict.isMachineTrouble, server.process.ending == nil {
            findings += try await makeDatabase(database, insteadOf: verdict, script: script, identity: identity, on: server)
            properties = false
            (result, verdict) = try await restore(into: database, creating: false)
        }
        if jobs > 1, let race = verdict.log.race(object: service, jobs: jobs), !verdict.isMachineTrouble,
            server.process.ending == nil
        {
            // What the dump itself lacks, one job lacks too.
            findings.append(race)
            jobs = 1
            try await ask(server) { try await $0.execute("DROP DATABASE IF EXISTS \(SQL.identifier(database)) WITH (FORCE)") }
            if properties {
                (result, verdict) = try await restore(into: "template1", creating: true)
            } else {
                _ = try await makeDatabase(database, insteadOf: created, script: script, identity: identity, on: server)
                (result, verdict) = try await restore(into: database, creating: false)
            }
        }
        // Errors that pg_restore passed over are the backup's, unless the server went away under it.
        let passedOver = verdict.log.ignored && !verdict.isMachineTrouble && server.process.ending == nil
        guard result.succeeded || passedOver else {
            throw verdict.failure(
                of: result, object: service, scratch: host.folder.url.path, serverDied: server.process.ending != nil
            ).namingLineEnds(of: source)
        }
        findings += await AfterRestore(database: database, service: service).switchTriggersAgain(&verdict.log, on: server)
        verdict.log.forgive { NewDatabase.explains($0, in: script) }
        let (judged, unrestored) = verdict.weighed(notes: findings + olderClient(script, verdict) + NewDatabase.note(on: script))
        return Made(cases: [judged], properties: properties, unrestored: unrestored)
    }

    /// Where the server takes what a pg_dump wrote that is older than its source by a minor release: others wouldn't.
    func olderClient(_ script: DumpScript, _ verdict: RestoreVerdict) -> [Finding] {
        guard let option = script.serversOwnOption, !verdict.log.problems.contains(where: { $0.text.contains(option) }) else { return [] }
        return [RestoreVerdict.olderClient(option, object: service, isRefused: false)]
    }

    /// What a way in has made.
    struct Made {
        var cases: [CaseResult]
        /// The database's own owner, rights and settings came along.
        var properties: Bool
        /// What could not be made since this machine lacks something.
        var unrestored: Set<String>
    }

    // MARK: Servers and tools

    /// Asks over a connection that is closed whatever happens; what fails is this machine's fault.
    func ask<Answer: Sendable>(
        _ server: ScratchPostgres, in database: String = "template1", _ body: (PostgresConnection) async throws -> Answer
    ) async throws -> Answer {
        do {
            let connection = try await PostgresConnection.connect(server.configuration(database: database))
            do {
                let answer = try await body(connection)
                await connection.close()
                return answer
            } catch {
                await connection.close()
                throw error
            }
        } catch let error as PostgresError {
            if error.kind == .cancelled { throw CancellationError() }
            if error.sqlState == "53100" { throw ScratchPostgres.diskFull(host) }
            throw DrillFailure.error(
                Finding(
                    .scratchServerFailed, object: "postgres", expected: "a scratch server that answers", actual: error.message,
                    message: "the scratch server did not do as it was asked", hint: "run again with --keep and read server.log"))
        }
    }

    func psql(_ script: URL, database: String, on server: ScratchPostgres, errors: URL) async throws -> ToolResult {
        try await tool(
            Psql(program: server.binaries.path("psql")).run(script, in: database),
            environment: server.environment(database: database), output: URL(fileURLWithPath: "/dev/null"), errors: errors)
    }

    func verdict(_ tool: String, _ log: URL, script: DumpScript? = nil, harmless: Set<Int> = []) throws -> RestoreVerdict {
        do {
            return RestoreVerdict(
                tool: tool, service: service, log: try RestoreLog(reading: log, script: script, harmless: harmless),
                diskIsFull: host.folder.isFull)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchUnusable, object: log.lastPathComponent, message: error.message, hint: error.hint))
        }
    }

    private func tool(
        _ command: [String], environment: [String: String] = [:], output: URL? = nil, errors: URL
    ) async throws -> ToolResult {
        do {
            return try await host.run(command, environment: environment, workingFolder: folder, output: output, errors: errors)
        } catch let error as ScratchError {
            throw error.kind == .diskFull
                ? ScratchPostgres.diskFull(host)
                : DrillFailure.error(Finding(.scratchUnusable, object: command[0], message: error.message, hint: error.hint))
        }
    }

    func unusable(_ message: String) -> DrillFailure {
        .error(
            Finding(
                .scratchUnusable, object: folder.path, message: message,
                hint: "check free space and permissions there, or choose another folder with --scratch"))
    }

    /// Asks how large the database has grown: pg_restore itself tells nothing on the way.
    ///
    /// - Parameter database: nil: all of them, asked from where the script of a cluster leaves nobody out.
    /// - Throws: ``DrillFailure`` (error) where the server stands still: the tools have no limit on their time, and would wait for good.
    private func watch(_ database: String?, on server: ScratchPostgres, progress: @Sendable (Int64) -> Void) async throws {
        let place = server.configuration(database: database == nil ? Self.start : "template1")
        var opened = try? await PostgresConnection.connect(place)
        // It is made in a moment.
        for _ in 0..<100 where opened == nil && database == nil {
            try? await Task.sleep(for: .milliseconds(100))
            opened = try? await PostgresConnection.connect(place)
        }
        guard let connection = opened else { return }
        var problem: PostgresError?
        while !Task.isCancelled, problem?.kind != .connectionLost {
            try? await Task.sleep(for: .milliseconds(500))
            let sql = "SELECT sum(pg_database_size(oid)) FROM pg_database WHERE datname = $1 OR $1 = '' AND oid >= 16384"
            do throws(PostgresError) {
                if let text = try await connection.value(sql, [database ?? ""]), let size = Int64(text) { progress(size) }
            } catch {
                problem = error
            }
        }
        await connection.close()
        guard let problem, problem.kind == .connectionLost, !Task.isCancelled else { return }
        // Of a server that is gone, the tools say so themselves: its end is known a moment after its socket's.
        for _ in 0..<50 where server.process.ending == nil { try? await Task.sleep(for: .milliseconds(20)) }
        guard server.process.ending == nil, await !PostgresConnection.accepts(server.configuration(database: "template1")) else { return }
        throw DrillFailure.error(
            Finding(
                .scratchServerFailed, object: "postgres", expected: "a scratch server that answers", actual: problem.message,
                message: "the scratch server stands still, and the restore with it", hint: problem.hint))
    }
}
