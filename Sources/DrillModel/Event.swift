// The one stream that every report, the console and the exit code are made from.

public import Foundation

/// Something that happened during a run. Recorders read these and nothing else.
public struct Event: Sendable {
    public var time: Date
    /// Since the run began, on a monotonic clock.
    public var elapsed: Duration
    public var kind: Kind

    public init(time: Date, elapsed: Duration, kind: Kind) {
        self.time = time
        self.elapsed = elapsed
        self.kind = kind
    }

    public enum Kind: Sendable {
        case runStarted(RunInfo)
        case drillStarted(DrillInfo)
        case stepStarted(Step, service: String?)
        case progress(Progress)
        case caseFinished(CaseResult)
        case pointChosen(ChosenPoint)
        /// Something worth showing that is no question: a version, a setting, a folder. Shown as a property.
        case fact(Fact)
        case activityFinished(StepActivity)
        case drillFinished(DrillOutcome)
        case runFinished(Verdict)
    }
}

/// The run as a whole.
public struct RunInfo: Sendable, Hashable {
    public var musterVersion: String
    public var host: String
    /// Unique: it names the run's folder.
    public var runID: String
    public var drills: Int

    public init(musterVersion: String, host: String, runID: String, drills: Int) {
        self.musterVersion = musterVersion
        self.host = host
        self.runID = runID
        self.drills = drills
    }
}

/// The drill that starts, or the inspection: that has neither scenario nor steps, restores nothing and measures no objectives.
public struct DrillInfo: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable {
        case drill
        /// `muster inspect`: the regime of an estate, judged without a restore. ``scenario`` and ``profile`` mean nothing then, and
        /// ``disaster`` is the instant that it is judged for.
        case inspection
    }
    public var kind: Kind
    public var name: String
    public var estate: String
    /// The path of the estate file; nil where nobody said it.
    public var estateFile: String?
    /// The path that the drill's own file names instead; nil where that is the same.
    public var namedEstateFile: String?
    public var scenario: Scenario
    public var profile: Profile
    /// The disaster instant that RPO counts from.
    public var disaster: Date
    public var timeZone: TimeZone

    public init(
        kind: Kind = .drill, name: String, estate: String, estateFile: String? = nil, namedEstateFile: String? = nil, scenario: Scenario,
        profile: Profile, disaster: Date, timeZone: TimeZone
    ) {
        self.kind = kind
        self.name = name
        self.estate = estate
        self.estateFile = estateFile
        self.namedEstateFile = namedEstateFile
        self.scenario = scenario
        self.profile = profile
        self.disaster = disaster
        self.timeZone = timeZone
    }

    /// The opening of an inspection.
    public static func inspection(of estate: Estate, name: String, asOf instant: Date) -> DrillInfo {
        DrillInfo(
            kind: .inspection, name: name, estate: estate.name, estateFile: estate.file.path, scenario: .databaseCorruption,
            profile: .production, disaster: instant,
            timeZone: estate.timeZone)
    }
}

/// How far a long piece of work has come.
public struct Progress: Sendable, Hashable {
    public enum Unit: String, Sendable, Hashable, Codable, CaseIterable {
        case bytes, tables, keys, files, segments
    }
    public var step: Step
    public var service: String
    /// What is being done: `decrypting`, `restoring`, `public.domains`.
    public var label: String
    public var completed: Int64
    /// nil where nobody knows.
    public var total: Int64?
    public var unit: Unit

    public init(step: Step, service: String, label: String, completed: Int64, total: Int64?, unit: Unit) {
        self.step = step
        self.service = service
        self.label = label
        self.completed = completed
        self.total = total
        self.unit = unit
    }
}

/// The recovery point that a service is being brought back to.
public struct ChosenPoint: Sendable, Hashable {
    public var service: String
    public var backup: String
    public var store: String
    public var path: String
    public var size: Int64
    public var time: Date
    public var timeSource: RecoveryPoint.TimeSource
    public var sealed: Bool
    /// nil where it isn't sealed.
    public var truth: Seal.Truth?
    /// How many newer points turned out bad before it.
    public var rejected: Int

    public init(
        service: String, backup: String, store: String, path: String, size: Int64, time: Date, timeSource: RecoveryPoint.TimeSource,
        sealed: Bool, truth: Seal.Truth?, rejected: Int
    ) {
        self.service = service
        self.backup = backup
        self.store = store
        self.path = path
        self.size = size
        self.time = time
        self.timeSource = timeSource
        self.sealed = sealed
        self.truth = truth
        self.rejected = rejected
    }

    public init(_ point: RecoveryPoint, rejected: Int) {
        service = point.service
        backup = point.backup
        store = point.store
        path = point.path
        size = point.size
        time = point.time
        timeSource = point.timeSource
        sealed = point.sealState.seal != nil
        truth = point.sealState.seal?.truth
        self.rejected = rejected
    }
}

/// A named value for the report.
public struct Fact: Sendable, Hashable {
    /// Dotted, lower case: `postgres.server-version`.
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Of an inspection that went through every artifact.
    public static let deepInspection = Fact("inspection.depth", "every artifact was read to its end")
}

/// How a drill ended.
public struct DrillOutcome: Sendable, Hashable {
    public var verdict: Verdict
    public var duration: Duration
    public var steps: [StepResult]
    /// nil where the drill was interrupted before anything could be measured.
    public var objectives: Objectives?
    /// What was not proven, in whole sentences, for people: the seal was missing, the profile was fast.
    public var unproven: [String]

    public init(verdict: Verdict, duration: Duration, steps: [StepResult], objectives: Objectives?, unproven: [String]) {
        self.verdict = verdict
        self.duration = duration
        self.steps = steps
        self.objectives = objectives
        self.unproven = unproven
    }
}
