// Which databases a script makes, drops and enters: that of a whole cluster holds several.

/// A script's databases, by its own CREATE DATABASE and `\connect`.
struct ScriptDatabases: Sendable, Hashable {
    /// The line that each CREATE DATABASE ends on, and each DROP DATABASE.
    private(set) var made: [String: Int] = [:]
    private(set) var dropped: [String: Int] = [:]
    /// Those that it connects to, each once.
    private(set) var entered: [String] = []

    private struct Border: Hashable {
        var line: Int
        var database: String
    }
    private var borders: [Border] = []

    /// The one that the next statement goes to; nil: where the script was begun.
    var current: String? { borders.last?.database }

    /// More than the one that a dump makes for itself: a whole cluster, or several dumps in one file.
    var areSeveral: Bool { entered.count > 1 || entered.contains { made[$0] == nil } }

    mutating func make(_ name: String, line: Int) { if made[name] == nil { made[name] = line } }

    mutating func drop(_ name: String, line: Int) { dropped[name] = line }

    /// - Parameters:
    ///   - command: A command to psql.
    ///   - line: That it ends on.
    mutating func enter(by command: [UInt8], line: Int) {
        guard let name = Self.target(of: command) else { return }
        borders.append(Border(line: line, database: name))
        if !entered.contains(name) { entered.append(name) }
    }

    /// The database that a statement went to which ends on a line.
    func database(at line: Int) -> String? { borders.last { $0.line <= line }?.database }

    /// `\connect shop`, `\connect "Shop"`, and of a name with other signs `\connect -reuse-previous=on "dbname='we ird'"`.
    private static func target(of command: [UInt8]) -> String? {
        guard command.starts(with: "\\connect ".utf8) else { return nil }
        var words = SQLToken.all(in: Array(command.dropFirst("\\connect ".utf8.count)))[...]
        if words.first?.isSign("-") == true { words = words.drop { if case .name = $0 { false } else { true } } }
        guard let name = words.first?.identifier else { return nil }
        guard name.hasPrefix("dbname='"), name.hasSuffix("'") else { return name }
        // A connection string escapes by backslashes.
        var value = ""
        var isEscaped = false
        for character in name.dropFirst("dbname='".count).dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                value.append(character)
                isEscaped = false
            }
        }
        return value
    }
}
