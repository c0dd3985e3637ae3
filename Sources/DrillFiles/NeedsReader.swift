// Reads what a service's scratch server must load and be set to.

import DrillModel
import Yams

/// `preload` and `settings` of one service.
struct NeedsReader {
    let file: SourceFile
    let fields: Fields
    let engine: Service.Engine?

    func read() -> ServerNeeds {
        for key in ["preload", "settings"] where fields[key] != nil {
            if let engine, engine != .postgres {
                fields.report(
                    key, "\"\(key)\" does not fit engine \"\(engine.rawValue)\"",
                    hint: "remove it: only a postgres has libraries and settings here")
            }
        }
        var needs = ServerNeeds()
        for library in fields.texts("preload") ?? [] {
            guard library.text.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.-]*/) != nil else {
                file.report(
                    at: library.place, "\"\(library.text)\" is no library's name", hint: "write its name without a folder, such as pg_cron")
                continue
            }
            needs.preload.append(library.text)
        }
        for entry in fields.named("settings", what: "setting") ?? [] {
            let name = entry.name.lowercased()
            guard name.wholeMatch(of: /[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_.]*/) != nil || ServerNeeds.own.contains(name) else {
                file.report(
                    at: entry.place, "\"\(entry.name)\" can't be set for a scratch server",
                    hint: "settings of libraries can (their names hold a dot), and \(ServerNeeds.own.sorted().joined(separator: ", "))")
                continue
            }
            guard let text = file.text(entry.node, what: "\"\(entry.name)\"") else { continue }
            guard !text.contains(where: \.isNewline) else {
                file.report(at: entry.place, "\"\(entry.name)\" has more than one line", hint: "write its value on one line")
                continue
            }
            needs.settings[name] = text
        }
        return needs
    }
}
