// A service under `recover` that no backup brings back: a cache that is filled again, or stays empty.

import DrillModel
import Yams

/// Reads the caches of one drill.
struct CacheReader {
    let file: SourceFile
    let fields: Fields
    /// nil where it can't be read, which has been told.
    let estate: Estate?

    /// Whether what stands below a service's name is about a cache.
    static func isCache(_ node: Node) -> Bool {
        guard case .mapping(let mapping) = node else { return false }
        return mapping["repopulate"] != nil || mapping["empty"] != nil
    }

    func read() -> [LostCache] {
        guard case .mapping(let mapping)? = fields["recover"]?.node else { return [] }
        return file.entries(mapping, silently: true).filter { Self.isCache($0.node) }.compactMap(read)
    }

    private func read(_ entry: Entry) -> LostCache? {
        let title = "cache \"\(entry.name)\""
        guard let cache = Fields(file, entry.node, .lostCache, title: title, place: entry.place) else { return nil }
        if let estate {
            // An unknown service has been told.
            guard let service = estate.services[entry.name] else { return nil }
            guard service.engine == .redis else {
                file.report(
                    at: entry.place, "only a redis can be repopulated or stay empty, and \"\(entry.name)\" is none",
                    hint: "write \"\(entry.name): {from: NAME}\"")
                return nil
            }
        }
        if fields["application"] == nil {
            file.report(
                at: entry.place, "\(title) needs an \"application\" that lives with it", hint: "add \"application: NAME\" to the drill")
            return nil
        }
        guard cache["repopulate"] == nil || cache["empty"] == nil else {
            cache.report("empty", "\(title) is both repopulated and empty", hint: "keep one of the two")
            return nil
        }
        if cache["empty"] != nil { return empty(cache, entry) }
        guard let repopulation = cache["repopulate"] else { return nil }
        if case .scalar = repopulation.node { return byApplication(cache, entry) }
        let read = RepopulationReader(file: file)
            .read(repopulation, title: "\"repopulate\" of \(title)") { template($0, at: $1) }
        return read.map { LostCache(service: entry.name, repopulation: $0) }
    }

    /// `repopulate: true`: by the command that the estate states for the application.
    private func byApplication(_ cache: Fields, _ entry: Entry) -> LostCache? {
        guard let flag = cache.flag("repopulate") else { return nil }
        guard flag else {
            cache.report(
                "repopulate", "\"repopulate\" can only be true, or a command",
                hint: "write \"repopulate: true\", or bring it back with \"from\", or leave it empty with \"empty: true\"")
            return nil
        }
        // An unknown application has been told.
        guard let name = fields.text("application"), let application = estate?.applications[name] else { return nil }
        guard let repopulation = application.repopulations[entry.name] else {
            cache.report(
                "repopulate", "the estate says no command by which application \"\(name)\" fills \"\(entry.name)\"",
                hint: "add \"repopulate: {\(entry.name): {run: [program, argument]}}\" to that application in the estate file")
            return nil
        }
        let unfilled = repopulation.run.flatMap(\.parts).contains { part in
            if case .place(let owner, let field) = part { !isHere(owner, field) } else { false }
        }
        guard !unfilled else {
            cache.report(
                "repopulate",
                "the command by which application \"\(name)\" fills \"\(entry.name)\" names a service that is no part of this drill",
                hint: "add that service under \"recover\" or \"existing\", or write a command of the drill's own")
            return nil
        }
        return LostCache(service: entry.name, repopulation: repopulation)
    }

    private func empty(_ cache: Fields, _ entry: Entry) -> LostCache? {
        guard let flag = cache.flag("empty") else { return nil }
        guard flag else {
            cache.report(
                "empty", "\"empty\" can only be true", hint: "write \"empty: true\", or bring it back with \"from\" or \"repopulate\"")
            return nil
        }
        if case .mapping(let checks)? = fields["checks"]?.node,
            let check = file.entries(checks, silently: true).first(where: { $0.name == entry.name })
        {
            file.report(at: check.place, "service \"\(entry.name)\" stays empty: there is nothing to check", hint: "remove its checks")
            return nil
        }
        return LostCache(service: entry.name, repopulation: nil)
    }

    private func template(_ text: String, at place: Place?) -> Template? {
        let template = Template(text)
        for case .place(let owner, let field) in template.parts where !isHere(owner, field) {
            file.report(
                at: place, "there is no {\(owner).\(field)} in this drill",
                hint: "name a service of the drill and one of its fields: docs/estate-file.md lists them below \"An application\"")
            return nil
        }
        return template
    }

    /// Whether a place is one that this drill can fill in; without an estate nobody can tell.
    private func isHere(_ owner: String, _ field: String) -> Bool {
        guard let estate else { return true }
        guard owner != Template.application else { return Template.applicationFields.contains(field) }
        let here = ["recover", "existing"].flatMap { fields[$0] == nil ? [] : fields.declared($0) ?? [] }
        return here.contains(owner) && estate.services[owner].map { Template.fields(of: $0.engine).contains(field) } ?? false
    }
}
