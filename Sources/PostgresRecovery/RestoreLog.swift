// Reads what pg_restore and psql say on standard error: their exit codes tell too little.

import Foundation
import ScratchHost

/// The problems that a restore reported.
struct RestoreLog: Sendable {
    struct Problem: Sendable, Hashable {
        /// `TABLE DATA domains`, or empty where the tool didn't say.
        var object: String
        /// Safe to show.
        var text: String
        /// Of the script that psql was reading.
        var line: Int?
        /// The statement that failed, or its beginning; empty where it isn't known. Never shown: it may hold values.
        var statement = ""

        /// One of these roles was there already.
        func isRole(among names: Set<String>) -> Bool { names.contains { text == "role \"\($0)\" already exists" } }
    }
    /// At most ``kept`` of them.
    var problems: [Problem] = []
    /// How many there were in all.
    var count = 0
    /// pg_restore went on after its errors and said how many there were.
    var ignored = false
    /// Session parameters that the tool or the script sets and the server doesn't know; each is told once, and is no problem.
    var unknownParameters: [String] = []
    /// Statements and rows that failed since a COPY before them had failed: an old psql reads its rows as SQL. They are no problems.
    var followingRows = 0
    /// Why the tool itself could not be loaded.
    var loaderTrouble: String?
    /// The tool doesn't know `\restrict`, which each pg_dump since August 2025 writes.
    var hasOldPsql = false
    /// Everything that decides what kind of failure it was, lower case.
    private var words: Set<String> = []

    /// The lines of the COPY statements that failed as they began, or whose rows did.
    var failedCopies: Set<Int> = []

    /// Forgets one that was mended.
    mutating func remove(_ problem: Problem) {
        guard let index = problems.firstIndex(of: problem) else { return }
        problems.remove(at: index)
        count -= 1
    }

    /// Forgets those that are none.
    mutating func forgive(_ isNone: (Problem) -> Bool) {
        let before = problems.count
        problems.removeAll(where: isNone)
        count -= before - problems.count
    }

    static let shown = 50
    private static let kept = 20_000
    /// Of a statement, enough for the names that it begins with.
    private static let keptStatement = 500

    /// Phrases of this machine's own trouble: the server or its disk gave up, whatever the backup is worth.
    private static let serverTrouble = [
        "server closed the connection", "no connection to the server", "connection to server was lost", "terminating connection",
        "the database system is", "server out of memory", "failed: connection refused", "failed: no such file",
    ]

    /// A disk that fills up takes part of a write first, and then the server speaks of bytes only.
    private static let fullDisk = ["no space left on device", "could not extend file"]

    /// Phrases that classify, in the tools' own words.
    private static let phrases =
        serverTrouble + fullDisk + [
            optionUnknown, "this build does not support compression", "does not support compression (",
            "unexpected end of file", "end of file", "unexpected eof", "could not read from input file",
            "unsupported version", "invalid locale name", "could not create locale", "could not open collator", "icu is not supported",
            "could not find header for file", "could not open input file", "does not match locale", deadlock, noUniqueConstraint,
        ]

    private static let deadlock = "deadlock detected"
    /// What a foreign key meets whose partitioned target one job marks valid while another looks (mended in 14.25, 15.20, 16.16, 17.12).
    private static let noUniqueConstraint = "there is no unique constraint matching given keys"

    /// What a server says of an option of CREATE DATABASE that is newer than it.
    private static let optionUnknown = "option \"…\" not recognized"

    /// - Parameters:
    ///   - script: What psql ran; nil for an archive.
    ///   - harmless: Lines of the script whose failure means nothing.
    init(reading file: URL, script: DumpScript? = nil, harmless: Set<Int> = []) throws {
        var entry = ""
        var lastIsOpen = false
        var awaitsStatement = false
        // The line before began a statement.
        var isInStatement = false
        var failedCopy: FailedCopy?
        // pg_restore tells the statement on the next line.
        var pending: Said?
        func read(_ said: Substring) {
            let line = Self.named(said)
            if isInStatement {
                isInStatement = false
                if let last = problems.indices.last, let constraint = Self.constraint(on: line),
                    problems[last].statement.hasPrefix("ALTER ")
                {
                    problems[last].statement += constraint
                    return
                }
            }
            if awaitsStatement, !line.isEmpty {
                // A statement that begins with a line break.
                awaitsStatement = false
                if let last = problems.indices.last, problems[last].statement.isEmpty {
                    problems[last].statement = String(line.prefix(Self.keptStatement))
                    isInStatement = true
                }
                if lastIsOpen, let last = problems.indices.last { problems[last].object = Self.object(ofCommand: line) }
                lastIsOpen = false
            } else if line == "Command was: " {
                awaitsStatement = true
            } else if line.hasPrefix("pg_restore: from TOC entry ") {
                entry = Self.object(of: line.dropFirst("pg_restore: from TOC entry ".count))
            } else if line.hasPrefix("pg_restore: warning: errors ignored on restore") {
                ignored = true
            } else if line.hasPrefix("CONTEXT:  COPY "), lastIsOpen, let last = problems.indices.last {
                // `CONTEXT:  COPY domains, line 2, column name: "…"`: what follows the table's name may be a value.
                problems[last].object = "table " + line.dropFirst("CONTEXT:  COPY ".count).prefix { $0 != "," }
                lastIsOpen = false
            } else if line.hasPrefix("Command was: ") {
                let command = line.dropFirst("Command was: ".count)
                defer {
                    if let last = problems.indices.last, problems[last].statement.isEmpty {
                        problems[last].statement = String(command.prefix(Self.keptStatement))
                        isInStatement = true
                    }
                }
                if let said = pending {
                    // Set on a database or a role, it is part of the backup.
                    let isSession = said.unknownParameter.map { command.hasPrefix("SET \($0) = ") } == true
                    if isSession, let name = said.unknownParameter { addUnknown(name) } else { add(said, entry: entry) }
                    pending = nil
                    lastIsOpen = !isSession && problems.last?.object.isEmpty == true
                }
                if lastIsOpen, let last = problems.indices.last { problems[last].object = Self.object(ofCommand: command) }
                lastIsOpen = false
            } else if let said = Said(line) {
                if let held = pending { add(held, entry: entry) }
                pending = nil
                lastIsOpen = false
                if let place = said.line, harmless.contains(place) { return }
                if said.isOfRestrict {
                    hasOldPsql = true
                } else if let place = said.line, let copy = failedCopy, copy.explains(said, at: place) {
                    followingRows += 1
                    // Behind the rows it is one statement.
                    if place > copy.end { failedCopy = nil }
                } else if let name = said.unknownParameter, let place = said.line, script?.parameters[place] == name {
                    addUnknown(name)
                } else if said.unknownParameter != nil, said.line == nil {
                    pending = said
                } else {
                    add(said, entry: entry)
                    lastIsOpen = problems.last?.object.isEmpty == true
                    // pg_dump writes none that is wrong as SQL: something before it was read into it.
                    if let place = said.line, !said.isSyntaxError {
                        failedCopy = script?.rows[place].map { FailedCopy(statement: place, end: $0) }
                        if failedCopy != nil { failedCopies.insert(place) }
                    }
                }
            } else if count == 0, loaderTrouble == nil {
                // It comes before anything else: a program that doesn't load says nothing more.
                loaderTrouble = Self.loaderWords(line)
            }
        }
        do {
            try LineReader.forEachLine(of: file, upTo: UnlinkedFile.most, read)
        } catch let error as ScratchError where error.kind == .refused && count > 0 {
            // Of a log that is too large to be read its beginning is verdict enough.
        }
        if let held = pending { add(held, entry: entry) }
    }

    /// The second line of `ALTER TABLE ONLY public.t\n    ADD CONSTRAINT name …`, up to the name: what follows may hold values.
    private static func constraint(on line: Substring) -> String? {
        let tokens = SQLToken.all(in: Array(line.prefix(200).utf8))
        guard tokens.count > 2, tokens[0].isWord("ADD"), tokens[1].isWord("CONSTRAINT"), let name = tokens[2].identifier else { return nil }
        return " ADD CONSTRAINT \"\(name.replacing("\"", with: "\"\""))\""
    }

    /// A program says its own name first, which may be longer: `psql.real:`, `pg_restore-17:`.
    private static func named(_ line: Substring) -> Substring {
        guard let colon = line.firstIndex(of: ":"), line.startIndex < colon else { return line }
        let name = line[..<colon]
        guard name.count < 60, !name.contains(" ") else { return line }
        for tool in ["pg_restore", "psql"] where name.contains(tool) && name != tool { return tool + line[colon...] }
        return line
    }

    /// `pg_restore: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory`. What a
    /// server says stands behind a severity, so nothing that code in a backup raises reads so.
    private static func loaderWords(_ line: Substring) -> String? {
        guard let gap = line.firstRange(of: ": "), line[gap.upperBound...].hasPrefix("error while loading shared libraries: ") else {
            return nil
        }
        return String(line[gap.upperBound...].prefix(200))
    }

    /// What was told of statements that a second run left out.
    mutating func carry(_ problems: [Problem]) {
        count += problems.count
        self.problems = (problems + self.problems).sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    private mutating func addUnknown(_ name: String) {
        if !unknownParameters.contains(name) { unknownParameters.append(name) }
    }

    private mutating func add(_ said: Said, entry: String) {
        remember(said)
        count += 1
        guard problems.count < Self.kept else { return }
        let text = ServerText.redacted(String(said.text), fromServer: said.fromServer)
        problems.append(Problem(object: entry.isEmpty ? said.object : entry, text: text, line: said.line))
    }

    /// A COPY that failed as it began, whose rows an old psql goes on to read as SQL.
    private struct FailedCopy {
        /// The line of its statement.
        var statement: Int
        /// The line of its end mark.
        var end: Int

        /// What an old psql says of the rows, and of the first statement behind them, which it reads as part of the last row.
        func explains(_ said: Said, at line: Int) -> Bool {
            line > statement && (line <= end || said.isSyntaxError)
        }
    }

    private mutating func remember(_ said: Said) {
        // What stands in quotes could be data, and data decides nothing.
        let lower = ServerText.withoutQuotes(String(said.text)).lowercased()
        // A script that made no database and would connect to it: the server is well.
        if lower.hasPrefix("\\connect: "), lower.hasSuffix("does not exist") { return }
        for phrase in Self.phrases where lower.contains(phrase) { words.insert(phrase) }
        if said.fromServer, lower.hasPrefix("out of memory") { words.insert("server out of memory") }
    }

    func says(_ phrases: String...) -> Bool { phrases.contains(where: words.contains) }

    /// The disk is full or the server is gone: what came back says nothing about the backup.
    var isMachineTrouble: Bool { isFullDisk || Self.serverTrouble.contains(where: words.contains) }

    var isFullDisk: Bool { Self.fullDisk.contains(where: words.contains) }

    /// The dump's own CREATE DATABASE can't be had on this machine.
    var isDatabaseTrouble: Bool { isLocaleTrouble || isOptionTrouble }

    /// Sessions waited for each other, and the server gave one of them up.
    var hasDeadlock: Bool { words.contains(Self.deadlock) }

    /// A foreign key came before what it points at was marked unique, or nothing unique is there.
    var lacksUniqueConstraint: Bool { words.contains(Self.noUniqueConstraint) }

    /// The server is older than an option of the dump's CREATE DATABASE.
    var isOptionTrouble: Bool { words.contains(Self.optionUnknown) }

    /// The database's locale or its provider is not on this machine.
    var isLocaleTrouble: Bool {
        says("invalid locale name", "could not create locale", "could not open collator", "icu is not supported", "does not match locale")
    }

    /// What a statement makes, by its name without quotes: `public.domains`; of a constraint with its table before it. nil where it makes nothing of its own.
    static func made(by statement: String) -> String? {
        let tokens = SQLToken.all(in: Array(statement.utf8))
        if tokens.first?.isWord("CREATE") == true {
            let object = object(ofCommand: statement[...])
            // Words in capitals are its kind.
            let name = object.split(separator: " ").drop { $0.allSatisfy { $0.isUppercase } }.joined(separator: " ")
            return name.isEmpty ? nil : name
        }
        guard tokens.first?.isWord("ALTER") == true, let add = tokens.firstIndex(where: { $0.isWord("ADD") }), add + 2 < tokens.count,
            tokens[add + 1].isWord("CONSTRAINT"), let constraint = tokens[add + 2].identifier
        else { return nil }
        let table = object(ofCommand: statement[...]).split(separator: " ").last ?? ""
        return "\(table).\(constraint)"
    }

    /// What a statement changes of an object that is there, so that it comes back otherwise where the statement fails: `public.t_id_seq`,
    /// `publication p`, `partition public.t_1`.
    static func changed(by statement: String) -> String? {
        let tokens = SQLToken.all(in: Array(statement.utf8))
        guard tokens.first?.isWord("ALTER") == true else { return nil }
        let name = object(ofCommand: statement[...]).split(separator: " ").dropFirst().joined(separator: " ")
        if tokens.count > 1, tokens[1].isWord("SEQUENCE") { return name }
        if tokens.count > 1, tokens[1].isWord("PUBLICATION") { return "publication \(name)" }
        guard let attach = tokens.firstIndex(where: { $0.isWord("ATTACH") }), attach + 1 < tokens.count,
            tokens[attach + 1].isWord("PARTITION")
        else { return nil }
        let part = tokens[(attach + 2)...].prefix { $0.identifier.map { !["FOR", "DEFAULT"].contains($0) } ?? $0.isSign(".") }
        return "partition " + part.compactMap { $0.identifier }.joined(separator: ".")
    }

    /// `ALTER TABLE ONLY public.domains` → `TABLE public.domains`: the kind and the name, and nothing of what follows.
    static func object(ofCommand command: Substring) -> String {
        var tokens = SQLToken.all(in: Array(command.utf8))[...]
        guard let verb = tokens.popFirst(), ["CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE"].contains(where: verb.isWord) else {
            return ""
        }
        if !["CREATE", "ALTER", "DROP"].contains(where: verb.isWord) {
            tokens = tokens.drop { !$0.isWord("ON") }.dropFirst()
        }
        // pg_dump writes keywords in capitals, and quotes names that hold any.
        let modifiers: Set = ["OR", "REPLACE", "UNIQUE", "ONLY", "IF", "NOT", "EXISTS", "UNLOGGED", "TEMPORARY"]
        var words: [String] = []
        while case .word(let word)? = tokens.first, word.allSatisfy({ $0.isUppercase }) {
            if !modifiers.contains(word) { words.append(word) }
            tokens = tokens.dropFirst()
        }
        guard !words.isEmpty, var name = tokens.popFirst()?.identifier else { return "" }
        while tokens.first?.isSign(".") == true, let part = tokens.dropFirst().first?.identifier {
            name += "." + part
            tokens = tokens.dropFirst(2)
        }
        return words.joined(separator: " ") + " " + name
    }

    /// `217; 1259 16391 TABLE domains postgres` → `TABLE domains`: the numbers and the owner help nobody.
    private static func object(of entry: Substring) -> String {
        let words = entry.drop { $0 != " " }.dropFirst().split(separator: " ").dropFirst(2)
        // An entry without an owner ends with the blank before it.
        return (entry.last == " " ? words : words.dropLast()).joined(separator: " ")
    }
}

/// An error as a tool prints it.
private struct Said {
    var text: Substring
    var fromServer: Bool
    var line: Int?
    var object = ""

    /// nil for everything else: details, hints, statements and notices follow an error on lines of their own, and may hold values.
    init?(_ line: Substring) {
        if line.hasPrefix("pg_restore: error: ") || line.hasPrefix("pg_restore: fatal: ") {
            let rest = line.dropFirst("pg_restore: error: ".count)
            if rest.hasPrefix("COPY failed for table \"") {
                object = "table " + rest.dropFirst("COPY failed for table \"".count).prefix { $0 != "\"" }
            }
            // `could not execute query: ERROR:  …`: the first severity counts, since a later one would be quoted.
            let ranges = Self.severities.compactMap { rest.range(of: $0) }
            let first = ranges.min { $0.lowerBound < $1.lowerBound }
            text = first.map { rest[$0.upperBound...] } ?? rest
            fromServer = first != nil
        } else if line.hasPrefix("psql:") {
            // `psql:FILE:LINE: ERROR:  …`, `psql:FILE:LINE: error: …` or `psql: error: …`; the severity stands right behind the place.
            guard let gap = line.range(of: ": ") else { return nil }
            let said = line[gap.upperBound...]
            if let severity = Self.severities.first(where: said.hasPrefix) {
                text = said.dropFirst(severity.count)
                fromServer = true
            } else if said.hasPrefix("error: ") {
                text = said.dropFirst("error: ".count)
                fromServer = false
            } else {
                return nil
            }
            self.line = line[..<gap.lowerBound].split(separator: ":").last.flatMap { Int($0) }
        } else {
            return nil
        }
    }

    /// The parameter that the server doesn't know, where that is what it says.
    var unknownParameter: String? {
        let start = "unrecognized configuration parameter \""
        guard fromServer, text.hasPrefix(start), text.last == "\"" else { return nil }
        return text.dropFirst(start.count).dropLast().lowercased()
    }

    var isSyntaxError: Bool { fromServer && text.hasPrefix("syntax error") }

    var isOfRestrict: Bool {
        !fromServer && ["\\restrict", "\\unrestrict"].contains { text.hasPrefix("invalid command \($0)") }
    }

    private static let severities = ["ERROR:  ", "FATAL:  ", "PANIC:  "]
}
