// Folders and tars that are taken for a dump and are something else, by the names in them: what they are, and what to do.

public struct StrangeTree: Sendable, Hashable {
    /// In words: `a copy of a data folder`.
    public var what: String
    /// What mends it.
    public var hint: String

    /// - Parameter names: Relative paths, as far as they are known.
    /// - Returns: nil where they tell nothing.
    public init?<Names: Sequence>(names: Names) where Names.Element: StringProtocol {
        var dumps: [String] = []
        for name in names {
            if Self.isDump(String(name)) { dumps.append(String(name)) }
            let parts = String(name).split(separator: "/").map { String($0) }.filter { $0 != "." }
            // Each database of a cluster has a file of that name, too.
            if parts.last == "PG_VERSION", parts.count <= 3 {
                what = "a copy of a data folder"
                hint =
                    "it is no dump, and no base backup either, since nothing says which files belong to it: take one with pg_dump, or with "
                    + "pg_basebackup, whose folder is kind base_backup"
                return
            }
            if parts.suffix(2).elementsEqual(["db", "database.sql.gz"]) {
                what = "a GitLab backup"
                hint = Self.unpack("db/database.sql.gz")
                return
            }
            if parts.last == "dump.sql.gz" {
                what = "a Discourse backup"
                hint = Self.unpack("dump.sql.gz")
                return
            }
        }
        guard dumps.count > 1 else { return nil }
        what = Self.several(dumps)
        hint = Self.onePerFile
    }

    /// Dumps in one tar or folder, of which a backup is one.
    ///
    /// - Parameter dumps: Their names.
    public static func several(_ dumps: [String]) -> String {
        let named = dumps.sorted().prefix(3).map { name in name.split(separator: "/").last.map { String($0) } ?? name }
        return "\(dumps.count) dumps in one (\(named.joined(separator: ", "))\(dumps.count > 3 ? ", …" : ""))"
    }

    /// By its name, whatever it is packed with.
    public static func isDump(_ name: String) -> Bool {
        name.lowercased().contains(/\.(?:sql|dump|pgdump|pg_dump|backup)(?:\.(?:gz|zst|xz|bz2|lz4|enc|age|gpg))*$/)
    }

    public static let onePerFile =
        "a backup is one dump: have the job write each of them to a file of its own, the roles' as globals beside it, or all of them by "
        + "pg_dumpall into one; else a hook unpacks them before each drill (docs/setting-up.md)"

    private static func unpack(_ dump: String) -> String {
        "its dump is \(dump): have a hook unpack that before each drill, and name it as kind pg_dump (docs/setting-up.md)"
    }
}
