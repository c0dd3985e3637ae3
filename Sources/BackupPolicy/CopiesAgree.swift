// Does every store hold every artifact, in a second zone, with the same bytes?

import DrillModel
import Foundation

extension Rule {
    static let copyMissing = Rule("copy-missing")
    static let copyDiffers = Rule("copy-differs")
    static let oneZone = Rule("one-zone")
    static let copyIsTheSameFile = Rule("copy-is-the-same-file")
}

/// Holds the copies of each artifact against each other.
enum CopiesAgree {
    /// So young a backup may still be on its way.
    static let grace: TimeInterval = 3600

    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        guard series.stores.count > 1 else {
            return [series.skipped("a copy of each lies in a second zone", "the estate names one store only for this backup")]
        }
        let zones = Set(series.stores.compactMap(\.zone))
        let stores = series.stores.map(\.name).joined(separator: " and ")
        // Each store packs a mirror in its own way, so equal ones differ in their bytes.
        let name = series.set.kind == .gitMirror ? "it is in \(stores)" : "each is in \(stores), with the same bytes"
        guard !series.moments.isEmpty else { return [series.unasked(name, .nothingToJudge(series))] }
        var findings: [Finding] = []
        var unasked: [Finding] = []
        // What the retention has no use for any more is missed by nobody: one store's job may have removed it hours before the other's.
        let backups = series.backups(except: broken)
        let wanted = Set(PolicyWindow(backups, now: series.now).kept().map { backups.moments[$0].path })
        // Of what lies in an archive nobody reads the bytes; that there is a copy of it can be asked all the same.
        for moment in series.moments where !moment.copies.contains(where: { broken.contains($0.point) && !$0.point.isArchived }) {
            if wanted.contains(moment.path) { findings += missing(moment, series) }
            if moment.copies.contains(where: \.point.isArchived) { continue }
            if series.set.kind != .gitMirror { findings += differing(moment, series, &broken) }
            unasked += moment.copies.compactMap { if case .unasked(let finding) = $0.comparison { finding } else { nil } }
        }
        let shared = series.moments.count { $0.copies.contains { $0.comparison == .sameFile } }
        if shared > 0 {
            findings.append(
                Finding(
                    .copyIsTheSameFile, object: series.name, expected: "a file of its own in each store",
                    actual: "\(shared) of \(series.moments.count) backups are one file that both stores show",
                    message: "the copies in \(stores) are links to the same files: there is one copy, in one place",
                    hint: "copy the files to a disk of the other zone, and mend the path of the store in the estate file"))
        }
        if zones.count < 2 {
            findings.append(
                Finding(
                    .oneZone, .warning, object: series.name, expected: "stores in two zones",
                    actual: zones.isEmpty ? "stores without a zone" : "all in \(zones.joined())",
                    message: "the copies share one failure domain, as far as the estate says",
                    hint: "keep a copy in another zone, or state the zones of the stores in the estate file"))
        }
        // What differs is told in any case; that all the rest agree can't be.
        if let first = unasked.first, findings.allSatisfy({ $0.severity != .critical }) { return [series.unasked(name, first)] }
        return [series.judged(name, findings + unasked.prefix(1))]
    }

    private static func missing(_ moment: BackupMoment, _ series: BackupSeries) -> [Finding] {
        guard series.now.timeIntervalSince(moment.time) > grace || series.set.kind == .gitMirror else { return [] }
        let held = Set(moment.copies.map(\.point.store))
        return series.stores.filter { !held.contains($0.name) }.map { store in
            Finding(
                .copyMissing, object: "\(moment.path) of \(series.text(moment.time))", expected: "in \(store.name)\(zone(store))",
                actual: "in \(held.sorted().joined(separator: ", ")) only",
                message: "the backup of \(series.text(moment.time)) has no copy in \(store.name)",
                hint: "let the job that copies run again, and look at its log")
        }
    }

    private static func zone(_ store: Store) -> String { store.zone.map { " (zone \($0))" } ?? "" }

    private static func differing(_ moment: BackupMoment, _ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [Finding] {
        guard let first = moment.copies.first else { return [] }
        var findings: [Finding] = []
        for copy in moment.copies.dropFirst() {
            switch copy.comparison {
            case .identical, .sameFile, .unasked: continue
            case .different(let sha256, let size, let firstSHA256, let firstSize):
                let culprit = culprit(first.point, firstSHA256, copy.point, sha256)
                broken.insert(culprit ?? copy.point, isBackup: culprit == nil)
                let both = "\(first.point.store): \(firstSize) bytes, SHA-256 \(firstSHA256.prefix(16))…; "
                findings.append(
                    Finding(
                        .copyDiffers, object: series.object(culprit ?? copy.point), expected: "the same bytes in all stores",
                        actual: both + "\(copy.point.store): \(size) bytes, SHA-256 \(sha256.prefix(16))…",
                        message: culprit.map { "the copy in \($0.store) is not what was sealed" }
                            ?? "the copies in \(first.point.store) and \(copy.point.store) differ, and no seal says which is right",
                        hint: culprit == nil
                            ? "restore both and compare, then put the good one in place of the other"
                            : "put the good copy in its place, and check that store's disk and its permissions"))
            case .unreadable(let why):
                broken.insert(copy.point, isBackup: false)
                findings.append(
                    Finding(
                        .artifactUnreadable, object: series.object(copy.point), expected: "a file that can be read", actual: why,
                        message: "the copies can't be compared: \(why)", hint: "check the store's disk and its permissions"))
            case nil:
                findings.append(
                    Finding(
                        .artifactUnreadable, object: series.object(copy.point), expected: "a comparison", actual: "none was made",
                        message: "the copies were not compared", hint: "inspect again"))
            }
        }
        return findings
    }

    /// The one that a seal speaks against.
    private static func culprit(_ first: RecoveryPoint, _ firstDigest: String, _ second: RecoveryPoint, _ secondDigest: String)
        -> RecoveryPoint?
    {
        guard let seal = first.sealState.seal ?? second.sealState.seal else { return nil }
        if seal.artifact.sha256 == firstDigest { return second }
        if seal.artifact.sha256 == secondDigest { return first }
        return nil
    }
}
