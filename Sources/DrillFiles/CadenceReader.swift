// How often a drill is due, and the names that it had before.

import DrillModel
import Yams

/// Reads `due` and `formerly` of one drill file.
struct CadenceReader {
    let file: SourceFile
    let fields: Fields

    /// `due: quarterly`, or `due: {cadence: quarterly, since: 2026-04-01}`.
    func cadence() -> Cadence? {
        guard let entry = fields["due"] else { return nil }
        if case .scalar = entry.node { return fields.choice("due", Cadence.Interval.self).map { Cadence($0) } }
        guard let due = Fields(file, entry.node, .due, title: "\"due\"", place: entry.place) else { return nil }
        let since = due.day("since")
        return due.choice("cadence", Cadence.Interval.self).map { Cadence($0, since: since) }
    }

    func formerNames() -> [String] {
        (fields.texts("formerly") ?? []).compactMap { name in
            file.checkName(name.text, what: "formerly", at: name.place) ? name.text : nil
        }
    }
}

extension Fields {
    /// A day such as `2026-04-01`.
    func day(_ key: String) -> CalendarDay? {
        guard let text = text(key) else { return nil }
        if let day = CalendarDay(parsing: text) { return day }
        report(key, "\"\(key)\" is no day of the calendar", hint: "write year, month and day, such as 2026-04-01")
        return nil
    }
}
