// The estate and the drills that `muster init` writes.

import DrillModel
import Foundation

/// Texts for what was found.
public struct EstateDraft: Sendable {
    private static let keyVariable = "MUSTER_BACKUP_KEY"
    /// The key that the written estate logs in with, on an SFTP host.
    public static let loginKey = "login"

    var name: String
    var store: Store
    /// What the store itself is opened with.
    var keys: [String: KeyReference] = [:]
    var sets: [FoundSet]
    /// The public key that seals are trusted by.
    var trusted: URL?

    public struct File: Sendable, Hashable {
        public var name: String
        var text: String
    }

    var files: [File] {
        [File(name: "estate.yaml", text: estate)]
            + named.map { File(name: "\($0.service)-\($0.name).yaml", text: drill(service: $0.service, set: $0.name, of: $0.set)) }
    }

    /// The formats of encryption that were found: a key each.
    private static func formats(_ sets: [FoundSet]) -> [String] {
        Set(sets.flatMap { [$0.encryption, $0.walEncryption].compactMap { $0 } }).sorted()
    }

    /// The keys by their formats, and the variables that hold them: a passphrase of openssl opens no file of age's.
    private static func keys(_ sets: [FoundSet]) -> [(format: String, name: String, variable: String)] {
        let formats = formats(sets)
        guard formats.count > 1 else { return formats.map { ($0, "backup", keyVariable) } }
        return formats.map { ($0, "backup-\($0)", "\(keyVariable)_\($0.uppercased())") }
    }

    /// The environment variables that the written estate reads keys from.
    public static func keyVariables(_ sets: [FoundSet]) -> [String] { keys(sets).map(\.variable) }

    /// Sets with a name each: that of their folder, or of the file where folders are dates; and a number where two share it.
    private var named: [(service: String, name: String, set: FoundSet)] {
        var used: Set<String> = []
        return sets.map { set in
            let service = set.kind.engine.rawValue
            let parts = set.match.split(separator: "/").map(String.init)
            let folder = parts.dropLast().last
            let isDated = folder.map { $0.contains("*") || $0.contains("[") } ?? false
            // The file's own name, without endings and without its date.
            let stem = parts.last?.split(separator: ".").first?.replacing(/\*|\[[^\]]*\]/, with: "")
            let told = isDated ? stem.map { String($0) } : folder
            let base = Self.word(
                set.kind == .pgBackRest ? "repository" : told.flatMap { $0.contains(where: \.isLetter) ? $0 : nil } ?? set.kind.rawValue)
            var name = base
            var number = 2
            while !used.insert("\(service)/\(name)").inserted {
                name = "\(base)-\(number)"
                number += 1
            }
            return (service, name, set)
        }
    }

    /// A name as the files want it.
    static func word(_ text: String) -> String {
        let kept = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let word = String(kept).split(separator: "-").joined(separator: "-")
        return word.isEmpty ? "estate" : word
    }

    /// As a key of YAML: a bare number or date would be read as one.
    private static func key(_ name: String) -> String {
        let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        return name.first?.isNumber == true || words.contains(name) ? quoted(name) : name
    }

    private static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    private var estate: String {
        let encrypted = sets.contains { $0.encryption != nil || $0.walEncryption != nil }
        var text = """
            # Written by muster init from what lies in the store. Read it, and add what it can't know: schedule and retention of each backup,
            # copies in a second zone, the public key that seals are trusted by. docs/estate-file.md has every key.
            version: 1
            estate: \(Self.key(name))
            timezone: \(TimeZone.current.identifier)    # of the host that makes the backups: unsealed dumps are dated by it
            stores:
              store: \(store.declaration)

            """
        if encrypted || !keys.isEmpty { text += "keys:\n" }
        for case (let name, .file(let file)) in keys { text += "  \(name): {file: \(Self.quoted(file.path))}\n" }
        for key in Self.keys(sets) {
            text += "  \(key.name): {env: \(key.variable)}    # or {file: …}, or {command: […]}; never the key itself\n"
        }
        if let trusted { text += "seals: {trust: [\(Self.quoted(trusted.path))]}\n" }
        text += sealedAs(sets.map(\.sealed.estates), besides: name, indent: "")
        text += "services:\n"
        for service in Service.Engine.allCases.map(\.rawValue) {
            let own = named.filter { $0.service == service }
            guard !own.isEmpty else { continue }
            text += "  \(service):\n    engine: \(service)\n"
            text += sealedAs(own.map(\.set.sealed.services), besides: service, indent: "    ") + "    backups:\n"
            for (_, name, set) in own { text += backup(name, set) }
        }
        return text
    }

    private func backup(_ name: String, _ set: FoundSet) -> String {
        let keys = Self.keys(sets)
        func encryption(_ format: String?) -> String {
            format.map { format in "{format: \(format), key: \(keys.first { $0.format == format }?.name ?? "backup")}" } ?? "none"
        }
        var lines = [
            "      \(Self.key(name)):", "        kind: \(set.kind.rawValue)\(set.isGuessed ? "    # told by the names: check it" : "")",
            "        store: store", "        match: \(Self.quoted(set.match))",
        ]
        if let stanza = set.stanza { lines.append("        stanza: \(Self.quoted(stanza))") }
        lines.append("        encryption: \(encryption(set.encryption))")
        if let globals = set.globals { lines.append("        globals: \(Self.quoted(globals))") }
        if let wal = set.wal { lines.append("        wal: {match: \(Self.quoted(wal)), encryption: \(encryption(set.walEncryption))}") }
        let sealed = sealedAs([set.sealed.backups], besides: name, indent: "        ")
        if !sealed.isEmpty { lines.append(String(sealed.dropLast())) }
        switch set.kind {
        case .env:
            lines.append("        # required: [DATABASE_URL]    # the keys that must be in it; and live: {file: …} to compare it with")
        case .gitBundle, .gitMirror:
            lines.append("        # runs: {file: /srv/app/REVISION}    # where it stands which commit production runs")
        default: break
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The line that lets seals speak of the same thing under the names that it was sealed by; empty where they are these.
    private func sealedAs(_ names: [Set<String>], besides own: String, indent: String) -> String {
        let others = names.reduce(into: Set<String>()) { $0.formUnion($1) }.subtracting([own]).sorted()
        guard !others.isEmpty else { return "" }
        return
            "\(indent)sealed-as: [\(others.map(Self.quoted).joined(separator: ", "))]    # as the seals call it: check that they are of this\n"
    }

    private func heldDrill(service: String, set name: String) -> String {
        """
        # Restores the newest healthy backup of \(name). What must be in it stands in the estate file, beside the backup.
        version: 1
        drill: \(service)-\(name)
        estate: estate.yaml
        scenario: database-corruption
        # targets: {rto: 4h, rpo: 24h}
        recover:
          \(service): {from: \(Self.key(name))}

        """
    }

    /// No check is made up: one that holds of any database would turn a drill green that has proven nothing.
    private func drill(service: String, set name: String, of set: FoundSet) -> String {
        guard set.kind.engine.holdsData else { return heldDrill(service: service, set: name) }
        let example =
            service == "redis"
            ? "- keys: {database: 0, pattern: \"session:*\", at-least: 1}" : "- rows: {table: public.orders, at-least: 1}"
        return """
            # Restores the newest healthy backup of \(name). Say what must hold of your data: without a seal and without a check nothing is
            # proven, and the drill ends in error.
            version: 1
            drill: \(service)-\(name)
            estate: estate.yaml
            scenario: database-corruption
            # targets: {rto: 4h, rpo: 24h}
            recover:
              \(service): {from: \(Self.key(name))}
            # checks:
            #   \(service):
            #     \(example)

            """
    }
}

extension Store {
    /// As an estate file declares it.
    var declaration: String {
        func quoted(_ text: String) -> String { "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" }
        var entries: [(String, String?)]
        switch location {
        case .folder(let url): entries = [("type", "file"), ("path", quoted(url.path))]
        case .remote(.s3(let store)):
            entries = [
                ("type", "s3"), ("endpoint", store.endpoint.map { quoted($0.absoluteString) }), ("bucket", quoted(store.bucket)),
                ("prefix", store.prefix.map(quoted)), ("region", store.region.map(quoted)),
            ]
        case .remote(.sftp(let host)):
            entries = [
                ("type", "sftp"), ("host", quoted(host.host)), ("port", String(host.port)), ("user", quoted(host.user)),
                ("path", quoted(host.path)), ("known-hosts", quoted(host.knownHosts.path)), ("private-key", EstateDraft.loginKey),
            ]
        case .remote(.rclone(let remote)):
            entries = [("type", "rclone"), ("remote", quoted(remote.remote)), ("config", quoted(remote.configuration.path))]
        }
        return "{" + entries.compactMap { key, value in value.map { "\(key): \($0)" } }.joined(separator: ", ") + "}"
    }
}
