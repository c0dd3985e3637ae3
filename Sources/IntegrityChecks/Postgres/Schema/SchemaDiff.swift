// Compares two schemas, object by object.

public import DrillModel

/// What a restored schema lacks, has too much, or has otherwise.
public enum SchemaDiff {
    /// What can be compared at all: a dump brings neither roles nor, without `--create`, what belongs to the database itself.
    public struct Options: Sendable {
        /// The database's own owner, rights, settings and limits.
        public var databaseProperties: Bool
        /// Roles, their memberships and settings.
        public var roles: Bool
        /// The major versions of source and copy.
        public var majors: (from: Int, to: Int)?

        /// What is expected holds every role of the cluster: another one is one too many.
        public var everyRole = false

        public init(databaseProperties: Bool = true, roles: Bool = true, majors: (from: Int, to: Int)? = nil) {
            self.databaseProperties = databaseProperties
            self.roles = roles
            self.majors = majors
        }

        /// Since 15 a new database's schema public belongs to the database's owner, and not everybody may create in it. A dump of an older server
        /// holds neither, as long as both are as the server made them.
        func isNewDefault(_ old: SchemaObject, _ new: SchemaObject) -> Bool {
            guard let majors, majors.from < 15, majors.to >= 15, old.parents == ["schema public"], new.parents == old.parents else {
                return false
            }
            func last(_ object: SchemaObject) -> Substring? { object.definition.split(separator: "\n").last }
            switch old.kind {
            case .owner: return last(new) == "owner: pg_database_owner"
            case .grant: return old.name.hasPrefix("PUBLIC on ") && last(old) == "ALL" && last(new) == "USAGE"
            default: return false
            }
        }

        private static func isOfCluster(_ parent: String) -> Bool { parent.hasPrefix("role ") || parent.hasPrefix("parameter ") }

        func compares(_ object: SchemaObject) -> Bool {
            let parents = object.parents
            if !databaseProperties, object.kind == .database || parents.contains("database database") { return false }
            if !roles, [.role, .roleMembership, .rolePassword].contains(object.kind) { return false }
            if !roles, [.grant, .comment].contains(object.kind), parents.first.map(Self.isOfCluster) == true { return false }
            if !roles, object.kind == .setting, !parents.contains("database database") { return false }
            return true
        }
    }

    /// Whether an object is the cluster's, and the same for all of its databases: a role, or what is said of one.
    public static func isOfCluster(_ object: SchemaObject) -> Bool { !Options(roles: false).compares(object) }

    /// A finding, and the kind of object that it belongs to.
    public struct Difference: Sendable {
        public var kind: SchemaObject.Kind
        public var finding: Finding
    }

    /// The findings alone: `<kind>-missing`, `<kind>-extra`, `<kind>-differs`.
    public static func compare(
        expected: [SchemaObject], actual: [SchemaObject], options: Options = Options()
    ) -> [Finding] {
        differences(expected: expected, actual: actual, options: options).map(\.finding)
    }

    /// All differences. What goes with a missing or extra object, such as its columns, rights and owner, is counted in its
    /// finding and has none of its own.
    public static func differences(
        expected: [SchemaObject], actual: [SchemaObject], options: Options = Options()
    ) -> [Difference] {
        let left = Index(SealedForm.today(of: expected).filter(options.compares))
        let right = Index(actual.filter(options.compares))
        let missing = Fold(left.objects.filter { right[$0] == nil })
        let roles = Set((options.everyRole ? expected + actual : expected).filter { $0.kind == .role }.map(\.key))
        let more = right.objects.filter { left[$0] == nil && !isAboutRole($0, otherThan: roles) }
        let newborn = more.filter { isOfEveryNewDatabase($0, besides: left) }
        // CREATE EXTENSION brings the extension's own comment, and no dump holds that it was removed at the source.
        let extra = Fold(
            more.filter { !isOfEveryNewDatabase($0, besides: left) && !(SealedForm.isCommentOnExtension($0) && left.has($0.parents)) })
        var result: [Difference] = []
        for object in left.objects {
            if let other = right[object] {
                if options.isNewDefault(object, other) {
                    result.append(Difference(kind: object.kind, finding: newDefault(object, other)))
                } else if let finding = changed(object, other) {
                    result.append(Difference(kind: object.kind, finding: finding))
                }
            } else if missing.isTop(object) {
                result.append(
                    Difference(kind: object.kind, finding: finding(object, isMissing: true, alongside: missing.count(under: object))))
            }
        }
        for object in newborn where object.parents.isEmpty {
            result.append(Difference(kind: object.kind, finding: dropped(object)))
        }
        for object in extra.objects where extra.isTop(object) {
            result.append(Difference(kind: object.kind, finding: finding(object, isMissing: false, alongside: extra.count(under: object))))
        }
        return result
    }

    /// Roles are the cluster's. One that the source's database didn't need shows here by what it owns or may do.
    private static func isAboutRole(_ object: SchemaObject, otherThan known: Set<String>) -> Bool {
        switch object.kind {
        case .role: return !known.contains(object.key)
        // Who sealed it may not have been allowed to ask.
        case .rolePassword: return true
        case .roleMembership, .setting, .grant, .comment: return object.parents.contains { $0.hasPrefix("role ") && !known.contains($0) }
        default: return false
        }
    }

    /// What `CREATE DATABASE` brings by itself, and what is said of it. No dump holds that it was dropped at the source, so every restore has it.
    /// Who may do what in a schema that was not dropped is held by each dump.
    private static func isOfEveryNewDatabase(_ object: SchemaObject, besides sealed: Index) -> Bool {
        let born: Set = ["schema public", "extension plpgsql"]
        if born.contains(object.key) { return true }
        guard let parent = object.parents.first, born.contains(parent) else { return false }
        return object.kind == .comment
            || [.owner, .grant].contains(object.kind) && !(parent == "schema public" && sealed.has([parent]))
    }

    private struct Index {
        let objects: [SchemaObject]
        private let byKey: [String: SchemaObject]

        init(_ objects: [SchemaObject]) {
            self.objects = objects
            byKey = Dictionary(objects.map { ($0.key, $0) }) { first, second in
                SchemaObject(kind: first.kind, name: first.name, definition: first.definition + "\n" + second.definition)
            }
        }

        subscript(_ object: SchemaObject) -> SchemaObject? { byKey[object.key] }

        func has(_ keys: [String]) -> Bool { keys.allSatisfy { byKey[$0] != nil } }
    }

    // MARK: - Findings

    private static func finding(_ object: SchemaObject, isMissing: Bool, alongside count: Int) -> Finding {
        let along = count == 0 ? "" : count == 1 ? ", and one object with it" : ", and \(count) objects with it"
        return Finding(
            Rule("\(object.kind.rawValue)-\(isMissing ? "missing" : "extra")"), object: object.title,
            expected: isMissing ? "there" : "not there", actual: isMissing ? "missing" : "there",
            message: isMissing ? "it was in the source and did not come back\(along)" : "it came back and was not in the source\(along)",
            hint: isMissing
                ? "look for it in the restore's log; if the dump lacks it, check pg_dump's options and the dumping user's rights"
                : "check that the backup is of the right database, and that the restore began with an empty one",
            diff: LineDiff.all(object.definition, mark: isMissing ? "-" : "+"))
    }

    private static func newDefault(_ old: SchemaObject, _ new: SchemaObject) -> Finding {
        func line(_ object: SchemaObject) -> String { String(object.definition.split(separator: "\n").last ?? "") }
        return Finding(
            Rule("\(old.kind.rawValue)-differs"), .warning, object: old.title, expected: line(old), actual: line(new),
            message: "since PostgreSQL 15 new databases have it otherwise, and the dump doesn't hold what it was in the source",
            hint: "where the application creates objects there, GRANT CREATE ON SCHEMA public to its role after the recovery")
    }

    private static func dropped(_ object: SchemaObject) -> Finding {
        Finding(
            Rule("\(object.kind.rawValue)-extra"), .note, object: object.title, expected: "not there", actual: "there",
            message: "every new database has it by itself, and no dump holds that it was dropped in the source",
            hint: "after a recovery in earnest, drop it again: DROP \(object.kind == .schema ? "SCHEMA" : "EXTENSION") \(object.name)")
    }

    private static func changed(_ expected: SchemaObject, _ actual: SchemaObject) -> Finding? {
        guard expected.definition != actual.definition else { return nil }
        let (old, new) = comparable(expected, actual)
        if old == new { return nil }
        if DefinitionForm.applies(to: expected.kind, old), DefinitionForm.applies(to: actual.kind, new),
            DefinitionForm(of: old) == DefinitionForm(of: new)
        {
            return nil
        }
        let diff = LineDiff.unified(from: old, to: new)
        let (gone, come) = (diff.filter { $0.hasPrefix("-") }, diff.filter { $0.hasPrefix("+") })
        let isOneLine = gone.count <= 1 && come.count <= 1
        return Finding(
            Rule("\(expected.kind.rawValue)-differs"), severity(of: expected.kind, gone + come), object: expected.title,
            expected: isOneLine ? gone.first.map { String($0.dropFirst()) } ?? "without it" : "as in the source",
            actual: isOneLine ? come.first.map { String($0.dropFirst()) } ?? "without it" : "changed, see the diff",
            message: "it came back with another definition", hint: hint(for: expected.kind), diff: diff)
    }

    /// A column that one side lacks is a finding of its own: of the table, only the order of the common ones is compared.
    private static func comparable(_ expected: SchemaObject, _ actual: SchemaObject) -> (String, String) {
        guard expected.kind == .table else { return (expected.definition, actual.definition) }
        func lines(_ object: SchemaObject) -> [Substring] { object.definition.split(separator: "\n", omittingEmptySubsequences: false) }
        let common = Set(lines(expected)).intersection(lines(actual))
        func kept(_ object: SchemaObject) -> String {
            lines(object).filter { !$0.hasPrefix("column: ") || common.contains($0) }.joined(separator: "\n")
        }
        return (kept(expected), kept(actual))
    }

    /// `CREATE EXTENSION` installs the version that the machine has.
    private static func severity(of kind: SchemaObject.Kind, _ changes: [String]) -> Finding.Severity {
        kind == .extension && changes.allSatisfy { $0.dropFirst().hasPrefix("version: ") } ? .warning : .critical
    }

    private static func hint(for kind: SchemaObject.Kind) -> String {
        switch kind {
        case .extension: "install the source's version of the extension on the machine that you would recover to"
        case .owner, .grant: "back up the roles too (pg_dumpall --globals-only), and restore them first"
        case .rolePassword: "let pg_dumpall hold the passwords (without --no-role-passwords), or keep them where a recovery finds them"
        case .role, .roleMembership, .setting: "take the globals file at the same time as the dump"
        default: "compare the dump's own text (pg_restore -f - FILE) with the source; one of the two was changed"
        }
    }
}

/// The objects that one side lacks, and which of them go with another one.
private struct Fold {
    let objects: [SchemaObject]
    private let keys: Set<String>
    private var parents: [String: [String]] = [:]
    private var counts: [String: Int] = [:]

    init(_ objects: [SchemaObject]) {
        self.objects = objects
        keys = Set(objects.map(\.key))
        // A partition goes with its table where that is gone too, and its table with the table that it is part of.
        let wholes = Dictionary(objects.filter { $0.kind == .partition }.map { ($0.name, $0.parents) }) { first, _ in first }
        for object in objects {
            let own: [String] =
                switch object.kind {
                case .partition: ["table \(object.name)"] + object.parents
                case .table: wholes[object.name] ?? []
                default: object.parents
                }
            parents[object.key] = (own + object.schemaKeys).filter(keys.contains)
        }
        for object in objects {
            if let top = top(of: object.key) { counts[top, default: 0] += 1 }
        }
    }

    func isTop(_ object: SchemaObject) -> Bool { top(of: object.key) == nil }

    func count(under object: SchemaObject) -> Int { counts[object.key] ?? 0 }

    /// The outermost missing object that this one goes with; nil where it stands for itself.
    private func top(of key: String) -> String? {
        var current = key
        var seen: Set<String> = []
        while seen.insert(current).inserted, let parent = parents[current]?.first { current = parent }
        return current == key ? nil : current
    }
}

extension SchemaObject {
    /// Unique within a schema.
    var key: String { "\(kind.rawValue) \(name)" }

    /// The keys of what it can't exist without: the lines that its definition begins with.
    var parents: [String] {
        var result: [String] = []
        for line in definition.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("of ") else { break }
            result.append(String(line.dropFirst(3)))
        }
        return result
    }

    /// The schema that it lies in, where its name begins with one.
    fileprivate var schemaKeys: [String] {
        switch kind {
        case .type, .table, .view, .materializedView, .function, .sequence, .collation, .statistics, .index, .conversion:
            // A quoted name may hold dots of its own.
            if name.hasPrefix("\"") {
                guard let end = name.dropFirst().firstRange(of: "\".") else { return [] }
                return ["schema " + name[..<end.lowerBound] + "\""]
            }
            return name.firstIndex(of: ".").map { ["schema " + name[..<$0]] } ?? []
        default: return []
        }
    }

    /// A role's name without the quotes that SQL may want.
    var roleName: String {
        name.hasPrefix("\"") ? String(name.dropFirst().dropLast()).replacing("\"\"", with: "\"") : name
    }

    /// For people: `index public.domains_name_key`, `rights of alice on table public.domains`.
    var title: String {
        switch kind {
        case .owner: "owner of \(name)"
        case .comment: "comment on \(name)"
        case .grant: name.hasPrefix("default privileges") ? name : "rights of \(name)"
        case .roleMembership: "role \(name)"
        case .rolePassword: "password of role \(name)"
        case .database: "database"
        default: key
        }
    }
}
