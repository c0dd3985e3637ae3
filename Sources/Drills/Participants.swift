// Puts together who takes part in a drill.

import BackupAccess
import BackupCatalog
import DrillEngine
import DrillModel
import ScratchHost

/// Makes the drivers of one drill.
struct ParticipantFactory {
    var plan: DrillPlan
    var host: ScratchHost
    /// Who is asked what only people can do; nil: nobody is there.
    var confirmer: (any ManualConfirmer)?

    func make() -> DrillParticipants<ServiceProvision> {
        let stores = RemoteStores(plan.estate, host: host)
        let primaries = lostPrimaries()
        let services = plan.recover.enumerated().compactMap { driver(for: $1, index: $0, stores, primaries) }
        // Their folders are told apart by number: those of the existing ones go on where the others end.
        let existing = plan.existing.enumerated().compactMap { driver(for: $1, index: plan.recover.count + $0, stores, []) }
        let application = plan.application.flatMap { plan.estate.applications[$0] }
        let rehearsal = application.map { ApplicationRehearsal(declared: $0, plan: plan, host: host) }
        return DrillParticipants(
            services: services,
            caches: rehearsal == nil ? [] : plan.caches.enumerated().map { EmptyRedis($1, index: $0, plan: plan, host: host) },
            existing: existing, witness: existing.isEmpty ? nil : ExistingServices(names: existing.map(\.service)),
            outage: plan.outage.map { ZoneOutage($0, plan: plan, stores: stores, primaries: primaries, host: host) },
            application: rehearsal,
            hooks: plan.hooks.isEmpty ? nil : DrillHooks(plan: plan, host: host), confirmer: confirmer,
            unmetDemands: { [host, demand = plan.quarantine] in await host.unmet(demand) })
    }

    private func lostPrimaries() -> [LostPrimary] {
        plan.lostPrimaries.compactMap { service in
            plan.estate.services[service]?.source.map { LostPrimary(service, source: $0, plan: plan) }
        }
    }

    private func driver(
        for recovery: Recovery, index: Int, _ stores: RemoteStores, _ primaries: [LostPrimary]
    ) -> (any ServiceDriver<ServiceProvision>)? {
        let host = host.recovering(index)
        if let standby = plan.estate.standby(of: recovery) {
            let primary = primaries.first { $0.service == recovery.service }
            let part = FailoverPart(standby, recovery: recovery, index: index, plan: plan, host: host, primary: primary)
            return recovery.backup == Recovery.replicaName ? ReplicaDriver(part: part) : StandbyDriver(part: part)
        }
        if let living = plan.estate.living(of: recovery) { return LivingDriver(living, recovery: recovery, plan: plan, host: host) }
        guard let service = plan.estate.services[recovery.service], let set = service.backups[recovery.backup] else { return nil }
        let backups = ServiceBackups(estate: plan.estate, set: set, stores: stores)
        switch service.engine {
        case .postgres where set.isPhysical:
            return PhysicalPostgresDriver(recovery: recovery, index: index, plan: plan, backups: backups, host: host)
        case .postgres: return PostgresDriver(recovery: recovery, index: index, plan: plan, backups: backups, host: host)
        case .redis: return RedisDriver(recovery: recovery, index: index, plan: plan, backups: backups, host: host)
        case .configuration: return ConfigurationDriver(recovery: recovery, index: index, backups: backups, host: host)
        case .code: return CodeDriver(recovery: recovery, index: index, plan: plan, backups: backups, host: host)
        }
    }
}
