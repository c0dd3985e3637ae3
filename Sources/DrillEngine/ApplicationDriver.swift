// The protocols that the engine drives beside the services: the application, what outlives the disaster, hooks and people.

public import DrillModel
public import Foundation

/// Brings the application back. The engine calls the methods in order and keeps the time.
///
/// Every method may throw ``DrillFailure`` and `CancellationError`.
public protocol ApplicationDriver: Sendable {
    /// The estate's name for it.
    var application: String { get }

    /// Asks that nothing but Muster is connected to what the application is about to be started against.
    func proveStopped(_ log: any StepLog) async throws -> String

    /// Starts it, and waits until it is well and has been for as long as promised.
    func restart(_ log: any StepLog) async throws -> Restarted

    /// Asks once more, when the clock has stopped, whether it still runs.
    func confirm(_ log: any StepLog) async throws

    /// Ends it. What could not be ended is a finding.
    func tearDown() async -> [Finding]
}

/// A restarted application.
public struct Restarted: Sendable, Hashable {
    /// When all of its probes began to hold.
    public var answering: ContinuousClock.Instant
    /// One line for the report.
    public var detail: String

    public init(answering: ContinuousClock.Instant, detail: String) {
        self.answering = answering
        self.detail = detail
    }
}

/// The services that a disaster leaves alive, or what stands for them in a drill.
public protocol SurvivorDriver: Sendable {
    /// Remembers who they are and what they hold, before the incident.
    func remember(_ log: any StepLog) async throws

    /// Asks whether they are still those.
    func confirmAlive(_ log: any StepLog) async throws -> String

    /// Asks whether they still hold what they held; when the clock has stopped.
    func compare(_ log: any StepLog) async throws
}

/// Takes a zone away for the time of a drill.
public protocol OutageDriver: Sendable {
    /// Cuts the zone off, and asks that nothing of it can be reached and that every key can be had without it; before the incident.
    ///
    /// - Throws: ``DrillFailure`` where it could not be asked; `CancellationError`.
    func begin(_ log: any StepLog) async throws

    /// Asks once more, when the clock has stopped, that the zone was out of reach to the end.
    func confirm(_ log: any StepLog) async throws

    /// Brings the zone back, whatever happened since it was cut off. What could not be brought back is a finding.
    func tearDown() async -> [Finding]
}

/// Runs hooks.
public protocol HookRunner: Sendable {
    /// Runs one to its end, or ends it with all that it started when its time is over or the task is cancelled.
    ///
    /// - Throws: `CancellationError` alone.
    func run(_ hook: Hook, _ moment: Hook.Moment, of step: Step) async throws -> HookEnding
}

/// How a hook ended.
public enum HookEnding: Sendable, Hashable {
    /// `exit 3`, `signal 9`; and whether that is the good one.
    case ended(String, succeeded: Bool)
    case timedOut
    /// It could not be started, and why.
    case notStarted(String, hint: String)
}

/// Asks a person.
public protocol ManualConfirmer: Sendable {
    /// Waits until somebody says that the step is done; nil where nobody can say so any more.
    ///
    /// - Throws: `CancellationError` alone.
    func confirm(_ manual: ManualStep) async throws -> Confirmation?
}

/// Who said that a manual step is done, and when.
public struct Confirmation: Sendable, Hashable {
    public var name: String
    public var time: Date

    public init(name: String, time: Date) {
        self.name = name
        self.time = time
    }
}
