// A pgBackRest archive held against what each backup needs, by names.

import ArtifactFormats
import DrillModel
import Testing

@testable import Inspection

@Suite struct PgBackRestPromisesTests {
    private func segment(_ number: UInt64, _ timeline: UInt32 = 1) -> WALSegmentName {
        WALSegmentName(timeline: timeline, number: number, size: 16 << 20)
    }

    private func need(_ label: String, _ first: UInt64, _ last: UInt64, _ timeline: UInt32 = 1) -> PgBackRestPromises.ArchivedNeed {
        PgBackRestPromises.ArchivedNeed(label: label, first: segment(first, timeline), last: segment(last, timeline))
    }

    private func findings(_ needs: [PgBackRestPromises.ArchivedNeed], _ numbers: [UInt64], more: Set<WALFileName> = []) -> [String] {
        let judged = PgBackRestPromises.judge(needs, archived: Set(numbers.map { .segment(segment($0)) }).union(more))
        return (judged.gaps + judged.lost).map { "\($0.rule) \($0.object)" }
    }

    @Test func gaps() {
        let needs = [need("a", 3, 4), need("b", 10, 10), need("c", 15, 16)]
        #expect(findings(needs, Array(3...20)) == [])
        // As repo-retention-archive leaves it: of the older ones what makes them consistent.
        #expect(findings(needs, [3, 4, 10] + Array(15...20)) == [])
        #expect(findings(needs, [3, 4] + Array(15...20)) == ["wal-gap \(segment(10).text)"])
        // The newest one's own first segment, which verify calls ok; and its last, which was never archived.
        #expect(findings(needs, Array(3...14) + Array(16...20)) == ["wal-gap \(segment(15).text)"])
        #expect(findings(needs, Array(3...15)) == ["wal-gap \(segment(16).text)"])
        // In the middle, behind the newest and between two.
        #expect(findings(needs, Array(3...18) + [20]) == ["wal-gap \(segment(19).text)"])
        #expect(findings(needs, Array(3...5) + Array(7...20)) == ["wal-gap \(segment(6).text)"])
        #expect(findings(needs, []).count == 3)
    }

    @Test func timelines() {
        let needs = [need("a", 3, 4)]
        let second: Set<WALFileName> = [.segment(segment(6, 2)), .segment(segment(7, 2))]
        #expect(findings(needs, Array(3...6), more: second) == ["wal-timeline-broken 00000002.history"])
        #expect(findings(needs, Array(3...6), more: second.union([.history(2)])) == [])
        #expect(findings(needs + [need("b", 6, 7, 2)], Array(3...6), more: second) == [])
    }
}
