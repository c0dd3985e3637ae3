// Drills, their runs and how their objectives developed, as compliance.json writes them.

import DrillModel
import Foundation

struct CoverageDocument: Codable, Hashable, Sendable {
    struct CadenceDocument: Codable, Hashable, Sendable {
        var interval: Cadence.Interval
        var since: String?
    }
    struct TargetsDocument: Codable, Hashable, Sendable {
        var rto: Seconds?
        var rpo: Seconds?
        var rpoWorstCase: Seconds?
    }
    struct WindowDocument: Codable, Hashable, Sendable {
        var period: ComplianceDocument.PeriodDocument
        var state: ComplianceReport.Coverage.State
        var passed: Int
        var failed: Int
        var unverified: Int
        var run: String?
        var date: Timestamp?
    }
    var drill: String
    var scenario: Scenario?
    var cadence: CadenceDocument?
    var targets: TargetsDocument?
    var windows: [WindowDocument]

    init(_ coverage: ComplianceReport.Coverage) {
        drill = coverage.drill
        scenario = coverage.scenario
        cadence = coverage.cadence.map { CadenceDocument(interval: $0.interval, since: $0.since?.description) }
        targets = coverage.targets.map {
            TargetsDocument(rto: $0.rto.map(Seconds.init), rpo: $0.rpo.map(Seconds.init), rpoWorstCase: $0.rpoWorstCase.map(Seconds.init))
        }
        windows = coverage.windows.map {
            WindowDocument(
                period: ComplianceDocument.PeriodDocument($0.period), state: $0.state, passed: $0.passed, failed: $0.failed,
                unverified: $0.unverified, run: $0.run, date: $0.date.map(Timestamp.init))
        }
    }
}

struct ComplianceRunDocument: Codable, Hashable, Sendable {
    var run: String
    var drill: String
    var isInspection: Bool
    var started: Timestamp
    var verdict: Verdict
    var isUnfinished: Bool
    var profile: String?
    var rto: RunObjectiveDocument?
    /// By service.
    var rpo: [String: RunObjectiveDocument]
    var findings: Int?
    var user: String?
    var host: String?
    var trigger: String?
    var job: String?
    var record: ComplianceReport.Run.Record

    init(_ run: ComplianceReport.Run) {
        self.run = run.run
        drill = run.drill
        isInspection = run.isInspection
        started = Timestamp(run.started)
        verdict = run.verdict
        isUnfinished = run.isUnfinished
        profile = run.profile
        rto = run.recoveryTime.map(RunObjectiveDocument.init)
        rpo = run.recoveryPoints.mapValues(RunObjectiveDocument.init)
        findings = run.findings
        user = run.user
        host = run.host
        trigger = run.trigger
        job = run.job
        record = run.record
    }
}

struct TrendDocument: Codable, Hashable, Sendable {
    struct PointDocument: Codable, Hashable, Sendable {
        var time: Timestamp
        var achieved: Seconds
        var verdict: Verdict
        var run: String
    }
    struct ForecastDocument: Codable, Hashable, Sendable {
        var perMonth: Seconds
        var perMonthLow: Seconds
        var perMonthHigh: Seconds
        var likely: Timestamp
        var earliest: Timestamp
        var latest: Timestamp?
    }
    var drill: String
    var service: String?
    var target: Seconds?
    var points: [PointDocument]
    var forecast: ForecastDocument?
    var silence: String?

    init(_ trend: ComplianceReport.Trend) {
        drill = trend.drill
        service = trend.service
        target = trend.target.map(Seconds.init)
        points = trend.points.map {
            PointDocument(time: Timestamp($0.time), achieved: Seconds($0.achieved), verdict: $0.verdict, run: $0.run)
        }
        forecast = trend.forecast.map {
            ForecastDocument(
                perMonth: Seconds($0.perMonth), perMonthLow: Seconds($0.perMonthLow), perMonthHigh: Seconds($0.perMonthHigh),
                likely: Timestamp($0.likely), earliest: Timestamp($0.earliest), latest: $0.latest.map(Timestamp.init))
        }
        silence = trend.silence
    }
}
