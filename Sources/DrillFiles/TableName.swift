// Table names as SQL writes them.

/// Reads `public.domains`, `"Odd Name"`, `public."a.b"` into its parts.
enum TableName {
    /// One or two parts, quotes taken off and unquoted ones in lower case; nil where it is no table name.
    static func parts(_ text: String) -> [String]? {
        var parts: [String] = []
        var rest = Substring(text)
        repeat {
            guard let part = takePart(&rest) else { return nil }
            parts.append(part)
            guard let next = rest.popFirst() else { return parts.count <= 2 ? parts : nil }
            guard next == "." else { return nil }
        } while true
    }

    private static func takePart(_ rest: inout Substring) -> String? {
        guard rest.first == "\"" else {
            let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "$" }
            guard let first = word.first, first.isLetter || first == "_" else { return nil }
            rest = rest.dropFirst(word.count)
            return word.lowercased()
        }
        rest.removeFirst()
        var part = ""
        while let character = rest.popFirst() {
            guard character == "\"" else {
                part.append(character)
                continue
            }
            // A doubled quote stands for one; a single one ends the name.
            guard rest.first == "\"" else { return part.isEmpty ? nil : part }
            rest.removeFirst()
            part.append("\"")
        }
        return nil
    }
}
