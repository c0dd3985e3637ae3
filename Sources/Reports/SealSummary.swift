// What a new seal holds, in a few lines for people.

public import DrillModel
public import Foundation

/// For whoever has just made it.
public enum SealSummary {
    public static func lines(_ seal: Seal, in zone: TimeZone, took: Duration) -> [String] {
        var parts = ["of \(Readable.time(seal.snapshotTime, in: zone))", Readable.bytes(seal.artifact.size)]
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
        return ["  " + parts.joined(separator: ", ")] + (seal.cluster.map { cluster(of: $0, seal.truth) } ?? [])
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
