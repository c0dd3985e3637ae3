// Which periods of the calendar a drill was due in, and what became of each.

import DrillModel
import Foundation
import Reports

extension ComplianceReport.Coverage {
    /// - Parameters:
    ///   - runs: Of this drill, of all times that are known, the oldest first.
    ///   - unreadable: When runs began of which nobody can say what they were.
    ///   - today: The day on which the report is made, in the estate's zone.
    init(
        _ plan: DrillPlan, runs: [ComplianceReport.Run], unreadable: [Date] = [], in period: CalendarPeriod, today: CalendarDay,
        zone: TimeZone
    ) {
        let windows: [Window]
        if let cadence = plan.cadence {
            windows = period.periods(cadence.interval).filter { cadence.covers($0) && $0.first <= today }.map { window in
                // What comes to its end behind the report's period is the next report's matter, and so are the runs of that time.
                let isOver = window.last < today && window.last <= period.last
                return Window(
                    window, of: runs, unreadable: unreadable, until: period.moments(in: zone).upperBound, isOver: isOver, zone: zone)
            }
        } else {
            windows = [Window(period, of: runs, until: period.moments(in: zone).upperBound, isOver: true, zone: zone)]
        }
        self.init(drill: plan.name, scenario: plan.scenario, cadence: plan.cadence, targets: plan.targets, windows: windows)
    }
}

extension ComplianceReport.Coverage.Window {
    init(
        _ period: CalendarPeriod, of runs: [ComplianceReport.Run], unreadable: [Date] = [], until end: Date, isOver: Bool, zone: TimeZone
    ) {
        let moments = period.moments(in: zone)
        let inside = runs.filter { moments.contains($0.started) && $0.started < end }
        let passed = inside.filter(\.isGreen)
        // A run that was cut off came to no verdict, whatever had failed until then.
        let failed = inside.filter { $0.verdict == .failed && !$0.isUnfinished }
        let others = inside.count - passed.count - failed.count
        let state: ComplianceReport.Coverage.State
        // How it stands at the end counts: what was green once and is red since is not well.
        var decisive = (passed + failed).max { $0.started < $1.started } ?? inside.last
        if let last = decisive, last.isGreen {
            state = .kept
        } else if let last = failed.last {
            let retest = runs.first { $0.isGreen && $0.started > last.started }
            state = retest == nil ? .failed : .retested
            decisive = retest ?? last
        } else if isOver {
            state = inside.isEmpty && !unreadable.contains(where: moments.contains) ? .missing : .unverified
        } else {
            state = .open
        }
        self.init(
            period: period, state: state, passed: passed.count, failed: failed.count, unverified: others, run: decisive?.run,
            date: decisive?.started)
    }
}
