// Every field that a clause points at exists: where one is renamed, these go red.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Compliance
@testable import Evidence

struct ControlFieldTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func object(_ path: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(contentsOf: root.appending(path: path)))
    }

    static let cited = Set(ControlCatalogue.all.flatMap(\.supports).map(\.field)).sorted()

    /// The paths of one file, without their brackets.
    static func paths(of file: String) -> [[String]] {
        cited.filter { $0.hasPrefix("\(file): ") }.map { $0.dropFirst(file.count + 2).split(separator: ".").map(String.init) }
    }

    /// Whether the layout names the field, list by list.
    static func names(_ schema: Any, _ path: [String]) -> Bool {
        var node = schema as? [String: Any]
        func resolved(_ value: Any?) -> [String: Any]? {
            guard let found = value as? [String: Any], let reference = found["$ref"] as? String else { return value as? [String: Any] }
            let name = String(reference.dropFirst("#/$defs/".count))
            return ((schema as? [String: Any])?["$defs"] as? [String: Any])?[name] as? [String: Any]
        }
        for part in path {
            let isList = part.hasSuffix("[]")
            node = resolved((node?["properties"] as? [String: Any])?[isList ? String(part.dropLast(2)) : part])
            if isList { node = resolved(node?["items"]) }
        }
        return node != nil
    }

    /// Whether a document holds the field, in any element of its lists.
    static func holds(_ document: Any?, _ path: ArraySlice<String>) -> Bool {
        guard let part = path.first else { return document != nil }
        guard part.hasSuffix("[]") else { return holds((document as? [String: Any])?[part], path.dropFirst()) }
        let list = (document as? [String: Any])?[String(part.dropLast(2))] as? [Any] ?? []
        return list.contains { holds($0, path.dropFirst()) }
    }

    /// Whether a value has the property, in any element of its lists.
    static func has(_ value: Any, _ path: ArraySlice<String>) -> Bool {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional { return mirror.children.first.map { has($0.value, path) } ?? false }
        guard let part = path.first else { return true }
        let name = part.hasSuffix("[]") ? String(part.dropLast(2)) : part
        guard let found = mirror.children.first(where: { $0.label == name })?.value else { return false }
        guard part.hasSuffix("[]") else { return has(found, path.dropFirst()) }
        return Mirror(reflecting: found).children.contains { has($0.value, path.dropFirst()) }
    }

    @Test func everyFieldIsOfAFileThatIsLookedAt() {
        let known = ["report.json", "ledger", "compliance.json"].map { Self.paths(of: $0).count }
        #expect(known.allSatisfy { $0 > 4 } && known.reduce(0, +) == Self.cited.count)
    }

    @Test func theReportsFieldsAreInItsLayoutAndInAReport() throws {
        let schema = try Self.object("docs/schema/report.schema.json")
        let report = try Self.object("Tests/ReportsTests/Golden/run.report.json")
        for path in Self.paths(of: "report.json") {
            #expect(Self.names(schema, path), "\(path)")
            #expect(Self.holds(report, path[...]), "\(path)")
            let renamed = path.dropLast() + ["renamed"]
            #expect(!Self.names(schema, Array(renamed)) && !Self.holds(report, renamed[...]))
        }
    }

    @Test func theLedgersFieldsAreInAnEntry() throws {
        let digest = Statement.Digest(sha256: "00")
        let file = FileManager.default.temporaryDirectory.appending(path: "muster-controls-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let drill = Statement.Drill(
            kind: "drill", name: "d", verdict: .passed, interrupted: false, profile: "production",
            rto: Statement.Objective(service: nil, achieved: 1, target: 2, verdict: .passed), rpo: [], versions: [:])
        let statement = Statement(
            subject: [Statement.Subject(digest: digest, name: "r/report.json")],
            predicate: Statement.Predicate(
                sequence: 2, previous: "00", recorded: Date().inEvidence, run: "r",
                estate: Statement.EstateName(file: "estate.yaml", name: "shop"), started: Date().inEvidence, finished: Date().inEvidence,
                verdict: .passed, interrupted: false, drills: [drill], inputs: [try InputFile(file)],
                startedBy: Starter(host: "h", trigger: Starter.Trigger(kind: "systemd", job: "j")),
                versions: Statement.Versions(muster: "0")))
        let entry = try JSONSerialization.jsonObject(with: statement.encoded())
        for path in Self.paths(of: "ledger") { #expect(Self.holds(entry, path[...]), "\(path)") }
    }

    @Test func theComplianceReportsFieldsAreItsProperties() throws {
        let report = ComplianceSample.report()
        // These two are written by the names that report.json has for them.
        let written = ["rto": "recoveryTime", "rpo": "recoveryPoints"]
        let file = Self.root.appending(path: "docs/schema/compliance.schema.json")
        let schema = FileManager.default.fileExists(atPath: file.path) ? try Self.object("docs/schema/compliance.schema.json") : nil
        for path in Self.paths(of: "compliance.json") {
            let named = path.first == "runs[]" ? path.map { written[$0] ?? $0 } : path
            #expect(Self.has(report, named[...]), "\(path)")
            if let schema { #expect(Self.names(schema, path), "\(path)") }
        }
        #expect(!Self.has(report, ["coverage[]", "windows[]", "renamed"]) && !Self.has(report, ["ledger", "renamed"]))
    }
}
