// Where a secret is to be found, and what to say to one that stands in the file itself.

import DrillModel
import Foundation
import Yams

/// Reads references to secrets. No message of this file repeats anything that stands in the place of one.
enum Secrets {
    static let hint =
        "take it out, change it, and name where it is instead: {file: path}, {env: NAME} or {command: [program, argument]}"

    /// Whether a key's name tells that its value would be a secret.
    static func names(_ key: String, in section: Section) -> Bool {
        let key = key.lowercased().replacing("_", with: "-")
        let words = ["password", "passphrase", "passwd", "secret", "token", "credential", "private-key", "api-key", "access-key"]
        if words.contains(where: { key.contains($0) }) { return true }
        // In a drill, `key` is more likely a Redis key.
        return Section.ofEstates.contains { $0.name == section.name }
            && ["pass", "pwd", "key", "dsn", "uri", "url", "connection"].contains(key)
    }

    /// Reads `{file: …}`, `{env: …}` or `{command: […]}`.
    static func read(_ file: SourceFile, _ node: Node, title: String, place: Place?) -> KeyReference? {
        guard let fields = Fields(file, node, .secret, title: title, place: place) else { return nil }
        guard fields.stated.count == 1 else {
            file.report(
                at: place ?? node.place, fields.stated.isEmpty ? "\(title) says no place" : "\(title) says more than one place",
                hint: "write one of {file: path}, {env: NAME} and {command: [program, argument]}")
            return nil
        }
        return keyFile(fields) ?? variable(fields) ?? fields.texts("command").map { .command($0.map(\.text)) }
    }

    private static func keyFile(_ fields: Fields) -> KeyReference? {
        guard let path = fields.text("file") else { return nil }
        if path.contains("-----BEGIN") || path.contains(where: \.isNewline) {
            fields.report("file", "\(fields.title) must name a file, and not hold the key", hint: hint)
            return nil
        }
        return fields.path("file").map { .file($0) }
    }

    private static func variable(_ fields: Fields) -> KeyReference? {
        guard let name = fields.text("env") else { return nil }
        if name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil { return .environment(name) }
        if name.hasPrefix("$") {
            fields.report("env", "\"env\" is the variable's name, without $", hint: "write {env: NAME}")
        } else {
            // It may well be the secret itself.
            fields.report("env", "\"env\" must be the name of an environment variable", hint: "use letters, digits and _: {env: NAME}")
        }
        return nil
    }
}
