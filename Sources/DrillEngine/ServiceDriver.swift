// The protocol that the engine drives: one service, from its catalogue to a verified scratch instance.

public import DrillModel
public import Foundation

/// Brings one service back. Each method is one of the plan's steps; the engine calls them in order and keeps the time.
///
/// Every method may throw ``DrillFailure`` (the backup or the machine fell short) and `CancellationError`.
public protocol ServiceDriver: Sendable {
    /// The estate's name for it.
    var service: String { get }

    /// Finds the recovery points, and asks what can be asked without a restore.
    ///
    /// - Parameter disaster: No point later than this may be offered.
    func identify(before disaster: Date) async throws -> Identified

    /// Fetches, checks and decrypts a point's artifacts.
    func retrieve(_ point: RecoveryPoint, _ log: any StepLog) async throws -> String

    /// Makes a running scratch instance of them, and asks it for its quarantine.
    func restore(_ log: any StepLog) async throws -> String

    /// Asks the checks. Every question ends as a case in the log.
    func verify(_ log: any StepLog) async throws -> String

    /// The moment that came back, where the restored data knows it better than the catalogue did; asked once it has been verified.
    func recovered() async -> RecoveredMoment?

    /// Ends and removes what the last attempt made, so that the next can begin.
    func discard() async

    /// Ends and removes everything. What could not be removed is a finding.
    func tearDown() async -> [Finding]
}

extension ServiceDriver {
    /// What the catalogue says of the point stands.
    public func recovered() async -> RecoveredMoment? { nil }
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

/// What identifying a service's backups gave.
public struct Identified: Sendable {
    /// Newest first, none later than the disaster, as the drill's selection allows.
    public var points: [RecoveryPoint]
    /// nil where fewer than two points tell nothing.
    public var worstCase: WorstCase?
    /// What was asked on the way, and its answers.
    public var cases: [CaseResult]
    /// One line for the report.
    public var detail: String

    public init(points: [RecoveryPoint], worstCase: WorstCase?, cases: [CaseResult], detail: String) {
        self.points = points
        self.worstCase = worstCase
        self.cases = cases
        self.detail = detail
    }
}

/// What a driver tells while a step runs.
public protocol StepLog: Sendable {
    func record(_ result: CaseResult)
    func fact(_ name: String, _ value: String)
    func progress(_ label: String, completed: Int64, total: Int64?, unit: DrillModel.Progress.Unit)
    /// A whole sentence for people: what this drill did not prove.
    func unproven(_ sentence: String)
}
