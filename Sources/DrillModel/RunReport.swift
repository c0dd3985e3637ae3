// The event stream folded into one value: what the reports that are written at the end are made from.

public import Foundation

/// All that is known of a run once its events have been read.
public struct RunReport: Sendable {
    public var info: RunInfo?
    public var started: Date?
    public var finished: Date?
    public var duration: Duration = .zero
    public var drills: [DrillReport] = []
    /// nil until the run has finished.
    public var verdict: Verdict?

    public init() {}

    /// Takes the next event in.
    public mutating func apply(_ event: Event) {
        duration = event.elapsed
        switch event.kind {
        case .runStarted(let info):
            self.info = info
            started = event.time
        case .drillStarted(let info):
            drills.append(DrillReport(info: info, started: event.time))
        case .runFinished(let verdict):
            self.verdict = verdict
            finished = event.time
        case .pointChosen, .caseFinished, .fact, .drillFinished:
            guard let last = drills.indices.last else { return }
            drills[last].apply(event.kind)
        case .stepStarted, .progress, .activityFinished:
            break
        }
    }
}

/// All that is known of one drill.
public struct DrillReport: Sendable {
    public var info: DrillInfo
    public var started: Date
    public var points: [ChosenPoint] = []
    public var cases: [CaseResult] = []
    public var facts: [Fact] = []
    /// nil while it runs, and for good where it was cut off.
    public var outcome: DrillOutcome?

    public init(info: DrillInfo, started: Date) {
        self.info = info
        self.started = started
    }

    /// All findings of all cases, in order.
    public var findings: [Finding] { cases.flatMap(\.findings) }

    mutating func apply(_ kind: Event.Kind) {
        switch kind {
        case .pointChosen(let point): points.append(point)
        case .caseFinished(let result): cases.append(result)
        case .fact(let fact): facts.append(fact)
        case .drillFinished(let outcome): self.outcome = outcome
        default: break
        }
    }
}
