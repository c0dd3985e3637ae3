// Has every artifact a seal, and does it hold?

public import DrillModel
import Foundation

extension Rule {
    static let notSealed = Rule("not-sealed")
    static let sealedSizeDiffers = Rule("artifact-truncated")
    static let globalsNotSealed = Rule("globals-not-sealed")
}

extension Finding {
    /// Who may write into the store may put any roles beside a dump whose seal names no globals file.
    public static func globalsNotSealed(object: String, isRequired: Bool) -> Finding {
        Finding(
            .globalsNotSealed, isRequired ? .critical : .warning, object: object, expected: "a globals file that the seal names",
            actual: "one that it doesn't name", message: "nothing vouches for the globals file beside the dump, which makes the roles",
            hint: "make both with muster seal; or seal what is there: muster seal --existing")
    }
}

/// Looks at the seals, and at what can be compared with them without reading the artifact.
enum SealsHold {
    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        let name = "every artifact is sealed, and the seals hold"
        guard series.set.holdsData else {
            return [
                series.skipped(name, "no seal is made of kind \(series.set.kind.rawValue): drills compare it with what production runs")
            ]
        }
        let copies = series.allCopies
        guard !series.moments.isEmpty else { return [series.unasked(name, .nothingToJudge(series))] }
        let sealed = copies.contains { $0.point.sealState != .missing }
        guard sealed || series.seals.required else { return [series.skipped(name, "not sealed")] }
        var findings: [Finding] = []
        var bare: [RecoveryPoint] = []
        var unread: [Finding] = []
        for copy in copies where !broken.contains(copy.point) {
            switch copy.point.sealState {
            case .valid(let seal):
                if let finding = size(copy.point, seal, series) {
                    findings.append(finding)
                    broken.insert(copy.point, isBackup: false)
                } else if copy.point.globals != nil, seal.globals == nil {
                    bare.append(copy.point)
                }
            case .missing:
                findings.append(
                    Finding(
                        .notSealed, series.seals.required ? .critical : .warning, object: series.object(copy.point),
                        expected: "a seal beside the artifact, as others of the series have one", actual: "none",
                        message: "the backup has no seal", hint: "make backups with muster seal, and copy the seals with them"))
            case .unread(var finding):
                finding.object = series.object(copy.point)
                unread.append(finding)
            case .broken(var finding):
                finding.object = series.object(copy.point)
                findings.append(finding)
                // Another source's is no backup of this one.
                broken.insert(copy.point, isBackup: finding.rule != .sealNamesOtherSource)
            }
        }
        // As a warning one for the whole series: the mend is one as well.
        if series.seals.required {
            findings += bare.map { .globalsNotSealed(object: series.object($0), isRequired: true) }
        } else if !bare.isEmpty {
            findings.append(.globalsNotSealed(object: "\(bare.count) of \(series.name)", isRequired: false))
        }
        if let first = unread.first, findings.allSatisfy({ $0.severity != .critical }) { return [series.unasked(name, first)] }
        return [series.judged(name, findings + unread + series.origins)]
    }

    private static func size(_ point: RecoveryPoint, _ seal: Seal, _ series: BackupSeries) -> Finding? {
        guard seal.artifact.size != point.size else { return nil }
        let cut = point.size < seal.artifact.size
        return Finding(
            cut ? .sealedSizeDiffers : Rule("artifact-digest-differs"), object: series.object(point),
            expected: "\(seal.artifact.size) bytes", actual: "\(point.size) bytes",
            message: cut ? "the stored file is shorter than the one that was sealed" : "the stored file is not the one that was sealed",
            hint: "it was changed or damaged after it was written: fetch another copy, and check the store's disk and its permissions")
    }
}
