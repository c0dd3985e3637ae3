// Damages a series of backups in memory, and asks what `muster inspect` asks of when they were made.

import BackupCatalog
import BackupPolicy
import DrillModel
import Foundation
import BackupAccess

/// Judges a series as the stores hold it, with one damage done to what was listed. No file is copied or changed.
struct DamagedSeries: Sendable {
    var series: BackupSeries

    /// As of the newest backup: whether one should have come since, and didn't, is no matter of this.
    init(_ series: BackupSeries) {
        self.series = series
        if let newest = series.moments.last { self.series.now = newest.time }
    }

    /// - Throws: ``DrillFailure`` where no store can be listed, or nothing is there.
    init(of set: BackupSet, in estate: Estate, stores: RemoteStores) async throws(DrillFailure) {
        let points = try await ServiceBackups(estate: estate, set: set, stores: stores).catalogue().points()
        let clock = Date()
        self.init(
            BackupSeries(
                set: set, seals: estate.seals, stores: set.stores.compactMap { estate.stores[$0] }, timeZone: estate.timeZone, now: clock,
                clock: clock, copies: points.map { StoredCopy($0) }))
    }

    /// Whether the estate promises anything of the series.
    static func fits(_ set: BackupSet) -> Bool { set.schedule != nil || set.retention != nil }

    /// - Returns: nil where the damage breaks nothing that is promised.
    func judge(_ damage: Damage?) -> (cases: [CaseResult], harm: Harm?)? {
        guard let newest = series.moments.last else { return nil }
        guard let damage else { return (BackupPolicy.judge(regime: series), nil) }
        var times = SeriesTimes(schedule: series.set.schedule, retention: series.set.retention, times: series.moments.map(\.time))
        guard case .series(let apply) = damage.means, let harm = apply(&times) else { return nil }
        var damaged = series
        let left = Set(times.times)
        damaged.moments.removeAll { !left.contains($0.time) }
        if let leftover = times.leftover { damaged.moments.insert(BackupMoment(time: leftover, copies: newest.copies), at: 0) }
        return (BackupPolicy.judge(regime: damaged), harm)
    }
}
