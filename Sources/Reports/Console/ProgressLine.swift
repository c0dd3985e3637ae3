// The live line: what is being done, how far it is, how fast, and how long it will still take.

import DrillModel

/// Follows the work in hand and draws it as one line.
struct ProgressLine: Sendable {
    private struct Sample {
        var at: Duration
        var completed: Int64
    }
    private struct Work {
        var step: Step
        var service: String?
        var latest: Progress?
        /// Of the last few seconds: the rate is a moving one.
        var samples: [Sample] = []

        /// Units a second; nil until there is enough to judge by.
        var rate: Double? {
            guard let first = samples.first, let last = samples.last, last.completed > first.completed else { return nil }
            let seconds = Double(Readable.milliseconds(of: last.at - first.at)) / 1000
            return seconds >= 0.5 ? Double(last.completed - first.completed) / seconds : nil
        }

        var share: Double? {
            guard let latest, let total = latest.total, total > 0 else { return nil }
            return min(1, max(0, Double(latest.completed) / Double(total)))
        }

        var timeLeft: Duration? {
            guard let latest, let total = latest.total, let rate, latest.unit != .tables, total > latest.completed else { return nil }
            return .seconds(Double(total - latest.completed) / rate)
        }
    }
    private static let window = Duration.seconds(10)
    private var works: [Work] = []

    mutating func started(_ step: Step, service: String?) {
        works.append(Work(step: step, service: service))
    }

    mutating func advanced(_ progress: Progress, at now: Duration) {
        // A drill-wide step may report progress for the services inside it.
        let index: Int
        if let known = works.firstIndex(where: { $0.step == progress.step && $0.service == progress.service }) {
            index = known
        } else {
            works.append(Work(step: progress.step, service: progress.service))
            index = works.count - 1
        }
        if let last = works[index].latest,
            last.unit != progress.unit || last.total != progress.total || last.completed > progress.completed
        {
            works[index].samples = []
        }
        works[index].latest = progress
        works[index].samples.append(Sample(at: now, completed: progress.completed))
        works[index].samples.removeAll { now - $0.at > Self.window }
    }

    mutating func finished(_ step: Step, service: String?) {
        works.removeAll { $0.step == step && (service == nil || $0.service == service) }
    }

    mutating func clear() {
        works = []
    }

    /// The line in so many columns; nil where nothing is in hand.
    func line(width: Int) -> ConsoleLine? {
        guard let work = works.first(where: { $0.latest != nil }) ?? works.last else { return nil }
        let number = (Step.allCases.firstIndex(of: work.step) ?? 0) + 1
        var line = ConsoleLine("  \(number)/\(Step.allCases.count) ", .dim)
        line.add("\(work.step.rawValue)", .bold)
        if let service = work.service { line.add(" \(service)") }
        guard let latest = work.latest else { return line.adding(" …", .dim) }

        let figures = figures(of: work, latest)
        var label = latest.label.isEmpty ? "" : " \(latest.label)"
        var room = width - line.width - ConsoleLine.width(of: figures) - 2
        // A long table name gives way before the bar does.
        let bar = 10
        if ConsoleLine.width(of: label) > max(0, room - bar) { label = "" }
        room -= ConsoleLine.width(of: label)
        line.add(label, .dim)
        if let share = work.share, room >= 6 {
            let columns = min(24, room - 2)
            let full = Int((share * Double(columns)).rounded(.down))
            line.add("  ")
            line.add(String(repeating: "█", count: full), .green)
            line.add(String(repeating: "░", count: columns - full), .dim)
        }
        return line.adding("  \(figures)")
    }

    /// For a log that nobody watches: the same without the bar.
    func words() -> String? {
        guard let work = works.first(where: { $0.latest != nil }), let latest = work.latest else { return nil }
        let label = latest.label.isEmpty ? "" : " \(latest.label)"
        return "\(work.step.rawValue) \(latest.service)\(label): \(figures(of: work, latest))"
    }

    private func figures(of work: Work, _ latest: Progress) -> String {
        var parts: [String] = []
        if let share = work.share { parts.append("\(Int(share * 100)) %") }
        if latest.unit == .bytes {
            parts.append(Readable.bytes(latest.completed))
        } else {
            let total = latest.total.map { " of \(Readable.count($0))" } ?? ""
            parts.append("\(Readable.count(latest.completed))\(total) \(latest.unit.rawValue)")
        }
        // Tables differ too much in size for a rate of tables to mean anything.
        if latest.unit != .tables, let rate = work.rate, rate < 1e15 {
            let amount = Int64(rate.rounded())
            parts.append(latest.unit == .bytes ? "\(Readable.bytes(amount))/s" : "\(Readable.count(amount)) \(latest.unit.rawValue)/s")
        }
        if let left = work.timeLeft {
            // Tenths of a second would only flicker.
            let seconds = max(1, left.components.seconds)
            parts.append("\(seconds < 60 ? "\(seconds) s" : Readable.duration(.seconds(seconds))) left")
        }
        return parts.joined(separator: "  ")
    }
}
