// Every kind of entry that pg_dump and pg_dumpall can write is compared, or documented as not compared: a new one is noticed by the programs' own words.

import Foundation
import ServerVersions
import Testing

/// What becomes of a kind of entry in an archive's table of contents.
enum DumpedKind {
    /// By the schema's objects, the rows, or the checks.
    case compared
    /// By this word in the list "Not compared" of docs/checks.md.
    case notCompared(String)
    /// It holds nothing of the source's: how the archive itself is read, or what another entry says.
    case nothing
}

@Suite struct DumpedKindsTests {
    /// By the entry's `desc`.
    private static let kinds: [String: DumpedKind] = [
        "ACCESS METHOD": .compared, "ACL": .compared, "AGGREGATE": .compared, "CAST": .compared, "CHECK CONSTRAINT": .compared,
        "COLLATION": .compared, "COMMENT": .compared, "CONSTRAINT": .compared, "CONVERSION": .compared, "DATABASE": .compared,
        "DATABASE PROPERTIES": .compared, "DEFAULT": .compared, "DEFAULT ACL": .compared, "DOMAIN": .compared, "EVENT TRIGGER": .compared,
        "EXTENSION": .compared, "FK CONSTRAINT": .compared, "FOREIGN DATA WRAPPER": .compared, "FOREIGN SERVER": .compared,
        "FOREIGN TABLE": .compared, "FUNCTION": .compared, "INDEX": .compared, "INDEX ATTACH": .compared, "MATERIALIZED VIEW": .compared,
        "OPERATOR": .compared, "OPERATOR CLASS": .compared, "OPERATOR FAMILY": .compared, "POLICY": .compared,
        "PROCEDURAL LANGUAGE": .compared, "PROCEDURE": .compared, "PUBLICATION": .compared, "PUBLICATION TABLE": .compared,
        "PUBLICATION TABLES IN SCHEMA": .compared, "ROW SECURITY": .compared, "RULE": .compared, "SCHEMA": .compared, "SEQUENCE": .compared,
        "SEQUENCE OWNED BY": .compared, "SEQUENCE SET": .compared, "SHELL TYPE": .compared, "STATISTICS": .compared, "TABLE": .compared,
        "TABLE ATTACH": .compared, "TABLE DATA": .compared, "TEXT SEARCH CONFIGURATION": .compared, "TEXT SEARCH DICTIONARY": .compared,
        "TEXT SEARCH PARSER": .compared, "TEXT SEARCH TEMPLATE": .compared, "TRANSFORM": .compared, "TRIGGER": .compared, "TYPE": .compared,
        "USER MAPPING": .compared, "VIEW": .compared,
        // Whether it is filled.
        "MATERIALIZED VIEW DATA": .compared,
        // Their content, and how many.
        "BLOB": .compared, "BLOBS": .compared, "LARGE OBJECT": .compared, "LARGE OBJECTS": .compared,
        "BLOB COMMENTS": .notCompared("large objects"), "BLOB METADATA": .notCompared("large objects"),
        "SECURITY LABEL": .notCompared("security labels"),
        "SUBSCRIPTION": .notCompared("subscriptions"), "SUBSCRIPTION TABLE": .notCompared("subscriptions"),
        "TABLESPACE": .notCompared("tablespaces"),
        // What the planner has learned of the rows, which it learns anew.
        "STATISTICS DATA": .notCompared("planner statistics"), "EXTENDED STATISTICS DATA": .notCompared("planner statistics"),
        "ENCODING": .nothing, "STDSTRINGS": .nothing, "SEARCHPATH": .nothing,
        // Of pg_dumpall: settings of roles in a database, parameters, roles.
        "ROLE": .compared, "PARAMETER": .compared, "ROLE PROPERTIES": .compared,
    ]

    /// Words of SQL, of the programs' options and of error numbers, which are no kinds.
    private static let words: Set<String> = [
        "ACL LANGUAGE", "ADMIN OPTION", "AFTER", "ALTER SYSTEM", "ALTER TABLE", "ALTER TABLE IF EXISTS", "BEFORE", "BEGIN", "BY DEFAULT",
        "COMMIT",
        "CONNECT", "CREATE", "CREATE OR REPLACE VIEW", "CUSTOM", "DELETE", "DIRECTORY", "DISABLE", "DROP CONSTRAINT", "ENABLE",
        "ENABLE ALWAYS",
        "ENABLE REPLICA", "EXECUTE", "EXTENDED", "EXTERNAL", "FUNCTIONS", "HOME", "INSERT", "INSTEAD OF", "JOHAB", "LANGUAGE", "MAINTAIN",
        "NONE",
        "NULL", "PATH", "PGDMP", "PGLOCALEDIR", "PGSYSCONFDIR", "PLAIN", "PRIMARY KEY", "PROCEDURES", "PUBLIC", "REFERENCES", "SCHEMAS",
        "SELECT",
        "SEQUENCES", "SET FALSE", "SJIS", "TABLES", "TEMPORARY", "TRUE", "TRUNCATE", "TYPES", "UNIQUE", "UNKNOWN", "UNLOGGED", "UPDATE",
        "USAGE",
        "VALUES", "WARNING", "WITH INOUT", "WITHOUT FUNCTION", "XXXX",
    ]

    private static let errors = Set(
        """
        EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY ECHILD ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK EDOM \
        EEXIST EFAULT EFBIG EHOSTDOWN EHOSTUNREACH EIDRM EINPROGRESS EINTR EINVAL EISCONN EISDIR ELOOP EMFILE EMLINK EMSGSIZE ENAMETOOLONG ENETDOWN \
        ENETRESET ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT ENOEXEC ENOMEM ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTSOCK ENOTSUP ENOTTY ENXIO \
        EOVERFLOW EPERM EPIPE EPROTONOSUPPORT ERANGE EROFS ESRCH ETIMEDOUT ETXTBSY EXDEV
        """.split(separator: " ").map { $0.filter { $0 != "\n" } })

    private static let programs: [String] =
        ["/usr/lib/postgresql/15/bin"]
        + Installation.allPostgres.compactMap { installation in
            // Where a wrapper starts it, the program itself lies beside that.
            installation.bin.map { bin in
                let real = URL(fileURLWithPath: bin).resolvingSymlinksInPath().path
                return FileManager.default.fileExists(atPath: real + ".programs") ? real + ".programs" : real
            }
        }

    @Test(arguments: programs) func everyKindIsComparedOrNamed(_ folder: String) throws {
        for program in ["pg_dump", "pg_dumpall"] {
            guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(program)") else { continue }
            let found = Self.phrases(in: bytes)
            try #require(
                program == "pg_dumpall" || found.isSuperset(of: ["TEXT SEARCH PARSER", "SEQUENCE SET", "ACCESS METHOD"]), "\(folder)")
            let unknown = found.filter { Self.kinds[$0] == nil && !Self.words.contains($0) && !Self.errors.contains($0) }
            #expect(
                unknown.isEmpty,
                "\(program) of \(folder) may write a kind that nobody looks at: add it to the kinds or the words of this test")
        }
    }

    @Test func whatIsNotComparedIsDocumented() throws {
        let checks = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/checks.md")
        let text = try String(contentsOf: checks, encoding: .utf8)
        let start = try #require(text.firstRange(of: "- Not compared: "))
        let rest = text[start.upperBound...]
        let line = rest[..<(rest.firstRange(of: "\n\n")?.lowerBound ?? rest.endIndex)].replacing(/\s+/, with: " ")
        for case (let kind, .notCompared(let word)) in Self.kinds {
            #expect(line.contains(word), "\(kind) is to stand under \"Not compared\" as \(word)")
        }
    }

    /// The texts of capital letters among a program's constants: whatever it writes as an entry's `desc` is one of them.
    private static func phrases(in bytes: Data) -> Set<String> {
        var found: Set<String> = []
        for piece in bytes.split(separator: 0) where piece.count >= 4 && piece.count < 60 {
            guard piece.allSatisfy({ $0 == 0x20 || (0x41...0x5a).contains($0) }), piece.first != 0x20, piece.last != 0x20 else { continue }
            found.insert(String(decoding: piece, as: UTF8.self))
        }
        return found
    }
}
