// What a pgBackRest repository's archive holds of what its backups need, by names: `pgbackrest verify` calls a gap "ok".

import BackupAccess
import ArtifactFormats
import BackupCatalog
import DrillModel
import Foundation
import PhysicalRecovery

/// One set of kind pgbackrest.
struct PgBackRestPromises: Sendable {
    var estate: Estate
    var set: BackupSet
    var stores: [Store]

    /// - Returns: nothing where the set is of another kind, or no repository could be listed: another case tells of that.
    func ask() -> [CaseResult] {
        guard set.kind == .pgBackRest else { return [] }
        var gaps: [Finding] = []
        var lost: [Finding] = []
        var isAsked = false
        for store in stores {
            guard let repository = try? PgBackRestPoints(estate: estate, set: set).repository(in: store),
                let backups = try? repository.backups(), !backups.isEmpty
            else { continue }
            isAsked = true
            // Those of the newest cluster: an upgrade leaves the older ones' archive beside it.
            let newest = backups.map(\.database).max() ?? 0
            let needs = backups.filter { $0.database == newest }.compactMap { backup in
                backup.archive.map { ArchivedNeed(label: backup.label, first: $0.first, last: $0.last) }
            }
            let judged = Self.judge(needs, archived: repository.archived(database: newest))
            gaps += judged.gaps.map { named($0, store) }
            lost += judged.lost.map { named($0, store) }
        }
        guard isAsked else { return [] }
        return [
            .judged(
                .policy, service: set.service, name: "\(set.name): the archive holds the write-ahead log of every backup",
                findings: Array(gaps.prefix(100))),
            .judged(.policy, service: set.service, name: "\(set.name): every timeline in the archive can be found", findings: lost),
        ]
    }

    private func named(_ finding: Finding, _ store: Store) -> Finding {
        var finding = finding
        if stores.count > 1 { finding.object = "\(store.name):\(finding.object)" }
        return finding
    }

    /// The segments that a backup needs to be made consistent.
    struct ArchivedNeed: Sendable {
        var label: String
        var first: WALSegmentName
        var last: WALSegmentName
    }

    /// - Parameter needs: The oldest backup first.
    static func judge(_ needs: [ArchivedNeed], archived: Set<WALFileName>) -> (gaps: [Finding], lost: [Finding]) {
        let segments = archived.compactMap { if case .segment(let name) = $0 { name } else { nil } }
        let size = WALPromises.size(of: segments + needs.map(\.first), largest: 0)
        func number(_ name: WALSegmentName) -> UInt64 { name.number(size: size) }
        let there = Dictionary(grouping: segments, by: \.timeline).mapValues { Set($0.map(number)) }
        var findings: [Finding] = []
        for need in needs where number(need.first) <= number(need.last) {
            let own = there[need.first.timeline] ?? []
            let missing = (number(need.first)...number(need.last)).filter { !own.contains($0) }
            guard let first = missing.first else { continue }
            let name = WALSegmentName(timeline: need.first.timeline, number: first, size: size).text
            findings.append(
                Finding(
                    .walGap, object: name, expected: "every segment from \(need.first.text) to \(need.last.text)",
                    actual: "\(missing.count) missing",
                    message: "backup \(need.label) can't be made consistent: "
                        + (missing.count == 1
                            ? "\(name), which it needs, is" : "\(missing.count) segments that it needs, from \(name) on, are")
                        + " not in the archive",
                    hint: "find the missing file on the source; otherwise take a new backup now, and look into archive_command"))
        }
        // Between backups pgbackrest removes what repo-retention-archive lets go: from one's last segment up to another's first.
        for (timeline, own) in there.sorted(by: { $0.key < $1.key }) {
            let mine = needs.filter { $0.first.timeline == timeline }
            let removed = { (after: UInt64, before: UInt64) in
                mine.contains { number($0.last) == after } && mine.contains { number($0.first) == before }
            }
            let needed = Set(mine.flatMap { number($0.first) <= number($0.last) ? Array(number($0.first)...number($0.last)) : [] })
            let numbers = own.sorted()
            for (before, after) in zip(numbers, numbers.dropFirst()) where after > before + 1 && !removed(before, after) {
                guard needed.isDisjoint(with: before + 1..<after) else { continue }
                let name = WALSegmentName(timeline: timeline, number: before + 1, size: size).text
                findings.append(
                    Finding(
                        .walGap, object: name, expected: "every segment up to the newest", actual: "\(after - before - 1) missing",
                        message:
                            "\(after - before - 1 == 1 ? "\(name) is" : "\(after - before - 1) segments from \(name) on are") missing in "
                            + "the middle of the archive: nothing behind it can be recovered from the backups before it",
                        hint: "find the missing file on the source; otherwise take a new backup now, and look into archive_command"))
            }
        }
        guard let newest = needs.last else { return (findings, []) }
        let histories = Set(archived.compactMap { if case .history(let timeline) = $0 { timeline } else { nil } })
        var row = newest.first.timeline
        while histories.contains(row + 1) { row += 1 }
        let lost = LostTimeline(
            behind: row, segments: Set(segments.filter { number($0) >= number(newest.first) }),
            histories: Dictionary(uniqueKeysWithValues: histories.map { ($0, TimelineHistory(timeline: $0)) }), size: size)
        return (findings, [lost?.finding()].compactMap { $0 })
    }
}
