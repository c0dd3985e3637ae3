// Histories that are missing, and the timelines that no recovery finds for that: planned, and after real switchovers.

import ArtifactFormats
import DrillModel
import Foundation
import PostgresClient
import PostgresRecovery
import ScratchHost
import TestSupport
import Testing

@testable import PhysicalRecovery

@Suite struct LostTimelineTests {
    private let size: UInt64 = 16 << 20

    private func names(_ timeline: UInt32, _ numbers: some Sequence<UInt64>) -> Set<WALSegmentName> {
        Set(numbers.map { WALSegmentName(timeline: timeline, number: $0, size: size) })
    }

    private func history(_ timeline: UInt32, _ ends: [(UInt32, UInt64)]) -> [UInt32: TimelineHistory] {
        [timeline: TimelineHistory(timeline: timeline, ancestors: ends.map { .init(timeline: $0.0, end: $0.1 * size + 100) })]
    }

    private func plan(
        _ archived: Set<WALSegmentName>, base: UInt32 = 1, wanted: RecoveryTarget.Timeline = .latest,
        histories: [UInt32: TimelineHistory] = [:],
        unreadable: [UInt32: Finding] = [:]
    ) -> WALPlan {
        WALPlan(
            start: 2 * size + 40, base: base, wanted: wanted, archived: archived, bundled: [], histories: histories, unreadable: unreadable,
            size: size)
    }

    @Test func histories() throws {
        let both = names(1, 2...5).union(names(2, 5...7))
        let lost = try #require(plan(both).lost)
        #expect(lost.timeline == 2 && lost.segments.count == 3 && lost.left == 5 * size)
        let finding = lost.finding()
        #expect(finding.rule == .walTimeline && finding.object == "00000002.history" && finding.severity == .critical)
        #expect(finding.message.hasPrefix("3 segments, 000000020000000000000005 to 000000020000000000000007, are there without a history"))
        #expect(lost.finding(isNeeded: false).severity == .warning)
        // With it nothing is lost, also where a timeline was given up.
        let second = history(2, [(1, 5)])
        #expect(plan(both, histories: second).lost == nil)
        let third = history(3, [(1, 6)])
        #expect(plan(both.union(names(1, 6...6)).union(names(3, 6...8)), histories: second.merging(third) { $1 }).lost == nil)
        // Of several switchovers one is missing: the server finds none behind it.
        #expect(plan(both.union(names(3, 6...8)), histories: history(3, [(1, 5), (2, 6)])).lost?.timeline == 2)
        #expect(plan(both.union(names(3, 6...8)), histories: second).lost?.timeline == 3)
        #expect(plan(names(1, 2...5), histories: history(3, [(1, 5), (2, 6)])).lost?.left == 5 * size + 100)
        // Not looked for, not needed, or older than the base backup.
        #expect(plan(both, wanted: .current).lost == nil && plan(names(2, 2...5), base: 2).lost == nil)
        #expect(plan(names(1, 2...5).union(names(2, [1]))).lost == nil)
        // There, and no history.
        let empty = LostTimeline.unreadable("00000002.history", isEmpty: true)
        #expect(plan(both, unreadable: [2: empty]).lost?.finding().actual == "an empty file")
        #expect(plan(both, wanted: .number(2), unreadable: [2: empty]).findings.first == empty)
    }

    /// A standby is promoted and archives into the same place; then it is promoted once more.
    @Test(.enabled(if: TestMachine.hasPostgres, "no postgres server is installed")) func realSwitchovers() async throws {
        try await withArchivedCluster { source in
            try source.copy("wal", as: "failover")
            var time: Date?
            for timeline: UInt32 in [2, 3] {
                let binaries = try PostgresBinaries.suitable(forDumpOf: nil)
                try await source.promote(from: "failover", binaries: binaries) { session in
                    if timeline == 3 {
                        time = ServerClock.date(try await session.value("SELECT clock_timestamp() AT TIME ZONE 'UTC'") ?? "", zone: .gmt)
                    }
                    try await session.execute("INSERT INTO notes VALUES ('timeline \(timeline)')")
                }
            }
            let all = "after 5, before 5, timeline 2 1, timeline 3 1"
            func expect(
                _ red: [String], _ rows: String, alsoByCommand: Bool = false, to goal: RecoveryTarget.Goal = .end,
                timeline: RecoveryTarget.Timeline = .latest,
                by change: (URL) throws -> Void = { _ in }
            ) async throws {
                try source.copy("failover", as: "changed")
                try change(source.url("changed"))
                try await source.recover(wal: "changed", to: goal, timeline: timeline) { cluster, _ in
                    let found = try await ArchivedCluster.rows(cluster)
                    #expect(cluster.red == red && found == rows, "\(cluster.findings)")
                }
                // As a declared command reads it.
                guard alsoByCommand else { return }
                try await source.recover(
                    by: ["cp", "\(source.url("changed").path)/{wal}", "{path}"], target: RecoveryTarget(goal, timeline: timeline)
                ) { cluster in
                    let found = try await ArchivedCluster.rows(cluster)
                    #expect(cluster.red == red && found == rows, "\(cluster.findings)")
                }
            }
            func history(_ folder: URL, _ timeline: Int) -> URL { folder.appendingPathComponent("0000000\(timeline).history") }
            try await expect([], all, alsoByCommand: true)
            try await expect(["wal-timeline-broken 00000002.history"], "after 5, before 5", alsoByCommand: true) {
                try FileManager.default.removeItem(at: history($0, 2))
            }
            try await expect(["wal-timeline-broken 00000003.history"], "after 5, before 5, timeline 2 1") {
                try FileManager.default.removeItem(at: history($0, 3))
            }
            try await expect(["wal-timeline-broken 00000002.history"], "after 5, before 5") {
                try Data().write(to: history($0, 2))
            }
            // A target on the timeline that is found: the switch lies behind it, so it is a warning.
            try await expect([], "before 5", to: .time(source.target)) { try FileManager.default.removeItem(at: history($0, 2)) }
            try await expect([], "after 5, before 5", timeline: .current) { try FileManager.default.removeItem(at: history($0, 2)) }
            // A target behind the switch.
            let late = try #require(time)
            try await source.recover(wal: "changed", to: .time(late)) { cluster, _ in
                #expect(cluster.failure?.finding.rule == .targetNotReached && cluster.red.contains("wal-timeline-broken 00000002.history"))
            }
        }
    }
}
