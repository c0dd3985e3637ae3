// Which history files an archive of the write-ahead log lacks, by the names of what is there.

import ArtifactFormats
import BackupCatalog
import DrillModel
import Foundation
import PhysicalRecovery

extension WALPromises {
    /// A server follows a timeline only where an unbroken row of history files leads to it; what lies behind a missing one, it never asks for.
    ///
    /// - Parameter everywhere: The files of all stores: what another store has is told as a copy that is missing.
    func withoutHistory(_ files: [ArchivedWAL], everywhere: [ArchivedWAL], in store: Store) -> [Finding] {
        let segments = files.compactMap { file -> (file: ArchivedWAL, name: WALSegmentName)? in
            if case .segment(let name) = file.name { (file, name) } else { nil }
        }
        // Nobody needs to come from a timeline whose last segment was stored long before the oldest base backup.
        let bases = segments.filter { !isNeededByNobody($0.file) }.map(\.name.timeline)
        guard let oldest = bases.min() else { return [] }
        // An empty file is no history, whatever its name.
        let histories = Self.histories(files.filter { $0.size > 0 })
        var row = oldest
        while histories.contains(row + 1) { row += 1 }
        let elsewhere = Self.histories(everywhere.filter { $0.size > 0 })
        let known = Dictionary(uniqueKeysWithValues: histories.map { ($0, TimelineHistory(timeline: $0)) })
        let isEmpty = files.contains { $0.name == .history(row + 1) }
        let names = Set(segments.map(\.name))
        guard !elsewhere.contains(row + 1) || isEmpty, row < .max,
            let lost = LostTimeline(behind: row, segments: names, histories: known, size: Self.size(of: Array(names), largest: 0))
        else {
            guard row > oldest, !names.contains(where: { $0.timeline >= row }) else { return [] }
            return [WALPlan.withoutSegments(row, object: object(WALFileName.history(row).plain, in: store))]
        }
        var finding = lost.finding()
        if isEmpty { finding.actual = "an empty file" }
        finding.object = object(finding.object, in: store)
        return [finding]
    }

    private static func histories(_ files: [ArchivedWAL]) -> Set<UInt32> {
        Set(files.compactMap { if case .history(let timeline) = $0.name { timeline } else { nil } })
    }
}
