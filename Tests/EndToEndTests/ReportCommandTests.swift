// A period's compliance, as the built program reports it of real runs.

import Foundation
import Testing

@Suite struct ReportCommandTests {
    /// The quarter of a day so many days from now, in the lab's zone.
    private func quarter(_ days: Int = 0) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: "Asia/Kolkata") ?? .gmt
        let parts = calendar.dateComponents([.year, .month], from: Date().addingTimeInterval(Double(days) * 86_400))
        return "\(parts.year ?? 0)-Q\(((parts.month ?? 1) - 1) / 3 + 1)"
    }

    @Test func aQuarterWithItsDrillAndOneWithout() async throws {
        try await Fixture.with { fixture in
            _ = try await EvidenceCommandTests.record(on: fixture)
            let drill = fixture.drills.appendingPathComponent("quick-look.yaml")
            try fixture.edit(drill, "\nscenario:", "\ndue: quarterly\nscenario:")
            let output = ["--output", fixture.reports.path]
            let environment = ["NO_COLOR": "1"]
            let report = ["report", fixture.estate.path] + output

            // A folder that isn't there yet says nothing of any drill.
            #expect(try await fixture.run(report).code == 2)
            let before = try await fixture.run(["inspect", fixture.estate.path] + output, environment: environment)
            #expect(before.out.contains("no-history"), "\(before.text)")
            let ran = try await fixture.run(["run", drill.path] + output, environment: environment)
            #expect(ran.code == 0, "\(ran.text)")
            let inspected = try await fixture.run(["inspect", fixture.estate.path] + output, environment: environment)
            #expect(!inspected.out.contains("no-history") && !inspected.out.contains("drill-overdue"), "\(inspected.text)")

            let kept = try await fixture.run(report, environment: environment)
            #expect(kept.code == 0 && kept.out.contains("✓ PASSED  domainscope, \(quarter())"), "\(kept.text)")
            #expect(kept.out.contains("quick-look  quarterly  \(quarter()) kept"), "\(kept.text)")
            let folder = fixture.reports.appendingPathComponent("compliance-domainscope-\(quarter())")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            #expect(files.count == 8 && files.contains("compliance.html") && files.contains("actions.csv"), "\(files)")
            let json = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appendingPathComponent("compliance.json"))) as? [String: Any]
            )
            #expect(json["verdict"] as? String == "passed")
            #expect((json["runs"] as? [[String: Any]])?.map { $0["record"] as? String } == ["vouched", "vouched", "vouched"])
            #expect((json["participants"] as? [[String: Any]])?.count == 1)
            // The key is of no use to who reads it.
            let key = try String(contentsOf: fixture.passphrase, encoding: .utf8).trimmingCharacters(in: .newlines)
            for name in files {
                let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                #expect(!text.contains(key), "\(name)")
            }

            let missing = try await fixture.run(report + ["--quarter", quarter(-92)], environment: environment)
            #expect(missing.code == 1 && missing.out.contains("quick-look was not drilled in \(quarter(-92))"), "\(missing.text)")

            // A red run whose report somebody made green.
            let run = try #require(
                try FileManager.default.contentsOfDirectory(atPath: fixture.reports.path).filter { $0.hasPrefix("run-") }.sorted().first)
            try fixture.edit(fixture.reports.appendingPathComponent("\(run)/report.json"), "\"failed\"", "\"passed\"")
            let altered = try await fixture.run(report, environment: environment)
            #expect(altered.code == 1 && altered.out.contains("was altered"), "\(altered.text)")
        }
    }

    @Test(arguments: [
        (["--quarter", "2026-Q5"], "is no quarter"), (["--year", "26"], "is no year"), (["--from", "2026-02-30"], "is no day"),
        (["--from", "2026-10-01", "--to", "2026-09-01"], "lies before"), (["--year", "2999"], "is yet to come"),
        (["--quarter", "2026-Q1", "--year", "2026"], "exclude each other"), (["--to", "2026-10-01"], "--from"),
        (["--from", "2001-01-01"], "ten years"), (["--actions", "/none.yaml"], "does not exist"),
    ])
    func wrongUsage(words: [String], said: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("me2e-report-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let estate = folder.appendingPathComponent("estate.yaml")
        let text = """
            version: 1
            estate: tiny
            stores: {here: {type: file, path: /backups}}
            services: {db: {engine: postgres, backups: {daily: {kind: pg_dump, store: here, match: "*.dump", encryption: none}}}}

            """
        try Data(text.utf8).write(to: estate)
        let outcome = try await Program.run([Program.muster, "report", estate.path, "--output", folder.path] + words)
        #expect(outcome.code == 64 && outcome.err.contains(said), "\(outcome.text)")
    }
}
