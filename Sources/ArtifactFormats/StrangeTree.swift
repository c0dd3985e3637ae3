// Folders and tars that are taken for a dump and are something else, by the names in them: what they are, and what to do.

public struct StrangeTree: Sendable, Hashable {
    /// In words: `a copy of a data folder`.
    public var what: String
    /// What mends it.
    public var hint: String

    /// - Parameter names: Relative paths, as far as they are known.
    /// - Returns: nil where they tell nothing.
    public init?<Names: Sequence>(names: Names) where Names.Element: StringProtocol {
        for name in names {
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
        return nil
    }

    private static func unpack(_ dump: String) -> String {
        "its dump is \(dump): have a hook unpack that before each drill, and name it as kind pg_dump (docs/setting-up.md)"
    }
}
