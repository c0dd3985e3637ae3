// What doesn't fit a recovery that fails over to a standby or a replica.

import DrillModel
import Yams

/// Holds one `from: standby` or `from: replica` against the rest of its drill.
struct StandbyReader {
    /// Those of the drill.
    let fields: Fields
    let recovery: Fields
    /// `standby` or `replica`.
    let what: String

    /// - Parameter key: `recover` or `existing`.
    func check(_ key: String) {
        if key == "existing" {
            recovery.report("from", "a \(what) can't stand for what lives on", hint: "name a backup, or put it under \"recover\"")
        }
        for key in ["select", "jobs", "to", "inclusive", "timeline"] where recovery[key] != nil {
            recovery.report(key, "\"\(key)\" does not fit a \(what)", hint: "remove it: a \(what) has one moment, which is now")
        }
        guard case .mapping(let incident)? = fields["incident"]?.node,
            let at = fields.file.entries(incident, silently: true).first(where: { $0.name == "at" }),
            case .scalar(let text) = at.node, text.string != "now"
        else { return }
        fields.file.report(
            at: at.place, "a \(what) can't go back to an incident that has passed",
            hint: "write at: now, or recover from \(what == Recovery.replicaName ? "a backup" : "a base_backup with its WAL archive")")
    }
}
