// The protocol that the engine drives for a service that was failed over: the way back, once there is operation again.

/// Is asked after the last step: what it does is on no clock of the drill's.
public protocol FailbackDriver: ServiceDriver {
    /// Brings redundancy back. Asked only where the service was verified.
    ///
    /// - Throws: ``DrillModel/DrillFailure``, `CancellationError`.
    func failBack(_ log: any StepLog) async throws
}
