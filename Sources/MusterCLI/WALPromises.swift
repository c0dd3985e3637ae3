// What is asked of a set's archive of the write-ahead log, by its names and by a look at each file, without its key.

import ArtifactFormats
import BackupCatalog
import BackupPolicy
import DrillModel
import Foundation
import PhysicalRecovery

/// One set's archive.
struct WALPromises: Sendable {
    var set: BackupSet
    var archive: WALArchive
    var files: Result<[ArchivedWAL], DrillFailure>
    /// How many base backups are kept: what lies before the oldest of them is needed by nobody.
    var bases: Int

    func ask() -> [CaseResult] {
        let gaps = "the write-ahead log has no gap"
        let files: [ArchivedWAL]
        switch self.files {
        case .failure(let failure) where failure.verdict == .error: return [unasked(gaps, failure.finding)]
        case .failure(let failure): return [judged(gaps, [failure.finding])]
        case .success(let found): files = found
        }
        let segments = files.compactMap { if case .segment(let name) = $0.name { name } else { nil } }
        guard !segments.isEmpty else {
            return [
                judged(
                    gaps,
                    [
                        Finding(
                            .walMissing, object: name, expected: "archived segments", actual: "none",
                            message:
                                "nothing in \(archive.stores.joined(separator: ", ")) matches \(archive.match): nothing is rolled forward",
                            hint: "check the source's archive_command, then wal: match and stores in the estate file")
                    ])
            ]
        }
        return [judged(gaps, missing(of: segments, needed: needed(files))), encrypted(files)]
    }

    private var name: String { "\(set.service)/\(set.name)" }

    private func judged(_ question: String, _ findings: [Finding]) -> CaseResult {
        .judged(.policy, service: set.service, name: "\(set.name): \(question)", findings: findings)
    }

    private func unasked(_ question: String, _ finding: Finding) -> CaseResult {
        .unasked(.policy, service: set.service, name: "\(set.name): \(question)", finding: finding)
    }

    // MARK: Gaps

    /// The first segment of the oldest base backup that is kept, by the history files that the source archived with each.
    private func needed(_ files: [ArchivedWAL]) -> WALSegmentName? {
        let starts = files.compactMap { if case .backup(let start, _) = $0.name { start } else { nil } }
        return starts.sorted { $0.text > $1.text }.prefix(max(1, bases)).last
    }

    /// Of each timeline, from its oldest segment to its newest.
    private func missing(of segments: [WALSegmentName], needed: WALSegmentName?) -> [Finding] {
        let size = Self.size(of: segments)
        var findings: [Finding] = []
        for (timeline, names) in Dictionary(grouping: segments, by: \.timeline).sorted(by: { $0.key < $1.key }) {
            let numbers = Set(names.map { $0.number(size: size) }).sorted()
            for (before, after) in zip(numbers, numbers.dropFirst()) where after > before + 1 {
                func text(_ number: UInt64) -> String { WALSegmentName(timeline: timeline, number: number, size: size).text }
                let count = after - before - 1
                let old = needed.map { timeline < $0.timeline || timeline == $0.timeline && after <= $0.number(size: size) } ?? false
                findings.append(
                    Finding(
                        .walGap, old ? .warning : .critical, object: text(before + 1), expected: "every segment up to the newest",
                        actual: "\(count) missing",
                        message: (count == 1
                            ? "\(text(before + 1)) is" : "\(text(before + 1)) to \(text(after - 1)) (\(count) segments) are")
                            + " missing between \(text(before)) and \(text(after))",
                        hint: old
                            ? "it lies before the oldest base backup that is kept, so that nothing is lost: remove what is older"
                            : "find the missing file on the source or in another store; until then nothing behind it can be recovered, so take "
                                + "a new base backup now"))
            }
        }
        return Array(findings.prefix(100))
    }

    /// Bytes of a segment, as the names tell: where the first half of a number goes up, the second half has been through all of its values.
    private static func size(of segments: [WALSegmentName]) -> UInt64 {
        var parts = (segments.map { UInt64($0.part) }.max() ?? 0) + 1
        // Within one number nothing shows it, and nothing hangs on it.
        if Set(segments.map(\.log)).count == 1 { parts = max(parts, 256) }
        var whole: UInt64 = 4
        while whole < parts { whole *= 2 }
        return 0x1_0000_0000 / whole
    }

    // MARK: Files

    private func encrypted(_ files: [ArchivedWAL]) -> CaseResult {
        let question = "every file of the write-ahead log is encrypted, and nobody else may change it"
        let looks = files.map { ($0, ContentProbe.look(at: $0.location)) }
        // Of a remote store only what was brought lies here.
        guard looks.contains(where: { $0.1 != nil }) else {
            return .skipped(
                .policy, service: set.service, name: "\(set.name): \(question)",
                reason: "no file of the write-ahead log is looked at in a remote store; a drill reads them")
        }
        var findings: [Finding] = []
        for (file, content) in looks {
            guard let content else { continue }
            let object = "\(name): \(file.location.lastPathComponent)"
            if let declared = archive.encryption?.format, let finding = BackupPolicy.judge(content, as: declared, object: object) {
                findings.append(finding)
            } else if let permissions = content.permissions, permissions & 0o002 != 0 {
                findings.append(
                    Finding(
                        Rule("world-writable"), object: object, expected: "a file that nobody else may change",
                        actual: "mode \(String(permissions, radix: 8))", message: "anybody on this machine may change the file",
                        hint: "chmod o-w it, and mend the umask of what archives"))
            }
        }
        return judged(question, Array(findings.prefix(100)))
    }
}
