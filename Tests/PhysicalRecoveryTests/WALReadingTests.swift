// An archive read without a server: sound, and with each kind of damage in it, written by a real server.

import ArtifactFormats
import DrillModel
import Foundation
import ScratchHost
import Testing

@testable import PhysicalRecovery

@Suite struct WALReadingTests {
    /// Reads a copy of the archive to which something was done.
    private func read(_ cluster: ArchivedCluster, _ change: (URL) throws -> Void = { _ in }) async throws -> WALReading.Outcome {
        try cluster.copy("wal", as: "read")
        try change(cluster.url("read"))
        var files: [WALFileName: URL] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: cluster.url("read").path) {
            if let known = WALFileName(stored: name) { files[known] = cluster.url("read").appendingPathComponent(name) }
        }
        let folder = try cluster.host.folder.privateFolder("reading-\(UInt16.random(in: .min ... .max))")
        let reading = WALReading(host: cluster.host, folder: folder, encryption: nil)
        var released = 0
        let outcome = try await reading.read(files) { _ in
        } release: { _ in
            released += 1
        }
        #expect(released == files.count && outcome.read == files.count)
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasSuffix(".log") }
        #expect(left.isEmpty, "what was opened is gone: \(left)")
        return outcome
    }

    private func change(_ file: URL, _ body: (inout Data) -> Void) throws {
        var bytes = try Data(contentsOf: file)
        body(&bytes)
        try bytes.write(to: file)
    }

    private enum Damage { case emptied, relinked }

    /// Where the first two records that begin in a segment end: behind the first page's header, and the rest of a record that began before.
    private static func ends(_ segment: Data) -> (first: Int, second: Int) {
        func number(_ place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(segment[place + $1]) << (8 * $1) } }
        func aligned(_ size: Int) -> Int { (size + 7) / 8 * 8 }
        let start = 40 + aligned(number(16))
        let first = start + aligned(number(start))
        return (first, first + aligned(number(first)))
    }

    /// Leaves the first record that begins in a segment, and zeros behind it.
    private static func empty(_ segment: inout Data) {
        let end = ends(segment).first
        segment.replaceSubrange(end..., with: Data(count: segment.count - end))
    }

    /// Takes the second record away, or changes which one it says that it follows.
    private static func spoil(_ segment: inout Data, _ damage: Damage) {
        let (first, second) = ends(segment)
        switch damage {
        case .emptied: segment.replaceSubrange(first..<second, with: Data(count: second - first))
        case .relinked: segment[first + 8] ^= 1
        }
    }

    @Test func everyRecord() async throws {
        try await withArchivedCluster { cluster in
            let sound = try await read(cluster)
            #expect(sound.findings.isEmpty && sound.errors.isEmpty && sound.read >= cluster.segments.count)
            // A gap is somebody else's finding.
            let gap = try await read(cluster) { try FileManager.default.removeItem(at: $0.appendingPathComponent(cluster.segments[3])) }
            #expect(gap.findings.isEmpty && gap.errors.isEmpty)
            // One record's bytes, which no header tells of.
            let flipped = try await read(cluster) { folder in
                for index in [2, 5] { try change(folder.appendingPathComponent(cluster.segments[index])) { $0[100] ^= 1 } }
            }
            #expect(flipped.findings.map(\.rule) == [.walSegmentDamaged, .walSegmentDamaged])
            #expect(flipped.findings.map(\.object) == [cluster.segments[2], cluster.segments[5]])
            // Only what follows the first page.
            let emptied = try await read(cluster) {
                try change($0.appendingPathComponent(cluster.segments[1])) { $0.replaceSubrange(40..<8192, with: Data(count: 8152)) }
            }
            #expect(emptied.findings.map(\.object) == [cluster.segments[1]])
            // Of the newest one only the beginning may have been written; nothing tells that from a tail that was lost.
            let last = try #require(cluster.segments.last)
            let half = try await read(cluster) { try change($0.appendingPathComponent(last)) { Self.empty(&$0) } }
            #expect(half.findings.isEmpty && half.errors.isEmpty, "\(half.findings)")
            // Records stand behind it: lost, and not yet to be written.
            for damage in [Damage.emptied, .relinked] {
                let hole = try await read(cluster) { try change($0.appendingPathComponent(last)) { Self.spoil(&$0, damage) } }
                #expect(hole.findings.map(\.object) == [last], "\(damage)")
            }
            let lost = try await read(cluster) { try change($0.appendingPathComponent(cluster.segments[4])) { Self.empty(&$0) } }
            #expect(lost.findings.map(\.object) == [cluster.segments[4]])
        }
    }

    @Test func filesThatAreNoSegments() async throws {
        try await withArchivedCluster { cluster in
            let segments = cluster.segments
            func found(_ body: (URL) throws -> Void) async throws -> [String] {
                let outcome = try await read(cluster, body)
                #expect(outcome.errors.isEmpty)
                return outcome.findings.map { "\($0.rule) \($0.object)" }
            }
            #expect(
                try await found { try change($0.appendingPathComponent(segments[4])) { $0.removeLast(4096) } }
                    == ["wal-segment-damaged \(segments[4])"])
            #expect(
                try await found { try change($0.appendingPathComponent(segments[4])) { $0 = Data(count: $0.count) } }
                    == ["wal-segment-damaged \(segments[4])"])
            // Under another's name.
            #expect(
                try await found {
                    try Data(contentsOf: $0.appendingPathComponent(segments[1])).write(to: $0.appendingPathComponent(segments[4]))
                } == ["wal-segment-damaged \(segments[4])"])
            // Another cluster's.
            #expect(
                try await found { try change($0.appendingPathComponent(segments[4])) { $0[24] ^= 1 } }
                    == ["wal-segment-foreign \(segments[4])"])
            #expect(
                try await found { try Data("no history".utf8).write(to: $0.appendingPathComponent("00000002.history")) }
                    == ["wal-timeline-broken 00000002.history"])
            #expect(
                try await found { try Data().write(to: $0.appendingPathComponent(segments[4])) }
                    == ["wal-segment-damaged \(segments[4])"])
            // A version that nobody has here can't be asked.
            let unknown = try await read(cluster) { folder in
                for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where WALSegmentName(name) != nil {
                    try change(folder.appendingPathComponent(name)) { $0[0] = 0x01 }
                }
            }
            #expect(unknown.findings.isEmpty && unknown.errors.map(\.rule.name) == ["postgres-missing"])
        }
    }
}
