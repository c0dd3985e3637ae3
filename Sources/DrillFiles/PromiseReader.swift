// What an estate file promises of a series of backups: its schedule and its retention.

import DrillModel
import Yams

/// Reads the promises of one backup.
struct PromiseReader {
    private enum Word: String, CaseIterable {
        case day, week
    }
    private static let day = 86_400

    let parent: Fields

    func schedule() -> Schedule? {
        guard let entry = parent["schedule"] else { return nil }
        let title = "\"schedule\" of \(parent.title)"
        guard let fields = Fields(parent.file, entry.node, .schedule, title: title, place: entry.place) else { return nil }
        let at = time(fields)
        let weekday = fields["weekday"] == nil ? nil : fields.choice("weekday", Weekday.self)
        let tolerance = fields["tolerance"] == nil ? Schedule.defaultTolerance : fields.duration("tolerance")
        guard let interval = interval(fields, weekday: weekday), let tolerance else { return nil }
        if weekday != nil, interval.word != .week {
            fields.report("weekday", "\"weekday\" fits \"every: week\" only", hint: "remove it, or write \"every: week\"")
        }
        guard tolerance.components.seconds * 2 < interval.seconds else {
            fields.report(
                "tolerance", "the tolerance is not less than half of \"every\"",
                hint: "with so much of it, nobody could tell which run a backup belongs to: write less, such as 30m")
            return nil
        }
        if case .span = interval.value, at != nil, Self.day % interval.seconds != 0 {
            fields.report(
                "every", "with \"at\", \"every\" must divide a day", hint: "write 12h, 8h, 6h, 4h, 1h or 15m, or remove \"at\"")
            return nil
        }
        return Schedule(interval: interval.value, at: at, tolerance: tolerance)
    }

    func retention() -> Retention? {
        guard let entry = parent["retention"] else { return nil }
        let title = "\"retention\" of \(parent.title)"
        guard let fields = Fields(parent.file, entry.node, .retention, title: title, place: entry.place) else { return nil }
        var counts: [Retention.Tier: Int] = [:]
        for tier in Retention.Tier.allCases {
            if let count = fields.whole(tier.rawValue, in: 1...4000) { counts[tier] = count }
        }
        if case .mapping(let mapping) = entry.node, mapping.isEmpty {
            fields.report("daily", "\"retention\" promises nothing", hint: "write \"retention: {daily: 30, monthly: 12}\", or remove it")
        }
        return counts.isEmpty ? nil : Retention(counts)
    }

    private struct ReadInterval {
        var value: Schedule.Interval
        var word: Word?
        var seconds: Int
    }

    private func interval(_ fields: Fields, weekday: Weekday?) -> ReadInterval? {
        guard let entry = fields["every"], let text = fields.text("every") else { return nil }
        switch Word(rawValue: text) {
        case .day: return ReadInterval(value: .day, word: .day, seconds: Self.day)
        case .week:
            for key in ["weekday", "at"] where !fields.stated.contains(key) {
                fields.report(
                    "every", "\"every: week\" needs \"\(key)\"", hint: "write {every: week, weekday: sunday, at: \"02:00\"}")
                return nil
            }
            return weekday.map { ReadInterval(value: .week($0), word: .week, seconds: 7 * Self.day) }
        case nil:
            guard text.first?.isNumber ?? false else {
                fields.report("every", "unknown every \(shown(text))", hint: "write day, week, or a duration such as 6h")
                return nil
            }
            guard let span = parent.file.duration(entry) else { return nil }
            guard span >= .seconds(60) else {
                fields.report("every", "\"every\" is shorter than a minute", hint: "write day, week, or a duration such as 6h")
                return nil
            }
            guard span.components.seconds < Int64(Self.day) else {
                fields.report("every", "\"every\" is a day or longer", hint: "write day or week, or a duration of less than a day")
                return nil
            }
            return ReadInterval(value: .span(span), word: nil, seconds: Int(span.components.seconds))
        }
    }

    private func time(_ fields: Fields) -> TimeOfDay? {
        guard let text = fields.text("at") else { return nil }
        if let time = TimeOfDay(parsing: text) { return time }
        fields.report("at", "\"at\" is no time of a day", hint: "write hours and minutes in quotes, such as \"02:00\"")
        return nil
    }
}
