// Which periods of the calendar a drill was due in, and what became of each.

import DrillModel
import Foundation
import Reports

extension ComplianceReport.Coverage {
    /// - Parameters:
    ///   - runs: Of this drill, of all times that are known, the oldest first.
    ///   - today: The day on which the report is made, in the estate's zone.
    init(
        _ plan: DrillPlan, runs: [ComplianceReport.Run], in period: CalendarPeriod, today: CalendarDay, zone: TimeZone
    ) {
        let windows: [Window]
        if let cadence = plan.cadence {
            windows = period.periods(cadence.interval).filter { cadence.covers($0) && $0.first <= today }.map {
                // What comes to its end behind the report's period is the next report's matter.
                Window($0, of: runs, isOver: $0.last < today && $0.last <= period.last, zone: zone)
            }
        } else {
            windows = [Window(period, of: runs, isOver: false, zone: zone)]
        }
        self.init(drill: plan.name, scenario: plan.scenario, cadence: plan.cadence, targets: plan.targets, windows: windows)
    }
}

extension ComplianceReport.Coverage.Window {
    init(_ period: CalendarPeriod, of runs: [ComplianceReport.Run], isOver: Bool, zone: TimeZone) {
        let moments = period.moments(in: zone)
        let inside = runs.filter { moments.contains($0.started) }
        let passed = inside.filter { $0.verdict == .passed }
        // A run that was cut off came to no verdict, whatever had failed until then.
        let failed = inside.filter { $0.verdict == .failed && !$0.isUnfinished }
        let others = inside.count - passed.count - failed.count
        let state: ComplianceReport.Coverage.State
        var decisive = passed.last ?? failed.last ?? inside.last
        if !passed.isEmpty {
            state = .kept
        } else if let last = failed.last {
            let retest = runs.first { $0.verdict == .passed && $0.started > last.started }
            state = retest == nil ? .failed : .retested
            decisive = retest ?? last
        } else if isOver {
            state = inside.isEmpty ? .missing : .unverified
        } else {
            state = .open
        }
        self.init(
            period: period, state: state, passed: passed.count, failed: failed.count, unverified: others, run: decisive?.run,
            date: decisive?.started)
    }
}
