// Surveys of an estate's sets, taken a few ahead of their use: a look at a hundred thousand files is work for every core.

import DrillModel
import Foundation

/// Hands the surveys out in the estate's order. At most as many as there are cores are held at once, beside the one in use.
struct SurveysAhead: ~Copyable {
    private let sets: [BackupSet]
    private let estate: Estate
    private let now: Date
    private var next = 0
    private var waiting: [Task<Result<SetSurvey, DrillFailure>, Never>] = []

    init(of estate: Estate, asOf now: Date) {
        sets = estate.allSets
        self.estate = estate
        self.now = now
    }

    deinit { for task in waiting { task.cancel() } }

    /// The survey of the next set; the caller asks for each set of the estate once, in its order.
    mutating func take() async throws(DrillFailure) -> SetSurvey {
        while waiting.count < max(2, ProcessInfo.processInfo.activeProcessorCount), next < sets.count {
            let (set, estate, now) = (sets[next], estate, now)
            next += 1
            waiting.append(
                Task.detached {
                    // Blocking work on a queue of its own, never on Swift's threads.
                    await withCheckedContinuation { continuation in
                        DispatchQueue(label: "muster.survey").async {
                            continuation.resume(
                                returning: Result { () throws(DrillFailure) in try SetSurvey.take(of: set, in: estate, asOf: now) })
                        }
                    }
                })
        }
        return try await waiting.removeFirst().value.get()
    }
}
