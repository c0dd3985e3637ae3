// What a new seal holds, in a few lines for people.

public import DrillModel
public import Foundation

/// For whoever has just made it.
public enum SealSummary {
    public static func lines(_ seal: Seal, in zone: TimeZone, took: Duration) -> [String] {
        var parts = ["of \(Readable.time(seal.snapshotTime, in: zone))"]
        if seal.moment == nil { parts.append(Readable.bytes(seal.artifact.size)) }
        if seal.identity != nil {
            let databases = seal.databases
            if let cluster = seal.cluster { parts.append(Readable.count(cluster.databases.count, "database")) }
            let rows = databases.flatMap(\.tables).reduce(0) { $0 + $1.rows }
            parts.append("\(Readable.count(databases.reduce(0) { $0 + $1.tables.count }, "table")), \(Readable.count(rows, "row"))")
            parts.append(Readable.count(databases.reduce(seal.cluster?.roles.count ?? 0) { $0 + $1.objects.count }, "object"))
        }
        if let redis = seal.redis {
            parts.append(Readable.count(redis.databases.reduce(0) { $0 + $1.keys }, "key"))
        }
        parts.append(seal.truth == .source ? "truth: the source" : "truth: the backup itself")
        parts.append("in \(Readable.duration(took))")
        var lines = ["  " + parts.joined(separator: ", ")]
        if let cluster = seal.cluster { lines += self.cluster(of: cluster, seal.truth) }
        if let moment = seal.moment { lines.append(self.moment(moment)) }
        if let standby = seal.standby { lines.append(self.standby(standby)) }
        return lines
    }

    /// What they should be warned of.
    public static func warnings(_ seal: Seal) -> [String] {
        guard let standby = seal.standby else { return [] }
        var warnings: [String] = []
        if !standby.unlogged.isEmpty {
            warnings.append(
                "a standby has no rows of unlogged tables, so this backup has none of \(Readable.list(standby.unlogged))\n"
                    + "hint: seal the primary where they must be saved")
        }
        guard let version = seal.postgres?.identity.serverVersion else { return warnings }
        return warnings
            + ServerAdvisory.ofStandbys.filter { $0.concerns(serverVersion: version) }.map { "\($0.message)\nhint: \($0.hint)" }
    }

    private static func standby(_ standby: Seal.Standby) -> String {
        standby.pausedByOthers
            ? "  of a standby whose replay somebody else had paused, and which was left so"
            : "  of a standby whose replay stood still for \(Readable.preciseDuration(.seconds(standby.pausedSeconds))) and goes on, "
                + "with \(Readable.bytes(standby.waitingBytes)) to replay"
    }

    private static func moment(_ moment: Seal.Moment) -> String {
        let place = "  at \(moment.after) of timeline \(moment.timeline) in the write-ahead log"
        guard let snapshot = moment.snapshot else { return "\(place), where the standby stood still" }
        return snapshot.running.isEmpty
            ? place : "\(place), while \(Readable.count(snapshot.running.count, "transaction")) ran"
    }

    private static func cluster(of cluster: ClusterTruth, _ truth: Seal.Truth) -> [String] {
        let names = "  the databases \(cluster.databases.map(\.name).joined(separator: ", "))"
        guard truth == .source else { return [names] }
        return [
            names,
            "  snapshot skew: \(Readable.preciseDuration(.seconds(cluster.skewSeconds))); each database is consistent in itself, and not with the others",
        ]
    }
}
