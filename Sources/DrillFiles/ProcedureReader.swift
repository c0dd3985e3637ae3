// What a scenario demands of a drill, and whether all is there that its application needs.

import DrillModel
import Yams

/// Holds the parts of one drill against its scenario and against each other.
struct ProcedureReader {
    let file: SourceFile
    let fields: Fields
    /// nil where it can't be read, which has been told.
    let estate: Estate?
    let scenario: Scenario?

    /// The application's name, once everything that it needs is part of the drill.
    func application() -> String? {
        guard let name = fields.text("application"), let estate else { return nil }
        guard let application = estate.applications[name] else {
            fields.report(
                "application", "unknown application \(shown(name))",
                hint: NearestWord.hint(for: name, among: estate.applications.keys, called: "applications"))
            return nil
        }
        let recovered = declared("recover")
        let here = recovered + declared("existing")
        for service in application.services.sorted() where !here.contains(service) {
            let lists = scenario?.needsSurvivors == true ? "\"recover\" or \"existing\"" : "\"recover\""
            fields.report(
                "application", "application \"\(name)\" needs service \"\(service)\", which is no part of this drill",
                hint: "add it under \(lists)")
        }
        var needed = application.configuration.map { [$0] } ?? []
        if case .service(let code) = application.code { needed.append(code) }
        for service in needed where !recovered.contains(service) {
            fields.report(
                "application", "application \"\(name)\" is started from service \"\(service)\", which this drill doesn't recover",
                hint: "add it under \"recover\"")
        }
        return name
    }

    func checkFit() {
        guard let scenario else { return }
        let title = "scenario \"\(scenario.rawValue)\""
        func demand(_ key: String, _ example: String) {
            guard !fields.stated.contains(key) else { return }
            file.report(at: fields.place, "missing key \"\(key)\": \(title) needs it", hint: "add \"\(key): \(example)\"")
        }
        if scenario.needsRecovery { demand("recover", "{postgres: {from: daily}}") }
        if scenario.losesZone { demand("lost-zone", "NAME") }
        if scenario.needsApplication { demand("application", "NAME") }
        if scenario.needsSurvivors {
            demand("existing", "{postgres: {from: daily}}")
        } else if fields["existing"] != nil {
            fields.report(
                "existing", "\"existing\" does not fit \(title)", hint: "remove it: what this scenario needs comes back from its backups")
        }
        let recovered = declared("recover")
        if scenario.needsSurvivors, case .mapping(let mapping)? = fields["existing"]?.node {
            for entry in file.entries(mapping, silently: true) where recovered.contains(entry.name) {
                file.report(
                    at: entry.place, "service \"\(entry.name)\" is both recovered and existing", hint: "keep it in one of the two")
            }
        }
        // What was lost can only be said of what comes back.
        if fields["recover"] == nil, !scenario.needsRecovery, case .mapping(let mapping)? = fields["targets"]?.node {
            for entry in file.entries(mapping, silently: true) where ["rpo", "rpo-worst-case"].contains(entry.name) {
                file.report(
                    at: entry.place, "\"\(entry.name)\" has nothing to measure: no service is recovered",
                    hint: "remove it, or add what is recovered under \"recover\"")
            }
        }
    }

    private func declared(_ key: String) -> [String] { fields[key] == nil ? [] : fields.declared(key) ?? [] }
}
