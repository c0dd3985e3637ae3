// Judges what a restore's tools reported: the backup's fault, or this machine's.

import DrillModel

extension Rule {
    static let objectNotRestored = Rule("object-not-restored")
    static let archiveTruncated = Rule("archive-truncated")
    static let archiveDamaged = Rule("archive-damaged")
    static let extensionMissing = Rule("extension-missing")
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

    /// Where the tool could not go on.
    ///
    /// - Parameters:
    ///   - ending: How the tool ended, such as `exit 1`.
    ///   - scratch: The scratch folder.
    ///   - serverDied: The scratch server is no more.
    func failure(ending: String, object: String, scratch: String, serverDied: Bool) -> DrillFailure {
        let why = log.problems.last?.text ?? "\(tool) ended with \(ending)"
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
                    .postgresTooOld, object: object, expected: "a pg_restore that reads this archive", actual: why,
                    message: "the archive was written by a newer pg_dump than any pg_restore on this machine",
                    hint: "install the newest postgresql-client here"))
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

    /// Where the tool went on: one case, with a finding for each problem.
    ///
    /// - Parameter notes: What else was noticed.
    func judged(notes: [Finding]) -> CaseResult {
        let name = "\(tool) reported no error"
        var machine: [Finding] = []
        var following: [Finding] = []
        var backup: [Finding] = []
        for problem in log.problems {
            if let finding = Self.machineFinding(problem) {
                machine.append(finding)
            } else if problem.text.contains("does not exist") {
                following.append(finding(problem))
            } else {
                backup.append(finding(problem))
            }
        }
        if log.count > log.problems.count {
            following.append(
                Finding(
                    .objectNotRestored, object: "\(log.count - log.problems.count) more statements", expected: "restored without an error",
                    actual: "errors", message: "\(tool) could not restore them", hint: "mend the ones above first"))
        }
        // Without its extension a type is missing, without the type a table: that follows from this machine, and isn't the backup's fault.
        if let first = machine.first, backup.isEmpty {
            return CaseResult(
                .restore, service: service, name: name, verdict: .error, reason: first.message, findings: machine + following + notes)
        }
        return .judged(.restore, service: service, name: name, findings: backup + following + machine + notes)
    }

    private func finding(_ problem: RestoreLog.Problem) -> Finding {
        let place = problem.line.map { "line \($0) of the dump script" } ?? "a statement of the dump"
        return Finding(
            .objectNotRestored, object: problem.object.isEmpty ? place : problem.object, expected: "restored without an error",
            actual: problem.text, message: "\(tool) could not restore it",
            hint: "restore it by hand in a scratch database; the dump's order or a missing part of the backup is the usual cause")
    }

    private static func machineFinding(_ problem: RestoreLog.Problem) -> Finding? {
        let text = problem.text
        let object = { (fallback: String) in problem.object.isEmpty ? fallback : problem.object }
        if text.hasPrefix("could not open extension control file") || text.hasPrefix("could not load library")
            || text.hasPrefix("could not access file") || text.hasPrefix("extension ") && text.hasSuffix("is not available")
            || text.contains("must be loaded via")
        {
            return Finding(
                .extensionMissing, object: object("an extension"), expected: "the extension on this machine", actual: text,
                message: "this machine lacks an extension that the database uses",
                hint: "install its package for this Postgres version, as production has it")
        }
        if text.hasPrefix("collation \""), text.contains("does not exist") {
            return Finding(
                .localeMissing, object: object("a collation"), expected: "the collation on this machine", actual: text,
                message: "this machine lacks a locale that the database uses",
                hint: "install it (apt-get install locales-all), here and on the host that production would recover to")
        }
        return nil
    }
}
