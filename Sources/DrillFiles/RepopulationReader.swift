// A command that fills an empty cache again: an application's in the estate, or a drill's own.

import DrillModel
import Yams

/// Reads such commands.
struct RepopulationReader {
    let file: SourceFile

    /// The mapping of `run` and `timeout`; nil where it is flawed, which has been told.
    ///
    /// - Parameter template: Reads one word, and tells what is wrong with a place in it.
    func read(_ entry: Entry, title: String, _ template: (String, Place?) -> Template?) -> LostCache.Repopulation? {
        guard let command = Fields(file, entry.node, .repopulation, title: title, place: entry.place) else { return nil }
        let timeout = command.duration("timeout")
        guard let run = command.texts("run"), timeout != nil || command["timeout"] == nil else { return nil }
        let templates = run.compactMap { template($0.text, $0.place) }
        guard templates.count == run.count else { return nil }
        return LostCache.Repopulation(run: templates, timeout: timeout ?? .seconds(300))
    }
}
