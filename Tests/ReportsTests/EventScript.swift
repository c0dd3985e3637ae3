// Event streams with a fixed clock, so that every report made from them is the same on every day.

import DrillModel
import Foundation

/// Writes down events, each at its moment since the run began.
struct EventScript {
    /// 2026-03-14 02:30:00 UTC, which is 08:00 in the estate's zone.
    static let start = Date(timeIntervalSince1970: 1_773_455_400)
    static let zone = TimeZone(identifier: "Asia/Kolkata") ?? .gmt

    private(set) var events: [Event] = []
    private(set) var now: Duration = .zero

    mutating func wait(_ duration: Duration) {
        now += duration
    }

    mutating func add(_ kind: Event.Kind) {
        let seconds = Double(now.components.seconds) + Double(now.components.attoseconds) / 1e18
        events.append(Event(time: Self.start.addingTimeInterval(seconds), elapsed: now, kind: kind))
    }

    mutating func run(drills: Int) {
        add(.runStarted(RunInfo(musterVersion: "0.1.0", host: "drill-host", runID: "2026-03-14T02-30-00Z-4f2a", drills: drills)))
    }

    mutating func drill(_ name: String, profile: Profile = .production) {
        add(
            .drillStarted(
                DrillInfo(
                    name: name, estate: "domainscope", scenario: .databaseCorruption, profile: profile, disaster: Self.start,
                    timeZone: Self.zone)))
    }

    mutating func step(
        _ step: Step, _ service: String? = nil, takes duration: Duration, _ verdict: Verdict = .passed, _ detail: String = ""
    ) -> StepActivity {
        let start = now
        add(.stepStarted(step, service: service))
        wait(duration)
        let activity = StepActivity(step: step, service: service, start: start, end: now, verdict: verdict, detail: detail)
        add(.activityFinished(activity))
        return activity
    }

    mutating func point(
        _ service: String, hoursBefore hours: Double, _ source: RecoveryPoint.TimeSource, sealed: Seal.Truth?, rejected: Int = 0,
        path: String
    ) {
        let point = RecoveryPoint(
            service: service, backup: "daily", store: "primary", zone: "ksdc", path: path,
            location: URL(filePath: "/backups").appending(path: path), size: 74_213_004, time: Self.start - hours * 3600,
            timeSource: source, sealState: .missing)
        var chosen = ChosenPoint(point, rejected: rejected)
        chosen.sealed = sealed != nil
        chosen.truth = sealed
        add(.pointChosen(chosen))
    }

    mutating func finish(
        _ verdict: Verdict, _ activities: [StepActivity], since start: Duration, objectives: Objectives? = nil, unproven: [String] = []
    ) {
        let steps = Step.allCases.compactMap { step -> StepResult? in
            let own = activities.filter { $0.step == step }
            guard let first = own.map(\.start).min(), let last = own.map(\.end).max() else { return nil }
            return StepResult(step: step, verdict: .combined(own.map(\.verdict)), duration: last - first, activities: own)
        }
        let outcome = DrillOutcome(verdict: verdict, duration: now - start, steps: steps, objectives: objectives, unproven: unproven)
        add(.drillFinished(outcome))
    }

    /// All of it, as a report that is written at the end sees it.
    var report: RunReport {
        var report = RunReport()
        for event in events { report.apply(event) }
        return report
    }
}

extension RecoveryPointAge {
    static func fixture(
        _ service: String, hours: Double?, _ source: RecoveryPoint.TimeSource?, worst: WorstCase? = nil, target: Duration?
    ) -> RecoveryPointAge {
        RecoveryPointAge(
            service: service, disaster: EventScript.start, recovered: hours.map { EventScript.start - $0 * 3600 }, source: source,
            worstCase: worst, target: target)
    }
}
