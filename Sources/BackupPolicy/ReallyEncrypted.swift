// Is every artifact encrypted, by what it holds and not by what it is called?

import DrillModel
import Foundation

extension Rule {
    static let artifactNotEncrypted = Rule("artifact-not-encrypted")
    static let encryptionDiffers = Rule("encryption-differs")
    static let artifactEmpty = Rule("artifact-empty")
    static let artifactUnreadable = Rule("artifact-unreadable")
}

/// Looks for plain headers, before and behind an encrypted format's own, and at how random the bytes are.
enum ReallyEncrypted {
    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        let name = "every artifact is encrypted"
        guard let declared = series.set.encryption?.format else {
            return [series.skipped(name, "the estate says that this backup is stored in plain text")]
        }
        // A base backup is a folder of several encrypted files, which are not listed one by one in a remote store.
        guard series.set.kind != .baseBackup || series.stores.allSatisfy({ $0.remote == nil }) else {
            return [series.skipped(name, "a remote base backup's files are opened by a drill, and by muster inspect --deep")]
        }
        guard series.set.kind != .command else {
            return [series.skipped(name, "the artifacts are another tool's, and only that can open them")]
        }
        var findings: [Finding] = []
        for copy in series.allCopies {
            guard let content = copy.content else {
                // Told already: this user may not read it.
                if broken.contains(copy.point) { continue }
                broken.insert(copy.point, isBackup: false)
                findings.append(.unreadable(copy.point, series.object(copy.point)))
                continue
            }
            // Of the files themselves none is encrypted, and an empty folder holds nothing.
            if !content.parts.isEmpty {
                let found = content.parts.sorted { $0.key < $1.key }.compactMap { part, held in
                    judge(held, as: declared, object: "\(part) of " + series.object(copy.point))
                }
                if !found.isEmpty { broken.insert(copy.point) }
                findings += found
            } else if let finding = judge(content, as: declared, object: series.object(copy.point)) {
                broken.insert(copy.point, isBackup: isBackup(content))
                findings.append(finding)
            } else if let globals = copy.globals,
                let finding = judge(globals, as: declared, object: "globals of " + series.object(copy.point))
            {
                findings.append(finding)
            }
        }
        guard !series.moments.isEmpty else { return [series.unasked(name, .nothingToJudge(series))] }
        // One for the whole series: the mend is one as well.
        let weak = [series.set.encryption, series.set.wal?.encryption].lazy.compactMap { Finding.weakDerivation($0, object: series.name) }
        return [series.judged(name, findings + weak.prefix(1))]
    }

    /// A dump in plain text, or in another format, can be recovered from; nothing, noise or an error message can't.
    private static func isBackup(_ content: StoredContent) -> Bool {
        switch content.kind {
        case _ where content.enclosure != nil: true
        case .empty, .unknown: false
        case .folder, .encrypted, .plain: true
        }
    }

    private static func judge(_ part: StoredContent?, as declared: Encryption.Format, object: String) -> Finding? {
        guard let part else { return .artifactUnreadable(object) }
        return judge(part, as: declared, object: object)
    }

    static func judge(_ content: StoredContent, as declared: Encryption.Format, object: String) -> Finding? {
        if let enclosure = content.enclosure { return .enclosed(enclosure, object: object, expected: declared.words) }
        let actual: String
        switch content.kind {
        case .empty:
            return .artifactEmpty(object, actual: "0 bytes")
        case .folder: actual = "a folder of plain files"
        case .plain(let kind): actual = kind
        case .encrypted(let kind):
            if let plain = content.plainBehindHeader {
                actual = "the header of \(kind), and \(plain) behind it"
            } else if let entropy = content.entropy, entropy < leastEntropy(of: content.sampled) {
                actual = "the header of \(kind), and plain text behind it"
            } else if let found = content.encryption, found != declared.storedName {
                return Finding(
                    .encryptionDiffers, object: object, expected: declared.words, actual: kind,
                    message: "the backup is encrypted in another format than the estate says",
                    hint: "write the format that the backup job uses: encryption: {format: \(found), key: …}")
            } else {
                return nil
            }
        case .unknown:
            if content.entropy.map({ $0 >= leastEntropy(of: content.sampled) }) ?? false {
                return .headerless(object: object, format: declared.storedName, expected: declared.words)
            }
            actual = "bytes that are not random, as plain text has them"
        }
        return Finding(
            .artifactNotEncrypted, object: object, expected: declared.words, actual: actual,
            message: "the estate says that this backup is encrypted, and it is not",
            hint: "mend the backup job, remove the plain copy from the store, and treat its content as disclosed")
    }

    /// Well below what so many random bytes show (8 less 255/(2n ln 2)), and well above text, tables and dumps.
    static func leastEntropy(of sample: Int) -> Double {
        guard sample > 0 else { return 0 }
        return max(0, 8 - 255 / (2 * Double(sample) * 0.693)) - 0.5
    }
}

extension Finding {
    /// A check of nothing is an error, not a pass.
    static func nothingToJudge(_ series: BackupSeries) -> Finding {
        Finding(
            .nothingToJudge, object: series.name, expected: "at least one backup", actual: "none", message: "there is no backup to judge",
            hint: "check the backup job, then match and path in the estate file")
    }
}

extension Rule {
    static let nothingToJudge = Rule("nothing-to-judge")
}
