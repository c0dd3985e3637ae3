// A sample of what is kept: drawn, restored, repeated by its seed, and remembered.

import Foundation
import Testing

struct SampleTests {
    @Test func drawnRepeatedAndRemembered() async throws {
        try await Fixture.with { fixture in
            let artifacts = try fixture.artifacts(in: fixture.snapshots).map { "redis/rdb/\($0.lastPathComponent)" }
            let random = try fixture.drillFile(select: "{within: 3000d}")
            let (outcome, report) = try await fixture.drill(random)
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            let point = try #require(drill.recoveryPoints.first)
            #expect(drill.fact("redis.backups-kept") == String(artifacts.count) && artifacts.contains(point.path))
            #expect(drill.fact("redis.drilled-before") == "0 of them")
            let words = ", 0 of \(artifacts.count) drilled before; chosen at random of \(artifacts.count)"
            #expect(outcome.out.contains(words), "\(outcome.out)")
            let selected = try #require(drill.fact("redis.selected"))
            let seed = String(try #require(selected.firstMatch(of: /--seed (\d+)/)).output.1)
            // Beside the first run's report: its backup is one that was restored once.
            let (again, second) = try await fixture.drill(random, ["--seed", seed])
            #expect(again.code == 0 && second.drills.first?.recoveryPoints.map(\.path) == [point.path], "\(again.text)")
            let dry = try await fixture.run(["run", random.path, "--dry-run", "--seed", seed])
            #expect(dry.code == 0 && dry.out.contains(point.path), "\(dry.text)")
            let undrawn = try await fixture.run(["run", random.path, "--dry-run"])
            #expect(undrawn.out.contains("one of \(artifacts.count) backups, drawn at random"), "\(undrawn.text)")
            // Bad ones are not passed over.
            let oldest = try #require(try fixture.artifacts(in: fixture.snapshots).last)
            try fixture.change(oldest) { $0[$0.count / 2] ^= 1 }
            let bad = try await fixture.expect(try fixture.drillFile(select: "oldest"), code: 1, rule: ["artifact-digest-differs"])
            #expect(bad.recoveryPoints.count == 1 && bad.recoveryPoints[0].path.hasSuffix(oldest.lastPathComponent))
        }
    }

    @Test func whatWasRestoredBeforeIsKnown() async throws {
        try await Fixture.with { fixture in
            let output = fixture.folder.appendingPathComponent("history").path
            let drill = try fixture.drillFile()
            for expected in ["0 of them", "1 of them: redis/rdb/"] {
                let outcome = try await fixture.run(["run", drill.path, "--output", output])
                #expect(outcome.code == 0, "\(outcome.text)")
                // Two runs of one second are in no order.
                let runs = try FileManager.default.contentsOfDirectory(atPath: output)
                let reports = try runs.map { try String(contentsOfFile: "\(output)/\($0)/report.json", encoding: .utf8) }
                let isTold = reports.contains { $0.contains("\"\(expected)") }
                #expect(isTold, "\(expected)")
            }
        }
    }
}
