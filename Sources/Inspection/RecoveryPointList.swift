// `muster inspect --list`: the recovery points as a table for people, or as JSON.

public import BackupCatalog
import BackupPolicy
public import DrillModel
public import Foundation
import Reports
public import ScratchHost

/// Shows what there is to recover from.
public struct RecoveryPointList: Sendable {
    public enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    var estate: Estate
    var asOf: Date
    var surveys: [SetSurvey]

    /// Lists the sets of an estate.
    ///
    /// - Parameter root: Where artifacts that should be encrypted, and don't begin so, are looked into.
    /// - Throws: ``DrillFailure`` where one can't be listed at all.
    public init(
        of estate: Estate, asOf now: Date, in stores: RemoteStores, looking root: ScratchRoot
    ) async throws(DrillFailure) {
        var ahead = SurveysAhead(of: estate, asOf: now, stores: stores)
        var surveys: [SetSurvey] = []
        for _ in estate.allSets {
            var survey = try await ahead.take()
            // What is broken off is not shown.
            try? await survey.lookInside(from: root, in: stores)
            surveys.append(survey)
        }
        self.estate = estate
        asOf = now
        self.surveys = surveys
    }

    /// - Parameter tell: Hears each line, or the whole JSON document.
    /// - Throws: ``ExitCode/failed`` where a store can't be listed, a set is empty or a backup is of a time to come: the list is not whole then.
    public func show(_ format: Format, tell: (String) -> Void) throws {
        switch format {
        case .text: for survey in surveys { table(survey, tell) }
        case .json: tell(try json())
        }
        let whole = surveys.allSatisfy {
            $0.problems.isEmpty && $0.passedOver.isEmpty && !$0.series.moments.isEmpty && $0.series.toCome.isEmpty
        }
        if !whole { throw DrillModel.ExitCode.failed }
    }

    // MARK: The table

    private static let columns = ["time", "from", "size", "sha-256", "sealed", "encryption", "copies", "path"]

    private func table(_ survey: SetSurvey, _ tell: (String) -> Void) {
        let set = survey.set
        var head = "\(set.service)/\(set.name)  \(Readable.count(survey.series.moments.count, "recovery point"))"
        if let schedule = set.schedule { head += " · \(schedule)" }
        if let retention = set.retention {
            head += " · keeps " + retention.tiers.map { "\(retention.counts[$0] ?? 0) \($0.rawValue)" }.joined(separator: ", ")
        }
        tell(head)
        for problem in survey.problems { tell("  ! \(problem.finding.message)\n    hint: \(problem.finding.hint)") }
        for finding in survey.passedOver.map({ $0.finding() }) + BackupPolicy.timesToCome(in: survey.series) {
            tell("  ! \(finding.object): \(finding.message)\n    hint: \(finding.hint)")
        }
        let rows = survey.series.moments.reversed().map { row($0, of: set) }
        guard !rows.isEmpty else { return tell("  none\n") }
        let all = [Self.columns] + rows
        let widths = Self.columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        for row in all {
            let cells = row.indices.map { index in
                // Sizes are read from their end.
                let pad = String(repeating: " ", count: widths[index] - row[index].count)
                return index == 2 ? pad + row[index] : index == row.count - 1 ? row[index] : row[index] + pad
            }
            tell("  " + cells.joined(separator: "  "))
        }
        tell("  times are those of \(estate.timeZone.identifier)\n")
    }

    private func row(_ moment: BackupMoment, of set: BackupSet) -> [String] {
        let point = moment.copies.first?.point
        let copies = moment.copies.map { copy in
            copy.point.store + (copy.point.zone.map { " (\($0))" } ?? "") + (Self.archive(copy.point).map { ", archived in \($0)" } ?? "")
        }
        return [
            Readable.time(moment.time, in: estate.timeZone), point?.timeSource.rawValue ?? "", point.map { Readable.bytes($0.size) } ?? "",
            point?.sealState.seal.map { String($0.artifact.sha256.prefix(12)) } ?? "-", point.map { Self.seal($0.sealState) } ?? "",
            moment.copies.first.map { Self.archive($0.point) != nil ? "not looked at" : Self.encryption($0.content, of: set.kind) } ?? "",
            copies.joined(separator: ", "), point?.path ?? "",
        ]
    }

    /// The tier that it must be restored from first; nil where it can be fetched.
    private static func archive(_ point: RecoveryPoint) -> String? { point.isArchived ? point.obstacle?.finding.actual : nil }

    private static func seal(_ state: RecoveryPoint.SealState) -> String {
        switch state {
        case .valid(let seal): seal.truth == .source ? "sealed" : "sealed from the backup"
        case .missing: "no"
        case .broken(let finding): "BROKEN: \(finding.rule)"
        case .unread(let finding): "not read: \(finding.rule)"
        }
    }

    // MARK: JSON

    private struct Document: Encodable {
        var schemaVersion = 1
        var estate: String
        var asOf: String
        var timeZone: String
        var sets: [SetDocument]
    }
    private struct SetDocument: Encodable {
        var service: String
        var backup: String
        var kind: String
        var problems: [Finding]
        var recoveryPoints: [PointDocument]
    }
    private struct PointDocument: Encodable {
        var time: String
        var timeSource: String
        var size: Int64?
        var sha256: String?
        var sealed: String
        var encryption: String
        var copies: [CopyDocument]
    }
    private struct CopyDocument: Encodable {
        var store: String
        var zone: String?
        var path: String
        var size: Int64
        var timeSource: String
        var sealed: String
        var encryption: String
        /// The tier that it must be restored from first.
        var archived: String?
    }

    private func json() throws -> String {
        let document = Document(
            estate: estate.name, asOf: Self.iso(asOf), timeZone: estate.timeZone.identifier,
            sets: surveys.map { survey in
                SetDocument(
                    service: survey.set.service, backup: survey.set.name, kind: survey.set.kind.rawValue,
                    problems: survey.problems.map(\.finding) + survey.passedOver.map { $0.finding() }
                        + BackupPolicy.timesToCome(in: survey.series),
                    recoveryPoints: survey.series.moments.map { self.document($0, of: survey.set.kind) })
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    private func document(_ moment: BackupMoment, of kind: BackupSet.Kind) -> PointDocument {
        let point = moment.copies.first?.point
        return PointDocument(
            time: Self.iso(moment.time), timeSource: point?.timeSource.rawValue ?? "", size: point?.size,
            sha256: point?.sealState.seal?.artifact.sha256, sealed: point.map { Self.word($0.sealState) } ?? "",
            encryption: moment.copies.first.map { Self.word($0, of: kind) } ?? "",
            copies: moment.copies.map { copy in
                CopyDocument(
                    store: copy.point.store, zone: copy.point.zone, path: copy.point.path, size: copy.point.size,
                    timeSource: copy.point.timeSource.rawValue, sealed: Self.word(copy.point.sealState),
                    encryption: Self.word(copy, of: kind), archived: Self.archive(copy.point))
            })
    }

    private static func word(_ copy: StoredCopy, of kind: BackupSet.Kind) -> String {
        copy.point.isArchived ? "not-looked-at" : word(copy.content, of: kind)
    }

    private static func word(_ state: RecoveryPoint.SealState) -> String {
        switch state {
        case .valid(let seal): seal.truth.rawValue
        case .missing: "missing"
        case .broken(let finding), .unread(let finding): finding.rule.name
        }
    }

    private static func iso(_ date: Date) -> String { date.formatted(.iso8601) }
}
