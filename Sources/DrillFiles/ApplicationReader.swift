// The applications of an estate: how they start, what they are told, and when they are well.

import DrillModel
import Foundation
import Yams

/// Reads one application.
struct ApplicationReader {
    let file: SourceFile
    /// The names that the estate declares, flawed services included; nil where that can't be told.
    let services: [String]?
    /// Those without a flaw.
    let read: [String: Service]

    /// nil where it has problems, which have been told.
    func read(_ entry: Entry) -> Application? {
        let title = "application \"\(entry.name)\""
        guard let fields = Fields(file, entry.node, .application, title: title, place: entry.place) else { return nil }
        let start = command("start", in: fields)
        let code = code(fields)
        let configuration = holder("configuration", engine: .configuration, in: fields)
        let environment = EnvironmentReader(file: file).read(fields) { template($0, at: $1) }
        let health = fields["health"].flatMap { ProbeReader(file: file, application: self).health($0) }
        let repopulations = repopulations(fields)
        guard let start, let code, let health else { return nil }
        return Application(
            name: entry.name, start: start, code: code, configuration: configuration, environment: environment, health: health,
            repopulations: repopulations)
    }

    /// By the cache that each fills.
    private func repopulations(_ fields: Fields) -> [String: LostCache.Repopulation] {
        var commands: [String: LostCache.Repopulation] = [:]
        for entry in fields["repopulate"] == nil ? [] : fields.named("repopulate", what: "cache") ?? [] {
            if let services, !services.contains(entry.name) {
                file.report(
                    at: entry.place, "unknown service \(shown(entry.name))",
                    hint: NearestWord.hint(for: entry.name, among: services, called: "services"))
                continue
            }
            if let engine = read[entry.name]?.engine, engine != .redis {
                file.report(
                    at: entry.place, "only a redis can be repopulated, and \"\(entry.name)\" is none",
                    hint: "name a service of engine redis")
                continue
            }
            commands[entry.name] = RepopulationReader(file: file)
                .read(entry, title: "\"repopulate\" of \"\(entry.name)\"") { template($0, at: $1) }
        }
        return commands
    }

    private func code(_ fields: Fields) -> Application.Code? {
        switch (fields.stated.contains("folder"), fields.stated.contains("code")) {
        case (true, true):
            fields.report("code", "\"folder\" and \"code\" say the same thing", hint: "keep one of them")
            return nil
        case (true, false): return fields.path("folder", isFolder: true).map { .folder($0) }
        case (false, true): return holder("code", engine: .code, in: fields).map { .service($0) }
        case (false, false):
            file.report(
                at: fields.place, "\(fields.title) says no place of its files",
                hint: "add \"folder: path\", or \"code: SERVICE\" for what a drill recovers of one")
            return nil
        }
    }

    /// The name of a service that holds something else than a database.
    private func holder(_ key: String, engine wanted: Service.Engine, in fields: Fields) -> String? {
        guard let name = fields.text(key) else { return nil }
        if let services, !services.contains(name) {
            fields.report(
                key, "unknown service \(shown(name))", hint: NearestWord.hint(for: name, among: services, called: "services"))
            return nil
        }
        if let engine = read[name]?.engine, engine != wanted {
            fields.report(
                key, "service \"\(name)\" holds no \(wanted.rawValue)",
                hint: key == "code" ? "name a service of code, or write \"folder: path\" instead" : "name a service of configuration")
            return nil
        }
        return name
    }

    /// A program and its arguments.
    func command(_ key: String, in fields: Fields) -> [Template]? {
        guard let words = fields.texts(key) else { return nil }
        let templates = words.compactMap { template($0.text, at: $0.place) }
        return templates.count == words.count ? templates : nil
    }

    /// nil where it names what nobody knows, which has been told.
    func template(_ text: String, at place: Place?) -> Template? {
        let template = Template(text)
        let known = (services ?? []) + [Template.application]
        for part in template.parts {
            switch part {
            case .text(let text):
                // A place without its second half, and no braces of somebody else's.
                guard let match = text.firstMatch(of: /\{([A-Za-z0-9._\-]+)\}/), known.contains(String(match.output.1)) else { continue }
                file.report(
                    at: place, "{\(match.output.1)} doesn't say which of its values",
                    hint: "write {\(match.output.1).\(fields(of: String(match.output.1))?.first ?? "port")}")
                return nil
            case .place(let owner, let field):
                guard services == nil || known.contains(owner) else {
                    file.report(
                        at: place, "unknown service \(shown(owner)) in {\(owner).\(field)}",
                        hint: NearestWord.hint(for: owner, among: known, called: "words"))
                    return nil
                }
                guard let fields = fields(of: owner), !fields.contains(field) else { continue }
                file.report(
                    at: place, "unknown value \(shown(field)) in {\(owner).\(field)}",
                    hint: NearestWord.hint(for: field, among: fields, called: "values"))
                return nil
            }
        }
        return template
    }

    /// nil where the owner can't be told.
    private func fields(of owner: String) -> [String]? {
        owner == Template.application ? Template.applicationFields : read[owner].map { Template.fields(of: $0.engine) }
    }

    /// A service that takes SQL.
    func database(_ key: String, in fields: Fields) -> String? {
        guard let name = fields.text(key) else { return nil }
        if let services, !services.contains(name) {
            fields.report(key, "unknown service \(shown(name))", hint: NearestWord.hint(for: name, among: services, called: "services"))
            return nil
        }
        if let engine = read[name]?.engine, engine != .postgres {
            fields.report(key, "service \"\(name)\" takes no SQL", hint: "name a service of engine postgres")
            return nil
        }
        return name
    }
}
