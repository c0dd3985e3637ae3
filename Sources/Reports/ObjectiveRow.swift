// RTO and RPO in words: achieved, worst case and target, the same in every report that people read.

import DrillModel
import Foundation

/// One objective as people read it.
struct ObjectiveRow {
    var name: String
    var verdict: Verdict
    var achieved: String
    var worst: String
    var target: String
    /// What the verdict comes to.
    var words: String
    var notes: [String]

    /// Of a drill: what could not be measured because a service could not be verified is an error, as its question says, and no failure.
    static func rows(of drill: DrillReport) -> [ObjectiveRow] {
        guard let objectives = drill.outcome?.objectives else { return [] }
        let services = [nil] + objectives.rpo.map { Optional($0.service) }
        return zip(rows(of: objectives, in: drill.info.timeZone), services).map { row, service in
            let question = drill.cases.first { $0.group == .objective && $0.service == service && ["RTO", "RPO"].contains($0.name) }
            guard row.verdict == .failed, question?.verdict == .error else { return row }
            var row = row
            row.verdict = .error
            row.words = row.words.replacing("failed", with: "error", maxReplacements: 1)
            return row
        }
    }

    /// RTO first, then the RPO of each service.
    static func rows(of objectives: Objectives, in timeZone: TimeZone) -> [ObjectiveRow] {
        [row(objectives.rto)] + objectives.rpo.map { row($0, in: timeZone) }
    }

    private static func row(_ rto: RecoveryTime) -> ObjectiveRow {
        var notes: [String] = []
        if let measured = rto.measured, !rto.allowances.isEmpty {
            let allowances = rto.allowances.map { "\($0.name) \(Readable.duration($0.duration))" }.joined(separator: " + ")
            notes.append("measured \(Readable.duration(measured)) + allowances for what a drill can't rehearse: \(allowances)")
        }
        if !rto.accepting.isEmpty {
            let times = rto.accepting.sorted { $0.key < $1.key }.map { "\($0.key) \(Readable.duration($0.value))" }
            notes.append("time to accept connections, unverified: \(times.joined(separator: ", "))")
        }
        let words: String
        if rto.measured == nil {
            words = rto.verdict == .skipped ? "operation was never verified" : "\(rto.verdict.rawValue): operation was never verified"
        } else if rto.profile == .fast {
            words = "indicative only: profile fast"
        } else if rto.target == nil {
            words = "no target"
        } else {
            words = rto.verdict.rawValue
        }
        let texts = apart(rto.achieved, rto.target)
        return ObjectiveRow(
            name: "RTO", verdict: rto.verdict, achieved: texts.0 ?? "none", worst: "", target: texts.1 ?? "none", words: words, notes: notes
        )
    }

    private static func row(_ age: RecoveryPointAge, in timeZone: TimeZone) -> ObjectiveRow {
        var notes: [String] = []
        if let recovered = age.recovered {
            let source = age.source.map { ", read from \(self.words(for: $0))" } ?? ""
            notes.append("recovered to \(Readable.time(recovered, in: timeZone))\(source)")
        }
        if let worst = age.worstCase {
            let gap = "\(Readable.time(worst.from, in: timeZone)) to \(Readable.time(worst.to, in: timeZone))"
            let backup = worst.backupDuration > .zero ? " + \(Readable.duration(worst.backupDuration)) for a backup" : ""
            notes.append("worst case: the gap from \(gap)\(backup), of \(Readable.count(worst.points, "recovery point"))")
        }
        let words: String
        if age.recovered == nil {
            words = age.verdict == .skipped ? "nothing healthy came back" : "\(age.verdict.rawValue): nothing healthy came back"
        } else {
            words = age.target == nil ? "no target" : age.verdict.rawValue
        }
        let texts = apart(age.achieved, age.target)
        let worst = age.worstCase.map { apart($0.loss, age.target).0 ?? "" }
        return ObjectiveRow(
            name: "RPO \(age.service)", verdict: age.verdict, achieved: texts.0 ?? "none", worst: worst ?? "unknown",
            target: texts.1 ?? "none", words: words, notes: notes)
    }

    /// Both durations; to the millisecond where rounding would make a missed target look met.
    private static func apart(_ value: Duration?, _ target: Duration?) -> (String?, String?) {
        guard let value, let target else { return (value.map(Readable.duration), target.map { "< \(Readable.duration($0))" }) }
        let rounded = Readable.duration(value)
        let isBlurred = rounded == Readable.duration(target) && value != target
        return (isBlurred ? Readable.preciseDuration(value) : rounded, "< \(Readable.duration(target))")
    }

    static func words(for source: RecoveryPoint.TimeSource) -> String {
        switch source {
        case .seal: "the seal"
        case .archiveHeader: "the archive's header"
        case .lastReplayedCommit: "the last replayed commit"
        case .lastReplicated: "what the replica is known to have had"
        case .backupHistory: "the backup's history file"
        case .backupManifest: "the backup's manifest"
        case .pgBackRestInfo: "pgBackRest's own catalogue"
        case .rdbCreationTime: "the RDB's own creation time"
        case .appendOnlyTimestamp: "the last time that the append-only file names"
        case .name: "the artifact's name"
        case .lastFetch: "the mirror's last fetch"
        case .sameAsLive: "the comparison with what production runs: nothing is lost"
        case .primaryPosition: "the primary's position right before its loss: all of it came back"
        case .modificationTime: "the file's modification time, which copying can change"
        }
    }
}
