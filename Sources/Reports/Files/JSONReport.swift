// report.json: the whole run for machines, in a versioned schema that docs/reports.md describes.

public import DrillModel
public import Foundation

/// Renders `report.json`.
public struct JSONReport {
    /// Raised when a field changes its meaning or goes away; new fields don't raise it.
    public static let schemaVersion = 1

    /// The document, with sorted keys, so that two reports can be compared line by line.
    public static func render(_ report: RunReport) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(ReportDocument(report)) + Data("\n".utf8)
    }
}

struct ReportDocument: Codable, Hashable, Sendable {
    struct RunDocument: Codable, Hashable, Sendable {
        var id: String?
        var host: String?
        var started: Timestamp?
        var finished: Timestamp?
        var duration: Seconds
        var verdict: Verdict
        var interrupted: Bool
        /// How many were to run.
        var planned: Int?
        var counts: VerdictCounts
    }
    var schemaVersion: Int
    var musterVersion: String?
    var run: RunDocument
    var drills: [DrillDocument]

    init(_ report: RunReport) {
        schemaVersion = JSONReport.schemaVersion
        musterVersion = report.info?.musterVersion
        run = RunDocument(
            id: report.info?.runID, host: report.info?.host, started: report.started.map(Timestamp.init),
            finished: report.finished.map(Timestamp.init), duration: Seconds(report.duration), verdict: report.conclusion,
            interrupted: report.interrupted, planned: report.info?.drills, counts: VerdictCounts(report.drills.map(\.conclusion)))
        drills = report.drills.map { DrillDocument($0, in: report) }
    }
}

struct DrillDocument: Codable, Hashable, Sendable {
    /// `inspection`; left out of a drill.
    var kind: String?
    var name: String
    var estate: String
    var estateFile: String?
    /// Left out where the drill's own file names that one.
    var estateFileNamed: String?
    /// Left out of an inspection, as is the profile.
    var scenario: String?
    var profile: String?
    var disaster: Timestamp
    var timeZone: String
    var started: Timestamp
    var duration: Seconds
    var verdict: Verdict
    var interrupted: Bool
    /// Why there is no outcome, where there is none.
    var reason: String?
    var counts: VerdictCounts
    var recoveryPoints: [PointDocument]
    var steps: [StepDocument]
    var objectives: ObjectivesDocument?
    var unproven: [String]
    var facts: [FactDocument]
    var cases: [CaseDocument]

    init(_ drill: DrillReport, in report: RunReport) {
        kind = drill.info.kind == .drill ? nil : drill.info.kind.rawValue
        name = drill.info.name
        estate = drill.info.estate
        estateFile = drill.info.estateFile
        estateFileNamed = drill.info.namedEstateFile
        scenario = drill.info.kind == .drill ? drill.info.scenario.rawValue : nil
        profile = drill.info.kind == .drill ? drill.info.profile.rawValue : nil
        disaster = Timestamp(drill.info.disaster)
        timeZone = drill.info.timeZone.identifier
        started = Timestamp(drill.started)
        duration = Seconds(report.duration(of: drill))
        verdict = drill.conclusion
        interrupted = drill.interrupted
        reason = drill.interrupted ? RunReport.interruption : nil
        counts = drill.counts
        recoveryPoints = drill.points.map(PointDocument.init)
        steps = drill.outcome?.steps.map(StepDocument.init) ?? []
        objectives = drill.outcome?.objectives.map(ObjectivesDocument.init)
        unproven = drill.outcome?.unproven ?? []
        facts = drill.facts.map(FactDocument.init)
        cases = drill.cases.map(CaseDocument.init)
    }
}
