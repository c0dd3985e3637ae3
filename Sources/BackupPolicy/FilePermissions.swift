// Who may read and change the stored files, and the keys?

public import DrillModel
import Foundation

extension Rule {
    static let worldReadable = Rule("world-readable")
    static let worldWritable = Rule("world-writable")
    static let keyExposed = Rule("key-exposed")
}

/// Looks at the permission bits.
enum FilePermissions {
    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        let name = "nobody else may read or change the files"
        var findings: [Finding] = []
        var looked = false
        var seen = false
        for copy in series.allCopies {
            for (content, prefix) in [(copy.content, ""), (copy.globals, "globals of ")] {
                guard let content else { continue }
                seen = true
                guard let permissions = content.permissions else { continue }
                looked = true
                let object = prefix + series.object(copy.point)
                let mode = "mode 0" + String(permissions, radix: 8)
                if permissions & 0o002 != 0 {
                    findings.append(
                        Finding(
                            .worldWritable, object: object, expected: "writable by its owner only", actual: mode,
                            message: "anybody on that machine may change the backup", hint: "chmod o-rwx, and mend the backup job's umask"))
                } else if permissions & 0o004 != 0 {
                    let encrypted = if case .encrypted = content.kind { true } else { false }
                    findings.append(
                        Finding(
                            .worldReadable, encrypted ? .warning : .critical, object: object, expected: "readable by its owner only",
                            actual: mode,
                            message: encrypted
                                ? "anybody on that machine may copy the backup and try keys on it"
                                : "anybody on that machine may read the backup",
                            hint: "chmod o-rwx, and mend the backup job's umask"))
                }
            }
        }
        guard looked || !seen else {
            return [series.skipped(name, "the store's own rules say who may, and it doesn't show them: look at its policy by hand")]
        }
        guard looked else { return [series.unasked(name, .nothingToJudge(series))] }
        return [series.judged(name, findings)]
    }
}

extension BackupPolicy {
    /// A key's file and its permission bits.
    public struct KeyFile: Sendable, Hashable {
        /// What the estate calls it, such as `key backup`.
        public var name: String
        /// nil where the file can't be looked at.
        public var permissions: UInt16?

        public init(name: String, permissions: UInt16?) {
            self.name = name
            self.permissions = permissions
        }
    }

    /// One case for the files that hold the estate's secrets. A group may share a key, the rest of the world may not.
    public static func judge(keys: [KeyFile]) -> CaseResult {
        let name = "the keys' files are private"
        guard !keys.isEmpty else { return .skipped(.policy, name: name, reason: "no key of the estate lies in a file") }
        let exposed = keys.compactMap { key -> Finding? in
            guard let mode = key.permissions, mode & 0o007 != 0 else { return nil }
            return Finding(
                .keyExposed, object: key.name, expected: "no access for others", actual: "mode 0" + String(mode, radix: 8),
                message: "anybody on this machine may read or change the key",
                hint: "chmod o-rwx, and change the key: it may be known by now")
        }
        if let missing = keys.first(where: { $0.permissions == nil }), exposed.isEmpty {
            return .unasked(
                .policy, name: name,
                finding: Finding(
                    .keyUnseen, object: missing.name, expected: "a file", actual: "none, or no access",
                    message: "the key's file can't be looked at",
                    hint: "check its path in the estate file, and run as a user who may read it"))
        }
        return .judged(.policy, name: name, findings: exposed)
    }
}

extension Rule {
    static let keyUnseen = Rule("key-missing")
}
