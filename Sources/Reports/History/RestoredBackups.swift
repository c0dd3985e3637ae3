// Which backups earlier runs restored: of a year that is kept, as a rule the newest alone.

public import DrillModel
import Foundation

extension RunHistory {
    /// More runs than this are not looked through: each is a file to be read.
    private static let farthestRestored = 400

    /// The backups, as `SERVICE/PATH`, that a drill of these runs restored and judged. Runs whose reports can't be read tell nothing.
    public func restored(of estate: Estate) async -> Set<String> {
        var restored: Set<String> = []
        for run in ((try? runs()) ?? []).prefix(Self.farthestRestored) {
            for record in (try? await records(of: run)) ?? [] where !record.row.isInspection && record.isOf(estate) {
                guard [.passed, .failed].contains(record.row.verdict) else { continue }
                for service in estate.services.keys {
                    // Of the older ones that it went on to as well.
                    for fact in record.facts where fact.name == "\(service).artifact" || fact.name.hasPrefix("\(service).artifact (") {
                        restored.insert("\(service)/\(fact.value)")
                    }
                }
            }
        }
        return restored
    }
}
