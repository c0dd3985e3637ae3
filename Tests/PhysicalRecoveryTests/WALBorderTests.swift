// Positions and timelines at the very segment where an answer turns.

import ArtifactFormats
import DrillModel
import Foundation
import Testing

@testable import PhysicalRecovery

@Suite struct WALBorderTests {
    private let size: UInt64 = 16 << 20

    private func name(_ timeline: UInt32, _ number: UInt64) -> WALSegmentName {
        WALSegmentName(timeline: timeline, number: number, size: size)
    }

    private func names(_ timeline: UInt32, _ numbers: some Sequence<UInt64>) -> Set<WALSegmentName> {
        Set(numbers.map { name(timeline, $0) })
    }

    /// Of a base backup that begins in segment 2 of timeline 1.
    private func plan(
        _ archived: Set<WALSegmentName>, histories: [UInt32: TimelineHistory] = [:], unreadable: [UInt32: Finding] = [:],
        partial: Set<WALSegmentName> = [], wanted: RecoveryTarget.Timeline = .latest
    ) -> WALPlan {
        WALPlan(
            start: 2 * size, base: 1, wanted: wanted, archived: archived, bundled: [], histories: histories, unreadable: unreadable,
            partial: partial, size: size)
    }

    @Test func theSegmentThatABaseBackupBeginsIn() {
        let one = plan(names(1, [2]))
        #expect(one.segments == [name(1, 2)] && one.findings.isEmpty)
        #expect(plan(names(1, [1])).findings.map(\.rule) == [.walMissing])
        // Of an abandoned timeline, just as far back.
        #expect(plan(names(1, 2...4).union(names(2, [2]))).lost?.timeline == 2)
    }

    /// Of the segment that two timelines share the younger one's copy is needed: behind the switch the older one's tells another story.
    @Test func theSegmentThatATimelineWasLeftIn() {
        let histories: [UInt32: TimelineHistory] = [
            2: TimelineHistory(timeline: 2, ancestors: [.init(timeline: 1, end: 5 * size + 100)])
        ]
        let whole = plan(names(1, 2...5).union(names(2, 5...7)), histories: histories)
        #expect(whole.findings.isEmpty && whole.segments.map(\.timeline) == [1, 1, 1, 2, 2, 2])
        #expect(plan(names(1, 2...5).union(names(2, 6...7)), histories: histories).findings.map(\.object) == [name(2, 5).text])
        // At the archive's very end nothing lies behind it.
        #expect(plan(names(1, 2...5), histories: histories).findings.allSatisfy { $0.severity == .note })
        #expect(plan(names(1, 2...6).union(names(2, [5, 7])), histories: histories).findings.map(\.object) == [name(2, 6).text])
    }

    @Test func aPartialSegmentBehindTheNewest() {
        let note = plan(names(1, 2...4), partial: [name(1, 5)]).findings
        #expect(note.map(\.severity) == [.note])
        #expect(plan(names(1, 2...4), partial: [name(1, 4)]).findings.isEmpty, "it has been archived since")
        #expect(plan([], partial: [name(1, 2)]).findings.contains { $0.severity == .note })
        #expect(!plan([], partial: [name(1, 1)]).findings.contains { $0.severity == .note })
    }

    /// The history of the timeline that is followed leads to no other.
    @Test func anUnreadableHistory() {
        let empty = LostTimeline.unreadable("00000002.history", isEmpty: true)
        #expect(LostTimeline(behind: 2, segments: [], histories: [:], unreadable: [2: empty], size: size) == nil)
        let lost = LostTimeline(behind: 1, segments: [], histories: [:], unreadable: [2: empty], size: size)
        #expect(lost?.timeline == 2 && lost?.reason == empty)
    }

    /// What is of the timeline that is followed is not lost.
    @Test func theFollowedTimelinesOwn() {
        let history = [UInt32(2): TimelineHistory(timeline: 2, ancestors: [.init(timeline: 1, end: 5 * size)])]
        #expect(LostTimeline(behind: 2, segments: names(2, 5...6), histories: [:], size: size) == nil)
        #expect(LostTimeline(behind: 2, segments: [], histories: history, size: size) == nil)
        #expect(LostTimeline(behind: 1, segments: names(2, 5...6), histories: [:], size: size)?.left == 5 * size)
        #expect(LostTimeline(behind: 1, segments: [], histories: history, size: size)?.left == 5 * size)
    }

    @Test func aHistorysLine() {
        #expect(TimelineHistory(timeline: 2, text: "1\t0/5000000\n")?.ancestors.map(\.end) == [0x500_0000], "it may tell no reason")
        #expect(TimelineHistory(timeline: 2, text: "1\n") == nil)
    }

    @Test(arguments: [("8:10:8", "8:8:", 0), ("10:10:", "10:12:10", 1)] as [(String, String, Int64)])
    func transactionsAtASnapshotsEnd(before: String, after: String, count: Int64) throws {
        #expect(try #require(TransactionSnapshot(before)).ended(in: try #require(TransactionSnapshot(after))) == count)
    }

    /// Replay that ended with segment 4's first byte.
    @Test func whereReplayEnded() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder.appending(path: "pg_wal"), withIntermediateDirectories: true)
        try Data("1\t0/4000000\tno recovery target specified\n".utf8).write(to: folder.appending(path: "pg_wal/00000002.history"))
        let log = RecoveryLog("LOG:  selected new timeline ID: 2\n")
        let end = try #require(ReplayEnd(log: log, dataFolder: folder, segmentSize: size))
        #expect(end.number == 4)
        func finding(_ newest: UInt64, absent: [UInt64] = []) -> Finding? {
            end.finding(segments: (2...newest).map { name(1, $0) }, newest: name(1, newest), absent: names(1, absent))
        }
        #expect(finding(4) == nil, "nothing stands behind it")
        let early = try #require(finding(5))
        #expect(early.object == name(1, 4).text && "\(early)".contains("1 later segment of the archive was not replayed"), "\(early)")
        // What was asked for behind the archive's end was read up to there; what was asked for before it is missing.
        #expect(finding(5, absent: [6]) == nil && finding(5, absent: [5]) != nil)
    }
}
