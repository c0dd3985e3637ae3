// The questions of a drill file, one kind of check after the other.

import DrillModel
import Foundation
import Yams

/// Reads the checks of one service.
struct CheckReader {
    /// One kind of check: a new one is a line in ``kinds`` and a function.
    struct Kind: Sendable {
        var name: String
        var engines: Set<Service.Engine>
        var section: Section
        var read: @Sendable (Fields, CheckReader) -> DeclaredCheck?
    }

    static let kinds = [
        Kind(name: "rows", engines: [.postgres], section: .rowsCheck, read: rows),
        Kind(name: "sql", engines: [.postgres], section: .sqlCheck, read: sql),
        Kind(name: "sealed", engines: [.postgres], section: .sealedCheck, read: sealed),
        Kind(name: "keys", engines: [.redis], section: .keysCheck, read: keys),
        Kind(name: "key", engines: [.redis], section: .keyCheck, read: key),
        Kind(name: "command", engines: [.postgres, .redis], section: .commandCheck) { CommandCheckReader(fields: $0, check: $1).read() },
    ]

    let file: SourceFile
    let service: String
    /// nil where it is not known, because the estate has problems.
    let engine: Service.Engine?

    func read(_ entry: Entry) -> [DeclaredCheck] {
        let title = "\"checks\" of \"\(service)\""
        if let engine, !engine.holdsData {
            file.report(
                at: entry.place, "engine \"\(engine.rawValue)\" has no checks of a drill's own",
                hint: "remove them: what must be in it stands with the backup in the estate file")
            return []
        }
        guard case .sequence(let items) = entry.node, !file.refusesTag(of: entry.node) else {
            file.report(
                at: entry.node.place, "\(title) must be a list, not \(file.kind(of: entry.node))",
                hint: "begin each check with \"- \", as in \"- rows: {table: public.domains, at-least: 1}\"")
            return []
        }
        if items.isEmpty {
            file.report(at: entry.place, "\(title) is empty", hint: "write a check, or remove the line")
        }
        var seen = Set<String>()
        return items.compactMap { item in
            guard let check = check(item) else { return nil }
            // Two test cases of one name: CI servers drop one of them.
            guard seen.insert(check.identity).inserted else {
                file.report(
                    at: item.place, "this check is there twice", hint: "remove one of them, or give it another name, table or pattern")
                return nil
            }
            return check
        }
    }

    private func check(_ item: Node) -> DeclaredCheck? {
        let known = Self.kinds.filter { engine == nil || $0.engines.contains(engine ?? .postgres) }.map(\.name)
        let list = known.joined(separator: " or ")
        guard let mapping = file.mapping(item, what: "a check") else { return nil }
        let entries = file.entries(mapping)
        guard let entry = entries.first, entries.count == 1 else {
            file.report(
                at: item.place, entries.isEmpty ? "this check asks nothing" : "a check holds one kind, not \(entries.count) keys",
                hint: entries.isEmpty
                    ? "write \(list)" : "begin each check with \"- \", and indent what belongs to it further than its kind")
            return nil
        }
        guard let kind = Self.kinds.first(where: { $0.name == entry.name }) else {
            file.report(
                at: entry.place, "unknown check \(shown(entry.name))",
                hint: NearestWord.hint(for: entry.name, among: known, called: "checks"))
            return nil
        }
        if let engine, !kind.engines.contains(engine) {
            file.report(
                at: entry.place, "check \"\(kind.name)\" does not fit engine \"\(engine.rawValue)\"",
                hint: "for \(engine.rawValue), write \(list)")
            return nil
        }
        let title = "check \"\(kind.name)\""
        guard let fields = Fields(file, entry.node, kind.section, title: title, place: entry.place) else { return nil }
        return kind.read(fields, self)
    }

    @Sendable private static func rows(_ fields: Fields, _: CheckReader) -> DeclaredCheck? {
        let bounds = fields.bounds()
        guard let table = fields.text("table") else { return nil }
        guard TableName.parts(table) != nil else {
            fields.report(
                "table", "\(shown(table)) is not a table name", hint: "write schema.table, with parts quoted as in SQL: '\"Odd\".\"Name\"'")
            return nil
        }
        return bounds.map { fields.placed(.rows(table: table, bounds: $0)) }
    }

    @Sendable private static func sql(_ fields: Fields, _: CheckReader) -> DeclaredCheck? {
        let name = fields.line("name")
        let query = fields.text("query")
        let expect = fields.expectation("expect")
        guard let name, let query, let expect else { return nil }
        return fields.placed(.sql(name: name, query: query, expect: expect))
    }

    @Sendable private static func sealed(_ fields: Fields, _: CheckReader) -> DeclaredCheck? {
        let name = fields.line("name")
        let query = fields.text("query")
        let values = fields.choice("values", SealedQuestion.Values.self)
        guard let name, let query else { return nil }
        return fields.placed(.sealed(SealedQuestion(name: name, query: query, values: values ?? .hashed)))
    }

    @Sendable private static func keys(_ fields: Fields, _: CheckReader) -> DeclaredCheck? {
        let bounds = fields.bounds()
        let database = fields.databaseIndex()
        guard let pattern = fields.line("pattern"), let database else { return nil }
        return bounds.map { .keys(database: database, pattern: pattern, bounds: $0) }
    }

    @Sendable private static func key(_ fields: Fields, _: CheckReader) -> DeclaredCheck? {
        let database = fields.databaseIndex()
        let type = fields.text("type")
        // Names of modules' types have nine letters, always.
        let types = ["string", "hash", "list", "set", "zset", "stream"]
        if let type, !types.contains(type), type.wholeMatch(of: /[A-Za-z0-9_\-]{9}/) == nil {
            fields.report("type", "unknown type \(shown(type))", hint: NearestWord.hint(for: type, among: types, called: "types"))
        }
        guard let name = fields.line("name"), let database else { return nil }
        return .key(database: database, name: name, type: type)
    }
}

extension DeclaredCheck {
    /// What makes it the same question as another, whatever answer is expected.
    fileprivate var identity: String {
        switch self {
        case .rows(let table, _): "rows \((TableName.parts(table) ?? [table]))"
        case .sql(let name, _, _): "sql \(name)"
        case .keys(let database, let pattern, _): "keys \(database) \(pattern)"
        case .key(let database, let name, _): "key \(database) \(name)"
        // Its case is named as that of a query.
        case .sealed(let question): "sql \(question.name)"
        case .command(let command): "command \(command.name)"
        case .asRole(let role, let check): "\(role)@\(check.identity)"
        case .inDatabase(let database, let check): "\(database): \(check.identity)"
        }
    }
}

extension Fields {
    /// Text that names a test case, and so must fit on a line.
    func line(_ key: String) -> String? {
        guard let text = text(key) else { return nil }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }), text.count <= 200 else {
            report(key, "\"\(key)\" must be one line of 200 letters at the most", hint: "shorten it, without line breaks")
            return nil
        }
        return text
    }

    /// With the role and the database that it names.
    func placed(_ check: DeclaredCheck) -> DeclaredCheck {
        let asked = roleName("as").map { .asRole($0, check) } ?? check
        return databaseName("database").map { .inDatabase($0, asked) } ?? asked
    }

    private func roleName(_ key: String) -> String? {
        guard self[key] != nil, let name = line(key) else { return nil }
        guard !name.isEmpty, name.utf8.count <= 63 else {
            report(key, "\"\(key)\" is no name of a role", hint: "write its name as psql's \\du shows it, without quotes of SQL's")
            return nil
        }
        return name
    }

    /// As PostgreSQL keeps names: as written, without quotes.
    func databaseName(_ key: String) -> String? {
        guard self[key] != nil, let name = line(key) else { return nil }
        guard !name.isEmpty, name.utf8.count <= 63 else {
            report(key, "\"\(key)\" is no name of a database", hint: "write its name as psql -l shows it, without quotes of SQL's")
            return nil
        }
        return name
    }

    fileprivate func databaseIndex() -> Int? {
        self["database"] == nil ? 0 : whole("database", in: 0...Int(Int32.max))
    }

    /// Bounds that some count could violate; nil, and a problem, otherwise.
    fileprivate func bounds() -> Bounds? {
        let limits = 0...Int.max
        let low = whole("at-least", in: limits)
        let high = whole("at-most", in: limits)
        if self["exactly"] != nil {
            guard self["at-least"] == nil, self["at-most"] == nil else {
                report("exactly", "\"exactly\" leaves no room for other bounds", hint: "keep \"exactly\", or \"at-least\" and \"at-most\"")
                return nil
            }
            return whole("exactly", in: limits).map { Bounds(atLeast: $0, atMost: $0) }
        }
        guard !stated.isDisjoint(with: ["at-least", "at-most", "exactly"]) else {
            let options = section.keys.contains("exactly") ? "at-least, at-most or exactly" : "at-least or at-most"
            file.report(at: place, "\(title) has no bound: it could not fail", hint: "add \(options)")
            return nil
        }
        if let low, let high, low > high {
            report("at-least", "\"at-least\" is greater than \"at-most\"", hint: "swap them")
            return nil
        }
        if low == 0, !stated.contains("at-most") {
            report("at-least", "\"at-least: 0\" holds for any count: it could not fail", hint: "write \"at-least: 1\", or add \"at-most\"")
            return nil
        }
        return low == nil && high == nil ? nil : Bounds(atLeast: low, atMost: high)
    }

    /// What a query's single value must be.
    func expectation(_ key: String) -> Expectation? {
        guard let entry = self[key], let text = text(key) else { return nil }
        if case .scalar(let scalar) = entry.node, isPlain(scalar), ["true", "false", "yes", "no"].contains(text.lowercased()) {
            report(
                key, "\"\(key)\" is a bare truth value",
                hint: "a boolean column reads t or f: write \"= t\" or \"= f\"; for the word itself write \"= \(text)\"")
            return nil
        }
        let sign = text.trimmingCharacters(in: .whitespaces).prefix { "=<>!".contains($0) }
        guard let expectation = Expectation(parsing: text), sign.isEmpty || sign == expectation.comparison.rawValue else {
            report(
                key, "\"\(key)\" is not an expectation",
                hint: "write \"> 0\", \">= 1\", \"< 5\", \"<= 5\", \"= text\", \"!= text\", \"is null\" or \"is not null\", in quotes")
            return nil
        }
        return expectation
    }
}
