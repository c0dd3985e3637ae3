// The worst-case RPO that the stored backups really offer.

public import DrillModel
public import Foundation

/// Computes the loss that a disaster at the worst moment would have caused.
public enum WorstCaseLoss {
    /// How far back gaps count, in days: older series are thinned out by retention on purpose.
    public static let window = 28

    /// The longest gap between two neighbouring recovery points of the last weeks, and the longest time that a backup took.
    ///
    /// - Parameters:
    ///   - retention: Of the set: beyond its daily or weekly tier, only one backup of a month is left, and its gaps say nothing.
    ///   - openEnded: Whether the time since the newest one counts as a gap, too.
    /// - Returns: nil with fewer than two moments in the window: one point has no gap, and a guess is no measurement.
    public static func compute(
        _ points: [RecoveryPoint], until disaster: Date, retention: Retention? = nil, openEnded: Bool = false
    ) -> WorstCase? {
        compute([(points, retention)], until: disaster, openEnded: openEnded)
    }

    /// As above, over all backup sets of one service together.
    public static func compute(
        _ sets: [(points: [RecoveryPoint], retention: Retention?)], until disaster: Date, openEnded: Bool = false
    ) -> WorstCase? {
        var recent: [RecoveryPoint] = []
        var windows: [Window] = []
        var begin: Date?
        for (points, retention) in sets {
            let start = disaster.addingTimeInterval(-Double(days(retention)) * 86400)
            if points.contains(where: { $0.time <= start }) { begin = min(begin ?? start, start) }
            // Copies of one artifact in several stores are one moment: the earliest, where copying gave each an mtime of its own.
            var seen: Set<String> = []
            let own = points.filter { $0.time > start && $0.time <= disaster }.sorted { $0.time < $1.time }
                .filter { seen.insert($0.path).inserted }
            windows.append(Window(start: start, longest: zip(own, own.dropFirst()).map { $1.time.timeIntervalSince($0.time) }.max()))
            recent += own
        }
        recent.sort { $0.time < $1.time }
        var times = recent.map(\.time).reduce(into: [Date]()) { if $0.last != $1 { $0.append($1) } }
        let count = times.count
        guard count >= 2 else { return nil }
        if openEnded { times.append(disaster) }
        // A gap that began before the window reaches at least from its start on. Up to a day of that is how the retention's days are counted.
        if let begin, let first = times.first, first.timeIntervalSince(begin) > 86_400 { times.insert(begin, at: 0) }
        let gaps = zip(times, times.dropFirst()).map { (from: counted($0, $1, windows), to: $1) }
        guard let longest = gaps.max(by: { $0.to.timeIntervalSince($0.from) < $1.to.timeIntervalSince($1.from) }) else { return nil }
        let seconds = recent.compactMap { $0.sealState.seal?.backupSeconds }.max() ?? 0
        return WorstCase(from: longest.from, to: longest.to, backupDuration: .seconds(seconds), points: count)
    }

    /// What one set can say of the past.
    private struct Window {
        /// What was before has been thinned out.
        var start: Date
        /// Between two of its own backups since; nil where there aren't two.
        var longest: TimeInterval?
    }

    /// From when on a gap counts: where dumps of every six hours are kept for a week, and those of every night for a month, the nights
    /// three weeks ago don't show what was there then.
    private static func counted(_ from: Date, _ to: Date, _ windows: [Window]) -> Date {
        let length = to.timeIntervalSince(from)
        // Up to a day of a window's beginning is how the retention's days are counted.
        let denser = windows.filter { ($0.longest ?? .infinity) < length }.map { min(to, $0.start.addingTimeInterval(86_400)) }
        return max(from, denser.max() ?? from)
    }

    private static func days(_ retention: Retention?) -> Int {
        guard let retention else { return window }
        if let daily = retention.counts[.daily] { return min(window, daily) }
        return retention.counts[.weekly].map { min(window, $0 * 7) } ?? window
    }
}

extension BackupPolicy {
    /// One case for what a disaster at the worst moment would have cost a service.
    public static func judge(worstCase: WorstCase?, target: Duration?, service: String, timeZone: TimeZone) -> CaseResult {
        let name = "the worst case"
        guard let target else {
            let measured = worstCase.map { text($0, in: timeZone) } ?? "fewer than two recovery points in the last weeks"
            return .skipped(
                .policy, service: service, name: name, reason: "the estate promises no rpo-worst-case; measured: \(measured)")
        }
        let promise = "\(name) loses less than \(LocalText.span(target))"
        guard let worstCase else {
            return .unasked(
                .policy, service: service, name: promise,
                finding: Finding(
                    .worstCaseUnknown, object: service, expected: "two recovery points", actual: "fewer",
                    message: "fewer than two recovery points in the last weeks: there is no gap to measure", hint: "keep more backups"))
        }
        guard worstCase.loss >= target else { return .judged(.policy, service: service, name: promise, findings: []) }
        return .judged(
            .policy, service: service, name: promise,
            findings: [
                Finding(
                    .worstCaseTooLong, object: service, expected: "less than \(LocalText.span(target))",
                    actual: text(worstCase, in: timeZone),
                    message: "a disaster at the worst moment loses more than promised",
                    hint: "make backups more often than the promise: the time that one takes comes on top")
            ])
    }

    /// `24h 1m: from 2026-11-22 02:00 to 2026-11-23 02:00, and 40s for the backup`.
    static func text(_ worst: WorstCase, in zone: TimeZone) -> String {
        "\(LocalText.span(worst.loss)): from \(LocalText.time(worst.from, in: zone)) to \(LocalText.time(worst.to, in: zone)), "
            + "and \(LocalText.span(worst.backupDuration)) for the backup"
    }
}

extension Rule {
    static let worstCaseTooLong = Rule("rpo-worst-case-missed")
    static let worstCaseUnknown = Rule("rpo-worst-case-unknown")
}
