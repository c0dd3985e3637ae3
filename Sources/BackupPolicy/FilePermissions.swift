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
        var blind: Set<String> = []
        var ways: [FolderReach] = []
        for copy in series.allCopies {
            let parts = (copy.content?.parts ?? [:]).sorted { $0.key < $1.key }.map { ($0.value, "\($0.key) of ") }
            for (content, prefix) in [(copy.content, ""), (copy.globals, "globals of ")] + parts {
                guard let content else { continue }
                seen = true
                guard let permissions = content.permissions else {
                    blind.insert(copy.point.store)
                    continue
                }
                looked = true
                ways.append(content.reach)
                let object = prefix + series.object(copy.point)
                let mode = "mode 0" + String(permissions, radix: 8)
                if content.reach.lets(0o002, of: permissions) {
                    findings.append(
                        Finding(
                            .worldWritable, object: object, expected: "writable by its owner only", actual: mode,
                            message: "anybody on that machine may change the backup", hint: "chmod o-rwx, and mend the backup job's umask"))
                } else if content.reach.lets(0o004, of: permissions) {
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
        findings = BackupPolicy.openFolders(ways) + findings
        guard !blind.isEmpty else { return [series.judged(name, findings)] }
        // What nobody could look at is no part of what passed.
        let stores = blind.sorted().joined(separator: " and ")
        return [
            series.judged(name, findings),
            series.skipped(
                "\(name) in \(stores)", "the store's own rules say who may, and it doesn't show them: look at its policy by hand"),
        ]
    }
}

extension BackupPolicy {
    /// One finding for each folder in which anybody may put another file in a backup's place.
    public static func openFolders(_ ways: [FolderReach]) -> [Finding] {
        Set(ways).compactMap { way -> Finding? in
            guard case .replaceable(let folder, let permissions) = way else { return nil }
            return Finding(
                .worldWritable, object: folder, expected: "a folder that only its owner may change",
                actual: "mode 0" + String(permissions, radix: 8),
                message: "anybody on that machine may put another file in a backup's place",
                hint: "chmod o-w \(folder), or set its sticky bit where it has to stay open")
        }.sorted { $0.object < $1.object }
    }
}

extension BackupPolicy {
    /// A key's file and its permission bits.
    public struct KeyFile: Sendable, Hashable {
        /// What the estate calls it, such as `key backup`.
        public var name: String
        /// nil where the file can't be looked at.
        public var permissions: UInt16?
        /// What the folders above it add to that.
        public var reach: FolderReach

        public init(name: String, permissions: UInt16?, reach: FolderReach = .open) {
            self.name = name
            self.permissions = permissions
            self.reach = reach
        }
    }

    /// One case for the files that hold the estate's secrets. A group may share a key, the rest of the world may not.
    public static func judge(keys: [KeyFile]) -> CaseResult {
        let name = "the keys' files are private"
        guard !keys.isEmpty else { return .skipped(.policy, name: name, reason: "no key of the estate lies in a file") }
        let exposed = keys.compactMap { key -> Finding? in
            if case .replaceable(let folder, let mode) = key.reach {
                return Finding(
                    .keyExposed, object: key.name, expected: "folders that only their owner may change",
                    actual: "\(folder) of mode 0" + String(mode, radix: 8),
                    message: "anybody on this machine may put another key in its place", hint: "chmod o-w \(folder)")
            }
            guard let mode = key.permissions, key.reach.lets(0o007, of: mode) else { return nil }
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
