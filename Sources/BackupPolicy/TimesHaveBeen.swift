// Is there a backup that is yet to be made? Then a clock is wrong, or a time was misread, and no promise can count on it.

public import DrillModel

extension Rule {
    static let timeInFuture = Rule("time-in-future")
}

/// Asks of each backup whether its time has been. Those whose time hasn't are no part of the series that the other promises judge.
enum TimesHaveBeen {
    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        let name = "no backup is of a time to come"
        let findings = BackupPolicy.timesToCome(in: series)
        for moment in series.toCome { moment.copies.forEach { broken.insert($0.point) } }
        guard !series.moments.isEmpty || !findings.isEmpty else { return [] }
        return [series.judged(name, findings)]
    }
}

extension BackupPolicy {
    /// One finding for each backup that is left out since its time is yet to come.
    public static func timesToCome(in series: BackupSeries) -> [Finding] {
        series.toCome.flatMap { moment in
            moment.copies.prefix(1).map { copy in
                Finding(
                    .timeInFuture, object: series.object(copy.point), expected: "a time that has been",
                    actual: "\(series.text(moment.time)), by \(copy.point.timeSource.rawValue)",
                    message: "the backup seems to come from the future, so it is no part of what is judged",
                    hint: "check the clock of the host that made it; an unsealed dump's time is read in the estate's timezone")
            }
        }
    }
}
