// What only backups of configuration and code have: the keys and the commit that must be in them.

import DrillModel
import Foundation

/// Reads those keys of one backup, and refuses them where they don't belong.
struct FileBackupReader {
    struct Stated {
        var configuration: ConfigurationPromise?
        var code: CodePromise?
    }

    let file: SourceFile
    let fields: Fields
    /// nil where it could not be read, which has been told.
    let kind: BackupSet.Kind?
    /// The service's; nil where it could not be read, which has been told.
    let engine: Service.Engine?

    /// nil where something is wrong, which has been told.
    func read(_ encryption: ServiceReader.StatedEncryption?) -> Stated? {
        // Of another engine's kind, nothing else is worth telling.
        guard let kind, engine == nil || kind.engine == engine else { return nil }
        var isRight = true
        func refuse(_ keys: [String], of engine: Service.Engine) {
            for key in keys where fields[key] != nil && kind.engine != engine {
                fields.report(
                    key, "\"\(key)\" does not fit kind \"\(kind.rawValue)\"", hint: "remove it: it belongs to engine \(engine.rawValue)")
                isRight = false
            }
        }
        refuse(["required", "live", "may-differ"], of: .configuration)
        refuse(["branch", "runs"], of: .code)
        if kind == .gitMirror, encryption?.scheme != nil {
            fields.report(
                "encryption", "a git_mirror is a folder of plain files",
                hint: "write \"encryption: none\", or keep encrypted bundles instead")
            isRight = false
        }
        switch kind.engine {
        case .configuration: return isRight ? configuration().map { Stated(configuration: $0) } : nil
        case .code: return isRight ? code().map { Stated(code: $0) } : nil
        case .postgres, .redis: return isRight ? Stated() : nil
        }
    }

    // MARK: Configuration

    private func configuration() -> ConfigurationPromise? {
        guard let required = names("required", isGlob: false), let mayDiffer = names("may-differ", isGlob: true) else { return nil }
        var promise = ConfigurationPromise(required: required, mayDiffer: mayDiffer)
        if let entry = fields["live"] {
            guard let live = live(entry) else { return nil }
            promise.live = live
        } else if fields["may-differ"] != nil, !fields.stated.contains("live") {
            fields.report("may-differ", "\"may-differ\" without \"live\": nothing is compared", hint: "add \"live: {file: /srv/app/.env}\"")
            return nil
        }
        return promise
    }

    /// Names of keys; a value that was written here by mistake is not repeated.
    private func names(_ key: String, isGlob: Bool) -> [String]? {
        guard fields[key] != nil else { return fields.stated.contains(key) ? nil : [] }
        guard let texts = fields.texts(key) else { return nil }
        var names: [String] = []
        for (text, place) in texts {
            let isName =
                isGlob ? text.wholeMatch(of: /[A-Za-z0-9_.*?\-]+/) != nil : text.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_.\-]*/) != nil
            guard isName else {
                file.report(
                    at: place, "\"\(key)\" holds something that is no name of a key",
                    hint: "write names alone, such as [DATABASE_URL, SECRET_KEY]")
                return nil
            }
            guard !names.contains(text) else {
                file.report(at: place, "\"\(text)\" is there twice in \"\(key)\"", hint: "remove one of them")
                return nil
            }
            names.append(text)
        }
        return names
    }

    private func live(_ entry: Entry) -> KeyReference? {
        let title = "\"live\" of \(fields.title)"
        guard let live = Fields(file, entry.node, .live, title: title, place: entry.place) else { return nil }
        guard exactlyOne(of: live, title: title, entry: entry) else { return nil }
        return live.path("file").map { .file($0) } ?? live.texts("command").map { .command($0.map(\.text)) }
    }

    // MARK: Code

    private func code() -> CodePromise? {
        var promise = CodePromise()
        if fields["branch"] != nil {
            guard let branch = fields.text("branch") else { return nil }
            guard branch.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.\/\-]*/) != nil, !branch.hasPrefix("refs/"), !branch.contains("..") else {
                fields.report("branch", "\"branch\" is no name of a branch", hint: "write its short name, such as main")
                return nil
            }
            promise.branch = branch
        }
        if let entry = fields["runs"] {
            guard let runs = runs(entry) else { return nil }
            promise.runs = runs
        } else if fields.stated.contains("runs") || (fields["branch"] == nil && fields.stated.contains("branch")) {
            return nil
        }
        return promise
    }

    private func runs(_ entry: Entry) -> CodePromise.RunningCommit? {
        let title = "\"runs\" of \(fields.title)"
        guard let runs = Fields(file, entry.node, .runs, title: title, place: entry.place) else { return nil }
        guard exactlyOne(of: runs, title: title, entry: entry) else { return nil }
        if runs["commit"] != nil {
            guard let text = runs.text("commit") else { return nil }
            guard text.wholeMatch(of: /[0-9a-f]{7,64}/) != nil else {
                runs.report(
                    "commit", "\"commit\" is no hash of a commit",
                    hint: "write its hash in lower-case hex, in quotes, or name a file or a command")
                return nil
            }
            return .commit(text)
        }
        return runs.path("file").map { .file($0) } ?? runs.texts("command").map { .command($0.map(\.text)) }
    }

    private func exactlyOne(of stated: Fields, title: String, entry: Entry) -> Bool {
        if stated.stated.count == 1 { return true }
        let ways = stated.section.keys.joined(separator: ", ")
        file.report(
            at: entry.place, stated.stated.isEmpty ? "\(title) says no place" : "\(title) says more than one place",
            hint: "write one of \(ways)")
        return false
    }
}
