// What a service that fails over to its standby or replica has in common, whatever its engine.

import BackupAccess
import DrillEngine
import DrillModel
import Foundation
import ScratchHost

/// One service's part in a drill, with the copy of production's that it fails over to.
struct FailoverPart: Sendable {
    let service: String
    /// The service's place in the plan: no two share a folder, whatever their names.
    let index: Int
    let plan: DrillPlan
    /// Production's own, which is only read.
    let standby: Standby
    let host: ScratchHost
    /// Where the drill loses it; nil: it may live.
    let primary: LostPrimary?

    init(_ standby: Standby, recovery: Recovery, index: Int, plan: DrillPlan, host: ScratchHost, primary: LostPrimary?) {
        service = recovery.service
        self.index = index
        self.plan = plan
        self.standby = standby
        self.host = host
        self.primary = primary
    }
}

/// Fails one service over to a clone of its standby or replica.
protocol FailoverDriver: ServiceDriver {
    var part: FailoverPart { get }
}

extension FailoverDriver {
    var service: String { part.service }
    var index: Int { part.index }
    var plan: DrillPlan { part.plan }
    var standby: Standby { part.standby }
    var host: ScratchHost { part.host }
    var primary: LostPrimary? { part.primary }
    var source: SourceConnection? { plan.estate.services[service]?.source }

    /// Why nobody knows what the primary had.
    var whyUnasked: String {
        guard source != nil else { return "no source is declared" }
        guard let primary else { return "the primary could not be asked" }
        return primary.isCutByDrill
            ? "the primary did not answer before its zone was cut off" : "the primary was out of reach before the drill began"
    }

    /// - Parameter kind: `standby`, `replica`.
    func tellWhatCorruptionMeans(for kind: String, _ log: any StepLog) {
        guard plan.scenario == .databaseCorruption else { return }
        log.unproven(
            "\(service): a \(kind) holds what its primary holds, corruption included: this drill proves a failover, and no way back to a "
                + "database from before a mistake.")
    }
}
