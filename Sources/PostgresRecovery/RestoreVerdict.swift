// Judges what a restore's tools reported: the backup's fault, or this machine's.

import DrillModel
import ScratchHost

extension Rule {
    static let objectNotRestored = Rule("object-not-restored")
    static let archiveTruncated = Rule("archive-truncated")
    static let archiveDamaged = Rule("archive-damaged")
    static let extensionMissing = Rule("extension-missing")
    static let parameterUnknown = Rule("session-parameter-unknown")
    static let olderDumpClient = Rule("older-dump-client")
    static let psqlTooOld = Rule("psql-too-old")
    static let toolBroken = Rule("tool-broken")
    static let compressionUnknown = Rule("compression-not-supported")
}

/// One tool's work on one backup.
struct RestoreVerdict: Sendable {
    var tool: String
    var service: String
    var log: RestoreLog
    /// No room is left on the scratch disk: then the tools' own words may be missing as well.
    var diskIsFull = false

    /// The disk is full or the server is gone: what came back says nothing about the backup.
    var isMachineTrouble: Bool { diskIsFull || log.isMachineTrouble }

    /// The archive is of a version that a newer pg_restore may read.
    var isToolTooOld: Bool { log.says("unsupported version") }

    /// Where the tool could not go on.
    ///
    /// - Parameters:
    ///   - result: How the tool ended.
    ///   - scratch: The scratch folder.
    ///   - serverDied: The scratch server is no more.
    ///   - writtenBy: The version of the pg_dump that wrote the archive, where it is known.
    func failure(of result: ToolResult, object: String, scratch: String, serverDied: Bool, writtenBy: String? = nil) -> DrillFailure {
        if result.couldNotRun || log.loaderTrouble != nil {
            return .error(
                Finding(
                    .toolBroken, object: tool, expected: "a \(tool) that runs", actual: log.loaderTrouble ?? result.ending,
                    message: "\(tool) can't be run on this machine, which says nothing of the backup",
                    hint: "install its package whole (postgresql-client), or name another bin folder in MUSTER_PG_BIN"))
        }
        let why = reason ?? "\(tool) ended with \(result.ending)"
        if diskIsFull || log.isFullDisk {
            return .error(
                Finding(
                    .scratchDiskFull, object: scratch, expected: "room for the restored data", actual: "a full disk",
                    message: "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch"))
        }
        if serverDied || log.isMachineTrouble {
            return .error(
                Finding(
                    .scratchServerFailed, object: "postgres", expected: "a scratch server that lives through the restore", actual: why,
                    message: "the scratch server ended during the restore",
                    hint: "look at this machine's memory and kernel log; run again with --keep to read server.log"))
        }
        if log.says("unsupported version") {
            return .error(
                Finding(
                    .postgresTooOld, object: object,
                    expected: writtenBy.map { "the pg_restore of PostgreSQL \($0) or newer" } ?? "a pg_restore that reads this archive",
                    actual: "\(PostgresBinaries.installedMajors): \(why)",
                    message: "the archive was written by a newer pg_dump than any pg_restore on this machine",
                    hint: "install the postgresql-client of that version, or name its bin folder in MUSTER_PG_BIN"))
        }
        if log.says("this build does not support compression", "does not support compression (") {
            return .error(
                Finding(
                    .compressionUnknown, object: object, expected: "a pg_restore with the archive's compression", actual: why,
                    message: "the pg_restore of this machine was built without the archive's compression",
                    hint: "install the postgresql-client that production has, or name its bin folder in MUSTER_PG_BIN"))
        }
        if log.says(
            "unexpected end of file", "end of file", "unexpected eof", "could not read from input file", "could not find header for file",
            "could not open input file")
        {
            return .failed(
                Finding(
                    .archiveTruncated, object: object, expected: "a whole archive", actual: why,
                    message: "the archive ends before its content does",
                    hint: "the backup was cut short: look at that day's backup log for a full disk or an ended job"))
        }
        return .failed(
            Finding(
                .archiveDamaged, object: object, expected: "an archive that restores", actual: why,
                message: "\(tool) can't restore the archive", hint: "fetch another copy; if all are alike, the backup job writes damage"))
    }

    /// The problem that says most: the last one ended the tool, unless it only followed from an earlier one.
    private var reason: String? {
        let texts = log.problems.map(\.text)
        return texts.last { !$0.contains("does not exist") && !$0.hasPrefix("a worker process died") } ?? texts.first
    }

    /// Where the tool went on: one case, in the order of the script: what broke first comes first, and what follows from it is counted.
    ///
    /// - Parameter notes: What else was noticed.
    func judged(notes: [Finding]) -> CaseResult { weighed(notes: notes).result }

    /// - Returns: The case, and the names of what could not be made since this machine lacks something.
    func weighed(notes: [Finding]) -> (result: CaseResult, unrestored: Set<String>) {
        let name = "\(tool) reported no error"
        var causes: [Finding] = []
        var isOfBackup = false
        var following = 0
        var unrestored: Set<String> = []
        var notes = log.unknownParameters.map(note(ofUnknown:)) + notes
        var refused = 0
        for problem in log.problems {
            if tool == "psql", let option = Self.serversOwnOption(refusedIn: problem), Self.setsNothingElse(problem.statement, than: option)
            {
                // A statement of its own in a script: the table is there, with its rows.
                if refused == 0 { notes.append(Self.olderClient(option, object: service, isRefused: false)) }
                refused += 1
                continue
            }
            let made =
                RestoreLog.made(by: problem.statement) ?? RestoreLog.changed(by: problem.statement)
                ?? Self.column(alteredBy: problem.statement)
            if let finding = machineFinding(problem) {
                causes.append(finding)
                if let made { unrestored.insert(made) }
            } else if problem.text.contains("does not exist"), !causes.isEmpty {
                // Without its extension a type is missing, without the type a table.
                following += 1
                if let made { unrestored.insert(made) }
            } else {
                causes.append(finding(problem))
                isOfBackup = true
            }
        }
        if log.hasOldPsql {
            causes.append(
                Finding(
                    .psqlTooOld, object: "psql", expected: "a psql of August 2025 or later, which knows \\restrict", actual: "an older one",
                    message: "the psql of this machine is older than the pg_dump that wrote the script",
                    hint: "update postgresql-client here, or name the bin folder of a newer one in MUSTER_PG_BIN"))
        }
        following += max(0, causes.count - RestoreLog.shown) + log.count - log.problems.count + log.followingRows
        causes = Array(causes.prefix(RestoreLog.shown))
        if following > 0 {
            causes.append(
                Finding(
                    .objectNotRestored, causes.isEmpty ? .critical : .note,
                    object: following == 1 ? "one more statement" : "\(following) more statements", expected: "restored without an error",
                    actual: "errors", message: "\(tool) could not restore them either",
                    hint: "mend the ones above first: what failed before is the usual cause"))
        }
        // What this machine lacks isn't the backup's fault, and neither is what follows from it.
        if let first = causes.first, !isOfBackup {
            let result = CaseResult(
                .restore, service: service, name: name, verdict: .error, reason: first.message, findings: causes + notes)
            return (result, unrestored)
        }
        return (.judged(.restore, service: service, name: name, findings: causes + notes), [])
    }

    /// `ALTER TABLE ONLY public.t ALTER COLUMN a SET (pg_attver=1)`, and no option of a user's beside it.
    private static func setsNothingElse(_ statement: String, than option: String) -> Bool {
        statement.isEmpty || statement.contains("(\(option)=") && !statement.drop { $0 != "(" }.contains(",")
    }

    /// `public.t.a` of such a statement.
    private static func column(alteredBy statement: String) -> String? {
        let tokens = SQLToken.all(in: Array(statement.utf8))
        guard let index = tokens.firstIndex(where: { $0.isWord("COLUMN") }), index + 1 < tokens.count,
            let column = tokens[index + 1].identifier,
            let table = RestoreLog.object(ofCommand: statement[...]).split(separator: " ").last
        else { return nil }
        return "\(table).\(column)"
    }

    private func note(ofUnknown parameter: String) -> Finding {
        Finding(
            .parameterUnknown, .warning, object: parameter, expected: "a session parameter that this server knows",
            actual: "an unknown one",
            message: "the dump's client is newer than its server and sets a parameter that the server doesn't know; all else was restored",
            hint: tool == "psql"
                ? "psql with ON_ERROR_STOP would end there in an emergency: dump with the pg_dump of the server's own version"
                : "pg_restore --exit-on-error would end there in an emergency: dump with the pg_dump of the server's own version")
    }

    private func finding(_ problem: RestoreLog.Problem) -> Finding {
        if problem.statement.contains(#/(?:^|\n)pg_dump(?:all)?: /#), problem.text.contains("syntax error") {
            return .messagesInDump(problem.line.map { "line \($0) of the dump script" } ?? "a statement of the dump", actual: problem.text)
        }
        let place = problem.line.map { "line \($0) of the dump script" } ?? "a statement of the dump"
        return Finding(
            .objectNotRestored, object: problem.object.isEmpty ? place : problem.object, expected: "restored without an error",
            actual: problem.text, message: "\(tool) could not restore it",
            hint: "restore it by hand in a scratch database; the dump's order or a missing part of the backup is the usual cause")
    }

    private func machineFinding(_ problem: RestoreLog.Problem) -> Finding? {
        let text = problem.text
        if let option = Self.serversOwnOption(refusedIn: problem) {
            return Self.olderClient(
                option,
                object: problem.object.isEmpty
                    ? Self.column(alteredBy: problem.statement).map { "column \($0)" } ?? "a table" : problem.object,
                isRefused: true)
        }
        let object = { (fallback: String) in
            if !problem.object.isEmpty { return problem.object }
            let made = RestoreLog.object(ofCommand: problem.statement[...])
            return made.isEmpty ? fallback : made
        }
        if text.hasPrefix("could not open extension control file") || text.hasPrefix("could not load library")
            || text.hasPrefix("could not access file") || text.hasPrefix("extension ") && text.hasSuffix("is not available")
        {
            return Finding(
                .extensionMissing, object: object("an extension"), expected: "the extension on this machine", actual: text,
                message: "this machine lacks an extension that the database uses",
                hint: "install its package for this Postgres version, as production has it")
        }
        if text.contains("loaded via shared_preload_libraries") || text.contains("loaded via \"shared_preload_libraries\"") {
            return Finding(
                .extensionMissing, object: object("an extension"), expected: "the extension's library, preloaded", actual: text,
                message: "the database uses an extension whose library has to be loaded when the server starts",
                hint: "name the library in the estate file, beside the service's backups: preload: […]")
        }
        // pg_cron works in one database alone.
        if text.hasPrefix("can only create extension in database ") {
            return Finding(
                .extensionMissing, object: object("an extension"), expected: "pg_cron set to the restored database", actual: text,
                message: "the database uses an extension that works in one database, and the scratch server's settings name another",
                hint: "name the database in the estate file, as production does: settings: {cron.database_name: NAME}")
        }
        if let parameter = Self.parameterOfLibrary(text) {
            return Finding(
                .extensionMissing, object: object("an extension"), expected: "the library that knows \(parameter)", actual: text,
                message: "the database uses an extension whose library has to be loaded when the server starts",
                hint: "name the library and its settings in the estate file: preload: […], settings: {\(parameter): …}")
        }
        if text.hasPrefix("collation \""), text.contains("does not exist") {
            return Finding(
                .localeMissing, object: object("a collation"), expected: "the collation on this machine", actual: text,
                message: "this machine lacks a locale that the database uses",
                hint: "install it (apt-get install locales-all), here and on the host that production would recover to")
        }
        return nil
    }

    /// `unrecognized configuration parameter "cron.database_name"`: a name with a dot is a library's.
    private static func parameterOfLibrary(_ text: String) -> String? {
        let parts = text.split(separator: "\"")
        guard text.hasPrefix("unrecognized configuration parameter \""), parts.count == 2, parts[1].contains(".") else { return nil }
        return String(parts[1])
    }

    private static func serversOwnOption(refusedIn problem: RestoreLog.Problem) -> String? {
        ServersOwnOption.all.first { problem.text == "unrecognized parameter \"\($0)\"" }
    }

    /// - Parameter isRefused: The scratch server didn't take it, and nothing of the table.
    static func olderClient(_ option: String, object: String, isRefused: Bool) -> Finding {
        Finding(
            .olderDumpClient, isRefused ? .critical : .warning, object: object, expected: "a dump without the server's own options",
            actual: "\(option) is set in it",
            message: isRefused
                ? "the dump was made by a pg_dump older than its server, and this scratch server is older too: it refuses the statement, and with it what it makes"
                : "the dump was made by a pg_dump older than its server: a server of another minor release would refuse whole tables of it",
            hint: """
                dump with the pg_dump of the server's own minor release; to restore this dump, use a server that knows \(option) \
                (PostgreSQL 14.25, 15.20, 16.16, 17.12 or later)\(isRefused ? ", here by its bin folder in MUSTER_PG_BIN" : "")
                """)
    }
}
