// Text to one YAML document, with every duplicate key and the place of every mistake.

import Yams

/// One parsed document.
struct YAMLDocument {
    /// A mistake, and where it is.
    struct Mistake: Error {
        var place: Place?
        var message: String
        var hint: String
    }

    /// nil where the text holds nothing.
    let root: Node?
    /// The true names of keys that had to be renamed, by their place.
    private let renamed: [Place: String]

    /// Yams gives up on the first duplicate key. So that the rest of the file is judged too, each earlier one of a pair gets
    /// another name of the same length in a second attempt, and ``name(of:)`` knows the true one.
    init(_ text: String) throws(Mistake) {
        var text = text
        var renamed: [Place: String] = [:]
        while true {
            do {
                root = try Self.parse(text)
                self.renamed = renamed
                return
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let key = keys.first ?? ""
                let place = Place(context.mark)
                let duplicate = Mistake(place: place, message: "duplicate key \(shown(key))", hint: "keep one of them")
                // The private use area holds 6,400 names; far fewer duplicates are no longer worth a parse each.
                guard renamed[place] == nil, renamed.count < 100, let substitute = Unicode.Scalar(0xE000 + renamed.count),
                    let edited = Self.renaming(in: text, at: place, to: substitute)
                else { throw duplicate }
                text = edited
                renamed[place] = key
            } catch let mistake as Mistake {
                throw mistake
            } catch {
                throw Self.mistake(error, in: text)
            }
        }
    }

    /// A key's text as it was written; nil where the key is no scalar.
    func name(of key: Node) -> String? {
        guard case .scalar(let scalar) = key else { return nil }
        return key.place.flatMap { renamed[$0] } ?? scalar.string
    }

    private static func parse(_ text: String) throws -> Node? {
        // The basic resolver guesses no types: `no`, `1_000` and `2026-03-01` stay the text they are. The encoding is named
        // because Yams' default asks the environment, and prints.
        let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
        let root = try parser.nextRoot()
        if let second = try parser.nextRoot() {
            throw Mistake(
                place: second.place, message: "a second document begins here",
                hint: "one file holds one drill or one estate: move it to a file of its own, or remove the line of three dashes")
        }
        return root
    }

    /// Replaces the first letter of the key at a place; nil where no plain or quoted key begins there.
    private static func renaming(in text: String, at place: Place, to substitute: Unicode.Scalar) -> String? {
        var scalars = Array(text.unicodeScalars)
        var line = 1
        var index = 0
        while line < place.line, index < scalars.count {
            if scalars[index] == "\n" || (scalars[index] == "\r" && scalars[safe: index + 1] != "\n") { line += 1 }
            index += 1
        }
        index += place.column - 1
        if scalars[safe: index] == "\"" || scalars[safe: index] == "'" { index += 1 }
        guard let first = scalars[safe: index], first.properties.isAlphabetic || first.properties.numericType != nil else { return nil }
        scalars[index] = substitute
        var edited = String.UnicodeScalarView()
        edited.append(contentsOf: scalars)
        return String(edited)
    }
}

extension YAMLDocument {
    /// What libyaml says, with a mend for what people run into most.
    private static func mistake(_ error: any Error, in text: String) -> Mistake {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let said = [context?.text, problem].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ": ")
            return Mistake(place: Place(mark), message: "not YAML: \(said)", hint: hint(context?.text ?? "", problem))
        case YamlError.reader(let problem, let offset, _, let text):
            let before = text.prefix(offset ?? 0).unicodeScalars
            let line = before.count { $0 == "\n" } + 1
            let column = before.reversed().prefix { $0 != "\n" }.count + 1
            return Mistake(
                place: offset.map { _ in Place(line: line, column: column) }, message: "not YAML: \(problem)",
                hint: "remove the control character")
        default:
            return Mistake(place: nil, message: "not YAML", hint: "check the file with a YAML linter")
        }
    }

    private static func hint(_ context: String, _ problem: String) -> String {
        if problem.contains("undefined alias") { return "quote a value that begins with *, or define the anchor above it" }
        if context.contains("alias") { return "quote a value that begins with *" }
        if context.contains("anchor") { return "quote a value that begins with &" }
        if problem.contains("tab character") { return "indent with blanks, not tabs" }
        if context.contains("block scalar") { return "quote a value that begins with > or |, as in expect: \"> 0\"" }
        if context.contains("quoted scalar") { return "close the quotes" }
        if problem.contains("mapping values are not allowed") { return "check the indentation, and quote a value that holds \": \"" }
        if problem.contains("cannot start any token") {
            return "indent with blanks, not tabs, and quote a value that begins with @, % or `"
        }
        if problem.contains("flow") || context.contains("flow") { return "close the bracket or brace" }
        return "check the indentation and the quotes here and in the line above"
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? {
        indices.contains(index) ? self[index] : nil
    }
}

/// A word from a file as messages show it: in quotes, on one line, cut where it is long.
func shown(_ text: String) -> String {
    let line = text.unicodeScalars.map { $0.properties.generalCategory == .control ? "�" : String($0) }.joined()
    return line.count > 60 ? "\"\(line.prefix(60))…\"" : "\"\(line)\""
}
