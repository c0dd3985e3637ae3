// The settings that a recovery adds to Muster's own.

import DrillModel
import PostgresRecovery

enum RecoverySettings {
    /// - Parameter fromArchive: Whether there is a target at all: without an archive the server replays what it has.
    static func make(target: RecoveryTarget, control: ControlData, fromArchive: Bool) -> [(name: String, value: String)] {
        var settings: [(name: String, value: String)] = [
            // Nobody asks the server while it replays, and without readers replay waits for none.
            ("hot_standby", "off"), ("wal_level", "replica"), ("track_commit_timestamp", control.tracksCommitTimes ? "on" : "off"),
        ]
        // A server with less than the source had refuses to replay, or runs out of it while it does.
        for (name, value) in control.demanded { settings.append((name, String(max(value, name == "max_connections" ? 50 : value)))) }
        // Each must be twice a segment at least: initdb of such a cluster wrote a larger one into the configuration that is put aside.
        let segment = control.segmentSize >> 20
        if segment > 40 { settings.append(("min_wal_size", "\(2 * segment)MB")) }
        if segment > 512 { settings.append(("max_wal_size", "\(4 * segment)MB")) }
        guard fromArchive else { return settings }
        settings.append(("recovery_target_action", "promote"))
        settings.append(("recovery_target_inclusive", target.inclusive ? "on" : "off"))
        switch target.timeline {
        case .latest: settings.append(("recovery_target_timeline", "latest"))
        case .current: settings.append(("recovery_target_timeline", "current"))
        case .number(let number): settings.append(("recovery_target_timeline", String(number)))
        }
        switch target.goal {
        // Where a moment lies is found before anything is started, and is a position then.
        case .end, .moment: break
        case .time(let date): settings.append(("recovery_target_time", RecoveryTarget.text(date)))
        case .lsn(let lsn): settings.append(("recovery_target_lsn", RecoveryTarget.text(lsn: lsn)))
        case .name(let name): settings.append(("recovery_target_name", name))
        case .xid(let xid): settings.append(("recovery_target_xid", String(xid)))
        }
        return settings
    }
}
