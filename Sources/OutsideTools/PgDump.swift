// pg_dump and pg_dumpall: what is asked of them beside where the server is, which their environment says.

/// Every end but 0 is an error of this machine's or of the user's rights. One that is older than its server by a minor release may write what
/// only that server restores.
public enum PgDump {
    /// The program and its words, without its folder.
    public typealias Call = (program: String, arguments: [String])

    /// A database in pg_dump's custom format.
    public static func archive(_ options: [String] = []) -> Call { ("pg_dump", ["--no-password", "--format=custom"] + options) }

    /// A database as a script that begins in another one and makes it, or in itself, packed by pg_dump's own gzip.
    public static func packedScript(creating: Bool, _ options: [String] = []) -> Call {
        ("pg_dump", ["--no-password", "--format=plain", "--compress=6"] + (creating ? ["--create"] : []) + options)
    }

    /// One table's statements, without its rows.
    public static func definition(ofTable table: String) -> Call { ("pg_dump", ["--no-password", "--schema-only", "--table=\(table)"]) }

    /// Roles, memberships and tablespaces.
    ///
    /// - Parameters:
    ///   - passwords: The verifiers too, which only a superuser may read.
    ///   - database: The one that is asked; nil: `postgres`, or `template1`.
    public static func globals(passwords: Bool, by database: String? = nil) -> Call {
        (
            "pg_dumpall",
            ["--no-password", "--globals-only"] + (passwords ? [] : ["--no-role-passwords"]) + (database.map { ["--database=\($0)"] } ?? [])
        )
    }
}
