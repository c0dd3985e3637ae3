// Corrective actions, people, promises, backups by day and the clauses of standards, as compliance.json writes them.

import DrillModel
import Foundation

struct ActionDocument: Codable, Hashable, Sendable {
    var drill: String
    var rule: String
    var object: String
    var service: String?
    var message: String
    var hint: String
    var state: ComplianceReport.CorrectiveAction.State
    var opened: Timestamp
    var openedBy: String
    var lastSeen: Timestamp
    var occurrences: Int
    var closed: Timestamp?
    var closedBy: String?
    var owner: String?
    var due: String
    var isDueDeclared: Bool
    var note: String?

    init(_ action: ComplianceReport.CorrectiveAction) {
        drill = action.drill
        rule = action.rule
        object = action.object
        service = action.service
        message = action.message
        hint = action.hint
        state = action.state
        opened = Timestamp(action.opened)
        openedBy = action.openedBy
        lastSeen = Timestamp(action.lastSeen)
        occurrences = action.occurrences
        closed = action.closed.map(Timestamp.init)
        closedBy = action.closedBy
        owner = action.owner
        due = action.due.description
        isDueDeclared = action.isDueDeclared
        note = action.note
    }
}

struct ParticipantDocument: Codable, Hashable, Sendable {
    var user: String
    var host: String?
    var trigger: String?
    var runs: Int
    var first: Timestamp
    var last: Timestamp

    init(_ participant: ComplianceReport.Participant) {
        user = participant.user
        host = participant.host
        trigger = participant.trigger
        runs = participant.runs
        first = Timestamp(participant.first)
        last = Timestamp(participant.last)
    }
}

struct PromiseDocument: Codable, Hashable, Sendable {
    var service: String?
    var name: String
    var kept: Int
    var broken: Int
    var unverified: Int
    var reason: String?
    var last: Timestamp?
    var lastVerdict: Verdict?
    var lastRun: String?

    init(_ promise: ComplianceReport.Promise) {
        service = promise.service
        name = promise.name
        kept = promise.kept
        broken = promise.broken
        unverified = promise.unverified
        reason = promise.reason
        last = promise.last.map(Timestamp.init)
        lastVerdict = promise.lastVerdict
        lastRun = promise.lastRun
    }
}

struct CalendarDocument: Codable, Hashable, Sendable {
    struct DayDocument: Codable, Hashable, Sendable {
        var day: String
        var inspection: Verdict?
    }
    struct SeriesDocument: Codable, Hashable, Sendable {
        var service: String
        var backup: String
        var schedule: String?
        var isDaily: Bool
        var counts: [Int?]
    }
    var days: [DayDocument]
    var series: [SeriesDocument]

    init(_ calendar: ComplianceReport.BackupCalendar) {
        days = calendar.days.map { DayDocument(day: $0.day.description, inspection: $0.inspection) }
        series = calendar.series.map {
            SeriesDocument(service: $0.service, backup: $0.backup, schedule: $0.schedule, isDaily: $0.isDaily, counts: $0.counts)
        }
    }
}

struct ControlDocument: Codable, Hashable, Sendable {
    struct SupportDocument: Codable, Hashable, Sendable {
        var field: String
        var words: String
    }
    var framework: String
    var clause: String
    var asks: String
    var supports: [SupportDocument]
    var doesNotShow: [String]
    var hasEvidence: Bool
    var summary: String

    init(_ control: ComplianceReport.Control) {
        framework = control.framework
        clause = control.clause
        asks = control.asks
        supports = control.supports.map { SupportDocument(field: $0.field, words: $0.words) }
        doesNotShow = control.doesNotShow
        hasEvidence = control.hasEvidence
        summary = control.summary
    }
}
