// Brings a definition into a form in which a database and its restored copy write the same thing the same way.

import DrillModel

/// The server prints a view, a check or a policy from its parsed form, and reading that text back may parse a little differently.
/// A restored copy then prints other text for the same meaning, once. Three rewritings, none of which changes a meaning, make
/// the texts equal again:
///
/// - `(ARRAY['a'::character varying])::text[]` is `ARRAY[('a'::character varying)::text]`: what `IN ('a')` becomes.
/// - `((a AND b) AND c)` is `(a AND b AND c)`: what `BETWEEN` becomes beside another condition. `OR` likewise.
/// - `(SELECT 'a'::text AS text)` is `(SELECT 'a'::text)`: a constant without a name gets its type's when it is read again.
struct DefinitionForm: Equatable {
    private let text: String

    /// - Parameter definition: SQL as the server prints it.
    init(of definition: String) {
        var reader = Reader(definition)
        text = Self.print(Self.rewritten(reader.readSequence(closing: nil)))
    }

    /// Whether definitions of a kind are expressions that the server prints from their parsed form.
    static func applies(to kind: SchemaObject.Kind, _ definition: String) -> Bool {
        switch kind {
        case .view, .materializedView, .constraint, .index, .policy, .default, .column, .rule, .trigger, .type, .publication, .statistics,
            .partition, .table:
            true
        // A body in quotes is text, which the server doesn't touch.
        case .function: !definition.contains("AS $")
        default: false
        }
    }

    // MARK: - Structure

    private indirect enum Node {
        case token(String)
        /// Between parentheses or brackets.
        case group(open: Character, [Node])

        func isToken(_ text: String) -> Bool {
            if case .token(let own) = self { own == text } else { false }
        }

        func group(_ open: Character) -> [Node]? {
            if case .group(open, let nodes) = self { nodes } else { nil }
        }
    }

    private struct Reader {
        private var rest: Substring.UnicodeScalarView

        init(_ text: String) { rest = Substring(text).unicodeScalars }

        mutating func readSequence(closing: Unicode.Scalar?) -> [Node] {
            var nodes: [Node] = []
            while let next = rest.first {
                if next == closing {
                    rest.removeFirst()
                    break
                }
                switch next {
                case "(", "[":
                    rest.removeFirst()
                    nodes.append(.group(open: Character(next), readSequence(closing: next == "(" ? ")" : "]")))
                case " ", "\n", "\t", "\r": rest.removeFirst()
                case "'", "\"": nodes.append(.token(readQuoted(next, escapes: nodes.last?.isToken("E") ?? false)))
                default: nodes.append(.token(readWord()))
                }
            }
            return nodes
        }

        private mutating func readQuoted(_ quote: Unicode.Scalar, escapes: Bool) -> String {
            var text = String.UnicodeScalarView([rest.removeFirst()])
            while let next = rest.popFirst() {
                text.append(next)
                if escapes, next == "\\", let escaped = rest.popFirst() {
                    text.append(escaped)
                } else if next == quote {
                    guard rest.first == quote else { break }
                    text.append(rest.removeFirst())
                }
            }
            return String(text)
        }

        private mutating func readWord() -> String {
            func isWord(_ scalar: Unicode.Scalar) -> Bool {
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_" || scalar == "$"
            }
            guard let first = rest.popFirst() else { return "" }
            var text = String.UnicodeScalarView([first])
            if isWord(first) {
                while let next = rest.first, isWord(next) { text.append(rest.removeFirst()) }
            } else if first == ":", rest.first == ":" {
                text.append(rest.removeFirst())
            }
            return String(text)
        }
    }

    // MARK: - Rewriting

    private static func rewritten(_ nodes: [Node]) -> [Node] {
        let inner = nodes.map { node -> Node in
            guard case .group(let open, let children) = node else { return node }
            return .group(open: open, flattened(withoutTypeNames(rewritten(children))))
        }
        return withCastsInside(inner)
    }

    /// Splices what is joined by the same word into its surroundings.
    private static func flattened(_ nodes: [Node]) -> [Node] {
        for word in ["AND", "OR"] {
            let operands = nodes.split(whereSeparator: { $0.isToken(word) })
            guard operands.count > 1 else { continue }
            return Array(
                operands.map { operand -> [Node] in
                    guard operand.count == 1, let children = operand.first?.group("("), children.contains(where: { $0.isToken(word) })
                    else { return Array(operand) }
                    return children
                }.joined(separator: [.token(word)]))
        }
        return nodes
    }

    /// Moves the cast of a whole array to its elements. In some places the server prints both without parentheses.
    private static func withCastsInside(_ nodes: [Node]) -> [Node] {
        var result: [Node] = []
        var index = 0
        while index < nodes.count {
            let inParentheses = nodes[index].group("(")
            let array = inParentheses ?? Array(nodes[index...].prefix(2))
            let cast = index + (inParentheses == nil ? 2 : 1)
            guard array.count == 2, array[0].isToken("ARRAY"), let items = array[1].group("["), cast < nodes.count,
                nodes[cast].isToken("::"), let end = endOfArrayType(in: nodes, from: cast + 1)
            else {
                result.append(nodes[index])
                index += 1
                continue
            }
            let type = nodes[cast..<end]
            let elements = items.split(whereSeparator: { $0.isToken(",") }).map { item -> [Node] in
                (inParentheses == nil ? Array(item) : [.group(open: "(", Array(item))]) + type
            }
            result += [.token("ARRAY"), .group(open: "[", Array(elements.joined(separator: [.token(",")])))]
            index = end + 1
        }
        return result
    }

    /// Drops a constant's column name where it is the one that its type gives it. At the outermost level a name is a view's own.
    private static func withoutTypeNames(_ nodes: [Node]) -> [Node] {
        var result = nodes
        for index in nodes.indices.reversed() where nodes[index].isToken("AS") && index + 1 < nodes.count {
            guard case .token(let alias) = nodes[index + 1],
                let cast = nodes[..<index].lastIndex(where: { $0.isToken("::") }), cast > 0, case .token(let value) = nodes[cast - 1],
                value.hasPrefix("'") || value == "NULL"
            else { continue }
            let words = nodes[(cast + 1)..<index].compactMap { node in if case .token(let word) = node { word } else { nil } }
            let name = shortNames[words.joined(separator: " ")] ?? words.last ?? ""
            if alias == name || alias == "\"\(name)\"" { result.removeSubrange(index...(index + 1)) }
        }
        return result
    }

    /// Types whose name in SQL is not their own.
    private static let shortNames = [
        "integer": "int4", "bigint": "int8", "smallint": "int2", "real": "float4", "double precision": "float8", "boolean": "bool",
        "character varying": "varchar", "character": "bpchar", "time without time zone": "time", "time with time zone": "timetz",
        "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz", "bit varying": "varbit",
    ]

    /// Where the `[]` of a type name stands: behind words, dots and a length in parentheses.
    private static func endOfArrayType(in nodes: [Node], from start: Int) -> Int? {
        for index in start..<nodes.count {
            if let brackets = nodes[index].group("[") { return brackets.isEmpty && index > start ? index : nil }
            if case .token(let text) = nodes[index], [",", "::", "AND", "OR", "="].contains(text) { return nil }
        }
        return nil
    }

    private static func print(_ nodes: [Node]) -> String {
        nodes.map { node in
            switch node {
            case .token(let text): text
            case .group("(", let children): "(" + print(children) + ")"
            case .group(_, let children): "[" + print(children) + "]"
            }
        }.joined(separator: " ")
    }
}
