// Reads what the seals of an estate's backups may say of their source besides its present names.

import DrillModel
import Foundation

/// `sealed-as`, `databases` and `system-identifiers`.
struct OriginReader {
    let fields: Fields

    /// Other names of an estate, a service or a backup.
    ///
    /// - Parameter isSealed: Whether seals are made of it at all; nil where that can't be told.
    func sealedAs(isSealed: Bool? = true) -> [String] {
        if isSealed == false, fields["sealed-as"] != nil {
            fields.report(
                "sealed-as", "\"sealed-as\" does not fit \(fields.title)", hint: "remove it: seals are made of dumps and of Redis data")
        }
        return texts("sealed-as", what: "name", hint: "write a name as an estate file has it: letters, digits, dots, dashes, underscores") {
            $0.wholeMatch(of: /[A-Za-z0-9_\-][A-Za-z0-9._\-]*/) != nil
        }
    }

    func databases(of engine: Service.Engine?) -> [String] {
        checkEngine("databases", engine)
        return texts("databases", what: "database's name", hint: "write its name on one line") { !$0.contains(where: \.isNewline) }
    }

    func systemIdentifiers(of engine: Service.Engine?) -> [String] {
        checkEngine("system-identifiers", engine)
        return texts(
            "system-identifiers", what: "system identifier",
            hint: "write the digits that SELECT system_identifier FROM pg_control_system() shows"
        ) { $0.wholeMatch(of: /[0-9]{1,20}/) != nil }
    }

    private func checkEngine(_ key: String, _ engine: Service.Engine?) {
        guard let engine, engine != .postgres, fields[key] != nil else { return }
        fields.report(key, "\"\(key)\" does not fit engine \"\(engine.rawValue)\"", hint: "remove it: only a postgres has them")
    }

    private func texts(_ key: String, what: String, hint: String, isFit: (String) -> Bool) -> [String] {
        var found: [String] = []
        for (text, place) in fields.texts(key) ?? [] {
            if isFit(text) {
                found.append(text)
            } else {
                fields.file.report(at: place, "\(shown(text)) is no \(what)", hint: hint)
            }
        }
        return found
    }
}
