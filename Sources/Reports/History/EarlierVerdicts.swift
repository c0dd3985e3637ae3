// What drills came to before: whether one that is green now is a recovery.

public import DrillModel
public import Foundation

extension RunHistory {
    /// More runs than this are not looked through: each is a file to be read.
    private static let farthest = 100

    /// The red run that a drill's green one is the recovery from: the newest red one before it, unless a green one in between had asked again
    /// all that it was red of.
    ///
    /// Runs whose reports can't be read are passed over: they tell nothing. So are inspections as of another instant, and drills on another
    /// estate than their own.
    ///
    /// - Parameters:
    ///   - green: By any name, the drills of this run that passed.
    ///   - names: Former names of drills, with those that they have now.
    ///   - own: The run that asks, which doesn't count.
    /// - Returns: By the drills' names.
    public func recovered(
        _ green: [Record], of estate: Estate, names: [String: String], before moment: Date, without own: String
    ) async -> [String: Verdict] {
        var open = Dictionary(green.map { ($0.row.drill, [$0]) }, uniquingKeysWith: { first, _ in first })
        var found: [String: (verdict: Verdict, started: Date, isRecovery: Bool)] = [:]
        var second: Substring = ""
        for run in ((try? runs()) ?? []).filter({ $0 != own }).prefix(Self.farthest) {
            // Names sort by the second: within one, the rows themselves say which came last.
            let begun = run.prefix { $0 != "Z" }
            if begun != second {
                for drill in found.keys { open[drill] = nil }
                if open.isEmpty { break }
            }
            second = begun
            for record in (try? await records(of: run)) ?? [] where record.row.started < moment {
                let row = record.row
                let name = row.isInspection ? row.drill : names[row.drill] ?? row.drill
                guard let later = open[name], !row.isRetrospective, record.isOf(estate) else { continue }
                if row.verdict == .passed, !row.isUnfinished {
                    open[name]?.append(record)
                } else if row.verdict != .skipped, found[name].map({ $0.started < row.started }) ?? true {
                    let between = later.dropFirst().filter { $0.row.started > row.started }
                    let isRecovery = later[0].mends(record) && !between.contains { $0.mends(record) }
                    found[name] = (row.isUnfinished ? .error : row.verdict, row.started, isRecovery)
                }
            }
        }
        return found.filter(\.value.isRecovery).mapValues(\.verdict)
    }
}
