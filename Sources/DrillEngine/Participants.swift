// The protocols that the engine drives beside the services: the application, caches, what outlives the disaster, a zone's loss, hooks and people.

public import DrillModel
public import Foundation

/// Brings the application back.
public protocol ApplicationDriver<Provision>: Sendable {
    associatedtype Provision: Sendable

    /// The estate's name for it.
    var application: String { get }

    /// Puts it before the services that it is to run on. Nothing is made or started yet.
    ///
    /// - Parameter services: Those that run or are there, by the estate's names.
    func stage(on services: [String: Provision], _ attempt: Attempt) -> any StagedApplication
}

/// An application before the services that it is to run on.
///
/// Every method may throw ``DrillFailure`` and `CancellationError`.
public protocol StagedApplication: Sendable {
    /// Asks that nothing but Muster is connected to what the application is about to be started against.
    func proveStopped(_ log: any StepLog) async throws -> String

    /// Fills a cache, in the same place and with the same variables as the application itself has later.
    ///
    /// - Throws: ``DrillFailure`` also where the command failed and a server that it uses is gone: that proves nothing.
    func repopulate(_ repopulation: LostCache.Repopulation) async throws -> HookEnding

    /// Starts it, and waits until it is well and has been for as long as promised.
    func restart(_ attempt: Attempt) async throws -> any RunningApplication
}

/// An application that was well.
public protocol RunningApplication: StepOutcome {
    /// When all of its probes began to hold.
    var answering: ContinuousClock.Instant { get }

    /// Asks once more, when the clock has stopped, whether it still runs.
    func confirm(_ log: any StepLog) async throws
}

/// Brings an empty cache up that no backup brings back, and has it filled where that is declared.
public protocol CacheDriver<Provision>: Sendable {
    associatedtype Provision: Sendable

    /// The estate's name for it.
    var service: String { get }
    /// Whether it is to be empty when the application is started.
    var staysEmpty: Bool { get }

    /// Starts an empty server, and asks it for its quarantine.
    ///
    /// - Throws: ``DrillFailure``, `CancellationError`.
    func restore(_ attempt: Attempt) async throws -> any RestoredCache<Provision>
}

/// An empty cache that runs.
public protocol RestoredCache<Provision>: StepOutcome {
    associatedtype Provision: Sendable

    var service: String { get }
    var provision: Provision { get }

    /// Has it filled, once what it is filled from is back, and asks what is in it then.
    ///
    /// - Parameter application: Whose command fills it.
    /// - Throws: ``DrillFailure``, `CancellationError`.
    func verify(_ application: any StagedApplication, _ log: any StepLog) async throws -> String
}

/// The services that a disaster leaves alive, or what stands for them in a drill.
public protocol ExistingServicesDriver<Provision>: Sendable {
    associatedtype Provision: Sendable

    /// Remembers who they are and what they hold, before the incident.
    ///
    /// - Throws: ``DrillFailure``, `CancellationError`.
    func remember(_ services: [String: Provision], _ log: any StepLog) async throws -> any RememberedServices
}

/// Who existing services were, and what they held, before the incident.
public protocol RememberedServices: Sendable {
    /// Asks whether they are still those.
    func confirmAlive(_ log: any StepLog) async throws -> String

    /// Asks whether they still hold what they held; when the clock has stopped.
    func compare(_ log: any StepLog) async throws
}

/// Takes a zone away for the time of a drill.
public protocol OutageDriver: Sendable {
    /// Cuts the zone off, and asks that nothing of it can be reached and that every key can be had without it; before the incident. It is
    /// brought back at the attempt's end, whatever happened since.
    ///
    /// - Returns: nil where it could not be cut off, which the log says.
    /// - Throws: ``DrillFailure`` where it could not be asked; `CancellationError`.
    func begin(_ attempt: Attempt) async throws -> (any LostZone)?
}

/// A zone that is gone.
public protocol LostZone: Sendable {
    /// Asks once more, when the clock has stopped, that the zone was out of reach to the end.
    func confirm(_ log: any StepLog) async throws
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
