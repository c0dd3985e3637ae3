// What a whole Postgres cluster held: each of its databases under a snapshot of its own, and the roles, which are everybody's.

public import Foundation

/// PostgreSQL has no snapshot across databases: each one here is consistent in itself, and not with the others.
public struct ClusterTruth: Sendable, Hashable, Codable {
    public struct Database: Sendable, Hashable, Codable {
        /// The source's clock as its snapshot was taken.
        public var snapshotTime: Date
        /// Without what belongs to the cluster: ``ClusterTruth/roles`` holds that.
        public var truth: PostgresTruth

        public init(snapshotTime: Date, truth: PostgresTruth) {
            self.snapshotTime = snapshotTime
            self.truth = truth
        }

        public var name: String { truth.identity.database }
    }
    /// In the order of the script, so `template1` first.
    public var databases: [Database]
    /// All roles of the cluster, their memberships, settings, rights on each other and comments.
    public var roles: [SchemaObject]
    /// The newest snapshot less the oldest one.
    public var skewSeconds: Double
    /// Databases that take no connections: pg_dumpall leaves them out.
    public var omitted: [String]

    public init(databases: [Database], roles: [SchemaObject], omitted: [String] = []) {
        self.databases = databases
        self.roles = roles
        self.omitted = omitted
        let times = databases.map(\.snapshotTime).sorted()
        // As precise as the times are written.
        skewSeconds = ((times.last ?? .distantPast).timeIntervalSince(times.first ?? .distantPast) * 1000).rounded() / 1000
    }

    /// Databases that are somebody's; those that every cluster has count where they hold a table.
    public var own: [Database] {
        databases.filter { !["template1", "postgres"].contains($0.name) || !$0.truth.tables.isEmpty }
    }

    /// Of its largest database, with the size of all.
    public var identity: PostgresIdentity? {
        var identity = (own.isEmpty ? databases : own).map(\.truth.identity).max { $0.size < $1.size }
        identity?.size = databases.reduce(0) { $0 + $1.truth.identity.size }
        return identity
    }
}

extension Seal {
    /// What it says of Postgres databases: of one, or of each of a cluster.
    public var databases: [PostgresTruth] { cluster?.databases.map(\.truth) ?? postgres.map { [$0] } ?? [] }

    /// Which Postgres it is of; of a cluster by its largest database.
    public var identity: PostgresIdentity? { cluster?.identity ?? postgres?.identity }

    /// Makes it a seal of a whole cluster, which an older Muster refuses to read.
    public mutating func hold(_ truth: ClusterTruth) {
        version = Self.clusterVersion
        cluster = truth
    }
}
