// The part of a drill's procedure that caches have which no backup brings back.

import DrillModel

extension DrillProcedure {
    /// Starts what begins empty. - Returns: Whether any could not be.
    func restoreCaches(_ progress: inout Progress) async throws -> Bool {
        var isRed = false
        for cache in participants.caches {
            let attempt = attempt(of: cache.service, .restore, progress.operation)
            let run = try await StepRun(step: .restore, group: .restore, question: "an empty cache can be started").run(attempt.step) {
                let restored = try await cache.restore(attempt)
                return (restored, restored.detail)
            }
            if let restored = run.value {
                progress.outcome.accepting[cache.service] = log.elapsed
                progress.services[cache.service] = restored.provision
                progress.caches.append(restored)
            }
            isRed = isRed || run.isRed
        }
        return isRed
    }

    /// Not asked of a cache where the start of one, or what lives on, has turned out bad.
    func verifyCaches(_ progress: Progress, _ application: (any StagedApplication)?) async throws -> Bool {
        guard let application, !progress.operation.hasFailures, !progress.operation.hasErrors else { return false }
        var isRed = false
        for cache in progress.caches {
            let attempt = attempt(of: cache.service, .verify, progress.operation)
            let run = try await StepRun(step: .verify, group: .restore, question: "the cache can be filled again")
                .run(attempt.step) { ((), try await cache.verify(application, attempt.log)) }
            isRed = isRed || run.isRed
        }
        return isRed
    }
}
