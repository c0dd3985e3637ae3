// Was every backup made, and at its time?

import DrillModel
import Foundation

extension Rule {
    static let backupMissing = Rule("backup-missing")
    static let backupLate = Rule("backup-late")
    static let backupEarly = Rule("backup-early")
    static let gapTooLong = Rule("gap-too-long")
    static let timeIsModificationTime = Rule("time-is-mtime")
}

/// Holds the moments against the schedule.
enum ScheduleKept {
    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        guard let schedule = series.set.schedule else {
            return [series.skipped("made on schedule", "the estate promises no schedule for this backup")]
        }
        if series.set.kind == .gitMirror { return [MirrorFetched.ask(series, schedule)] }
        let tolerance = LocalText.span(schedule.tolerance)
        let name = schedule.at == nil ? "made \(schedule)" : "made \(schedule), within \(tolerance)"
        guard !series.moments.isEmpty else { return [series.unasked(name, .nothingToJudge(series))] }
        var findings: [Finding]
        if case .span(let span) = schedule.interval, schedule.at == nil {
            findings = gaps(series, longest: span + schedule.tolerance)
        } else {
            let match = ScheduleMatch(series, schedule, now: series.now)
            // Nothing was due yet: a promise that nobody could have broken has not been kept either.
            guard !match.runs.isEmpty else { return [series.skipped(name, "no run of the schedule was due yet")] }
            findings = runs(match, series, schedule)
        }
        findings += times(series)
        return [series.judged(name, findings)]
    }

    private static func runs(_ match: ScheduleMatch, _ series: BackupSeries, _ schedule: Schedule) -> [Finding] {
        var findings: [Finding] = []
        var missing: [Slot] = []
        func tellMissing() {
            guard let first = missing.first, let last = missing.last else { return }
            let span = missing.count == 1 ? series.text(first.earliest) : "\(series.text(first.earliest)) to \(series.text(last.earliest))"
            findings.append(
                Finding(
                    .backupMissing, object: "\(series.name) of \(span)", expected: "a backup \(schedule)", actual: "none",
                    message: missing.count == 1
                        ? "the backup of \(span) is missing" : "\(missing.count) backups in a row are missing, from \(span)",
                    hint: "look at the backup job's log of that time; if it was made, find out who removed it"))
            missing = []
        }
        // What is older than the oldest that is there is the retention's matter, where the estate promises one.
        let judgedByRetention = series.set.retention?.counts[ScheduleMatch.tier(of: schedule)] != nil
        let begin = match.runs.firstIndex { $0.moment != nil }
        for (index, run) in match.runs.enumerated() {
            guard let moment = run.moment else {
                if !judgedByRetention || index >= begin ?? 0 { missing.append(run.slot) }
                continue
            }
            tellMissing()
            guard run.off != 0 else { continue }
            let late = run.off > 0
            let off = LocalText.span(run.off)
            findings.append(
                Finding(
                    late ? .backupLate : .backupEarly, object: "\(series.name) of \(series.text(run.slot.earliest))",
                    expected: "\(series.text(run.slot.earliest)), give or take \(LocalText.span(schedule.tolerance))",
                    actual: series.text(moment.time),
                    message: "the backup of \(series.text(run.slot.earliest)) came \(off) \(late ? "late" : "early")",
                    hint: "look at what held the job up, or mend the schedule or its tolerance in the estate file"))
        }
        tellMissing()
        return findings
    }

    /// For a schedule without times: no two neighbours too far apart, and the newest not too old.
    private static func gaps(_ series: BackupSeries, longest: Duration) -> [Finding] {
        let limit = TimeInterval(longest.components.seconds)
        let start = PolicyWindow(series, now: series.now).denseStart
        let times = series.moments.map(\.time).filter { $0 >= start } + [series.now]
        return zip(times, times.dropFirst()).filter { $1.timeIntervalSince($0) > limit }.map { from, to in
            let gap = LocalText.span(to.timeIntervalSince(from))
            let open = to == series.now
            return Finding(
                .gapTooLong, object: "\(series.name) after \(series.text(from))", expected: "the next within \(LocalText.span(longest))",
                actual: open ? "none for \(gap)" : "the next after \(gap), at \(series.text(to))",
                message: open
                    ? "no backup was made since \(series.text(from))"
                    : "no backup was made between \(series.text(from)) and \(series.text(to))",
                hint: "look at the backup job's log of that time")
        }
    }

    /// A schedule that is judged by what copying can change is a weak proof, and said so.
    private static func times(_ series: BackupSeries) -> [Finding] {
        let weak = series.moments.filter { moment in moment.copies.allSatisfy { $0.point.timeSource == .modificationTime } }
        guard let first = weak.first else { return [] }
        return [
            Finding(
                .timeIsModificationTime, .warning, object: weak.count == 1 ? first.path : "\(weak.count) backups of \(series.name)",
                expected: "a time inside the backup or its seal", actual: "the file's mtime",
                message: "the schedule was judged by the file's mtime, which copying can change",
                hint: series.set.holdsData
                    ? "seal the backups: muster seal" : "write the time into the backup's name, such as app-20261123T020000+0530")
        ]
    }
}
