// Which segments one store's archive of the write-ahead log lacks, by the names of those that are there.

import ArtifactFormats
import BackupCatalog
import DrillModel
import Foundation
import PhysicalRecovery

extension WALPromises {
    /// Whether a segment was stored long before the oldest base backup that is kept was made. Where that backup began, only its label tells,
    /// and that is encrypted; no base backup takes a day more than it took to archive its first segment.
    func isNeededByNobody(_ file: ArchivedWAL?) -> Bool {
        guard let file, let oldestBase else { return false }
        return file.modified < oldestBase.addingTimeInterval(-86_400)
    }

    /// Of each timeline, from its oldest segment to its newest.
    func missing(of files: [ArchivedWAL], in store: Store) -> [Finding] {
        let segments = files.compactMap { if case .segment(let name) = $0.name { name } else { nil } }
        guard !segments.isEmpty else {
            return [
                Finding(
                    .walMissing, object: name, expected: "archived segments", actual: "none",
                    message: "nothing in store \(store.name) matches \(archive.match): nothing is rolled forward from there",
                    hint: "check the source's archive_command, then wal: match and stores in the estate file")
            ]
        }
        let size = Self.size(of: segments, largest: files.map(\.size).max() ?? 0)
        let stored = Dictionary(files.map { ($0.name, $0) }) { first, _ in first }
        var findings: [Finding] = []
        // Where a timeline was left, only its history file tells, which may be encrypted: behind its last segment at the latest.
        var older: WALSegmentName?
        for (timeline, names) in Dictionary(grouping: segments, by: \.timeline).sorted(by: { $0.key < $1.key }) {
            let numbers = Set(names.map { $0.number(size: size) }).sorted()
            let ancestor = older.flatMap { isNeededByNobody(stored[.segment($0)]) ? nil : $0 }
            let begun = ancestor.map { $0.number(size: size) }.flatMap { $0 < numbers.first ?? 0 ? $0 : nil }
            older = numbers.last.map { WALSegmentName(timeline: timeline, number: $0, size: size) }
            let row = (begun.map { [$0] } ?? []) + numbers
            for (before, after) in zip(row, row.dropFirst()) where after > before + 1 {
                func text(_ number: UInt64) -> String {
                    if number == begun, let ancestor { return ancestor.text }
                    return WALSegmentName(timeline: timeline, number: number, size: size).text
                }
                let count = after - before - 1
                let end = WALSegmentName(timeline: timeline, number: after, size: size)
                let old = isNeededByNobody(stored[.segment(end)])
                findings.append(
                    Finding(
                        .walGap, old ? .warning : .critical, object: object(text(before + 1), in: store),
                        expected: "every segment up to the newest", actual: "\(count) missing",
                        message: (count == 1
                            ? "\(text(before + 1)) is" : "\(text(before + 1)) to \(text(after - 1)) (\(count) segments) are")
                            + " missing between \(text(before)) and \(text(after))",
                        hint: old
                            ? "it was stored more than a day before the oldest base backup that is kept, so that nothing is lost: remove what is older"
                            : "find the missing file on the source or in another store; until then nothing behind it can be recovered, so take "
                                + "a new base backup now"))
            }
        }
        return Array(findings.prefix(100))
    }

    /// Bytes of a segment, as the names tell: where the first half of a number goes up, the second half has been through all of its values.
    ///
    /// - Parameter largest: Bytes of the largest file as stored.
    static func size(of segments: [WALSegmentName], largest: Int64) -> UInt64 {
        let usual: UInt64 = 256
        var parts = (segments.map { UInt64($0.part) }.max() ?? 0) + 1
        // Fewer than 16 MB segments have: of larger ones, or by a gap of most of them. What is stored uncompressed shows which, or the switches.
        if parts < usual, largest < 24 << 20, !switches(segments, after: parts) { parts = usual }
        var whole: UInt64 = 4
        while whole < parts { whole *= 2 }
        return 0x1_0000_0000 / whole
    }

    /// Whether each number's first half goes up right behind this many values of its second, too often for a gap that happens to look so.
    private static func switches(_ segments: [WALSegmentName], after parts: UInt64) -> Bool {
        guard parts & (parts - 1) == 0 else { return false }
        let logs = Dictionary(grouping: segments, by: \.log).mapValues { Set($0.map { UInt64($0.part) }) }
        var seen = 0
        for (log, own) in logs {
            guard let next = logs[log &+ 1] else { continue }
            guard own.contains(parts - 1), next.contains(0) else { return false }
            // A long run up to the end counts as much as a second switch.
            seen += parts >= 16 && (parts - 8..<parts).allSatisfy(own.contains) ? 2 : 1
        }
        return seen > 1
    }
}
