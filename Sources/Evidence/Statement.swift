// What an entry says, as an in-toto statement (github.com/in-toto/attestation, version 1). docs/evidence.md describes each field.

import DrillModel
import Reports
import Foundation

/// A run's files by their SHA-256, and what is known of the run.
struct Statement: Codable {
    static let type = "https://in-toto.io/Statement/v1"
    static let predicateType = "urn:muster:run:v1"
    /// Raised when a field changes its meaning or goes away.
    static let layout = 1

    struct Digest: Codable {
        var sha256: String
    }
    struct Subject: Codable {
        var digest: Digest
        /// `run-…/report.json`
        var name: String
    }
    struct EstateName: Codable {
        var file: String
        var name: String
    }
    struct Versions: Codable {
        var muster: String
    }
    struct Objective: Codable {
        var service: String?
        /// In seconds; left out where nothing came back.
        var achieved: Double?
        var target: Double?
        var verdict: Verdict
    }
    struct Drill: Codable {
        var kind: String
        var name: String
        var verdict: Verdict
        var interrupted: Bool
        var profile: String?
        /// Of an inspection as of another instant than its own: that one.
        var asOf: String?
        /// The estate file that the drill's own file names, where it ran against another.
        var estateNamed: String?
        var rto: Objective?
        var rpo: [Objective]
        /// The versions among the report's facts, by their names.
        var versions: [String: String]
    }
    struct Predicate: Codable {
        var layout = Statement.layout
        var sequence: Int
        /// SHA-256 of the line before; left out of the first.
        var previous: String?
        var recorded: String
        var run: String
        var estate: EstateName
        var started: String?
        var finished: String?
        /// Of the whole run, other estates' drills with it.
        var verdict: Verdict
        var interrupted: Bool
        var drills: [Drill]
        var inputs: [InputFile]
        var startedBy: Starter
        var versions: Versions
    }

    enum CodingKeys: String, CodingKey {
        case type = "_type"
        case subject, predicateType, predicate
    }
    var type = Self.type
    var subject: [Subject]
    var predicateType = Self.predicateType
    var predicate: Predicate

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    private static let largestSequence = 1_000_000_000

    /// Whether a statement is one of a run, in the layout that this version writes.
    static func isOurs(_ predicateType: String, layout: Int, sequence: Int) -> Bool {
        predicateType == Self.predicateType && layout == Self.layout && (1...largestSequence).contains(sequence)
    }
}

extension Statement.Drill {
    init(_ drill: DrillReport) {
        kind = drill.info.kind.rawValue
        name = drill.info.name
        verdict = drill.outcome?.verdict ?? Verdict.combined(drill.cases.map(\.verdict) + [.error])
        interrupted = drill.outcome == nil
        profile = drill.info.kind == .drill ? drill.info.profile.rawValue : nil
        asOf = drill.isRetrospective ? drill.info.disaster.inEvidence : nil
        estateNamed = drill.info.namedEstateFile
        let objectives = drill.outcome?.objectives
        rto = objectives.map {
            Statement.Objective(achieved: $0.rto.achieved?.inSeconds, target: $0.rto.target?.inSeconds, verdict: $0.rto.verdict)
        }
        rpo = (objectives?.rpo ?? []).map {
            Statement.Objective(
                service: $0.service, achieved: $0.achieved?.inSeconds, target: $0.target?.inSeconds, verdict: $0.verdict)
        }
        versions = Dictionary(
            drill.facts.filter { $0.name.hasSuffix("version") || $0.name.hasSuffix(".server") }.map { ($0.name, $0.value) },
            uniquingKeysWith: { $1 })
    }
}

extension Duration {
    /// To the millisecond.
    fileprivate var inSeconds: Double {
        let (seconds, fraction) = components
        return Double(seconds * 1000 + fraction / 1_000_000_000_000_000) / 1000
    }

    /// nil of a number that is no span of seconds: none is of a thousand years.
    init?(inEvidence seconds: Double) {
        guard abs(seconds) < 3.2e10 else { return nil }
        self = .milliseconds(Int64((seconds * 1000).rounded()))
    }
}

extension Date {
    /// ISO 8601 in UTC with milliseconds. The format cuts digits off: without the half millisecond .123 would read .122.
    var inEvidence: String { addingTimeInterval(0.0005).formatted(.iso8601WithMilliseconds) }

    init?(inEvidence text: String) {
        guard let date = try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) else { return nil }
        self = date
    }
}

extension FormatStyle where Self == Date.ISO8601FormatStyle {
    fileprivate static var iso8601WithMilliseconds: Date.ISO8601FormatStyle { Date.ISO8601FormatStyle(includingFractionalSeconds: true) }
}

/// What verifying reads of a statement, all of it behind a signature that holds.
struct VouchedStatement: Decodable, Sendable {
    struct Predicate: Decodable {
        var layout: Int
        var sequence: Int
        var previous: String?
        var recorded: String
        var run: String
    }
    var predicateType: String
    var subject: [Statement.Subject]
    var predicate: Predicate

    enum Reading {
        case statement(VouchedStatement)
        case newer(Int)
        case none
    }

    static func read(_ payload: Data) -> Reading {
        let decoder = JSONDecoder()
        if let read = try? decoder.decode(VouchedStatement.self, from: payload),
            Statement.isOurs(read.predicateType, layout: read.predicate.layout, sequence: read.predicate.sequence)
        {
            return .statement(read)
        }
        struct Layout: Decodable {
            struct Predicate: Decodable { var layout: Int }
            var predicate: Predicate
        }
        guard let layout = try? decoder.decode(Layout.self, from: payload).predicate.layout, layout > Statement.layout else { return .none }
        return .newer(layout)
    }
}
