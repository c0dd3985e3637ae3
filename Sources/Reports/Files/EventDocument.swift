// One line of events.jsonl.

import DrillModel
import Foundation

/// An event as the log writes it: the common fields, and one field named for what the event carries.
struct EventDocument: Codable, Hashable, Sendable {
    struct RunStart: Codable, Hashable, Sendable {
        var musterVersion: String
        var host: String
        var id: String
        var drills: Int
    }
    struct DrillStart: Codable, Hashable, Sendable {
        var kind: String?
        var name: String
        var estate: String
        var estateFile: String?
        var estateFileNamed: String?
        var scenario: String?
        var profile: String?
        var disaster: Timestamp
        var timeZone: String
    }
    struct StepStart: Codable, Hashable, Sendable {
        var step: String
        var service: String?
    }
    struct ProgressDocument: Codable, Hashable, Sendable {
        var step: String
        var service: String
        var label: String
        var completed: Int64
        var total: Int64?
        var unit: String
    }
    struct Outcome: Codable, Hashable, Sendable {
        var verdict: Verdict
        var duration: Seconds
        var steps: [StepDocument]
        var objectives: ObjectivesDocument?
        var unproven: [String]
    }
    struct RunEnd: Codable, Hashable, Sendable {
        var verdict: Verdict
    }

    /// Raised when a field changes its meaning or goes away.
    static let layout = 1

    /// The layout of the line.
    var v = Self.layout
    var seq: Int
    var time: Timestamp
    var elapsed: Seconds
    var event: String
    /// The drill that it belongs to.
    var drill: String?

    var runStart: RunStart?
    var drillStart: DrillStart?
    var stepStart: StepStart?
    var progress: ProgressDocument?
    var `case`: CaseDocument?
    var point: PointDocument?
    var fact: FactDocument?
    var activity: ActivityDocument?
    var outcome: Outcome?
    var runEnd: RunEnd?

    init(_ source: Event, seq: Int, drill: String?) {
        self.seq = seq
        time = Timestamp(source.time)
        elapsed = Seconds(source.elapsed)
        self.drill = drill
        switch source.kind {
        case .runStarted(let info):
            event = "run-started"
            runStart = RunStart(musterVersion: info.musterVersion, host: info.host, id: info.runID, drills: info.drills)
        case .drillStarted(let info):
            event = "drill-started"
            let isDrill = info.kind == .drill
            drillStart = DrillStart(
                kind: isDrill ? nil : info.kind.rawValue, name: info.name, estate: info.estate,
                estateFile: info.estateFile, estateFileNamed: info.namedEstateFile,
                scenario: isDrill ? info.scenario.rawValue : nil, profile: isDrill ? info.profile.rawValue : nil,
                disaster: Timestamp(info.disaster), timeZone: info.timeZone.identifier)
        case .stepStarted(let step, let service):
            event = "step-started"
            stepStart = StepStart(step: step.rawValue, service: service)
        case .progress(let progress):
            event = "progress"
            self.progress = ProgressDocument(
                step: progress.step.rawValue, service: progress.service, label: progress.label, completed: progress.completed,
                total: progress.total, unit: progress.unit.rawValue)
        case .caseFinished(let result):
            event = "case-finished"
            `case` = CaseDocument(result)
        case .pointChosen(let point):
            event = "point-chosen"
            self.point = PointDocument(point)
        case .fact(let fact):
            event = "fact"
            self.fact = FactDocument(fact)
        case .activityFinished(let activity):
            event = "activity-finished"
            self.activity = ActivityDocument(activity)
        case .drillFinished(let outcome):
            event = "drill-finished"
            self.outcome = Outcome(
                verdict: outcome.verdict, duration: Seconds(outcome.duration), steps: outcome.steps.map(StepDocument.init),
                objectives: outcome.objectives.map(ObjectivesDocument.init), unproven: outcome.unproven)
        case .runFinished(let verdict):
            event = "run-finished"
            runEnd = RunEnd(verdict: verdict)
        }
    }
}
