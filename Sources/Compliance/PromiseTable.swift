// The plan's promises, one by one: on how many days of the period each was asked, and what came out.

import DrillModel
import Foundation
import Reports

/// Gathers the answers that inspections and drills gave to each promise.
struct PromiseTable {
    private struct Name: Hashable {
        var service: String?
        var name: String
    }
    private struct Answers {
        /// The worst of each day.
        var days: [CalendarDay: Verdict] = [:]
        var reason: String?
        var last: (date: Date, verdict: Verdict, run: String)?
    }

    private var answers: [Name: Answers] = [:]
    private var order: [Name] = []
    private let zone: TimeZone

    init(zone: TimeZone) { self.zone = zone }

    /// What an inspection asked: each promise of the estate's file is one of its cases.
    mutating func add(_ record: RunHistory.Record) {
        for result in record.cases where result.group == .policy || result.group == .backup {
            add(Name(service: result.service, name: result.name), result.verdict, result.reason, record.row.started, record.row.run)
        }
    }

    /// What a drill measured against its targets.
    mutating func add(_ row: ComplianceReport.Run) {
        /// Where a drill could not be verified and nothing came back, nobody knows whether the target would have been kept.
        func answer(_ objective: RunHistory.Objective) -> Verdict {
            row.verdict == .error && objective.achieved == nil && objective.verdict == .failed ? .error : objective.verdict
        }
        if let time = row.recoveryTime, let target = time.target {
            let reason = "it was drilled with the fast profile alone, whose RTO meets no target"
            add(
                Name(service: nil, name: "\(row.drill): RTO below \(Readable.duration(target))"), answer(time), reason, row.started, row.run
            )
        }
        for (service, point) in row.recoveryPoints.sorted(by: { $0.key < $1.key }) {
            guard let target = point.target else { continue }
            let name = "\(row.drill): RPO below \(Readable.duration(target))"
            add(Name(service: service, name: name), answer(point), "it was not measured", row.started, row.run)
        }
    }

    private mutating func add(_ name: Name, _ verdict: Verdict, _ reason: String, _ date: Date, _ run: String) {
        if answers[name] == nil { order.append(name) }
        var found = answers[name] ?? Answers()
        if verdict == .skipped {
            found.reason = reason
        } else {
            let day = CalendarDay(date, in: zone)
            found.days[day] = found.days[day].map { Verdict.combined([$0, verdict]) } ?? verdict
            if found.last.map({ $0.date <= date }) ?? true { found.last = (date, verdict, run) }
        }
        answers[name] = found
    }

    /// Those that belong to no service first, in the order in which they were asked.
    var promises: [ComplianceReport.Promise] {
        order.compactMap { name in
            guard let found = answers[name] else { return nil }
            func count(_ verdict: Verdict) -> Int { found.days.values.count { $0 == verdict } }
            return ComplianceReport.Promise(
                service: name.service, name: name.name, kept: count(.passed), broken: count(.failed), unverified: count(.error),
                reason: found.days.isEmpty ? found.reason : nil, last: found.last?.date, lastVerdict: found.last?.verdict,
                lastRun: found.last?.run)
        }
    }
}
