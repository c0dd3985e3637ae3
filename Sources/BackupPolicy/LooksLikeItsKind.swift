// Is every artifact a backup at all, as far as its first bytes tell?

import DrillModel

extension Rule {
    static let artifactForeign = Rule("artifact-unknown-kind")
    static let artifactStillEncrypted = Rule("artifact-still-encrypted")
}

/// Looks for files that hold nothing, or something else: the same in a series of one as in one that was bad from its first night on.
enum LooksLikeItsKind {
    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        let name = "every artifact looks like its kind"
        guard !series.moments.isEmpty else { return [series.unasked(name, .nothingToJudge(series))] }
        var findings: [Finding] = []
        var looked = false
        for copy in series.allCopies where !broken.contains(copy.point) {
            looked = true
            guard let finding = judge(copy, series) else { continue }
            findings.append(finding)
            broken.insert(copy.point, isBackup: finding.rule == .artifactStillEncrypted)
        }
        guard looked else { return [series.skipped(name, "every artifact has a finding of its own already")] }
        return [series.judged(name, findings)]
    }

    private static func judge(_ copy: StoredCopy, _ series: BackupSeries) -> Finding? {
        let object = series.object(copy.point)
        guard let content = copy.content else { return .unreadable(copy.point, object) }
        if copy.point.size == 0 { return .artifactEmpty(object, actual: "0 bytes") }
        if let (name, part) = content.parts.sorted(by: { $0.key < $1.key }).first(where: { $0.value?.kind == .empty || $0.value == nil }) {
            return part == nil ? .artifactUnreadable("\(name) of \(object)") : .artifactEmpty("\(name) of \(object)", actual: "0 bytes")
        }
        // In plain text each begins as a tar, or as what packs one.
        let stranger = content.parts.sorted { $0.key < $1.key }.first {
            series.set.encryption == nil && $0.value?.kind == .unknown && $0.key.contains(".tar")
        }
        if let (name, _) = stranger { return foreign("\(name) of \(object)", actual: "no tar and nothing that packs one", series) }
        switch content.doubt {
        case nil: return nil
        case .empty(let actual): return .artifactEmpty(object, actual: actual)
        case .foreign(let actual): return foreign(object, actual: actual, series)
        case .stillEncrypted(let actual):
            return Finding(
                .artifactStillEncrypted, object: object, expected: "a file in plain text", actual: actual,
                message: "the estate says that this backup is not encrypted, and the stored file is",
                hint: "declare how it is encrypted for this backup in the estate file: encryption: {format: …, key: …}")
        }
    }
}

extension LooksLikeItsKind {
    private static func foreign(_ object: String, actual: String, _ series: BackupSeries) -> Finding {
        Finding(
            .artifactForeign, object: object, expected: "a backup of kind \(series.set.kind.rawValue)", actual: actual,
            message: "the stored file is no backup of a kind that is known",
            hint: "look into the file: an error message of the backup job may be all that it holds")
    }
}

extension Finding {
    static func artifactEmpty(_ object: String, actual: String) -> Finding {
        Finding(
            .artifactEmpty, object: object, expected: "a backup", actual: actual, message: "the stored file is empty",
            hint: "look at the backup job's log of that day: its disk may have been full, or its dump may have failed unnoticed")
    }

    /// What is known of why, or that nothing is.
    static func unreadable(_ point: RecoveryPoint, _ object: String) -> Finding {
        guard var finding = point.obstacle?.finding else { return .artifactUnreadable(object) }
        finding.object = object
        return finding
    }

    static func artifactUnreadable(_ object: String) -> Finding {
        Finding(
            .artifactUnreadable, object: object, expected: "a file that can be read", actual: "no access, or no regular file",
            message: "the stored file can't be read",
            hint: "check its permissions for this user, and that it is no pipe, no device and no link to nowhere")
    }
}
