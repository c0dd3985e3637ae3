// The part of a drill's course that caches have which no backup brings back.

import DrillModel

extension DrillCourse {
    /// Starts what begins empty. - Returns: Whether any could not be.
    func restoreCaches(_ outcome: inout Outcome, _ memory: AttemptMemory) async throws -> Bool {
        var isRed = false
        for cache in party.caches {
            let attempt = AttemptLog(log: log, service: cache.service, step: .restore, suffix: "", attempt: memory)
            let run = try await StepRun(step: .restore, group: .restore, question: "an empty cache can be started")
                .run(attempt) { ((), try await cache.restore(attempt)) }
            if run.value != nil { outcome.accepting[cache.service] = log.elapsed }
            isRed = isRed || run.isRed
        }
        return isRed
    }

    /// Not asked of a cache where the start of one, or what lives on, has turned out bad.
    func verifyCaches(_ memory: AttemptMemory) async throws -> Bool {
        guard !memory.hasFailures, !memory.hasErrors else { return false }
        var isRed = false
        for cache in party.caches {
            let attempt = AttemptLog(log: log, service: cache.service, step: .verify, suffix: "", attempt: memory)
            let run = try await StepRun(step: .verify, group: .restore, question: "the cache can be filled again")
                .run(attempt) { ((), try await cache.verify(attempt)) }
            isRed = isRed || run.isRed
        }
        return isRed
    }
}
