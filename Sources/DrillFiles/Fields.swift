// One mapping of a file, after its keys have been held against those that are known.

import Yams

/// A key and its value, with the key's place.
struct Entry {
    var name: String
    var place: Place?
    var node: Node
}

/// A mapping with known keys. Asking it for a value reports what is wrong with that value and returns nil then.
struct Fields {
    let file: SourceFile
    let section: Section
    /// Such as `backup "daily"`; empty for the file as a whole.
    let title: String
    /// Where something that is missing is reported.
    let place: Place?
    private let values: [String: Entry]
    /// The keys that are there, empty, unreadable and misspelt ones included.
    let stated: Set<String>

    /// Reads a mapping; nil, and a problem, where it is none. Unknown, missing and empty keys are reported here.
    init?(_ file: SourceFile, _ node: Node, _ section: Section, title: String = "", place: Place? = nil) {
        guard let mapping = file.mapping(node, what: title.isEmpty ? "the file" : title, holdsSecrets: section.holdsSecrets)
        else { return nil }
        let inTitle = title.isEmpty ? "" : " in \(title)"
        let place = place ?? node.place
        var values: [String: Entry] = [:]
        var stated: Set<String> = []
        for entry in file.entries(mapping, holdsSecrets: section.holdsSecrets) {
            guard section.keys.contains(entry.name) else {
                if let meant = NearestWord.find(entry.name, among: section.keys) { stated.insert(meant) }
                Self.reportUnknown(entry, in: section, inTitle, to: file)
                continue
            }
            values[entry.name] = entry
            stated.insert(entry.name)
        }
        // A misspelt key is not missing as well: that would be one mistake told twice.
        for key in section.required where !stated.contains(key.name) {
            file.report(at: place, "missing key \"\(key.name)\"\(inTitle)", hint: "add \"\(key.name): \(key.example)\"")
        }
        for entry in values.values where isNothing(entry.node) {
            values[entry.name] = nil
            let example = section.required.first { $0.name == entry.name }?.example
            file.report(
                at: entry.place, "\"\(entry.name)\" has no value",
                hint: example.map { "write \"\(entry.name): \($0)\"" } ?? "write one, or remove the line")
        }
        self.file = file
        self.section = section
        self.title = title
        self.place = place
        self.values = values
        self.stated = stated
    }

    subscript(key: String) -> Entry? { values[key] }

    func place(of key: String) -> Place? { values[key].map { $0.node.place ?? $0.place } ?? place }

    func report(_ key: String, _ message: String, hint: String) {
        file.report(at: place(of: key), message, hint: hint)
    }

    private static func reportUnknown(_ entry: Entry, in section: Section, _ inTitle: String, to file: SourceFile) {
        if section.planned.contains(entry.name) {
            let hint = "remove it: this version would not act on it"
            return file.report(at: entry.place, "\"\(entry.name)\" is not supported yet", hint: hint)
        }
        if !section.holdsSecrets, Secrets.names(entry.name, in: section), case .scalar = entry.node {
            return file.report(at: entry.place, "\"\(entry.name)\" would be a secret written in the file", hint: Secrets.hint)
        }
        file.report(
            at: entry.place, section.holdsSecrets ? "unknown key\(inTitle)" : "unknown key \(shown(entry.name))\(inTitle)",
            hint: NearestWord.hint(for: entry.name, among: section.keys, called: "keys"))
    }
}

extension SourceFile {
    /// The mapping that a value is; nil, and a problem, where it is none.
    func mapping(_ node: Node, what: String, holdsSecrets: Bool = false) -> Node.Mapping? {
        guard refusesTag(of: node) == false else { return nil }
        if case .mapping(let mapping) = node { return mapping }
        if holdsSecrets {
            report(at: node.place, "\(what) must say where the secret is, and not be one", hint: Secrets.hint)
        } else {
            report(
                at: node.place, "\(what) must be a mapping, not \(kind(of: node))", hint: "write \"key: value\" lines, indented below it")
        }
        return nil
    }

    /// The entries of a mapping in the file's order, merged ones last. Of a duplicate key the first counts.
    /// `silently` is for a second look at a mapping whose problems have been told.
    func entries(_ mapping: Node.Mapping, holdsSecrets: Bool = false, silently: Bool = false) -> [Entry] {
        var entries: [Entry] = []
        var merged: [Entry] = []
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            guard let name = name(of: key) else {
                if !silently {
                    report(at: key.place, "a key must be a word, not \(kind(of: key))", hint: "quote a key that begins with [, { or *")
                }
                continue
            }
            if let line = lines[name] {
                if !silently {
                    report(
                        at: key.place, holdsSecrets ? "duplicate key" : "duplicate key \(shown(name))",
                        hint: "keep one of them: the other is in line \(line)")
                }
                continue
            }
            lines[name] = key.place?.line ?? 0
            if name == "<<", case .scalar(let scalar) = key, scalar.style == .plain {
                merged += merge(value, silently)
            } else {
                entries.append(Entry(name: name, place: key.place, node: value))
            }
        }
        for entry in merged where !entries.contains(where: { $0.name == entry.name }) { entries.append(entry) }
        return entries
    }

    /// What `<<` brings in: a mapping, or a list of which the earlier ones win.
    private func merge(_ node: Node, _ silently: Bool) -> [Entry] {
        switch node {
        case .mapping(let mapping): return entries(mapping, silently: silently)
        case .sequence(let sequence): return sequence.flatMap { merge($0, silently) }
        case .scalar, .alias:
            if silently { return [] }
            report(at: node.place, "\"<<\" merges mappings, not \(kind(of: node))", hint: "write \"<<: *anchor\" of a mapping")
            return []
        }
    }

    /// Tags such as `!vault` would have to be acted upon: whoever writes one believes that something happens.
    func refusesTag(of node: Node) -> Bool {
        let tag =
            switch node {
            case .scalar(let scalar): scalar.tag.rawValue
            case .mapping(let mapping): mapping.tag.rawValue
            case .sequence(let sequence): sequence.tag.rawValue
            case .alias(let alias): alias.tag.rawValue
            }
        let harmless = ["", "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"]
        guard !harmless.contains(tag) else { return false }
        report(
            at: node.place, "YAML tags are not read", hint: "remove the word that begins with !, and quote the value if it belongs to it")
        return true
    }

    func kind(of node: Node) -> String {
        switch node {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .scalar(let scalar): isNothing(node) ? "nothing" : isPlain(scalar) && Int(scalar.string) != nil ? "a number" : "text"
        case .alias: "an alias"
        }
    }
}
