// Past runs, as the built program shows and forgets them.

import Foundation
import Testing

struct HistoryCommandTests {
    @Test func runsAreShownAgainAndForgotten() async throws {
        try await Fixture.with { fixture in
            let output = ["--output", fixture.reports.path]
            let environment = ["NO_COLOR": "1"]
            #expect(try await fixture.run(["history"] + output).out.contains("no run lies in"))
            let ran = try await fixture.run(
                ["run", fixture.drills.appendingPathComponent("quick-look.yaml").path] + output, environment: environment)
            #expect(ran.code == 0, "\(ran.text)")
            let shown = try await fixture.run(["show"] + output, environment: environment)
            // The same, but for where the reports lie and for progress, which the log thins out.
            // Both ends of what was done are rounded to the millisecond, so a span may differ by one.
            func lines(_ text: String) -> [String] {
                text.split(separator: "\n").map(String.init).filter { !$0.contains("… ") }.map {
                    $0.replacing(/[0-9.]+ m?s/, with: "T").replacing(#/ +/#, with: " ")
                }
            }
            #expect(shown.code == 0 && !lines(shown.out).isEmpty, "\(shown.text)")
            #expect(lines(ran.out).starts(with: lines(shown.out)), "\(ran.out)\n\n\(shown.out)")

            let inspected = try await fixture.run(["inspect", fixture.estate.path] + output, environment: environment)
            let history = try await fixture.run(["history"] + output, environment: environment)
            #expect(history.code == 0, "\(history.text)")
            #expect(history.out.contains("inspection of ") && history.out.contains(/quick-look +✓ passed/), "\(history.text)")
            #expect(history.out.split(separator: "\n").count == 3)
            let named = try await fixture.run(["history", "--drill", "quick-look", "--format", "json"] + output)
            let rows = try #require(try JSONSerialization.jsonObject(with: Data(named.out.utf8)) as? [[String: Any]])
            #expect(rows.count == 1 && rows[0]["drill"] as? String == "quick-look" && rows[0]["profile"] as? String == "fast")

            let again = try await fixture.run(["inspect", fixture.estate.path, "--keep-runs", "2"] + output, environment: environment)
            #expect(again.code == inspected.code, "\(again.text)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.reports.path).count == 2)
            #expect(try await fixture.run(["history", "--drill", "quick-look"] + output).out.contains("no run of quick-look"))
            let unknown = try await fixture.run(["show", "ffffff"] + output)
            #expect(unknown.code == 64 && unknown.err.contains("hint: "), "\(unknown.text)")
            #expect(try await fixture.run(["inspect", fixture.estate.path, "--keep-runs", "0"] + output).code == 64)
            #expect(try await fixture.run(["history", "--output", fixture.reports.path + "/none"]).code == 64)
        }
    }
}
