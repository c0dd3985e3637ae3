// The part of a drill's procedure that a lost zone has: before the incident, and when the clock has stopped.

import DrillModel

/// Whether a drill's zone is lost.
enum ZoneLoss: Sendable {
    /// No zone is part of the drill.
    case none
    case lost(any LostZone)
    /// It could not be, and this is what the drill came to.
    case failed(ServiceResult.State)
}

extension DrillProcedure {
    func loseZone() async throws -> ZoneLoss {
        guard let outage = participants.outage else { return .none }
        let memory = AttemptMemory()
        let part = tearDown.part()
        let zone = try await aside("the zone is lost", memory) {
            try await outage.begin(Attempt(number: 1, step: $0, tearDown: part))
        }
        if memory.hasErrors { return .failed(.unverified) }
        if memory.hasFailures { return .failed(.failed) }
        return (zone ?? nil).map { .lost($0) } ?? .failed(.unverified)
    }

    /// What was recovered while the zone was there has not been recovered without it.
    func confirm(_ zone: any LostZone, _ outcome: inout ProcedureOutcome) async throws {
        let memory = AttemptMemory()
        try await aside("the lost zone stayed out of reach", memory) { try await zone.confirm($0) }
        guard memory.hasErrors else { return }
        (outcome.operation, outcome.measured) = (.unverified, nil)
        for index in outcome.results.indices where outcome.results[index].isVerified { outcome.results[index].state = .unverified }
    }
}
