// Gaps, timelines, headers and logs, without a server.

import ArtifactFormats
import DrillModel
import Foundation
import Testing

@testable import PhysicalRecovery

@Suite struct PlanTests {
    private let size: UInt64 = 16 << 20

    private func names(_ timeline: UInt32, _ numbers: some Sequence<UInt64>) -> Set<WALSegmentName> {
        Set(numbers.map { WALSegmentName(timeline: timeline, number: $0, size: size) })
    }

    private func plan(
        _ archived: Set<WALSegmentName>, bundled: Set<WALSegmentName> = [], wanted: RecoveryTarget.Timeline = .latest,
        histories: [UInt32: TimelineHistory] = [:]
    ) -> WALPlan {
        WALPlan(
            start: 2 * size + 40, base: 1, wanted: wanted, archived: archived, bundled: bundled, histories: histories, size: size)
    }

    @Test func unbroken() {
        let plan = plan(names(1, 1...9))
        #expect(plan.findings.isEmpty && plan.segments.count == 8 && plan.segments.first?.part == 2)
    }

    @Test func gapsAreNamed() {
        let plan = plan(names(1, [2, 3, 5, 6, 9]))
        #expect(
            plan.findings.map(\.message) == [
                "000000010000000000000004 is missing between 000000010000000000000003 and 000000010000000000000005",
                "000000010000000000000007 to 000000010000000000000008 (2 segments) are missing between 000000010000000000000006 "
                    + "and 000000010000000000000009",
            ])
        #expect(plan.missing == 3)
        #expect(
            self.plan(names(1, 3...5)).findings.first?.message.hasPrefix("000000010000000000000002 is missing between the base") == true)
        // The base backup's own copy fills the gap.
        #expect(self.plan(names(1, 3...5), bundled: names(1, [2])).findings.isEmpty)
        #expect(self.plan(names(1, [0, 1])).findings.map(\.rule) == [.walMissing])
    }

    @Test func timelinesAreFollowed() {
        let histories: [UInt32: TimelineHistory] = [
            2: TimelineHistory(timeline: 2, ancestors: [.init(timeline: 1, end: 5 * size + 100)])
        ]
        let both = names(1, 2...7).union(names(2, 5...8))
        let latest = plan(both, histories: histories)
        #expect(latest.timeline == 2 && latest.findings.isEmpty)
        // The segment that both share is the child's.
        #expect(latest.segments.map(\.timeline) == [1, 1, 1, 2, 2, 2, 2])
        #expect(plan(both, wanted: .current, histories: histories).segments.count == 6)
        #expect(
            plan(names(1, 2...7).union(names(2, [5, 6, 8])), histories: histories).findings.map(\.object) == ["000000020000000000000007"])
        // The child's copy of what both share is the one that is needed, whether the ancestor's is there or not.
        for ancestor in [names(1, 2...7), names(1, 2...4)] {
            let plan = plan(ancestor.union(names(2, 6...8)), histories: histories)
            #expect(plan.findings.map(\.object) == ["000000020000000000000005"], "\(plan.findings)")
        }
        // At the border of two segments the ancestor has none of it.
        let border: [UInt32: TimelineHistory] = [2: TimelineHistory(timeline: 2, ancestors: [.init(timeline: 1, end: 5 * size)])]
        #expect(plan(names(1, 2...4).union(names(2, 6...8)), histories: border).findings.map(\.object) == ["000000020000000000000005"])
        #expect(plan(names(1, 2...4).union(names(2, 5...8)), histories: border).findings.isEmpty)
        // A history alone: followed, and no more than a note.
        let alone = plan(names(1, 2...7), histories: histories)
        #expect(alone.findings.map(\.rule) == [.timelineWithoutSegments] && alone.findings.first?.severity == .note)
        #expect(alone.findings.first?.message.contains("0/5000064") == true && alone.newest?.part == 5)
        #expect(plan(names(1, 2...7), wanted: .current, histories: histories).findings.isEmpty)
        // A timeline of another ancestry.
        let strange: [UInt32: TimelineHistory] = [2: TimelineHistory(timeline: 2, ancestors: [.init(timeline: 7, end: 1)])]
        #expect(plan(both, histories: strange).findings.contains { $0.rule == .walTimeline })
        #expect(plan(both, wanted: .number(4)).findings.contains { $0.rule == .walTimeline })
    }

    @Test func heads() {
        let check = SegmentCheck(systemIdentifier: 77, segmentSize: size, major: 15)
        let name = WALSegmentName(timeline: 1, number: 3, size: size)
        func head(
            magic: UInt16 = 0xd110, timeline: UInt32 = 1, address: UInt64 = 3 * (16 << 20), system: UInt64 = 77, segment: UInt32 = 16 << 20
        ) -> [UInt8] {
            func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }
            return bytes(magic) + bytes(UInt16(2)) + bytes(timeline) + bytes(address) + bytes(UInt32(0)) + bytes(UInt32(0)) + bytes(system)
                + bytes(segment) + bytes(UInt32(8192))
        }
        #expect(check.problem(name, head: head(), size: size) == nil)
        #expect(check.problem(name, head: head(system: 78), size: size)?.rule == .walForeign)
        #expect(check.problem(name, head: head(), size: size - 1)?.rule == .walSegmentDamaged)
        #expect(check.problem(name, head: head(), size: size + 1)?.rule == .walSegmentDamaged)
        #expect(check.problem(name, head: head(address: 0), size: size)?.rule == .walSegmentDamaged)
        #expect(check.problem(name, head: head(timeline: 2), size: size)?.rule == .walSegmentDamaged)
        #expect(check.problem(name, head: head(segment: 1 << 20), size: size)?.rule == .walSegmentDamaged)
        #expect(check.problem(name, head: head(magic: 0xd113), size: size)?.rule == .walSegmentDamaged)
        #expect(check.problem(name, head: [UInt8](repeating: 0, count: 40), size: size)?.rule == .walSegmentDamaged)
        #expect(check.problem(name, head: [], size: 0)?.rule == .walSegmentDamaged)
    }

    @Test func logs() {
        let log = RecoveryLog(
            """
            2026-11-23 06:49:31.984 UTC LOG:  restored log file "000000010000000000000008" from archive
            2026-11-23 06:49:31.984 UTC LOG:  consistent recovery state reached at 0/3000100
            2026-11-23 06:49:31.984 UTC LOG:  recovery stopping before commit of transaction 830, time 2026-11-23 06:49:32.2+00
            2026-11-23 06:49:31.984 UTC LOG:  redo done at 0/8001608 system usage: CPU: user: 0.01 s
            2026-11-23 06:49:31.984 UTC LOG:  last completed transaction was at log time 2026-11-23 06:49:31.984667+00
            2026-11-23 06:49:31.984 UTC LOG:  selected new timeline ID: 2
            """)
        #expect(log.stopped?.hasPrefix("recovery stopping before") == true && log.stoppedAtTransaction == 830)
        #expect(log.replayedTo == 0x800_1608 && log.newTimeline == 2 && log.isConsistent && log.fatal == nil)
        #expect(log.lastCommit == ServerClock.date("2026-11-23 06:49:31.984667", zone: .gmt))
        // Whoever knocks while it ends is told so, behind the reason.
        let knocked = RecoveryLog(
            "x FATAL:  could not locate required checkpoint record\ny FATAL:  the database system is shutting down\n")
        #expect(knocked.fatal == "could not locate required checkpoint record")
        let short = RecoveryLog("x FATAL:  recovery ended before configured recovery target was reached\n")
        #expect(short.endedBeforeTarget && short.stopped == nil && short.fatal?.hasPrefix("recovery ended") == true)
    }

    /// A server refuses sizes of its log below two segments.
    @Test(
        arguments: [(1, nil, nil), (16, nil, nil), (64, "128MB", nil), (512, "1024MB", nil), (1024, "2048MB", "4096MB")]
            as [(Int, String?, String?)])
    func settingsOfLargeSegments(megabytes: Int, least: String?, most: String?) throws {
        let control = try #require(ControlData("Database system identifier: 7\nBytes per WAL segment: \(megabytes << 20)\n"))
        let settings = RecoverySettings.make(target: RecoveryTarget(.end), control: control, fromArchive: false)
        #expect(settings.first { $0.name == "min_wal_size" }?.value == least)
        #expect(settings.first { $0.name == "max_wal_size" }?.value == most)
    }

    @Test func settingsOfTheSource() {
        let found = OutboundSettings.assignments(
            "# archive_command = 'no'\narchive_command = 'cp %p /x' # c\nssl off\nArchive_Mode=off\nprimary_conninfo = ''\n")
        #expect(found.map(\.name) == ["archive_command", "ssl", "archive_mode", "primary_conninfo"])
        #expect(found.map(\.isSet) == [true, false, false, false])
    }
}

@Suite struct TarTests {
    /// One entry as pg_basebackup writes it.
    private func entry(_ name: String, _ content: [UInt8], type: Character = "0") -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) { for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte } }
        put(name, 0)
        let size = String(content.count, radix: 8)
        put(String(repeating: "0", count: 11 - size.count) + size, 124)
        put(String(type), 156)
        put("ustar", 257)
        put("        ", 148)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", 148)
        return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private func read(_ tar: [UInt8], step: Int) throws -> (names: [String], contents: [[UInt8]], ended: Bool) {
        var reader = TarReader()
        var names: [String] = []
        var contents: [[UInt8]] = []
        for start in stride(from: 0, to: tar.count, by: step) {
            try Array(tar[start..<min(start + step, tar.count)]).withUnsafeBytes { bytes in
                try reader.take(bytes) {
                    names.append($0.path)
                    contents.append([])
                } piece: {
                    contents[contents.count - 1] += $0
                } end: {
                }
            }
        }
        return (names, contents, reader.ended)
    }

    @Test(arguments: [1, 7, 511, 512, 513, 100_000])
    func anyChunks(step: Int) throws {
        let content = (0..<1300).map { UInt8(truncatingIfNeeded: $0) }
        let tar =
            entry("PG_VERSION", Array("15\n".utf8)) + entry("base", [], type: "5") + entry("./base/1", content)
            + entry("empty", []) + [UInt8](repeating: 0, count: 1024)
        let result = try read(tar, step: step)
        #expect(result.names == ["PG_VERSION", "base", "base/1", "empty"])
        #expect(result.contents == [Array("15\n".utf8), [], content, []] && result.ended)
        #expect(try !read(Array(tar.dropLast(1024)), step: step).ended)
    }

    @Test func whatCannotBeBelieved() {
        #expect(throws: TarProblem.self) { try read(entry("../etc/passwd", [1]), step: 512) }
        #expect(throws: TarProblem.self) { try read(entry("/etc/passwd", [1]), step: 512) }
        var damaged = entry("file", [1])
        damaged[3] ^= 1
        #expect(throws: TarProblem.self) { try read(damaged, step: 512) }
    }
}
