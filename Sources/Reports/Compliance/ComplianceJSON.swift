// compliance.json: the whole compliance report for machines, in a versioned schema that docs/compliance-files.md describes.

import DrillModel
public import Foundation

/// Renders `compliance.json`.
public enum ComplianceJSON {
    /// Raised when a field changes its meaning or goes away; new fields don't raise it.
    public static let schemaVersion = 1

    /// The document, with sorted keys, so that two reports can be compared line by line.
    public static func render(_ report: ComplianceReport) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(ComplianceDocument(report)) + Data("\n".utf8)
    }
}

/// Mirrors the report: what is calculated in it stays free to change, and the file is a contract.
struct ComplianceDocument: Codable, Hashable, Sendable {
    struct PeriodDocument: Codable, Hashable, Sendable {
        var label: String
        var from: String
        var to: String
        /// Of the report's own alone.
        var isOver: Bool?

        init(_ period: CalendarPeriod, isOver: Bool? = nil) {
            label = period.label
            from = period.first.description
            to = period.last.description
            self.isOver = isOver
        }
    }
    var schemaVersion: Int
    var musterVersion: String
    var made: Timestamp
    var estate: String
    var estateFile: String
    var timeZone: String
    var period: PeriodDocument
    var verdict: Verdict
    var reasons: [String]
    var coverage: [CoverageDocument]
    var runs: [ComplianceRunDocument]
    var trends: [TrendDocument]
    var actions: [ActionDocument]
    var participants: [ParticipantDocument]
    var promises: [PromiseDocument]
    var calendar: CalendarDocument
    var controls: [ControlDocument]
    var ledger: LedgerDocument?
    var notes: [String]

    init(_ report: ComplianceReport) {
        schemaVersion = ComplianceJSON.schemaVersion
        musterVersion = report.musterVersion
        made = Timestamp(report.made)
        estate = report.estate
        estateFile = report.estateFile
        timeZone = report.timeZone.identifier
        period = PeriodDocument(report.period, isOver: report.isOver)
        verdict = report.verdict
        reasons = report.reasons
        coverage = report.coverage.map(CoverageDocument.init)
        runs = report.runs.map(ComplianceRunDocument.init)
        trends = report.trends.map(TrendDocument.init)
        actions = report.actions.map(ActionDocument.init)
        participants = report.participants.map(ParticipantDocument.init)
        promises = report.promises.map(PromiseDocument.init)
        calendar = CalendarDocument(report.calendar)
        controls = report.controls.map(ControlDocument.init)
        ledger = report.ledger.map(LedgerDocument.init)
        notes = report.notes
    }
}

/// What verifying the ledger found.
struct LedgerDocument: Codable, Hashable, Sendable {
    var verdict: Verdict
    var entries: Int
    var head: String?
    var problems: [String]
    var notes: [String]

    init(_ ledger: ComplianceReport.LedgerState) {
        verdict = ledger.verdict
        entries = ledger.entries
        head = ledger.head
        problems = ledger.problems
        notes = ledger.notes
    }
}
