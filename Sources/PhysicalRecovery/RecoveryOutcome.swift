// Judges how a recovery ended.

import DrillModel
import PostgresRecovery

/// The server's words against the target.
struct RecoveryOutcome: Sendable {
    var log: RecoveryLog
    var target: RecoveryTarget
    var upTo: RecoverableUpTo
    var service: String
    var backup: String

    /// For a server that came up.
    func reached(_ rest: ArchiveRest) -> CaseResult {
        let name = "recovery reached \(target.description)"
        if target.goal == .end {
            if let reason = rest.explained { return .skipped(.restore, service: service, name: name, reason: reason) }
            return .judged(.restore, service: service, name: name, findings: [rest.early].compactMap { $0 })
        }
        // A server that promotes without these words has recovered something else than was asked for.
        guard log.stopped == nil else { return .judged(.restore, service: service, name: name, findings: []) }
        return .judged(.restore, service: service, name: name, findings: [notReached, rest.early].compactMap { $0 })
    }

    /// For a server that ended while it recovered; nil where its log gives no reason that is known here.
    var failure: DrillFailure? {
        if log.targetBeforeConsistency { return .failed(Self.beforeBackup(target, backup: backup)) }
        if log.endedBeforeTarget { return .failed(notReached) }
        if log.endedBeforeConsistency || log.fatal?.contains("checkpoint record") == true {
            return .broken(
                .walMissing, backup, expected: "the write-ahead log up to the base backup's end", actual: "it ends before",
                "the write-ahead log ends before the base backup does, so nothing consistent can be made of it; recoverable up to: nothing",
                hint: "archive the segments that were written while the base backup ran, or take it with pg_basebackup -X stream")
        }
        if let fatal = log.fatal, Self.isStorageDamage(fatal) {
            return .broken(
                .recoveryFailed, backup, expected: "files that a server can start on", actual: fatal,
                "the server can't start on the restored files: one of them is damaged or missing",
                hint: "restore from an older backup, and check the source's own storage")
        }
        guard let fatal = log.fatal, fatal.contains("is not a child of this server's history") || fatal.contains("recovery target timeline")
        else { return nil }
        return .broken(
            .walTimeline, backup, expected: "a timeline that comes from the base backup's", actual: "another one",
            "the base backup can't follow the timeline that was asked for", hint: "archive the .history files too, or say timeline: current"
        )
    }

    /// A startup that ends over one of the data folder's own files, or over pages that replay expects and that aren't there.
    static func isStorageDamage(_ words: String) -> Bool {
        words.contains("could not access status of transaction") || words.contains("WAL contains references to invalid pages")
            || words.contains("invalid page in block ")
            || words.contains(/could not (open|read) file "(base|global|pg_xact|pg_multixact|pg_tblspc)\/[^"]*": (No such file|read )/)
    }

    private var notReached: Finding {
        Finding(
            .targetNotReached, object: target.description, expected: target.description, actual: upTo.description,
            message: "the write-ahead log ended before the target was reached; recoverable up to: \(upTo.description)",
            hint: target.goal.isTime
                ? "a time counts as reached only where a later transaction is archived: archive more, or recover to the end"
                : "check that the target is right and that the archive is complete, or recover to the end")
    }

    static func beforeBackup(_ target: RecoveryTarget, backup: String) -> Finding {
        Finding(
            .targetBeforeBackup, object: backup, expected: "a base backup that ended before \(target.description)",
            actual: "one that ended later", message: "the target lies before the base backup's end, and no recovery goes backwards",
            hint: "recover from an older base backup, or check the target and its zone")
    }
}

extension RecoveryTarget.Goal {
    var isTime: Bool { if case .time = self { true } else { false } }
}
