// Has a restored server print definitions of another major version, so that both sides of a comparison come from one printer.

import DrillModel
import PostgresClient

/// Each major version may print the same view otherwise: since 16 a query of one table names its columns without the table. A server that reads the
/// sealed text and prints it again removes what is its own, and nothing else.
extension PostgresInventory {
    /// The sealed objects, with those whose text differs from the restored one's as this server prints them.
    ///
    /// The definitions are made in a transaction that is rolled back, where no trigger fires. One that this server doesn't take stays as it is.
    ///
    /// - Parameter found: What the restored database holds.
    func reprinted(_ sealed: [SchemaObject], comparingWith found: [SchemaObject]) async throws(PostgresError) -> [SchemaObject] {
        let texts = Dictionary(found.map { ($0.key, $0.definition) }) { first, _ in first }
        var result = sealed
        for (index, object) in sealed.enumerated() {
            guard let text = texts[object.key], text != object.definition, let definition = PrintedDefinition(of: object) else { continue }
            result[index].definition = try await reprint(definition) ?? object.definition
        }
        return result
    }

    private func reprint(_ definition: PrintedDefinition) async throws(PostgresError) -> String? {
        try await connection.execute("BEGIN TRANSACTION READ WRITE; SET LOCAL session_replication_role = replica")
        var printed: String?
        do throws(PostgresError) {
            // One statement each: a text that would be two is refused.
            _ = try await connection.query(definition.statement)
            printed = try await connection.value(definition.question, definition.parameters)
        } catch {
            guard error.sqlState != nil else { throw error }
        }
        try await connection.execute("ROLLBACK")
        return printed.map { definition.before + $0 + definition.after }
    }
}

/// A definition that the server prints from its parsed form as one text of SQL, taken apart.
private struct PrintedDefinition {
    /// Makes it anew.
    var statement: String
    /// Asks for its text, with these parameters.
    var question: String
    var parameters: [String] = []
    /// The properties that stand around its text, a line each.
    var before = ""
    var after = ""

    private static let endings = ["disabled", "enabled for replicas", "enabled always"]

    /// nil where the server keeps the text as it was given, or where it prints nothing of its own.
    init?(of object: SchemaObject) {
        let lines = object.definition.split(separator: "\n", omittingEmptySubsequences: false)
        switch object.kind {
        case .view, .materializedView:
            // A query begins with a blank, and no property does.
            guard let first = lines.firstIndex(where: { $0.hasPrefix(" ") }) else { return nil }
            let query = lines[first...].joined(separator: "\n")
            statement = "CREATE TEMPORARY VIEW muster_reprint AS \(query)"
            question = "SELECT pg_get_viewdef('pg_temp.muster_reprint'::regclass)"
            before = lines[..<first].map { $0 + "\n" }.joined()
        case .rule:
            // `table public.t`, where the kind is the first word.
            guard let first = lines.firstIndex(where: { $0.hasPrefix("CREATE RULE ") }),
                let relation = object.parents.first?.drop(while: { $0 != " " }).dropFirst()
            else { return nil }
            let end = lines.last.map { Self.endings.contains(String($0)) } == true ? lines.endIndex - 1 : lines.endIndex
            statement = "CREATE OR REPLACE RULE " + lines[first..<end].joined(separator: "\n").dropFirst("CREATE RULE ".count)
            question = "SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = $1::regclass AND quote_ident(rulename) = $2"
            parameters = [String(relation), String(object.name.dropFirst(relation.count + 1))]
            before = lines[..<first].map { $0 + "\n" }.joined()
            after = lines[end...].map { "\n" + $0 }.joined()
        case .function:
            // A body in quotes is text, which the server doesn't touch.
            guard object.definition.hasPrefix("CREATE OR REPLACE "), !object.definition.contains("AS $") else { return nil }
            statement = object.definition
            question = "SELECT pg_get_functiondef($1::regprocedure)"
            parameters = [object.name]
        default: return nil
        }
    }
}
