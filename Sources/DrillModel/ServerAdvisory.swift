// Faults of PostgreSQL's own that endanger what a drill relies on, each with the releases that mend it.

extension Rule {
    public static let knownServerBug = Rule("known-server-bug")
}

/// What a server's minor release may have done to data, as the release notes of the one that mends it say.
///
/// A new release is a row. Only what concerns backups, indexes and recovery stands here.
public struct ServerAdvisory: Sendable, Hashable {
    /// What it can have harmed.
    public enum Subject: Sendable, Hashable {
        /// A server that is, or has been, a standby, and dumps of it.
        case standby
        /// Indexes, found by a condition over `pg_index x`, `pg_class c` (the index) and `pg_am m`; in a script of pg_dump by a trait, where it
        /// tells. A dump doesn't carry them, a physical copy does.
        case indexes(where: String, trait: IndexTrait?)
    }
    /// What CREATE INDEX tells of an index.
    public enum IndexTrait: Sendable, Hashable {
        case every
        case accessMethod(String)
        case operatorClass(String)
    }
    public var subject: Subject
    /// The first major version that has the fault.
    public var since: Int
    /// The first minor release of each major that has the mend. An older major never got it, a newer one never had the fault.
    public var mended: [Int: Int]
    /// One sentence, lower case, no full stop.
    public var message: String
    /// The mend.
    public var hint: String
    /// Where it says so.
    public var source: String

    public static let all = [sharedStandbySnapshot, charIndexes, ginVacuum, trigramIndexes, concurrentIndexes]

    /// What a server that is, or has been, a standby can have suffered.
    public static var ofStandbys: [ServerAdvisory] { all.filter { $0.subject == .standby } }

    private static let november2026 = [14: 25, 15: 20, 16: 16, 17: 12, 18: 7]
    private static let notes1520 = "release notes of PostgreSQL 15.20, 2026-11-12"

    /// "Fix snapshot export and import to work properly on a snapshot taken during recovery".
    /// Tried: 15.20 and 19rc1 have it; 14.23, 15.18, 16.15, 17.10 and 18.6 lose rows. 17.12 names it in its notes.
    static let sharedStandbySnapshot = ServerAdvisory(
        subject: .standby, since: 10, mended: november2026,
        message:
            "a pg_dump with --jobs or --snapshot that reads this standby can make committed rows vanish from it, and from the dump, for good",
        hint: """
            update it to the minor release of November 2026 or a later one; until then dump it with one job. Where such a dump was ever \
            taken, build the standby anew from its primary, and dump again (release notes of PostgreSQL 15.20)
            """, source: notes1520)

    /// "Disable btree index de-duplication support for the bpchar data type": columns of type bpchar without a length, not those of char(n).
    static let charIndexes = ServerAdvisory(
        subject: .indexes(
            where: """
                m.amname = 'btree' AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.indexrelid AND a.atttypid = 'bpchar'::regtype
                  AND a.atttypmod = -1)
                """, trait: nil), since: 13, mended: november2026,
        message: "a btree index on a bpchar column without a length can give wrong answers to index-only scans",
        hint: "update the source to the minor release of November 2026 or later, then REINDEX it there", source: notes1520)

    /// "Ensure that VACUUM cleans up all dead tuples in a GIN index", and "Fix GIN posting tree page deletion".
    static let ginVacuum = ServerAdvisory(
        subject: .indexes(where: "m.amname = 'gin'", trait: .accessMethod("gin")), since: 10, mended: november2026,
        message: "a VACUUM that went over a GIN index several times can have left entries in it that point at other rows, or lost some",
        hint: "update the source to the minor release of November 2026 or later, then REINDEX it there if you suspect it", source: notes1520
    )

    /// "Fix possible index corruption in contrib/pg_trgm GiST indexes".
    static let trigramIndexes = ServerAdvisory(
        subject: .indexes(
            where: """
                EXISTS (SELECT FROM pg_opclass o WHERE o.oid = ANY (x.indclass) AND o.opcname = 'gist_trgm_ops')
                """, trait: .operatorClass("gist_trgm_ops")), since: 10, mended: november2026,
        message: "a GiST index of pg_trgm can miss rows",
        hint: "update the source to the minor release of November 2026 or later, then REINDEX it there", source: notes1520)

    /// "Prevent possible corruption of indexes created or rebuilt with the CONCURRENTLY option".
    static let concurrentIndexes = ServerAdvisory(
        subject: .indexes(where: "true", trait: .every), since: 14, mended: [14: 4],
        message: "an index that was made or rebuilt with CONCURRENTLY can miss rows",
        hint: "update the source, then REINDEX such indexes there; pg_amcheck --heapallindexed finds those that miss rows",
        source: "release notes of PostgreSQL 14.4, 2022-06-16")

    /// - Parameter serverVersion: As `server_version_num` has it: 150018.
    public func concerns(serverVersion: Int) -> Bool {
        let (major, minor) = (serverVersion / 10_000, serverVersion % 10_000)
        if let first = mended[major] { return minor < first }
        return major >= since && mended.keys.allSatisfy { major < $0 }
    }

    /// Whether any minor release of a major version has the fault.
    public func concerns(major: Int) -> Bool { mended[major] != nil || concerns(serverVersion: major * 10_000) }

    /// The traits by which a script's indexes are looked for.
    public static let indexTraits: Set<IndexTrait> = Set(
        all.compactMap { advisory in
            guard case .indexes(_, let trait) = advisory.subject else { return nil }
            return trait
        })

    /// A warning about indexes of a source whose release is known.
    ///
    /// - Parameters:
    ///   - isNamed: The message names the indexes too: it is shown without its object.
    ///   - carried: What that means for the backup; begins with a semicolon, or is empty.
    public func warning(serverVersion: Int, indexes: [String], isNamed: Bool = true, carried: String = "") -> Finding {
        let shown = Self.list(indexes)
        return Finding(
            .knownServerBug, .warning, object: "index \(shown)", expected: "a source of \(mends) or later",
            actual: "PostgreSQL \(serverVersion / 10_000).\(serverVersion % 10_000)",
            message: "\(message)\(isNamed ? ": \(shown)" : "")\(carried)",
            hint: "\(hint) (\(source))")
    }

    /// What an index's fault means for a dump.
    public static let carriedByNoDump = "; the dump holds no index, so what it restores is sound and the source's may not be"

    /// The first release of each major version that has the mend.
    public var mends: String { mended.sorted { $0.key < $1.key }.map { "\($0.key).\($0.value)" }.joined(separator: ", ") }

    /// A few of many names.
    public static func list(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
