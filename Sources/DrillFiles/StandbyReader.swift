// What doesn't fit a recovery that fails over to a standby or a replica.

import DrillModel
import Yams

/// Holds one `from: standby` or `from: replica` against the rest of its drill.
struct StandbyReader {
    /// Those of the drill.
    let fields: Fields
    let recovery: Fields
    /// `standby`, `replica` or `living`.
    let what: String

    /// - Parameter key: `recover` or `existing`.
    func check(_ key: String) {
        if key == "existing" {
            recovery.report("from", "a \(what) can't stand for what lives on", hint: "name a backup, or put it under \"recover\"")
        }
        checkMoment(
            of: "a \(what)", hint: "recover from \(what == Recovery.replicaName ? "a backup" : "a base_backup with its WAL archive")")
    }

    /// Holds one `from: living` against the rest of its drill.
    func checkLiving(_ key: String) {
        if key != "existing" {
            recovery.report(
                "from", "a living server can't be recovered from", hint: "name a backup, or put it under \"existing\"")
        }
        checkMoment(of: "a living server", hint: "name a backup from before it")
    }

    /// It has one, and that is now.
    private func checkMoment(of what: String, hint: String) {
        for key in ["select", "tries", "jobs", "to", "inclusive", "timeline"] where recovery[key] != nil {
            recovery.report(key, "\"\(key)\" does not fit \(what)", hint: "remove it: \(what) has one moment, which is now")
        }
        if recovery["database"] != nil {
            recovery.report(
                "database", "\"database\" does not fit \(what)",
                hint: "remove it: which database is asked stands with the server in the estate file; a check may name another")
        }
        guard case .mapping(let incident)? = fields["incident"]?.node,
            let at = fields.file.entries(incident, silently: true).first(where: { $0.name == "at" }),
            case .scalar(let text) = at.node, text.string != "now"
        else { return }
        fields.file.report(
            at: at.place, "\(what) can't go back to an incident that has passed", hint: "write at: now, or \(hint)")
    }
}
