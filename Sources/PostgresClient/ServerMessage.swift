// Turns what a server says of an error into a message that can't hold data.

/// The fields of a server's error report that Muster looks at. Detail, context and query text are never read.
struct ServerMessage {
    var sqlState: String?
    var primary: String
    /// The server's source file that raised it.
    var sourceFile: String?
    /// Where in the statement, counted in characters from 1.
    var position: String?

    /// The message, without what could be data.
    var redacted: String {
        guard let sqlState, sqlState.count == 5 else { return "the server reported an error without a code" }
        // A procedural language raised it: the text is the author's, and may hold anything under any code.
        let languages = ["pl_", "plpy", "plperl", "pltcl", "plv8"]
        if let sourceFile, languages.contains(where: sourceFile.hasPrefix) { return "a function of the database raised an error" }

        if sqlState == "42601" {
            let place = position.map { " at character \($0)" } ?? ""
            return "syntax error\(place)"
        }
        switch sqlState.prefix(2) {
        case "22": return Self.dataExceptions[sqlState] ?? "a value could not be processed"
        case "23", "42", "3D", "3F", "28", "08", "0A", "21", "25", "26", "2B", "34", "40", "44", "53", "54", "55", "57", "58":
            // Quoted parts under these codes are names, files and settings.
            return Self.oneLine(primary)
        case "XX": return sqlState == "XX000" ? Self.withoutQuotes(primary) : Self.oneLine(primary)
        default: return "the server reported an error"
        }
    }

    /// What mends it, as far as the code tells.
    var hint: String {
        switch sqlState ?? "" {
        case "42501": "grant the role that Muster connects as the right to read it"
        case "42P01", "42703", "42883", "42704", "3F000", "3D000": "check the name, and whether it was restored"
        case "42601": "correct the SQL"
        case "57014": "raise the time limit, or ask for less"
        case "53100": "free disk space on the server"
        case "53300": "raise the server's max_connections, or end other sessions"
        case "XX001", "XX002", "58030": "the server's storage is damaged: restore from another backup"
        case "57P01", "57P02", "57P03": "look into the server's log"
        case "28P01", "28000": "check the user, the password and pg_hba.conf"
        default: ""
        }
    }

    private static let dataExceptions = [
        "22001": "a text is too long for its type",
        "22003": "a number is out of range",
        "22007": "a date or time has an invalid format",
        "22008": "a date or time is out of range",
        "22012": "division by zero",
        "22021": "a text holds bytes that its encoding doesn't know",
        "22P02": "a value has an invalid format for its type",
        "22P05": "a text holds a character that the other encoding doesn't know",
    ]

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Cuts from the first quote of any language to the last: a value may itself hold quotes.
    private static func withoutQuotes(_ text: String) -> String {
        let text = oneLine(text)
        let quotes: Set<Character> = ["\"", "'", "«", "»", "“", "”", "„", "‘", "’", "‚", "「", "」", "`"]
        guard let first = text.firstIndex(where: quotes.contains), let last = text.lastIndex(where: quotes.contains) else { return text }
        return text[..<first] + "…" + text[text.index(after: last)...]
    }
}
