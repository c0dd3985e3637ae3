// Which of the drills that were found are run: by name, by what they came to last, by shard.

public import DrillModel
public import Foundation
import Reports

/// What a command line narrows a run to. In this order, so that what is left is also split evenly.
public struct DrillSelection: Sendable {
    /// A regular expression.
    public var filter: String?
    /// Those that were not green when they last ran.
    public var lastFailed: Bool
    /// `i/n`
    public var shard: String?

    public init(filter: String?, lastFailed: Bool, shard: String?) {
        self.filter = filter
        self.lastFailed = lastFailed
        self.shard = shard
    }

    /// - Parameter reports: The folder that earlier runs lie in.
    /// - Throws: ``CommandFailure`` where nothing is left: a run of nothing proves nothing.
    public func chosen(_ plans: [DrillPlan], reports: URL) async throws -> [DrillPlan] {
        var plans = plans
        if let filter {
            guard let pattern = try? Regex(filter) else {
                throw CommandFailure(.usage, "--filter \(filter) is no regular expression", hint: "quote special characters with \\")
            }
            plans = plans.filter { $0.name.contains(pattern) }
            guard !plans.isEmpty else {
                throw CommandFailure(.usage, "no drill's name matches \(filter)", hint: "muster run --list shows the names")
            }
        }
        if lastFailed { plans = try await red(of: plans, in: reports) }
        if let shard {
            let parts = shard.split(separator: "/").compactMap { Int($0) }
            guard parts.count == 2, parts[1] >= 1, (1...parts[1]).contains(parts[0]) else {
                throw CommandFailure(.usage, "--shard \(shard) is no i/n", hint: "write --shard 1/3, --shard 2/3 and --shard 3/3")
            }
            plans = plans.enumerated().filter { $0.offset % parts[1] == parts[0] - 1 }.map(\.element)
            guard !plans.isEmpty else {
                throw CommandFailure(
                    .usage, "shard \(shard) is empty: there are fewer drills than shards", hint: "use fewer shards")
            }
        }
        return plans
    }

    /// The reports of earlier runs are what is known: each drill's newest one on its own estate counts.
    ///
    /// - Throws: ``CommandFailure`` where one of them can't be read, or where nothing was red.
    private func red(of plans: [DrillPlan], in reports: URL) async throws -> [DrillPlan] {
        let history = RunHistory(folder: reports)
        let runs = (try? history.runs()) ?? []
        let estates = Dictionary(plans.map { ($0.name, $0.estate) }) { $1 }
        var newest: [String: RunHistory.Row] = [:]
        var second: Substring = ""
        for run in runs {
            // Names sort by the second: within one, the rows themselves say which came last.
            let begun = run.prefix { $0 != "Z" }
            if begun != second, newest.count == estates.count { break }
            second = begun
            let records: [RunHistory.Record]
            do {
                records = try await history.records(of: run)
            } catch {
                // It was cut off before its first drill, or is about to begin it.
                if error.kind == .empty { continue }
                throw CommandFailure(
                    .unverified, "the report of \(run) can't be read: nobody knows which of its drills failed",
                    hint: "remove that run's folder, or run without --last-failed")
            }
            for record in records where !record.row.isInspection {
                let row = record.row
                guard let estate = estates[row.drill], record.isOf(estate) else { continue }
                if newest[row.drill].map({ $0.started < row.started }) ?? true { newest[row.drill] = row }
            }
        }
        let red = Set(newest.values.filter { $0.verdict != .passed || $0.isUnfinished }.map(\.drill))
        guard !red.isEmpty else {
            let known = runs.isEmpty ? "there is no earlier run in \(reports.path)" : "no drill was red in its last run in \(reports.path)"
            throw CommandFailure(
                .usage, "\(known): --last-failed leaves none", hint: "run without it; --output names another folder of runs")
        }
        return plans.filter { red.contains($0.name) }
    }
}
