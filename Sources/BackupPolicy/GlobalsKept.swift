// Does every dump have the file of the roles that it needs, wherever it lies?

import DrillModel
import Foundation

extension Rule {
    static let globalsMissing = Rule("globals-missing")
}

/// Asks for the globals file of each copy, where the estate names one.
enum GlobalsKept {
    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        guard series.set.globals != nil else { return [] }
        let name = "each dump has its globals file"
        guard !series.moments.isEmpty else { return [series.unasked(name, .nothingToJudge(series))] }
        // As a copy, it may still be on its way.
        let due = series.moments.filter { series.now.timeIntervalSince($0.time) > CopiesAgree.grace }
        let findings = due.flatMap(\.copies).filter { $0.point.globals == nil && !broken.contains($0.point) }.map { copy in
            Finding(
                .globalsMissing, object: series.object(copy.point), expected: "a globals file beside the dump", actual: "none",
                message: "the estate names a globals file for each dump, and this one has none: its roles would be lost",
                hint: "let the backup job run pg_dumpall --globals-only with each dump, or copy the file from where it still is")
        }
        return [series.judged(name, findings)]
    }
}
