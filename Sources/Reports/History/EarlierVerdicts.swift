// What drills came to the last time: whether one that is green now is a recovery.

public import DrillModel
public import Foundation

/// A drill as the history knows it again.
public struct PastDrill: Sendable, Hashable {
    public var name: String
    public var estate: String

    public init(name: String, estate: String) {
        self.name = name
        self.estate = estate
    }
}

extension RunHistory {
    /// More runs than this are not looked through: each is a file to be read.
    private static let farthest = 200

    /// The verdict of each drill when it last began before a moment; of one that was cut off: ``Verdict/error``.
    ///
    /// Runs whose reports can't be read are passed over: they tell nothing.
    ///
    /// - Parameter own: The run that asks, which doesn't count.
    public func verdicts(of drills: Set<PastDrill>, before moment: Date, without own: String) async -> [PastDrill: Verdict] {
        var found: [PastDrill: Row] = [:]
        var second: Substring = ""
        for run in ((try? runs()) ?? []).filter({ $0 != own }).prefix(Self.farthest) {
            // Names sort by the second: within one, the rows themselves say which came last.
            let begun = run.prefix { $0 != "Z" }
            if begun != second, found.count == drills.count { break }
            second = begun
            for row in (try? await rows(of: run)) ?? [] where row.started < moment {
                let drill = PastDrill(name: row.drill, estate: row.estate)
                if drills.contains(drill), found[drill].map({ $0.started < row.started }) ?? true { found[drill] = row }
            }
        }
        return found.mapValues(\.verdict)
    }
}
