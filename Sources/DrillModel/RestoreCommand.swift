// How another tool restores a backup: commands of the estate's, with places to be filled in.

/// The commands of a backup whose tool Muster doesn't know.
public struct RestoreCommand: Sendable, Hashable {
    /// Program and arguments; see ``Placeholder``.
    public var restore: [String]
    /// Fetches one file of the write-ahead log; nil: the restore brings all that is needed, or ``BackupSet/wal`` names an archive.
    public var fetchWAL: [String]?

    /// The exit codes of ``fetchWAL`` that say that the archive doesn't hold the file.
    public var missingCodes: Set<Int>

    /// What barman-cloud-wal-restore, barman and pgbackrest end with then.
    public static let usualMissingCodes: Set<Int> = [1]

    public init(restore: [String], fetchWAL: [String]? = nil, missingCodes: Set<Int> = usualMissingCodes) {
        self.restore = restore
        self.fetchWAL = fetchWAL
        self.missingCodes = missingCodes
    }

    /// What may stand inside an argument.
    public enum Placeholder: String, Sendable, Hashable, CaseIterable {
        /// The empty folder that the cluster is to be restored into.
        case data = "{data}"
        /// The artifact, as an absolute path.
        case backup = "{backup}"
        /// The artifact's file or folder name.
        case name = "{name}"
        /// The recovery target: a time, an LSN, a name or a transaction; `latest` where there is none.
        case target = "{target}"
        /// The wanted file of the write-ahead log, such as 000000010000000000000001.
        case wal = "{wal}"
        /// Where that file is to be put.
        case path = "{path}"
    }

    /// What a restore command knows, and what one that fetches knows.
    public static let ofRestore: [Placeholder] = [.data, .backup, .name, .target]
    public static let ofFetch: [Placeholder] = [.wal, .path, .data]

    /// Fills in every placeholder; each stays inside its own argument, whatever the value holds.
    public static func filled(_ words: [String], with values: [Placeholder: String]) -> [String] {
        words.map { word in
            var rest = word[...]
            var result = ""
            // From left to right, so that a value is never searched for placeholders itself.
            while let open = rest.firstIndex(of: "{") {
                result += rest[..<open]
                rest = rest[open...]
                if let (placeholder, value) = values.first(where: { rest.hasPrefix($0.key.rawValue) }) {
                    result += value
                    rest = rest.dropFirst(placeholder.rawValue.count)
                } else {
                    result.append("{")
                    rest = rest.dropFirst()
                }
            }
            return result + rest
        }
    }
}
