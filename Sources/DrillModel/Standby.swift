// A standby of a Postgres service or a replica of a Redis one: what a failover would go to.

/// Where a service's standby or replica is reached. It has no artifacts, so it is no backup.
public struct Standby: Sendable, Hashable {
    public var connection: SourceConnection
    /// nil: nobody says where it stands, so it outlives the loss of no zone.
    public var zone: String?

    public init(connection: SourceConnection, zone: String? = nil) {
        self.connection = connection
        self.zone = zone
    }
}

extension Recovery {
    /// What `from` says instead of a backup's name, of a Postgres.
    public static let standbyName = "standby"
    /// The same of a Redis.
    public static let replicaName = "replica"
    /// What `from` says under `existing` where nothing stands for the living server but itself.
    public static let livingName = "living"

    /// Whether a service comes back from its standby or replica rather than from a backup.
    public func isFailover(in estate: Estate) -> Bool { estate.standby(of: self) != nil }
}

extension Estate {
    /// The living server that stands for itself; nil where a backup stands for it.
    public func living(of recovery: Recovery) -> SourceConnection? {
        recovery.backup == Recovery.livingName ? services[recovery.service]?.living : nil
    }
}

extension DrillPlan {
    /// The services that fail over to a standby because their primary is lost with its zone.
    public var lostPrimaries: [String] {
        guard let zone = outage?.zone else { return [] }
        return recover.filter { $0.isFailover(in: estate) && estate.services[$0.service]?.source?.zone == zone }.map(\.service)
    }
}

/// A server that the estate places in a lost zone, and that nothing fails over from.
public struct LostServer: Sendable, Hashable {
    public var service: String
    /// For the report: `the source of postgres`.
    public var title: String
    public var connection: SourceConnection
}

extension DrillPlan {
    /// Beside ``lostPrimaries``: what else must be out of reach where the zone is lost.
    public var lostServers: [LostServer] {
        guard let zone = outage?.zone else { return [] }
        let primaries = Set(lostPrimaries)
        return estate.services.values.sorted { $0.name < $1.name }.flatMap { service in
            let source = primaries.contains(service.name) ? nil : service.source.map { ("source", $0, $0.zone) }
            let others = [("standby", service.standby), ("replica", service.replica)].compactMap { kind, server in
                server.map { (kind, $0.connection, $0.zone) }
            }
            return ([source].compactMap { $0 } + others).filter { $0.2 == zone }.map { kind, connection, _ in
                LostServer(service: service.name, title: "the \(kind) of \(service.name)", connection: connection)
            }
        }
    }
}

extension Service {
    /// The standby or replica that a `from` names; nil where it names a backup.
    public func standby(named name: String) -> Standby? {
        switch name {
        case Recovery.standbyName: standby
        case Recovery.replicaName: replica
        default: nil
        }
    }
}

extension Estate {
    /// The standby or replica that a recovery fails over to; nil where it is from a backup.
    public func standby(of recovery: Recovery) -> Standby? { services[recovery.service]?.standby(named: recovery.backup) }
}
