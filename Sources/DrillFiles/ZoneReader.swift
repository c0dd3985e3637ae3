// How the zones of an estate are cut off, for a drill that loses one.

import DrillModel
import Yams

/// Reads `zones`, and the two commands wherever they stand.
struct ZoneReader {
    let file: SourceFile
    let fields: Fields

    /// - Parameter known: The zones in which the estate says that something stands; nil where that can't be told.
    func read(known: Set<String>?) -> [String: Outage.Commands] {
        guard let entry = fields["zones"], let mapping = file.mapping(entry.node, what: "\"zones\"") else { return [:] }
        if mapping.isEmpty { fields.report("zones", "\"zones\" is empty", hint: "name at least one zone, or remove the line") }
        var zones: [String: Outage.Commands] = [:]
        // A zone is text, as in a store: it becomes no file's name.
        for zone in file.entries(mapping) {
            if let known, !known.contains(zone.name) {
                file.report(
                    at: zone.place, "no store of the estate lies in zone \(shown(zone.name))",
                    hint: NearestWord.hint(for: zone.name, among: known, called: "zones"))
                continue
            }
            zones[zone.name] = commands(zone, .zone, title: "zone \(shown(zone.name))")
        }
        return zones
    }

    /// nil where they are flawed, which has been told.
    func commands(_ entry: Entry, _ section: Section, title: String) -> Outage.Commands? {
        guard let commands = Fields(file, entry.node, section, title: title, place: entry.place) else { return nil }
        let reader = SurroundingsReader(file: file, fields: fields)
        let cut = commands["cut"].flatMap { reader.hook($0, "command cut") }
        let restore = commands["restore"].flatMap { reader.hook($0, "command restore") }
        guard let cut, let restore else { return nil }
        return Outage.Commands(cut: cut, restore: restore, file: file.url)
    }
}
