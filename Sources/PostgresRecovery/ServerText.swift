// Makes what servers and their tools say safe to show.

import Foundation

/// Words of a server or a tool, without what could be data.
enum ServerText {
    /// How messages begin whose quoted parts are names of objects, roles or files, never values.
    private static let namesOnly = [
        "relation ", "role \"", "schema \"", "type ", "function ", "procedure ", "aggregate ", "operator ", "extension \"",
        "database \"", "language \"", "collation \"", "constraint \"", "publication \"", "subscription \"", "server \"", "trigger \"",
        "foreign-data wrapper \"", "text search ", "encoding \"", "tablespace \"", "access method \"", "policy \"", "column \"",
        "permission denied", "must be owner of ", "must be superuser", "duplicate key value violates unique constraint \"",
        "could not create unique index \"", "insert or update on table \"", "update or delete on table \"", "new row for relation \"",
        "null value in column \"", "no partition of relation \"", "unrecognized configuration parameter \"", "invalid locale name",
        "could not open extension control file ", "could not access file ", "could not load library ", "cannot be implemented",
        "no schema has been selected", "deadlock detected", "can only create extension in database ",
        "there is no unique constraint matching ", "large object ", "library \"",
        "option \"", "unrecognized parameter \"",
    ]

    /// How messages begin that quote names alone where they say that something is not there; raised by a function they may be of anything.
    private static let ofMissing = [
        "statistics object \"", "conversion \"", "event trigger \"", "materialized view \"", "foreign table \"", "operator class \"",
        "operator family \"", "user mapping for ", "cast from type ", "transform for type ", "rule \"", "index \"", "table \"", "view \"",
        "sequence \"", "property graph \"",
    ]

    /// How other messages of the server itself begin; whatever they quote may be a value.
    private static let known = [
        "invalid input syntax for ", "invalid byte sequence for encoding ", "invalid value for parameter ", "invalid memory alloc ",
        "invalid page in block", "invalid DSM", "value too long for type ", "missing data for column ", "extra data after last ",
        "syntax error", "unterminated ", "could not extend file ", "could not write ", "could not open ", "could not read ",
        "could not fsync ", "could not resize ", "could not fork ", "out of memory", "out of shared memory",
        "current transaction is aborted",
        "terminating connection", "the database system is", "integer out of range", "bigint out of range", "smallint out of range",
        "numeric field overflow", "division by zero", "literal ", "unexpected EOF on client connection", "index row ", "cannot ",
        "COPY ", "character with byte sequence ", "date/time field value out of range", "malformed ", "unsupported ",
        "cache lookup failed ",
        "incomplete startup packet", "pre-existing shared memory block", "data directory ", "lock file ", "canceling statement ",
    ]

    /// What stands for a message whose form nobody knows: a function of the database may have raised it, with anything in it.
    static let withheld = "a message that could hold data; it stands in the tool's log"

    /// - Parameter fromServer: Whether a server raised it, and not the tool: a server runs the database's own functions, and these
    ///   may say anything.
    static func redacted(_ text: String, fromServer: Bool = true) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let short = line.count > 300 ? line.prefix(300) + "…" : line
        if fromServer, namesOnly.contains(where: short.hasPrefix) { return short }
        if fromServer, short.hasSuffix(" does not exist"), ofMissing.contains(where: short.hasPrefix) { return short }
        guard !fromServer || known.contains(where: short.hasPrefix) else { return withheld }
        return withoutQuotes(short)
    }

    /// Why it ended, by its log; where no line names a cause, the last line of any kind.
    static func cause(in log: String) -> String {
        if let words = lastWords(of: log) { return words }
        let last = log.split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) && !$0.contains("STATEMENT:  ") }
        return last.map { "its log names no cause, and ends with: \(withoutQuotes(String($0.prefix(300))))" } ?? "its log says nothing"
    }

    /// The line of a log that says best why a server or initdb ended: the last one with a severity, or else the last one at all. A server that doesn't know
    /// where its files are says so before it has severities.
    static func lastWords(of log: String) -> String? {
        let lines = log.split(whereSeparator: \.isNewline).filter { line in
            !line.allSatisfy(\.isWhitespace)
                && !["DETAIL:  ", "HINT:  ", "CONTEXT:  ", "STATEMENT:  ", "LOG:  "].contains { line.contains($0) }
        }
        let severe = lines.last { $0.contains("FATAL") || $0.contains("error:") || $0.contains("PANIC") }
        if let severe {
            let said = ["FATAL:  ", "PANIC:  "].compactMap { severe.range(of: $0) }.first.map { severe[$0.upperBound...] } ?? severe
            // A setting's name is no value.
            let isOfSetting = said.prefixMatch(of: #/"[a-z_.]+" must be /#) != nil
            return isOfSetting || namesOnly.contains(where: said.hasPrefix)
                ? String(severe.prefix(300)) : withoutQuotes(String(severe.prefix(300)))
        }
        guard let last = lines.last else { return nil }
        // What a postgres says before it has read a configuration is about its files, and it has read nothing else.
        let names = ["postgres: ", "postgres does not ", "initdb: "].contains { last.hasPrefix($0) }
        return names ? String(last.prefix(300)) : withoutQuotes(String(last.prefix(300)))
    }

    /// Cuts from the first quote to the last: a value may itself hold quotes.
    static func withoutQuotes(_ text: String) -> String {
        guard let first = text.firstIndex(of: "\""), let last = text.lastIndex(of: "\""), first < last else { return text }
        return text[...first] + "…" + text[last...]
    }
}
