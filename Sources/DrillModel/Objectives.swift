// RTO and RPO as measured.

public import Foundation

/// What the drill measured against the promises.
public struct Objectives: Sendable, Hashable {
    public var rto: RecoveryTime
    /// One per recovered service, in the drill's order.
    public var rpo: [RecoveryPointAge]
    /// Between the earliest and the latest recovered moment; nil where only one service came back.
    public var skew: Duration?

    public init(rto: RecoveryTime, rpo: [RecoveryPointAge], skew: Duration?) {
        self.rto = rto
        self.rpo = rpo
        self.skew = skew
    }
}

/// The time from the declared incident to verified operation.
public struct RecoveryTime: Sendable, Hashable {
    /// On a monotonic clock. nil where operation was never verified: there is no RTO then.
    public var measured: Duration?
    public var allowances: [Allowance]
    public var target: Duration?
    public var profile: Profile
    /// By service: until its scratch server held the data and took connections. Not an RTO.
    public var accepting: [String: Duration]

    public init(
        measured: Duration?, allowances: [Allowance], target: Duration?, profile: Profile, accepting: [String: Duration]
    ) {
        self.measured = measured
        self.allowances = allowances
        self.target = target
        self.profile = profile
        self.accepting = accepting
    }

    /// Measured time and allowances together.
    public var achieved: Duration? {
        measured.map { allowances.reduce($0) { $0 + $1.duration } }
    }

    /// Never ``Verdict/passed`` under ``Profile/fast``: a scratch server without fsync is quicker than production.
    public var verdict: Verdict {
        guard let target, profile == .production else { return .skipped }
        guard let achieved else { return .failed }
        return achieved < target ? .passed : .failed
    }
}

/// How much of the past was lost for one service.
public struct RecoveryPointAge: Sendable, Hashable {
    public var service: String
    public var disaster: Date
    /// The last moment that came back; nil where nothing healthy did.
    public var recovered: Date?
    public var source: RecoveryPoint.TimeSource?
    public var worstCase: WorstCase?
    public var target: Duration?

    public init(
        service: String, disaster: Date, recovered: Date?, source: RecoveryPoint.TimeSource?, worstCase: WorstCase?, target: Duration?
    ) {
        self.service = service
        self.disaster = disaster
        self.recovered = recovered
        self.source = source
        self.worstCase = worstCase
        self.target = target
    }

    public var achieved: Duration? {
        recovered.map { .seconds(disaster.timeIntervalSince($0)) }
    }

    public var verdict: Verdict {
        guard let target else { return .skipped }
        guard let achieved else { return .failed }
        return achieved < target ? .passed : .failed
    }
}

/// What a disaster at the worst moment would have cost: the longest real gap and the time a backup takes.
public struct WorstCase: Sendable, Hashable {
    /// The gap's two ends.
    public var from: Date
    public var to: Date
    /// The longest that a backup took, where seals tell it.
    public var backupDuration: Duration
    /// How many recovery points it was computed from; two at the least.
    public var points: Int

    public init(from: Date, to: Date, backupDuration: Duration, points: Int) {
        self.from = from
        self.to = to
        self.backupDuration = backupDuration
        self.points = points
    }

    public var loss: Duration {
        .seconds(to.timeIntervalSince(from)) + backupDuration
    }
}
