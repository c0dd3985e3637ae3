// The part of a drill's course that a lost zone has: before the incident, and when the clock has stopped.

import DrillModel

extension DrillCourse {
    /// - Returns: nil where the zone is lost and the drill can go on; otherwise what the drill came to.
    func loseZone() async throws -> ServiceResult.State? {
        guard let outage = party.outage else { return nil }
        let memory = AttemptMemory()
        try await aside("the zone is lost", memory) { try await outage.begin($0) }
        return memory.hasErrors ? .unverified : memory.hasFailures ? .failed : nil
    }

    /// What was recovered while the zone was there has not been recovered without it.
    func confirmLoss(_ outcome: inout Outcome) async throws {
        guard let outage = party.outage else { return }
        let memory = AttemptMemory()
        try await aside("the lost zone stayed out of reach", memory) { try await outage.confirm($0) }
        guard memory.hasErrors else { return }
        (outcome.operation, outcome.measured) = (.unverified, nil)
        for index in outcome.results.indices where outcome.results[index].isVerified { outcome.results[index].state = .unverified }
    }
}
