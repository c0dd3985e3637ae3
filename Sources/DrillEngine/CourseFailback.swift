// The way back to redundancy, once operation has been verified.

extension DrillCourse {
    /// Off the clock: operation is verified before redundancy is back.
    func failBack(_ outcome: Outcome) async throws {
        for case let driver as any FailbackDriver in party.services
        where outcome.results.contains(where: { $0.service == driver.service && $0.isVerified }) {
            try await aside("a fresh standby follows the promoted server", AttemptMemory(), driver.service) {
                try await driver.failBack($0)
            }
        }
    }
}
