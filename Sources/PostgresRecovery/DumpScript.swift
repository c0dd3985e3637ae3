// Reads an SQL script as pg_dump writes it: the roles that it names, the database that it makes, its end.

import DrillModel
import Foundation
import ScratchHost

/// What a script of pg_dump needs and does, learned without running it.
struct DumpScript: Sendable, Hashable {
    /// Every role that an owner, a grant, a policy or a default privilege names.
    var roles: Set<String> = []
    /// Those of them that own what only a superuser may own.
    var superusers: Set<String> = []
    /// The roles that it makes itself, as the globals of a cluster in the same file do.
    var madeRoles: Set<String> = []
    /// Those of them that it names before it makes them.
    var lateRoles: Set<String> { namedEarly.intersection(madeRoles) }
    private var namedEarly: Set<String> = []
    /// The line of the ALTER ROLE that takes a role's login or its superuser's rights.
    var weakened: [String: Int] = [:]
    /// Roles that may do all that the first superuser of a cluster may, and who granted memberships.
    private var mighty: [String] = []
    private var grantors: Set<String> = []
    /// The first superuser of the cluster whose roles it holds, as far as it tells: in that name alone all of its grants can be made again.
    var bootstrapSuperuser: String? {
        mighty.contains("postgres") ? "postgres" : mighty.first(where: grantors.contains) ?? mighty.first
    }
    /// What it makes, drops and enters of databases.
    var databases = ScriptDatabases()
    /// The server that was dumped, as `server_version_num` has it, by the first of its dumps that says so.
    var serverVersion: Int?
    /// Its CREATE TABLESPACE, each of which would make a server write outside of its own folder.
    var tablespaceLines: Set<Int> = []
    /// The database of its CREATE DATABASE; nil where it makes none.
    var database: String?
    /// The line that the CREATE DATABASE ends on.
    var databaseLine: Int?
    /// The encoding of that database; of its own text where it makes none.
    var encoding: String?
    /// The sort order and the character classes of that database, in libc's words.
    var collate: String?
    var ctype: String?
    /// The session parameters that it sets, by the line that the statement ends on: an older server may not know one.
    var parameters: [Int: String] = [:]
    /// How many statements insert rows.
    var inserts = 0
    /// Where the rows of each COPY end, by the line that its statement ends on.
    var rows: [Int: Int] = [:]
    /// It makes a table, of whatever kind.
    var makesTables = false
    /// It makes the schema `public`, which each database has by itself, and extensions.
    var makesPublic = false
    var makesExtensions = false
    /// The lines of what it makes after a SET SESSION AUTHORIZATION: what isn't made then has no owner of the dump's.
    var linesInAnothersName: Set<Int> = []
    private var isInAnothersName = false
    /// Its own comments end with CR LF, as a transfer as text leaves them.
    var endsLinesWithCR = false
    /// It sets an option of the server's own on a column, as a pg_dump does that is older than the server by a minor release.
    var serversOwnOption: String?
    /// The indexes that it makes, by what an advisory is about.
    var indexes: [ServerAdvisory.IndexTrait: [String]] = [:]
    /// The scripts of pg_dump, and those of pg_dumpall, which hold some of the former: several may stand in one file.
    private var dumps = Parts()
    private var clusterDumps = Parts()
    /// Of the scripts whose words stand among the rows of a COPY: a table may hold dumps as text.
    private var inRows = Parts()
    /// No statement stands behind the last words.
    private var endsWithLastWords = false
    /// Every script in it ends with the last words that pg_dump or pg_dumpall writes, and no statement comes after them.
    var complete: Bool {
        endsWithLastWords && dumps.areWhole && clusterDumps.areWhole && inRows.begun <= inRows.ended
    }
    /// What a whole one would end with.
    var lastWordsExpected: String { clusterDumps.areWhole ? Self.lastWords : Self.clusterLastWords }
    /// What stands where the end of each was expected; of a script that isn't complete.
    var ending: String {
        if dumps.cut + clusterDumps.cut > 0 { return "another script that begins before the first has ended" }
        if inRows.begun > inRows.ended { return "the beginning of another script among the rows of a table" }
        return "a script that ends before"
    }
    /// A command to psql itself that no pg_dump writes: it could end the script early, or run programs.
    var foreignCommand: String?
    /// What its `setval` calls name, quoted as in SQL, by the database that they are called in; empty: where the script was begun.
    var sequencesSet: [String: Set<String>] = [:]
    /// The lines of statements whose failure is the script's normal course in an empty cluster: what `pg_dump --clean` drops before
    /// it makes it, and tablespaces, which are folders of another machine.
    var harmlessLines: Set<Int> = []

    static let lastWords = "-- PostgreSQL database dump complete"
    static let clusterLastWords = "-- PostgreSQL database cluster dump complete"
    static let versionWords = "-- Dumped from database version "
    private static let firstWords = "-- PostgreSQL database dump"
    private static let clusterFirstWords = "-- PostgreSQL database cluster dump"

    /// Scripts of one kind in one file.
    private struct Parts: Hashable {
        var begun = 0
        var ended = 0
        /// Those that another one begins in.
        var cut = 0
        private var isOpen = false
        // Where somebody took the opening comment away, the end still counts.
        var areWhole: Bool { cut == 0 && !isOpen }

        mutating func begin() {
            begun += 1
            if isOpen { cut += 1 }
            isOpen = true
        }

        mutating func end() {
            ended += 1
            isOpen = false
        }
    }

    /// Reads a script of any size in constant memory.
    init(reading file: URL) throws {
        try ScriptScanner.forEachItem(of: file) { take($0) }
    }

    /// The beginnings of the statements that end on some lines.
    static func statements(of file: URL, at lines: Set<Int>) throws -> [Int: String] {
        var found: [Int: String] = [:]
        guard !lines.isEmpty else { return found }
        try ScriptScanner.forEachItem(of: file) { item in
            guard case .statement(let bytes, let line) = item, lines.contains(line) else { return }
            found[line] = String(decoding: bytes.prefix(500), as: UTF8.self)
        }
        return found
    }

    /// Copies a script without its tablespaces, without some of its COPY statements and their rows, and without some lines; every other line keeps its
    /// number.
    func write(_ file: URL, without copies: Set<Int>, blank: Set<Int> = [], to target: URL) throws {
        // Code of the backup may have run before, in a first try, and have put a link there.
        let handle = try UnlinkedFile.writer(target)
        defer { try? handle.close() }
        let ranges = (copies.compactMap { start in rows[start].map { start...$0 } } + tablespaceLines.union(blank).map { $0...$0 }).sorted {
            $0.lowerBound < $1.lowerBound
        }
        var next = ranges[...]
        var number = 1
        // Byte for byte: rows may be of any encoding and any length.
        try LineReader.forEachChunk(of: file) { chunk in
            var kept = Data()
            var rest = chunk[...]
            while !rest.isEmpty {
                let end = rest.firstIndex(of: UInt8(ascii: "\n"))
                if next.first?.contains(number) != true { kept.append(contentsOf: rest[..<(end ?? rest.endIndex)]) }
                guard let end else { break }
                kept.append(UInt8(ascii: "\n"))
                rest = rest[(end + 1)...]
                number += 1
                while let first = next.first, first.upperBound < number { next = next.dropFirst() }
            }
            try handle.write(contentsOf: kept)
        }
    }

    init(text: String) {
        var scanner = ScriptScanner()
        Array(text.utf8).withUnsafeBytes { scanner.take($0) { take($0) } }
        scanner.finish { take($0) }
    }

    /// A transfer as text may have ended each line with CR LF, which psql takes.
    private static func words(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.last == 0x0d ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }

    private mutating func take(_ item: ScriptScanner.Item) {
        switch item {
        case .comment(let bytes):
            if bytes.last == 0x0d { endsLinesWithCR = true }
            switch Self.words(bytes) {
            case Self.firstWords:
                dumps.begin()
                endsWithLastWords = false
            case Self.clusterFirstWords:
                clusterDumps.begin()
                endsWithLastWords = false
            case Self.lastWords:
                dumps.end()
                endsWithLastWords = true
            case Self.clusterLastWords:
                clusterDumps.end()
                endsWithLastWords = true
            case let words where serverVersion == nil && words.hasPrefix(Self.versionWords):
                serverVersion = DumpSource.number(words.dropFirst(Self.versionWords.count))
            default: break
            }
        case .commentInRows(let bytes):
            switch Self.words(bytes) {
            case Self.firstWords, Self.clusterFirstWords: inRows.begin()
            case Self.lastWords, Self.clusterLastWords: inRows.end()
            default: break
            }
        case .command(let bytes, let line):
            databases.enter(by: bytes, line: line)
            let own = ["\\connect", "\\encoding", "\\restrict", "\\unrestrict"]
            if foreignCommand == nil, !own.contains(where: { bytes.starts(with: $0.utf8) }) {
                foreignCommand = String(decoding: bytes.prefix { !UnicodeScalar($0).properties.isWhitespace }.prefix(20), as: UTF8.self)
            }
            // Newer versions end with this one.
            if !bytes.starts(with: Array("\\unrestrict".utf8)) { endsWithLastWords = false }
        case .rows(let statement, let end):
            rows[statement] = end
        case .unfinished:
            endsWithLastWords = false
        case .statement(let bytes, let line):
            endsWithLastWords = false
            if bytes.starts(with: "INSERT INTO ".utf8) { inserts += 1 }
            if Self.concerns(bytes) { read(SQLToken.all(in: bytes), line: line) }
        }
    }

    /// Most statements of a script of INSERTs name nobody, and are not worth taking apart.
    private static func concerns(_ statement: [UInt8]) -> Bool {
        [
            "ALTER ", "CREATE ", "DROP ", "GRANT ", "REVOKE ", "SET ", "SELECT pg_catalog.lo_unlink(", "SELECT pg_catalog.setval(",
            "SELECT setval(",
        ].contains {
            statement.starts(with: $0.utf8)
        }
    }

    private mutating func read(_ tokens: [SQLToken], line: Int) {
        func starts(_ words: String...) -> Bool {
            tokens.count > words.count && zip(tokens, words).allSatisfy { $0.isWord($1) }
        }
        if starts("CREATE", "DATABASE") {
            if let name = tokens[2].identifier { databases.make(name, line: line) }
            if database == nil {
                database = tokens[2].identifier
                databaseLine = line
                encoding = Self.value(after: "ENCODING", in: tokens) ?? encoding
                let locale = Self.value(after: "LOCALE", in: tokens)
                collate = Self.value(after: "LC_COLLATE", in: tokens) ?? locale
                ctype = Self.value(after: "LC_CTYPE", in: tokens) ?? locale
            }
        } else if starts("CREATE", "INDEX") || starts("CREATE", "UNIQUE", "INDEX") {
            noteIndex(tokens)
        } else if starts("CREATE", "ROLE") {
            if let name = tokens[2].identifier { madeRoles.insert(name) }
        } else if starts("CREATE"), tokens.prefix(4).contains(where: { $0.isWord("TABLE") }) {
            makesTables = true
        } else if starts("CREATE", "TABLESPACE") {
            tablespaceLines.insert(line)
        } else if starts("ALTER", "TABLESPACE") {
            harmlessLines.insert(line)
        } else if starts("SET", "SESSION", "AUTHORIZATION") {
            if case .literal(let name) = tokens[3] { add(.name(name)) } else { add(tokens[3]) }
            isInAnothersName = !tokens[3].isWord("DEFAULT")
        } else if starts("SET"), tokens.count > 2, tokens[2].isSign("=") {
            if let name = tokens[1].identifier { parameters[line] = name.lowercased() }
            if starts("SET", "DEFAULT_TABLESPACE") { harmlessLines.insert(line) }
            if encoding == nil { encoding = Self.value(after: "CLIENT_ENCODING", in: tokens) }
        } else if starts("SELECT", "SETVAL") || starts("SELECT", "PG_CATALOG") && tokens.count > 4 && tokens[3].isWord("SETVAL") {
            if case .literal(let name)? = tokens.first(where: { if case .literal = $0 { true } else { false } }) {
                sequencesSet[databases.current ?? "", default: []].insert(name)
            }
        } else if starts("DROP", "DATABASE") {
            if let name = tokens[2...].first(where: { !$0.isWord("IF") && !$0.isWord("EXISTS") })?.identifier {
                databases.drop(name, line: line)
            }
            harmlessLines.insert(line)
        } else if starts("DROP") || starts("SELECT", "PG_CATALOG") {
            // The second is `lo_unlink`, which stands for dropping a large object.
            harmlessLines.insert(line)
        } else if starts("ALTER", "DEFAULT", "PRIVILEGES") {
            if let index = tokens.firstIndex(where: { $0.isWord("ROLE") }) { addNames(tokens[(index + 1)...]) }
            addNames(after: "TO", in: tokens)
            addNames(after: "FROM", in: tokens)
        } else if starts("ALTER", "ROLE") || starts("ALTER", "USER") {
            // `ALTER ROLE … IN DATABASE … SET …` is part of a dump that makes its database.
            if tokens.count > 4, tokens[3].isWord("IN"), tokens[4].isWord("DATABASE") { add(tokens[2]) }
            noteRights(tokens, line: line)
        } else if starts("ALTER") {
            alter(tokens, line: line)
        } else if starts("GRANT") {
            addNames(after: "TO", in: tokens)
            addGrantor(tokens)
        } else if starts("REVOKE") {
            addNames(after: "FROM", in: tokens)
            addGrantor(tokens)
        } else if starts("CREATE", "EXTENSION") {
            makesExtensions = true
        } else if starts("CREATE", "SCHEMA") {
            if tokens[2].identifier == "public" { makesPublic = true }
            if isInAnothersName { linesInAnothersName.insert(line) }
            if let index = tokens.firstIndex(where: { $0.isWord("AUTHORIZATION") }) { addNames(tokens[(index + 1)...].prefix(1)) }
        } else if starts("CREATE", "POLICY") {
            addNames(after: "TO", in: tokens)
        } else if starts("CREATE", "USER", "MAPPING", "FOR") {
            add(tokens[4])
        }
    }

    private mutating func alter(_ tokens: [SQLToken], line: Int) {
        if let index = tokens.indices.dropLast(2).last(where: { tokens[$0].isWord("OWNER") && tokens[$0 + 1].isWord("TO") }) {
            let owner = tokens[index + 2]
            add(owner)
            let kind = tokens[1...2]
            let privileged =
                ["EVENT", "FOREIGN", "SUBSCRIPTION"].contains { tokens[1].isWord($0) } && !kind.contains { $0.isWord("TABLE") }
            if privileged, let name = owner.identifier { superusers.insert(name) }
        } else if tokens.contains(where: { $0.isWord("DROP") }) {
            harmlessLines.insert(line)
        } else if tokens[1].isWord("TABLE") || tokens[1].isWord("VIEW") || tokens[1].isWord("MATERIALIZED") {
            // `ALTER TABLE ONLY public.t ALTER COLUMN id SET (pg_attver=1)`.
            let own = zip(tokens, tokens.dropFirst()).first { $0.isSign("(") && $1.identifier.map(ServersOwnOption.all.contains) == true }
            if let name = own?.1.identifier { serversOwnOption = name }
        }
    }

    /// `CREATE UNIQUE INDEX name ON ONLY public.t USING gist (a public.gist_trgm_ops)`.
    private mutating func noteIndex(_ tokens: [SQLToken]) {
        guard let on = tokens.firstIndex(where: { $0.isWord("ON") }), let name = tokens[..<on].last?.identifier else { return }
        let table = tokens[(on + 1)...].drop { $0.isWord("ONLY") }
        guard let using = table.firstIndex(where: { $0.isWord("USING") }), using + 1 < table.endIndex else { return }
        let schema = table[..<using].count > 2 ? table.first?.identifier : nil
        let method = table[using + 1].identifier
        let isMade: (ServerAdvisory.IndexTrait) -> Bool = { trait in
            switch trait {
            case .every: true
            case .accessMethod(let wanted): method == wanted
            case .operatorClass(let wanted): table[(using + 2)...].contains { $0.identifier == wanted }
            }
        }
        for trait in ServerAdvisory.indexTraits where isMade(trait) {
            indexes[trait, default: []].append([schema, name].compactMap { $0 }.joined(separator: "."))
        }
    }

    private mutating func addGrantor(_ tokens: [SQLToken]) {
        guard let index = tokens.indices.dropLast(2).last(where: { tokens[$0].isWord("GRANTED") && tokens[$0 + 1].isWord("BY") }) else {
            return
        }
        add(tokens[index + 2])
        if let name = tokens[index + 2].identifier { grantors.insert(name) }
    }

    /// `ALTER ROLE app WITH NOSUPERUSER INHERIT NOCREATEROLE …`, as pg_dumpall writes it of each role.
    private mutating func noteRights(_ tokens: [SQLToken], line: Int) {
        guard tokens.count > 4, tokens[3].isWord("WITH"), let name = tokens[2].identifier else { return }
        func has(_ word: String) -> Bool { tokens[4...].contains { $0.isWord(word) } }
        if has("NOSUPERUSER") || has("NOLOGIN") { weakened[name] = line }
        if ["SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS"].allSatisfy(has) { mighty.append(name) }
    }

    /// The names behind a keyword that stands outside of all parentheses: argument types may hold the word as well.
    private mutating func addNames(after keyword: String, in tokens: [SQLToken]) {
        var depth = 0
        for (index, token) in tokens.enumerated() {
            if token.isSign("(") { depth += 1 }
            if token.isSign(")") { depth -= 1 }
            if depth == 0, token.isWord(keyword) {
                addNames(tokens[(index + 1)...])
                return
            }
        }
    }

    /// Names parted by commas, up to the first thing that is none.
    private mutating func addNames(_ tokens: ArraySlice<SQLToken>) {
        var rest = tokens
        while let token = rest.popFirst() {
            if token.isWord("GROUP") { continue }
            guard token.identifier != nil else { return }
            add(token)
            guard let comma = rest.popFirst(), comma.isSign(",") else { return }
        }
    }

    private mutating func add(_ token: SQLToken) {
        guard let name = token.identifier, !name.isEmpty else { return }
        // Unquoted PUBLIC is everybody and no role; predefined roles come with every server.
        let reserved = ["PUBLIC", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE", "DEFAULT"]
        if reserved.contains(where: token.isWord) || name.hasPrefix("pg_") { return }
        roles.insert(name)
        if !madeRoles.contains(name) { namedEarly.insert(name) }
    }

    /// Of a CREATE DATABASE.
    static func encoding(ofDatabaseIn statement: String) -> String? {
        value(after: "ENCODING", in: SQLToken.all(in: Array(statement.utf8)))
    }

    /// The value of `KEYWORD = value`.
    private static func value(after keyword: String, in tokens: [SQLToken]) -> String? {
        guard let index = tokens.firstIndex(where: { $0.isWord(keyword) }) else { return nil }
        let value = tokens[(index + 1)...].first { !$0.isSign("=") }
        if case .literal(let text) = value { return text }
        return value?.identifier
    }
}
