// The files of a run before strangers: JSON Schema, Prometheus' strict parser, a reader of Markdown.

import DrillModel
import Foundation
import Testing

@testable import Reports

/// Independent readers in Python, which scripts/setup-tests brings.
enum ReportReaders {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let packages = [
        "/opt/muster-test/report-readers", root.appending(path: ".build/muster-test/report-readers").path,
    ].first { FileManager.default.fileExists(atPath: $0) }

    static let canRead = packages != nil || ProcessInfo.processInfo.environment["CI"] != nil

    /// - Returns: What they complain of, a line each.
    static func complaints(of files: [URL]) throws -> [String] {
        let packages = try #require(packages, "the readers of reports are missing: scripts/setup-tests brings them")
        let output = FileManager.default.temporaryDirectory.appending(path: "muster-readers-\(UUID().uuidString)")
        try Data().write(to: output)
        defer { try? FileManager.default.removeItem(at: output) }
        let script = Bundle.module.bundleURL.appending(path: "Schema/read-reports.py").path
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-W", "ignore", script, root.appending(path: "docs/schema").path] + files.map(\.path)
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONPATH": packages, "PYTHONUTF8": "1"]) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: output)
        try process.run()
        process.waitUntilExit()
        var lines = try String(contentsOf: output, encoding: .utf8).split(separator: "\n").map(String.init)
        let last = lines.popLast()
        try #require(process.terminationStatus == 0 && last == "read \(files.count)", "\(lines) \(last ?? "")")
        return lines
    }
}

@Suite(.enabled(if: ReportReaders.canRead, "scripts/setup-tests brings the readers of reports"))
struct ReportReadersTests {
    private static let nasty = [
        "<script>alert(1)</script>", "a | b", "`a` ``b``", "```", "\" } x{y=\"z\"} 1", "back\\slash\\",
        "*b* _c_ ~~d~~ [e](f) ![g](h) <i@j.k>",
        "@someone", "a\r\nb\tc", "# EOF", String(String.UnicodeScalarView((1...0x9F).compactMap { Unicode.Scalar($0) })), "é😀", "&amp;",
        String(repeating: "ü|`", count: 5_000),
    ]

    /// Every kind of report, of every kind of run.
    private func write(_ script: EventScript, below folder: URL, _ name: String) async throws -> [URL] {
        let own = folder.appending(path: name)
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        let group = try RecorderGroup(folder: own)
        for event in script.events { await group.record(event) }
        try await group.finish()
        return ["report.json", "events.jsonl", "metrics.prom", "summary.md"].map { own.appending(path: $0) }
    }

    @Test func theyTakeEveryReport() async throws {
        try await withFolder { folder in
            var files: [URL] = []
            for (name, script) in [("full", Fixtures.fullRun), ("cut", Fixtures.interruptedRun), ("none", EventScript())] {
                files += try await write(script, below: folder, name)
            }
            for (index, name) in Self.nasty.enumerated() {
                files += try await write(HTMLFixtures.names { _ in name }, below: folder, "nasty\(index)")
                // What is shown must be the name itself, and not what markup would make of it.
                guard name.utf8.count < 200, name.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else { continue }
                let texts = try #require(files.last).deletingPathExtension().appendingPathExtension("texts.json")
                try JSONEncoder().encode([name]).write(to: texts)
            }
            #expect(try ReportReaders.complaints(of: files) == [])
        }
    }

    /// A schema that takes anything proves nothing.
    @Test(arguments: [
        ("report.json", "\"rejected\"", "\"rejectedToo\""), ("report.json", "\"schemaVersion\" : 1", "\"schemaVersion\" : 2"),
        ("report.json", "\"interrupted\" : false", "\"interrupted\" : true"), ("report.json", "\"sealed\" : true", "\"sealed\" : 1"),
        ("report.json", "\"group\" : \"rows\"", "\"group\" : \"row\""), ("report.json", ".000Z", "Z"),
        ("events.jsonl", "\"event\":\"fact\"", "\"event\":\"facts\""), ("events.jsonl", "\"seq\":3", "\"seq\":4"),
        ("events.jsonl", "\"fact\":{", "\"more\":1,\"fact\":{"), ("events.jsonl", "\"v\":1", "\"v\":2"),
        ("metrics.prom", "# EOF\n", "# EOF"), ("metrics.prom", "muster_unproven{", "muster_other{"), ("metrics.prom", " gauge", " counter"),
        ("summary.md", "`database-corruption`", "<b>database-corruption</b>"), ("summary.md", "<sub>", "```\n<sub>"),
    ])
    func theyRefuseWhatIsWrong(file: String, from: String, to: String) async throws {
        try await withFolder { folder in
            let files = try await write(Fixtures.fullRun, below: folder, "full")
            let changed = try #require(files.first { $0.lastPathComponent == file })
            let text = try String(contentsOf: changed, encoding: .utf8)
            let other = text.replacing(from, with: to, maxReplacements: 1)
            try #require(other != text, "the fixture no longer holds what is to be broken")
            try Data(other.utf8).write(to: changed)
            #expect(try !ReportReaders.complaints(of: files).isEmpty)
        }
    }

    /// The schemas' words are the model's, so that a new one can't be forgotten.
    @Test func theWordsAreTheModels() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        func definitions(_ name: String) throws -> [String: [String: Any]] {
            let data = try Data(contentsOf: root.appending(path: "docs/schema/\(name).schema.json"))
            let schema = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            return try #require(schema["$defs"] as? [String: [String: Any]])
        }
        let report = try definitions("report")
        func words(_ name: String) -> [String]? { report[name]?["enum"] as? [String] }
        #expect(words("verdict") == Verdict.allCases.map(\.rawValue))
        #expect(words("step-name") == Step.allCases.map(\.rawValue))
        #expect(words("profile") == Profile.allCases.map(\.rawValue))
        #expect(words("scenario") == Scenario.allCases.map(\.rawValue))
        #expect(words("time-source") == RecoveryPoint.TimeSource.allCases.map(\.rawValue))
        func property(_ name: String, _ of: [String: Any]?) throws -> [String]? {
            let properties = try #require(of?["properties"] as? [String: [String: Any]])
            return properties[name]?["enum"] as? [String]
        }
        #expect(try property("group", report["case"]) == CaseResult.Group.allCases.map(\.rawValue))
        #expect(try property("severity", report["finding"]) == Finding.Severity.allCases.map(\.rawValue))
        #expect(try property("truth", report["point"]) == Seal.Truth.allCases.map(\.rawValue))
        let units = DrillModel.Progress.Unit.allCases.map(\.rawValue)
        #expect(try property("unit", try definitions("events")["progress"]) == units)
    }
}
