// Which backups earlier runs restored: of a year that is kept, as a rule the newest alone.

public import DrillModel
import Foundation

extension RunHistory {
    /// More runs than this are not looked through: each is a file to be read.
    private static let farthestRestored = 400

    /// The backups that the drills of these runs restored, and the databases in the last of each. Runs whose reports can't be read tell
    /// nothing.
    public func restored(of estate: Estate) async -> EarlierRuns {
        var restored = EarlierRuns()
        for run in ((try? runs()) ?? []).prefix(Self.farthestRestored) {
            for record in (try? await records(of: run)) ?? [] where !record.row.isInspection && record.isOf(estate) {
                guard [.passed, .failed].contains(record.row.verdict) else { continue }
                for fact in record.facts {
                    guard let backup = Self.backup(fact, of: record, in: estate) else { continue }
                    restored.backups.insert(backup)
                }
                // The newest run stands first.
                for (service, names) in Self.databases(in: record, of: estate)
                where restored.databases[record.row.drill, default: [:]][service] == nil {
                    restored.databases[record.row.drill, default: [:]][service] = names
                }
            }
        }
        return restored
    }

    /// Of the newest that a drill took, and of the older ones that it went on to (`shop.artifact (PATH in STORE)`): what was fetched and could
    /// not be restored is no restored backup.
    private static func backup(_ fact: Fact, of record: Record, in estate: Estate) -> String? {
        for service in estate.services.keys {
            let name = "\(service).artifact"
            guard fact.name == name || fact.name.hasPrefix(name + " (") else { continue }
            let attempt = fact.name.dropFirst(name.count)
            let hasFailed = record.cases.contains { $0.service == service && $0.name == CaseResult.canBeRestored + attempt }
            return hasFailed ? nil : "\(service)/\(fact.value)"
        }
        return nil
    }

    /// Of the backup that was restored at last, where older ones were tried behind the newest.
    private static func databases(in record: Record, of estate: Estate) -> [String: Set<String>] {
        record.facts.reduce(into: [:]) { known, fact in
            for service in estate.services.keys {
                let name = "\(service).\(EarlierRuns.databasesFact)"
                guard fact.name == name || fact.name.hasPrefix(name + " (") else { continue }
                known[service] = Set(fact.value.components(separatedBy: ", "))
            }
        }
    }
}
