// The JSON before a stranger: Python's jsonschema, by the schema that the docs show.

import DrillModel
import Foundation
import Reports
import Testing

@testable import Notifications

private enum Validator {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let packages = [
        "/opt/muster-test/report-readers", root.appendingPathComponent(".build/muster-test/report-readers").path,
    ]
    .first { FileManager.default.fileExists(atPath: $0) }

    static let isThere = ProcessInfo.processInfo.environment["CI"] != nil || (try? complaints(of: [])) == []

    /// - Returns: What is wrong, a line each.
    static func complaints(of documents: [String]) throws -> [String] {
        let script = """
            import json, sys, jsonschema
            schema = json.load(open(sys.argv[1]))
            jsonschema.Draft202012Validator.check_schema(schema)
            for number, text in enumerate(json.loads(sys.argv[2])):
                for error in jsonschema.Draft202012Validator(schema).iter_errors(json.loads(text)):
                    print(number, error.json_path, error.message[:300])
            print("done")
            """
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-W", "ignore", "-c", script, root.appendingPathComponent("docs/schema/notification.schema.json").path,
            String(decoding: try JSONEncoder().encode(documents), as: UTF8.self),
        ]
        if let packages { process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONPATH": packages]) { $1 } }
        process.standardOutput = output
        try process.run()
        let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n").map(
            String.init)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0 && lines.last == "done")
        return lines.dropLast()
    }
}

@Suite(.enabled(if: Validator.isThere, "scripts/setup-tests brings python3's jsonschema"))
struct DocumentTests {
    private func notices() async throws -> [Notice] {
        let estate = Fixtures.estate()
        let reports = [
            Fixtures.run(
                [
                    Fixtures.drill(
                        "bad", of: estate, .failed, cases: [Fixtures.red("rows-differ"), Fixtures.red()], objectives: Fixtures.objectives),
                    Fixtures.drill("broken", of: estate, .error),
                ], .failed),
            Fixtures.run([Fixtures.drill("second", of: estate, nil)], nil),
            Fixtures.run(
                [Fixtures.drill("inspection of shop", of: estate, .failed, kind: .inspection, cases: [Fixtures.red("drill-overdue")])],
                .failed),
        ]
        var notices = [Notice.test(of: estate, host: "h", version: "1")]
        for report in reports {
            let notice = await Notice(
                report, of: estate, planned: ["second", "third"], history: RunHistory(folder: URL(fileURLWithPath: "/nowhere")),
                run: "run-20260314T023000Z-0a1b", reportPath: "/r/report.html", ledger: "12:\(String(repeating: "a", count: 64))",
                problem: nil)
            notices.append(try #require(notice.restricted(to: Set(NotifyChannel.Occasion.allCases))))
        }
        var recovered = notices[1]
        recovered.drills[0].previous = .error
        recovered.drills[0].occasions = [.recovery]
        return notices + [recovered]
    }

    @Test func theSchemaTakesEachNotice() async throws {
        let documents = try await notices().map { try NoticeDocument.text($0) }
        #expect(documents.count == 5)
        #expect(try Validator.complaints(of: documents) == [])
    }

    /// A schema that takes anything proves nothing.
    @Test(arguments: [
        ("\"schemaVersion\":1", "\"schemaVersion\":2"), ("\"test\":false", "\"test\":0"), ("\"red\"", "\"green\""),
        ("\"moreDrills\":0", "\"moreDrills\":-1"), ("\"estate\":", "\"state\":"), ("\"verdict\":\"failed\"", "\"verdict\":\"bad\""),
        ("\"kind\":\"drill\"", "\"kind\":\"run\""), ("\"ledger\":\"12", "\"ledger\":\"0"), ("Z\"", "\""),
        ("\"objective\":\"rto\"", "\"objective\":\"r\""),
    ])
    func theSchemaRefusesWhatIsWrong(from: String, to: String) async throws {
        let good = try NoticeDocument.text(try await notices()[1])
        let bad = good.replacing(from, with: to, maxReplacements: 1)
        try #require(bad != good, "the notice no longer holds what is to be broken")
        #expect(try !Validator.complaints(of: [bad]).isEmpty)
    }
}
