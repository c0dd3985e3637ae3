// How RTO and RPO of each drill developed over the years before a period's end.

import DrillModel
import Foundation
import Reports

enum Trends {
    /// What is older tells little of today's machines.
    static let years = 3

    /// - Parameter runs: The oldest first.
    static func of(_ runs: some Sequence<ComplianceReport.Run>, drills: [String], until end: Date) -> [ComplianceReport.Trend] {
        let start = end.addingTimeInterval(-Double(years) * 365.25 * 86_400)
        return drills.flatMap { drill in
            let own = runs.filter {
                $0.drill == drill && !$0.isInspection && $0.isConducted && $0.isBelieved && $0.started >= start && $0.started < end
            }
            // A scratch server without fsync is quicker than production: its times are none of these.
            let time = trend(drill, nil, own.filter { $0.profile == Profile.production.rawValue }.map { ($0, $0.recoveryTime) }, end)
            let services = Set(own.flatMap { $0.recoveryPoints.keys }).sorted()
            return ([time] + services.map { service in trend(drill, service, own.map { ($0, $0.recoveryPoints[service]) }, end) }).filter {
                !$0.points.isEmpty
            }
        }
    }

    private static func trend(
        _ drill: String, _ service: String?, _ measured: [(run: ComplianceReport.Run, objective: RunHistory.Objective?)], _ end: Date
    ) -> ComplianceReport.Trend {
        let points = measured.compactMap { run, objective in
            objective?.achieved.map {
                ComplianceReport.Trend.Point(time: run.started, achieved: $0, verdict: objective?.verdict ?? .skipped, run: run.run)
            }
        }
        let target = measured.last { $0.objective?.target != nil }?.objective?.target
        let (forecast, silence) = TrendForecast.forecast(
            points: points.map { ($0.time, $0.achieved / .seconds(1)) }, target: target.map { $0 / .seconds(1) }, end: end)
        return ComplianceReport.Trend(
            drill: drill, service: service, target: target, points: points, forecast: forecast, silence: silence)
    }
}
