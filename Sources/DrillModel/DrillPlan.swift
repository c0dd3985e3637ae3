// A drill as declared: what is rehearsed, what must hold, and against which targets.

public import Foundation

/// One rehearsal, ready to run. Read from a drill file.
public struct DrillPlan: Sendable, Hashable {
    public var name: String
    public var scenario: Scenario
    /// Of a data-center outage, what is left of it.
    public var estate: Estate
    /// The estate file that the drill's own file names, where another one was put in its place.
    public var namedEstate: URL?
    public var profile: Profile
    public var incident: Incident
    public var targets: Targets
    /// Manual work that a drill can't rehearse, by its name; added to the measured RTO and shown apart.
    public var allowances: [Allowance]
    /// What is recovered, in the file's order. Only a scenario that something survives may leave it empty.
    public var recover: [Recovery]
    /// What is lost without being restored: caches.
    public var caches: [LostCache]
    /// What lives on through the disaster, and the backups that its stand-ins are made of before the incident.
    public var existing: [Recovery]
    /// The zone that is lost; of a data-center outage alone.
    public var outage: Outage?
    /// The application that is started again; nil: operation is verified on the services themselves.
    public var application: String?
    public var hooks: [Step: [Hook.Moment: Hook]]
    public var manual: [ManualStep]
    /// The drill's own questions, by service.
    public var checks: [String: [DeclaredCheck]]
    public var quarantine: QuarantineDemand
    /// How often it is promised; nil: nothing promised.
    public var cadence: Cadence?
    /// Names that it had before: its runs under these count as its own.
    public var formerNames: [String] = []
    /// What backups are chosen by where that is left to chance; nil: anything.
    public var seed: UInt64?
    public var drilledBefore = EarlierRuns()
    public var file: URL

    public init(
        name: String, scenario: Scenario, estate: Estate, namedEstate: URL? = nil, profile: Profile = .production,
        incident: Incident = .now,
        targets: Targets = Targets(), allowances: [Allowance] = [], recover: [Recovery], caches: [LostCache] = [],
        existing: [Recovery] = [],
        outage: Outage? = nil, application: String? = nil, hooks: [Step: [Hook.Moment: Hook]] = [:], manual: [ManualStep] = [],
        checks: [String: [DeclaredCheck]] = [:], quarantine: QuarantineDemand = QuarantineDemand(), file: URL
    ) {
        self.name = name
        self.scenario = scenario
        self.estate = estate
        self.namedEstate = namedEstate
        self.profile = profile
        self.incident = incident
        self.targets = targets
        self.allowances = allowances
        self.recover = recover
        self.caches = caches
        self.existing = existing
        self.outage = outage
        self.application = application
        self.hooks = hooks
        self.manual = manual
        self.checks = checks
        self.quarantine = quarantine
        self.file = file
    }
}

/// The disaster that is rehearsed.
public enum Scenario: String, Sendable, Hashable, Codable, CaseIterable {
    /// The data is bad: services come back from their backups.
    case databaseCorruption = "database-corruption"
    /// The application's machine is gone, the data lives: a new instance is started against it.
    case serverFailure = "server-failure"
    /// A zone is gone with all that it held: services come back from the backups of another one.
    case dataCenterOutage = "data-center-outage"

    /// Whether services outlive the disaster, and must be there for it.
    public var needsSurvivors: Bool { self == .serverFailure }
    /// Whether it is the application that must come back.
    public var needsApplication: Bool { self == .serverFailure }
    /// Whether there is nothing to rehearse without a service to recover.
    public var needsRecovery: Bool { self != .serverFailure }
    /// Whether a zone of the estate is lost.
    public var losesZone: Bool { self == .dataCenterOutage }
}

/// How the scratch servers are set.
public enum Profile: String, Sendable, Hashable, Codable, CaseIterable {
    /// Durable settings: the only profile whose RTO counts.
    case production
    /// fsync and friends off: for integrity checks; its RTO is indicative.
    case fast
}

/// When the disaster struck.
public enum Incident: Sendable, Hashable {
    /// As the drill starts.
    case now
    case at(Date)
}

/// The promises that are measured against. nil: nothing promised.
public struct Targets: Sendable, Hashable {
    public var rto: Duration?
    /// Judged against what this drill achieved.
    public var rpo: Duration?
    /// Judged against the worst case that the catalogue shows.
    public var rpoWorstCase: Duration?

    public init(rto: Duration? = nil, rpo: Duration? = nil, rpoWorstCase: Duration? = nil) {
        self.rto = rto
        self.rpo = rpo
        self.rpoWorstCase = rpoWorstCase
    }
}

/// A declared time for a manual step.
public struct Allowance: Sendable, Hashable {
    public var name: String
    public var duration: Duration

    public init(name: String, duration: Duration) {
        self.name = name
        self.duration = duration
    }
}

/// What one service is recovered from.
public struct Recovery: Sendable, Hashable {
    public enum Selection: String, Sendable, Hashable, Codable, CaseIterable {
        /// The newest recovery point before the incident, and no other.
        case latest
        /// The newest; while it turns out bad, the next older one. Each bad one is a finding.
        case latestHealthy = "latest-healthy"
        /// The oldest that is kept, and no other.
        case oldest
        /// Any of those that are kept, by chance, and no other.
        case random

        /// Whether it is a kept backup that is asked for, whatever its age: what was made since is no loss of the drill's.
        public var isSample: Bool { self == .oldest || self == .random }
    }
    /// How many backups `latest-healthy` tries where nobody says.
    public static let usualTries = 5

    public var service: String
    public var backup: String
    public var selection: Selection
    /// How many backups `latest-healthy` tries before it gives up. Copies of one in several stores count once.
    public var tries: Int
    /// Of a random one: how old it may be; nil: as old as there are.
    public var within: Duration?
    /// Parallel restore jobs; nil: as many as there are cores, up to 8.
    public var jobs: Int?
    /// How far a base backup is rolled forward; nil: to the end of the write-ahead log.
    public var target: RecoveryTarget?
    /// Of a Postgres cluster with several databases, the one that the drill's questions are about.
    public var database: String?

    public init(
        service: String, backup: String, selection: Selection = .latestHealthy, tries: Int = Recovery.usualTries, within: Duration? = nil,
        jobs: Int? = nil, target: RecoveryTarget? = nil
    ) {
        self.service = service
        self.backup = backup
        self.selection = selection
        self.tries = tries
        self.within = within
        self.jobs = jobs
        self.target = target
    }
}

extension DrillPlan {
    /// The same, with what its samples are drawn by.
    public func drawing(by seed: UInt64?) -> DrillPlan {
        var plan = self
        plan.seed = seed
        return plan
    }

    /// Whether a service's recovery is of a sample that nothing rolls forward, or goes to a sealed moment: its age says nothing of what a
    /// disaster would lose.
    public func isOfChosenAge(_ service: String) -> Bool {
        guard let recovery = recover.first(where: { $0.service == service }) else { return false }
        if recovery.target?.goal == .moment { return true }
        guard recovery.selection.isSample else { return false }
        return estate.services[service]?.backups[recovery.backup]?.hasWAL != true
    }
}

/// What the drill insists on; without it, what the machine can't give is reported and not failed.
public struct QuarantineDemand: Sendable, Hashable, Codable {
    /// The scratch servers must have no network at all.
    public var network: Bool
    /// They must not be able to open a key or a store, nor call another server's Unix socket.
    public var files: Bool

    public init(network: Bool = false, files: Bool = false) {
        self.network = network
        self.files = files
    }
}
