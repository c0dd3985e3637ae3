// Surveys of an estate's sets, taken a few ahead of their use: a look at a hundred thousand files is work for every core.

import BackupCatalog
import DrillModel
import Foundation

/// Hands the surveys out in the estate's order. At most as many as there are cores are held at once, beside the one in use.
struct SurveysAhead: ~Copyable {
    private let sets: [BackupSet]
    private let estate: Estate
    private let now: Date
    private let stores: RemoteStores
    private var next = 0
    private var waiting: [Task<Result<SetSurvey, DrillFailure>, Never>] = []

    init(of estate: Estate, asOf now: Date, stores: RemoteStores) {
        self.stores = stores
        sets = estate.allSets
        self.estate = estate
        self.now = now
    }

    deinit { for task in waiting { task.cancel() } }

    /// The survey of the next set; the caller asks for each set of the estate once, in its order.
    mutating func take() async throws(DrillFailure) -> SetSurvey {
        while waiting.count < max(2, ProcessInfo.processInfo.activeProcessorCount), next < sets.count {
            let (set, estate, now, stores) = (sets[next], estate, now, stores)
            next += 1
            waiting.append(
                Task.detached {
                    let opened = await stores.open(for: set, reading: .looks(times: SetSurvey.share(of: estate)))
                    // Blocking work on a queue of its own, never on Swift's threads.
                    return await withCheckedContinuation { continuation in
                        DispatchQueue(label: "muster.survey").async {
                            continuation.resume(
                                returning: Result { () throws(DrillFailure) in
                                    try SetSurvey.take(of: set, in: estate, asOf: now, opened: opened)
                                })
                        }
                    }
                })
        }
        return try await waiting.removeFirst().value.get()
    }
}
