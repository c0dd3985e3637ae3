// Which segments a recovery needs, from the base backup's start to the newest, and which of them are missing.

public import ArtifactFormats
public import DrillModel

/// The way through an archive.
public struct WALPlan: Sendable, Hashable {
    /// What the archive holds of the way, in the order that recovery asks for it.
    public var segments: [WALSegmentName]
    /// The timeline that is followed.
    public var timeline: UInt32
    public var findings: [Finding]
    /// The number of gaps, and how many segments they miss.
    public var missing: Int
    /// The newest segment of the way, in the archive or inside the base backup.
    public var newest: WALSegmentName?
    /// What the archive holds of timelines that no recovery finds.
    public var lost: LostTimeline?

    /// - Parameters:
    ///   - start: The first position that recovery reads.
    ///   - base: The timeline that the base backup was taken on.
    ///   - archived: All segments of the archive.
    ///   - bundled: Segments inside the base backup: they fill what the archive lacks.
    ///   - histories: All history files of the archive that can be read, by timeline.
    ///   - unreadable: Why others can't be.
    ///   - partial: Segments that only a `.partial` file is there of.
    ///   - size: Bytes of one segment.
    public init(
        start: UInt64, base: UInt32, wanted: RecoveryTarget.Timeline, archived: Set<WALSegmentName>, bundled: Set<WALSegmentName>,
        histories: [UInt32: TimelineHistory], unreadable: [UInt32: Finding] = [:], partial: Set<WALSegmentName> = [], size: UInt64
    ) {
        var findings: [Finding] = []
        timeline = Self.timeline(wanted, base: base, histories: histories)
        let history = histories[timeline] ?? TimelineHistory(timeline: timeline)
        if timeline != base, history.begin(of: base) == nil {
            findings.append(
                unreadable[timeline]
                    ?? Finding(
                        .walTimeline, object: "timeline \(timeline)", expected: "a timeline that comes from the base backup's, \(base)",
                        actual: histories[timeline] == nil ? "no history file" : "another ancestry",
                        message: "the timeline that is to be followed doesn't come from the base backup's",
                        hint: "archive the .history files too, or say timeline: current"))
        }
        let chain = (history.ancestors.map(\.timeline) + [timeline]).filter { history.begin(of: base).map { _ in true } ?? ($0 == base) }
        let first = start / size
        let present = archived.union(bundled)
        // Newest timeline first, as the server asks: the child's copy of the segment that both share is the one that counts.
        // What an older timeline wrote after it was left is of another history.
        func belongs(_ timeline: UInt32, _ number: UInt64) -> Bool {
            guard timeline >= base, let begin = history.begin(of: timeline) else { return timeline == base && chain == [base] }
            let end = history.ancestors.first { $0.timeline == timeline }?.end
            return begin / size <= number && end.map { number <= $0 / size } ?? true
        }
        func candidates(_ number: UInt64) -> [WALSegmentName] {
            chain.reversed().filter { belongs($0, number) }.map { WALSegmentName(timeline: $0, number: number, size: size) }
        }
        let newest =
            present.filter { chain.contains($0.timeline) && belongs($0.timeline, $0.number(size: size)) }
            .map { $0.number(size: size) }.max() ?? 0
        var segments: [WALSegmentName] = []
        var gap: [WALSegmentName] = []
        var missing = 0
        var last: WALSegmentName?
        if newest >= first {
            for number in first...newest {
                let choices = candidates(number)
                // Where a timeline begins, its ancestor's copy ends with the switch: what lies behind goes on in the younger one's alone.
                if let youngest = choices.first, choices.count > 1, number < newest, !present.contains(youngest) {
                    if let name = choices.first(where: archived.contains) { segments.append(name) }
                    gap.append(youngest)
                } else if let found = choices.first(where: present.contains) {
                    if let name = choices.first(where: archived.contains) { segments.append(name) }
                    if !gap.isEmpty { findings.append(Self.finding(gap, after: last, before: found)) }
                    missing += gap.count
                    gap = []
                    last = found
                } else if let name = choices.first {
                    gap.append(name)
                }
            }
        }
        if segments.isEmpty, chain.contains(base) || last == nil {
            findings.append(Self.nothing(from: WALSegmentName(timeline: base, number: first, size: size), start, bundled: last != nil))
        }
        let followed = timeline
        if followed > base, chain.contains(followed), !present.contains(where: { $0.timeline == followed }),
            let left = history.begin(of: followed)
        {
            findings.append(Self.withoutSegments(followed, left: left, object: WALFileName.history(followed).plain))
        }
        let beyond = partial.filter { chain.contains($0.timeline) && belongs($0.timeline, $0.number(size: size)) }
            .filter { $0.number(size: size) > newest && $0.number(size: size) >= first }
        if let newer = beyond.max(by: { $0.number(size: size) < $1.number(size: size) }) { findings.append(Self.note(newer)) }
        self.newest = last
        lost =
            wanted == .latest
            ? LostTimeline(
                behind: timeline, segments: archived.filter { $0.number(size: size) >= first }, histories: histories,
                unreadable: unreadable, size: size)
            : nil
        self.segments = segments
        self.findings = findings
        self.missing = missing
    }

    /// As the server finds it: the newest that an unbroken row of history files leads to.
    private static func timeline(
        _ wanted: RecoveryTarget.Timeline, base: UInt32, histories: [UInt32: TimelineHistory]
    ) -> UInt32 {
        switch wanted {
        case .current: return base
        case .number(let number): return number
        case .latest:
            var newest = base
            while histories[newest + 1] != nil { newest += 1 }
            return newest
        }
    }

    /// Where the base backup itself holds what makes it consistent, a server starts happily, and everything since is lost.
    static func nothing(from first: WALSegmentName, _ start: UInt64, bundled: Bool) -> Finding {
        Finding(
            .walMissing, object: first.text, expected: "the write-ahead log from the base backup's start on",
            actual: bundled ? "only what the base backup itself holds" : "none of it",
            message: "the archive holds nothing from the base backup's start on, at \(WALPosition.text(start))"
                + (bundled ? ": nothing is rolled forward" : ""),
            hint: "check wal: match and stores in the estate file, then the source's archive_command and pg_stat_archiver")
    }

    /// A server follows a timeline by its history alone, and leaves the ancestor where it says.
    ///
    /// - Parameter left: Where that is; nil where nobody has read the history.
    public static func withoutSegments(_ timeline: UInt32, left: UInt64? = nil, object: String) -> Finding {
        Finding(
            .timelineWithoutSegments, .note, object: object, expected: "a segment of each timeline", actual: "none of timeline \(timeline)",
            message: "of timeline \(timeline) nothing but its history is archived: recovery follows it, and ends at the switch"
                + (left.map { ", \(WALPosition.text($0))" } ?? "") + ", whatever the older timeline holds behind it",
            hint:
                "find out whether that server archives; if it was given up, name the older timeline with timeline, or remove its history file"
        )
    }

    private static func note(_ partial: WALSegmentName) -> Finding {
        Finding(
            .walPartial, .note, object: "\(partial.text).partial", expected: "whole segments", actual: "the beginning of one",
            message: "it is newer than what recovery reads: no server asks for a .partial file",
            hint: "to recover up to its end, give a copy of it the segment's own name, by hand")
    }

    private static func finding(_ gap: [WALSegmentName], after: WALSegmentName?, before: WALSegmentName) -> Finding {
        let names = gap.count == 1 ? gap[0].text : "\(gap[0].text) to \(gap[gap.count - 1].text) (\(gap.count) segments)"
        let between = after.map { "between \($0.text) and \(before.text)" } ?? "between the base backup's start and \(before.text)"
        return Finding(
            .walGap, object: gap[0].text, expected: "every segment up to the newest", actual: "\(gap.count) missing",
            message: "\(names) \(gap.count == 1 ? "is" : "are") missing \(between)",
            hint: "find the missing file on the source or in another store; until then nothing behind it can be recovered from this base "
                + "backup, so take a new one now")
    }
}
