// A check that is a program of the user's own.

import DrillModel
import Yams

/// Reads one.
struct CommandCheckReader {
    let fields: Fields
    let check: CheckReader

    func read() -> DeclaredCheck? {
        let folder = fields.path("folder", isFolder: true)
        let code = fields["expect-exit"] == nil ? 0 : fields.whole("expect-exit", in: 0...255)
        let output = fields.expectation("expect")
        let timeout = fields.duration("timeout")
        let environment = EnvironmentReader(file: fields.file).read(fields) { template($0, at: $1) }
        let isPlaced = isPlaced()
        let isOwn = isOwn(environment)
        guard let words = fields.texts("run"), let code, isPlaced, isOwn else { return nil }
        let run = words.compactMap { template($0.text, at: $0.place) }
        guard run.count == words.count, folder != nil || fields["folder"] == nil, output != nil || fields["expect"] == nil,
            timeout != nil || fields["timeout"] == nil, let name = name(words.map(\.text))
        else { return nil }
        if fields["folder"] == nil, run[0].owners.isEmpty, run[0].text.hasPrefix("..") || run[0].text.contains("/../") {
            fields.report(
                "run", "the program lies outside of the drill file's folder",
                hint: "put it beside the drill file, or name its folder as \"folder\"")
            return nil
        }
        return fields.placed(
            .command(
                CommandCheck(
                    name: name, run: run, folder: folder, environment: environment, exitCode: Int32(code), output: output,
                    timeout: timeout ?? .seconds(60))))
    }

    /// What it is called where nothing else is said: as it is written.
    private func name(_ words: [String]) -> String? {
        guard fields["name"] == nil else { return fields.line("name") }
        let written = words.joined(separator: " ").split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return written.count > 200 ? String(written.prefix(199)) + "…" : written
    }

    /// Only Postgres knows databases by name, and roles.
    private func isPlaced() -> Bool {
        guard check.engine != .postgres, check.engine != nil else { return true }
        let wrong = ["as", "database"].filter { fields[$0] != nil }
        for key in wrong {
            fields.report(
                key, "\"\(key)\" does not fit engine \"\(check.engine?.rawValue ?? "")\"",
                hint: "remove it: the command is told the socket as MUSTER_SOCKET, and chooses for itself")
        }
        return wrong.isEmpty
    }

    /// Whom it asks is said by `as` and `database`, where it is seen by whoever reads the case.
    private func isOwn(_ environment: [String: Template]) -> Bool {
        let taken = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGSERVICEFILE"].filter {
            environment[$0] != nil
        }
        guard !taken.isEmpty else { return true }
        fields.report(
            "environment", "\(taken.joined(separator: ", ")) is told by muster",
            hint: "remove it: \"as\" chooses the role, \"database\" the database")
        return false
    }

    private func template(_ text: String, at place: Place?) -> Template? {
        let template = Template(text)
        for case .place(let owner, let field) in template.parts {
            let known = check.engine.map { Template.fields(of: $0) } ?? [field]
            guard owner != check.service || !known.contains(field) else { continue }
            fields.file.report(
                at: place, "there is no {\(owner).\(field)} for this check",
                hint: "write " + known.map { "{\(check.service).\($0)}" }.joined(separator: ", ")
                    + ": a check sees the server of its own service alone")
            return nil
        }
        return template
    }
}
