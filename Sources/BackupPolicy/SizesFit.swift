// Is a backup much smaller or larger than the ones before it?

import DrillModel
import Foundation

extension Rule {
    static let sizeShrank = Rule("size-shrank")
    static let sizeGrew = Rule("size-grew")
}

/// Holds each size against the median of the ones before it, and the first ones, with a warning, against those that follow.
enum SizesFit {
    /// How many neighbours a size is held against, and how few still tell something.
    static let neighbours = 7
    static let fewest = 3
    /// Differences below this are noise, and below half of what is usual: small archives are mostly header.
    static let noise: Int64 = 4096

    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        let name = "the sizes fit the series"
        let sound = series.moments.filter { moment in moment.copies.allSatisfy { !broken.contains($0.point) } }
        guard sound.count > fewest else {
            return [series.skipped(name, "fewer than \(fewest + 1) backups: there is no series to hold them against")]
        }
        var findings: [Finding] = []
        let sizes = sound.map { $0.copies.first?.point.size ?? 0 }
        for (index, size) in sizes.enumerated() {
            // The first ones have those that follow.
            let others = index >= fewest ? sizes[max(0, index - neighbours)..<index] : sizes[(index + 1)...].prefix(neighbours)
            guard others.count >= fewest, let point = sound[index].copies.first?.point else { continue }
            let median = others.sorted()[others.count / 2]
            guard abs(size - median) > min(noise, median / 2) else { continue }
            // A series that has grown since is nobody's fault.
            let isFirst = index < fewest
            if size < median / 2 {
                findings.append(finding(.sizeShrank, isFirst ? .warning : .critical, point, median: median, isFirst, series))
            } else if median > 0, size / median >= 3 {
                findings.append(finding(.sizeGrew, .warning, point, median: median, isFirst, series))
            }
        }
        return [series.judged(name, findings)]
    }

    private static func finding(
        _ rule: Rule, _ severity: Finding.Severity, _ point: RecoveryPoint, median: Int64, _ isFirst: Bool, _ series: BackupSeries
    ) -> Finding {
        let shrank = rule == .sizeShrank
        let others = isFirst ? "the ones after it" : "the ones before it"
        return Finding(
            rule, severity, object: series.object(point), expected: "about \(median) bytes, as \(others)",
            actual: "\(point.size) bytes",
            message: shrank
                ? "the backup is less than half as large as \(others)"
                : "the backup is three times as large as \(others)",
            hint: shrank
                ? "run a drill on it: it may lack tables; where data was removed on purpose, the next ones will be measured by it"
                : "find out what has grown, before disks and restore times do")
    }
}
