// Reads single values: text, numbers, yes or no, one word of several, durations, names and paths.

import Foundation
import Yams

extension Fields {
    /// Text as it stands there, whatever YAML would make of it.
    func text(_ key: String) -> String? {
        self[key].flatMap { file.text($0.node, what: "\"\(key)\"") }
    }

    /// A whole number in plain decimal digits.
    func whole(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let entry = self[key] else { return nil }
        guard case .scalar(let scalar) = entry.node, !file.refusesTag(of: entry.node) else {
            report(key, "\"\(key)\" must be a whole number, not \(file.kind(of: entry.node))", hint: "write it in digits")
            return nil
        }
        guard scalar.string.wholeMatch(of: /-?(0|[1-9][0-9]*)/) != nil else {
            report(
                key, "\"\(key)\" must be a whole number",
                hint: "write it in digits, such as \(range.contains(100) ? 100 : range.lowerBound)")
            return nil
        }
        guard isPlain(scalar) else {
            report(key, "\"\(key)\" must be a number, not text", hint: "remove the quotes")
            return nil
        }
        guard let number = Int(scalar.string), range.contains(number) else {
            let limits = range.upperBound == .max ? "\(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
            report(key, "\"\(key)\" is out of range", hint: "write a number \(limits)")
            return nil
        }
        return number
    }

    /// `true` or `false`, and nothing that some YAML readers take for them.
    func flag(_ key: String) -> Bool? {
        guard let entry = self[key] else { return nil }
        if case .scalar(let scalar) = entry.node, isPlain(scalar), !file.refusesTag(of: entry.node) {
            if scalar.string == "true" { return true }
            if scalar.string == "false" { return false }
        }
        report(key, "\"\(key)\" must be true or false", hint: "write true or false, without quotes; yes, no, on and off are text")
        return nil
    }

    /// One word of several. `planned` are words that the design knows and this version doesn't.
    func choice<Choice: CaseIterable & RawRepresentable>(_ key: String, _: Choice.Type, planned: [String] = []) -> Choice?
    where Choice.RawValue == String {
        guard let text = text(key) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        if planned.contains(text) {
            report(key, "\(key) \(shown(text)) is not supported yet", hint: "supported: \(known.joined(separator: ", "))")
        } else {
            report(key, "unknown \(key) \(shown(text))", hint: NearestWord.hint(for: text, among: known, called: "words"))
        }
        return nil
    }

    func duration(_ key: String) -> Duration? {
        self[key].flatMap { file.duration($0) }
    }

    /// A name that may become part of a file name.
    func name(_ key: String) -> String? {
        guard let text = text(key), file.checkName(text, what: key, at: place(of: key)) else { return nil }
        return text
    }

    /// A path, taken from the file's folder on.
    func path(_ key: String, isFolder: Bool = false) -> URL? {
        guard let text = text(key), file.checkPath(text, what: "\"\(key)\"", at: place(of: key)) else { return nil }
        return file.resolve(text, isFolder: isFolder)
    }

    /// A glob below a store's root.
    func glob(_ key: String) -> String? {
        guard let text = text(key), file.checkPath(text, what: "\"\(key)\"", at: place(of: key)) else { return nil }
        guard !text.hasPrefix("/"), !text.split(separator: "/").contains("..") else {
            report(key, "\"\(key)\" leaves the store", hint: "write it relative to the store's path, without ..")
            return nil
        }
        guard !text.contains("**") else {
            report(
                key, "\"\(key)\" holds **, which is not known", hint: "write a * for each folder, as in */*/shop.dump: * stays within one")
            return nil
        }
        return text
    }

    /// A list of texts with at least one in it.
    func texts(_ key: String) -> [(text: String, place: Place?)]? {
        guard let entry = self[key] else { return nil }
        guard case .sequence(let sequence) = entry.node, !file.refusesTag(of: entry.node) else {
            report(key, "\"\(key)\" must be a list, not \(file.kind(of: entry.node))", hint: "write \"\(key): [one, two]\"")
            return nil
        }
        guard !sequence.isEmpty else {
            report(key, "\"\(key)\" is empty", hint: "name at least one, or remove the line")
            return nil
        }
        let texts = sequence.map { node in
            file.text(node, what: "each item of \"\(key)\"").map { (text: $0, place: node.place) }
        }
        return texts.contains { $0 == nil } ? nil : texts.compactMap { $0 }
    }

    /// The names that a mapping declares, flawed or not: a mistake in one doesn't make each mention of it another one.
    /// nil where the mapping is missing or none, which has been told.
    func declared(_ key: String) -> [String]? {
        guard case .mapping(let mapping)? = self[key]?.node, !mapping.isEmpty else { return stated.contains(key) ? nil : [] }
        return file.entries(mapping, silently: true).map(\.name)
    }

    /// The entries of a mapping from names to values, at least one, each name fit for a file name and none without a value.
    func named(_ key: String, what: String) -> [Entry]? {
        guard let entry = self[key], let mapping = file.mapping(entry.node, what: "\"\(key)\"") else { return nil }
        let entries = file.entries(mapping)
        if mapping.isEmpty {
            report(key, "\"\(key)\" is empty", hint: "name at least one \(what)")
            return nil
        }
        return entries.filter { entry in
            guard file.checkName(entry.name, what: what, at: entry.place) else { return false }
            guard isNothing(entry.node) else { return true }
            file.report(at: entry.place, "\(what) \"\(entry.name)\" has no value", hint: "write one, or remove the line")
            return false
        }
    }
}

extension SourceFile {
    func text(_ node: Node, what: String) -> String? {
        if refusesTag(of: node) { return nil }
        guard case .scalar(let scalar) = node, !isNothing(node) else {
            report(at: node.place, "\(what) must be text, not \(kind(of: node))", hint: "write a single value, in quotes where in doubt")
            return nil
        }
        guard !scalar.string.allSatisfy(\.isWhitespace) else {
            report(at: node.place, "\(what) is empty", hint: "write a value, or remove the line")
            return nil
        }
        return scalar.string
    }

    func duration(_ entry: Entry) -> Duration? {
        guard let text = text(entry.node, what: "\"\(entry.name)\"") else { return nil }
        do throws(DurationText.Failure) {
            return try DurationText.parse(text)
        } catch {
            let (message, hint) =
                switch error {
                case .noUnit: ("has no unit", "say which: \(text)h, \(text)m or \(text)s")
                case .malformed: ("is not a duration", "write it as 4h, 90m, 1h30m, 2d or 15s")
                case .notPositive: ("must be longer than nothing", "write a duration such as 15m, or remove the line")
                case .tooLong: ("is longer than ten years", "write it as 4h, 90m, 1h30m, 2d or 15s")
                }
            report(at: entry.node.place, "\"\(entry.name)\" \(message)", hint: hint)
            return nil
        }
    }

    /// Names become file names, and parts of test names that CI servers split at other characters.
    func checkName(_ name: String, what: String, at place: Place?) -> Bool {
        if name.wholeMatch(of: /[A-Za-z0-9_\-][A-Za-z0-9._\-]*/) != nil, name.count <= 100 { return true }
        report(
            at: place, "\(what) \(shown(name)) is not a valid name",
            hint: "use letters, digits, \".\", \"_\" and \"-\", not beginning with \".\", 100 at the most")
        return false
    }

    /// Nothing is expanded in a path, so whoever writes `~` or `$HOME` gets told instead of a folder of that name.
    func checkPath(_ path: String, what: String, at place: Place?) -> Bool {
        if path.hasPrefix("~") {
            report(at: place, "~ is not expanded in \(what)", hint: "write the full path, or one relative to this file")
        } else if path.contains(/\$[A-Za-z_{(]/) {
            report(at: place, "variables are not expanded in \(what)", hint: "write the full path, or one relative to this file")
        } else if path.contains("://") {
            report(at: place, "\(what) must be a path, not an address", hint: "write the full path, or one relative to this file")
        } else if path.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            report(at: place, "\(what) holds a line break or control character", hint: "write the path on one line")
        } else {
            return true
        }
        return false
    }
}
