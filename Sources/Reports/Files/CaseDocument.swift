// Cases, findings, recovery points, steps and facts as report.json and events.jsonl write them.

import DrillModel
import Foundation

// These mirror the model on purpose: the files are a contract with other people's scripts, and the model stays free to
// change. docs/reports.md describes every field.

struct CaseDocument: Codable, Hashable, Sendable {
    var group: String
    var service: String?
    var name: String
    var verdict: Verdict
    var duration: Seconds
    var reason: String?
    var findings: [FindingDocument]

    init(_ result: CaseResult) {
        group = result.group.rawValue
        service = result.service
        name = result.name
        verdict = result.verdict
        duration = Seconds(result.duration)
        reason = result.reason.isEmpty ? nil : result.reason
        findings = result.findings.map(FindingDocument.init)
    }
}

struct FindingDocument: Codable, Hashable, Sendable {
    var rule: String
    var severity: String
    var object: String
    var expected: String
    var actual: String
    var message: String
    var hint: String
    var diff: [String]

    init(_ finding: Finding) {
        rule = finding.rule.name
        severity = finding.severity.rawValue
        object = finding.object
        expected = finding.expected
        actual = finding.actual
        message = finding.message
        hint = finding.hint
        diff = finding.diff
    }
}

struct PointDocument: Codable, Hashable, Sendable {
    var service: String
    var backup: String
    var store: String
    var path: String
    var size: Int64
    var time: Timestamp
    var timeSource: String
    var sealed: Bool
    var truth: String?
    var rejected: Int

    init(_ point: ChosenPoint) {
        service = point.service
        backup = point.backup
        store = point.store
        path = point.path
        size = point.size
        time = Timestamp(point.time)
        timeSource = point.timeSource.rawValue
        sealed = point.sealed
        truth = point.truth?.rawValue
        rejected = point.rejected
    }
}

struct StepDocument: Codable, Hashable, Sendable {
    var step: String
    var verdict: Verdict
    var duration: Seconds
    var activities: [ActivityDocument]

    init(_ result: StepResult) {
        step = result.step.rawValue
        verdict = result.verdict
        duration = Seconds(result.duration)
        activities = result.activities.map(ActivityDocument.init)
    }
}

struct ActivityDocument: Codable, Hashable, Sendable {
    var step: String
    var service: String?
    var start: Seconds
    var end: Seconds
    var verdict: Verdict
    var detail: String

    init(_ activity: StepActivity) {
        step = activity.step.rawValue
        service = activity.service
        start = Seconds(activity.start)
        end = Seconds(activity.end)
        verdict = activity.verdict
        detail = activity.detail
    }
}

struct FactDocument: Codable, Hashable, Sendable {
    var name: String
    var value: String

    init(_ fact: Fact) {
        name = fact.name
        value = fact.value
    }
}
