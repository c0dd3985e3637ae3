// What an archive holds of timelines that recovery can't find, since the history file that leads to them isn't there.

public import ArtifactFormats
public import DrillModel

/// A server looks for one history file after the other, and takes the first that is missing for the end: what it doesn't find, it doesn't
/// miss. It recovers the older timeline, and says nothing.
public struct LostTimeline: Sendable, Hashable {
    /// The first whose history is missing.
    public var timeline: UInt32
    /// What is archived of it and of younger ones, the oldest first.
    public var segments: [WALSegmentName]
    /// Where its ancestor was left at the earliest; nil where nothing tells.
    public var left: UInt64?
    /// Why the history file can't be read, where it is there.
    public var reason: Finding?

    /// - Parameters:
    ///   - followed: The timeline that recovery ends on.
    ///   - segments: Those that recovery could have use for.
    /// - Returns: nil where nothing in the archive is younger than the timeline that is followed.
    public init?(
        behind followed: UInt32, segments: Set<WALSegmentName>, histories: [UInt32: TimelineHistory], unreadable: [UInt32: Finding] = [:],
        size: UInt64
    ) {
        let younger = segments.filter { $0.timeline > followed }
        let named = histories.filter { $0.key > followed }
        guard !younger.isEmpty || !named.isEmpty || unreadable.contains(where: { $0.key > followed }) else { return nil }
        timeline = followed + 1
        reason = unreadable[followed + 1]
        self.segments = younger.sorted { ($0.timeline, $0.log, $0.part) < ($1.timeline, $1.log, $1.part) }
        // A timeline's first segment begins with what it shares with its ancestor.
        let first = younger.map { $0.number(size: size) * size }.min()
        let stated = named.values.compactMap { history in history.ancestors.first { $0.timeline >= followed }?.end }.min()
        left = [first, stated].compactMap { $0 }.min()
    }

    /// - Parameter isNeeded: Whether what recovery was asked for could lie on it.
    public func finding(isNeeded: Bool = true) -> Finding {
        let name = WALFileName.history(timeline).plain
        let held: String =
            if let first = segments.first, let last = segments.last {
                segments.count == 1 ? "\(first.text) is" : "\(segments.count) segments, \(first.text) to \(last.text), are"
            } else {
                "a younger timeline's history is"
            }
        let loss =
            isNeeded
            ? "a server passes over it without a word, and everything since the switch is lost"
            : "the target lies before the switch and was reached; what came after could not be recovered"
        return Finding(
            .walTimeline, isNeeded ? .critical : .warning, object: name, expected: "the history of each timeline in the archive",
            actual: reason.map { $0.actual.isEmpty ? $0.message : $0.actual } ?? "none of timeline \(timeline)",
            message: "\(held) there without a history that leads to \(segments.count == 1 ? "it" : "them"): \(loss)",
            hint: "fetch \(name) from the source's pg_wal or another store; if that timeline was given up on purpose, remove its segments "
                + "or say timeline: current")
    }

    static func unreadable(_ name: String, isEmpty: Bool) -> Finding {
        Finding(
            .walTimeline, object: name, expected: "a timeline's ancestors, a line each",
            actual: isEmpty ? "an empty file" : "something else", message: "the history file can't be read",
            hint: "fetch another copy of it from the source's pg_wal or another store")
    }
}
