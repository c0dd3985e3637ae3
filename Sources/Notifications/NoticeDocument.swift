// A notice as JSON: what a command and a plain webhook get; docs/schema/notification.schema.json describes it.

import DrillModel
import Foundation

/// The fields are a contract with other people's programs, and the model stays free to change.
struct NoticeDocument: Codable, Hashable, Sendable {
    struct RunDocument: Codable, Hashable, Sendable {
        var id: String
        var host: String
        var started: String?
        var finished: String?
        var interrupted: Bool
        /// What went wrong with the run itself.
        var problem: String?
        var report: String?
        var ledger: String?
    }
    struct DrillDocument: Codable, Hashable, Sendable {
        var kind: String
        var name: String
        var verdict: Verdict
        var interrupted: Bool
        var occasions: [String]
        var previous: Verdict?
        var objectives: [ObjectiveDocument]
        var findings: [FindingDocument]
        var moreFindings: Int
    }
    struct ObjectiveDocument: Codable, Hashable, Sendable {
        var objective: String
        var service: String?
        /// In seconds, as the target.
        var achieved: Double?
        var target: Double?
        var verdict: Verdict
    }
    struct FindingDocument: Codable, Hashable, Sendable {
        var service: String?
        var rule: String?
        var severity: String
        var object: String
        var message: String
        var hint: String?
    }
    var schemaVersion = 1
    var musterVersion: String
    var test: Bool
    var summary: String
    var occasions: [String]
    var estate: String
    var verdict: Verdict
    var run: RunDocument
    var drills: [DrillDocument]
    var moreDrills: Int

    init(_ notice: Notice) {
        musterVersion = notice.musterVersion
        test = notice.isTest
        summary = NoticeText(notice).title
        occasions = Self.names(notice.occasions)
        estate = notice.estate
        verdict = notice.verdict
        run = RunDocument(
            id: notice.run, host: notice.host, started: notice.started.map(Self.instant), finished: notice.finished.map(Self.instant),
            interrupted: notice.isInterrupted, problem: notice.problem, report: notice.report, ledger: notice.ledger)
        drills = notice.drills.map { drill in
            DrillDocument(
                kind: drill.isInspection ? "inspection" : "drill", name: drill.name, verdict: drill.verdict,
                interrupted: drill.isInterrupted, occasions: Self.names(drill.occasions), previous: drill.previous,
                objectives: drill.objectives.map {
                    ObjectiveDocument(
                        objective: $0.service == nil ? "rto" : "rpo", service: $0.service, achieved: $0.achieved.map(Self.seconds),
                        target: $0.target.map(Self.seconds), verdict: $0.verdict)
                },
                findings: drill.findings.map {
                    FindingDocument(
                        service: $0.service, rule: $0.rule.isEmpty ? nil : $0.rule, severity: $0.severity.rawValue, object: $0.object,
                        message: $0.message, hint: $0.hint.isEmpty ? nil : $0.hint)
                }, moreFindings: drill.moreFindings)
        }
        moreDrills = notice.moreDrills
    }

    /// On one line, in a form that doesn't change from run to run.
    static func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// In bytes: far below what a line of curl's configuration takes, when each of them is escaped.
    private static let largest = 32_000

    static func text(_ notice: Notice) throws -> String {
        try notice.fitting({ $0.utf8.count <= largest }) { try encoded(NoticeDocument($0)) }
    }

    private static func names(_ occasions: Set<NotifyChannel.Occasion>) -> [String] {
        NotifyChannel.Occasion.allCases.filter(occasions.contains).map(\.rawValue)
    }

    private static func instant(_ date: Date) -> String { date.formatted(Date.ISO8601FormatStyle()) }

    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds * 1000 + attoseconds / 1_000_000_000_000_000) / 1000
    }
}
