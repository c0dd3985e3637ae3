// The protocol that the engine drives: one service, from its catalogue to a verified scratch instance.

public import DrillModel
public import Foundation

/// Brings one service back. The methods are the plan's steps, a chain of values: each takes what the one before made, so that none can be
/// called out of its order, and the engine keeps the time.
///
/// Every method may throw ``DrillFailure`` (the backup or the machine fell short) and `CancellationError`. What must be ended is registered
/// with the ``Attempt`` where it is made.
public protocol ServiceDriver<Provision>: Sendable {
    /// What identifying finds out beside the recovery points.
    associatedtype Context: Sendable
    associatedtype Retrieved: StepOutcome
    associatedtype Restored: StepOutcome
    /// What others use of a service that came back, such as the way to its server.
    associatedtype Provision: Sendable

    /// The estate's name for it.
    var service: String { get }

    /// Finds the recovery points, and asks what can be asked without a restore.
    ///
    /// - Parameter disaster: No point later than this may be offered.
    func identify(before disaster: Date) async throws -> Identified<Context>

    /// Fetches, checks and decrypts a point's artifacts.
    func retrieve(_ point: RecoveryPoint, of context: Context, _ attempt: Attempt) async throws -> Retrieved

    /// Makes a running scratch instance of them, and asks it for its quarantine.
    func restore(_ retrieved: Retrieved, _ attempt: Attempt) async throws -> Restored

    /// Asks the checks. Every question ends as a case in the log.
    func verify(_ restored: Restored, _ attempt: Attempt) async throws -> Verified<Provision>
}

/// What a step made.
public protocol StepOutcome: Sendable {
    /// One line for the report.
    var detail: String { get }
}

/// What identifying a service's backups gave.
public struct Identified<Context: Sendable>: StepOutcome {
    /// Newest first, none later than the disaster, as the drill's selection allows.
    public var points: [RecoveryPoint]
    /// nil where fewer than two points tell nothing.
    public var worstCase: WorstCase?
    /// What was asked on the way, and its answers.
    public var cases: [CaseResult]
    public var detail: String
    /// What the driver needs to know of it later.
    public var context: Context

    public init(points: [RecoveryPoint], worstCase: WorstCase?, cases: [CaseResult], detail: String, context: Context) {
        self.points = points
        self.worstCase = worstCase
        self.cases = cases
        self.detail = detail
        self.context = context
    }

    /// The same, for a driver that needs to know something later.
    public func knowing<Other: Sendable>(_ context: Other) -> Identified<Other> {
        Identified<Other>(points: points, worstCase: worstCase, cases: cases, detail: detail, context: context)
    }
}

/// A service that came back and was asked, whatever the answers were.
public struct Verified<Provision: Sendable>: StepOutcome {
    public var detail: String
    /// nil where nothing came back that others could use.
    public var provision: Provision?
    /// The moment that came back, where the restored data knows it better than the catalogue did.
    public var moment: RecoveredMoment?
    /// The way back to redundancy; nil where there is none.
    public var failback: (any FailbackDriver)?

    public init(
        detail: String, provision: Provision?, moment: RecoveredMoment? = nil, failback: (any FailbackDriver)? = nil
    ) {
        self.detail = detail
        self.provision = provision
        self.moment = moment
        self.failback = failback
    }
}

/// The last moment that came back, and where that was read.
public struct RecoveredMoment: Sendable, Hashable {
    public var time: Date
    public var source: RecoveryPoint.TimeSource

    public init(time: Date, source: RecoveryPoint.TimeSource) {
        self.time = time
        self.source = source
    }
}

/// The way back to redundancy of a service that was failed over.
public protocol FailbackDriver: Sendable {
    /// Brings a fresh second server up behind the promoted one. Asked after the last step, where the service was verified: it is on no clock of
    /// the drill's.
    ///
    /// - Throws: ``DrillModel/DrillFailure``, `CancellationError`.
    func failBack(_ log: any StepLog) async throws
}

/// What a driver tells while a step runs.
public protocol StepLog: Sendable {
    func record(_ result: CaseResult)
    func fact(_ name: String, _ value: String)
    func progress(_ label: String, completed: Int64, total: Int64?, unit: DrillModel.Progress.Unit)
    /// A whole sentence for people: what this drill did not prove.
    func unproven(_ sentence: String)
}
