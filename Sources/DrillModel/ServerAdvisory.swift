// Faults of PostgreSQL's own that endanger what a drill relies on, each with the releases that mend it.

extension Rule {
    public static let knownServerBug = Rule("known-server-bug")
}

/// What a server's minor release may have done to data, as the release notes of the one that mends it say.
public struct ServerAdvisory: Sendable, Hashable {
    /// The first minor release of each major that has the mend. A major that is older than all of them never got it.
    var mended: [Int: Int]
    /// One sentence, lower case, no full stop.
    public var message: String
    /// The mend.
    public var hint: String

    /// What a server that is, or has been, a standby can have suffered.
    public static let all = [sharedStandbySnapshot]

    /// PostgreSQL 15.20, release notes of 2026-11-12: "Fix snapshot export and import to work properly on a snapshot taken during recovery".
    /// Tried: 15.20 and 19rc1 have it; 14.23, 15.18, 16.15, 17.10 and 18.6 lose rows. 17.12 names it in its notes.
    static let sharedStandbySnapshot = ServerAdvisory(
        mended: [14: 25, 15: 20, 16: 16, 17: 12, 18: 7],
        message:
            "a pg_dump with --jobs or --snapshot that reads this standby can make committed rows vanish from it, and from the dump, for good",
        hint: """
            update it to the minor release of November 2026 or a later one; until then dump it with one job. Where such a dump was ever \
            taken, build the standby anew from its primary, and dump again (release notes of PostgreSQL 15.20)
            """)

    /// - Parameter serverVersion: As `server_version_num` has it: 150018.
    public func concerns(serverVersion: Int) -> Bool {
        let (major, minor) = (serverVersion / 10_000, serverVersion % 10_000)
        if let first = mended[major] { return minor < first }
        return mended.keys.allSatisfy { major < $0 }
    }
}
