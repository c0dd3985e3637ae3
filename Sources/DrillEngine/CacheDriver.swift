// The protocol that the engine drives for a cache that no backup brings back.

public import DrillModel

/// Brings an empty cache up, and has it filled where that is declared. The engine calls the methods in order and keeps the time.
///
/// Both may throw ``DrillFailure`` and `CancellationError`.
public protocol CacheDriver: Sendable {
    /// The estate's name for it.
    var service: String { get }
    /// Whether it is to be empty when the application is started.
    var staysEmpty: Bool { get }

    /// Starts an empty server, and asks it for its quarantine.
    func restore(_ log: any StepLog) async throws -> String

    /// Has it filled, once what it is filled from is back, and asks what is in it then.
    func verify(_ log: any StepLog) async throws -> String

    /// Ends it. What could not be ended is a finding.
    func tearDown() async -> [Finding]
}
