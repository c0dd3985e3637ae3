// A cache that is lost for good: filled again by the application, or left empty; and the claim that it can be, proven wrong.

import Foundation
import Testing

struct LostCacheTests {
    private func loss(_ fixture: Fixture) -> URL { fixture.drills.appendingPathComponent("redis-loss.yaml") }

    /// The lab's drill with another way about the cache.
    private func edit(_ fixture: Fixture, _ way: String, checks: Bool = true) throws -> URL {
        var lines = String(decoding: try Data(contentsOf: loss(fixture)), as: UTF8.self).components(separatedBy: "\n")
        let cache = try #require(lines.firstIndex { $0.contains("repopulate: {run:") })
        lines[cache] = "  redis: \(way)"
        // A database that comes back has an RPO that holds, whatever becomes of the cache.
        lines = lines.map { $0 == "targets: {rto: 1h, rpo: 6h}" ? "targets: {rto: 1h}" : $0 }
        if !checks { lines.removeSubrange(try #require(lines.firstIndex(of: "  redis:"))...) }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: loss(fixture))
        return loss(fixture)
    }

    @Test func repopulated() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(loss(fixture))
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.steps.allSatisfy { $0.verdict == "passed" })
            // The clock ran while it was filled, and the database was back by then.
            let verify = try #require(drill.steps.first { $0.step == "verify" })
            let cache = try #require(verify.activities.first { $0.service == "redis" })
            let database = try #require(verify.activities.first { $0.service == "postgres" })
            #expect(cache.start >= database.end && cache.detail.contains("repopulated with"))
            #expect(try #require(drill.fact("redis.repopulated-keys").flatMap { Int($0) }) > 0)
            #expect(drill.cases(of: "declared", service: "redis").map(\.verdict) == ["passed"])
            // What is lost by declaration has no RPO, and is no part of the skew.
            let lost = drill.cases(of: "objective", service: "redis")
            #expect(lost.map(\.name) == ["RPO"] && lost.map(\.verdict) == ["skipped"])
            #expect(drill.objectives?.rpo.map(\.service) == ["postgres"] && drill.objectives?.rto.verdict == "passed")
        }
    }

    /// Against a database that lives on.
    @Test func onlyTheCacheIsLost() async throws {
        try await Fixture.with { fixture in
            try fixture.edit(
                fixture.serverFailure, "  redis: {from: rdb}\n",
                "recover:\n  redis: {repopulate: {run: [python3, app.py, repopulate]}}\n")
            try fixture.edit(fixture.serverFailure, "targets:", "incident: {at: now}\ntargets:")
            let interpreter = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") ? "/usr/bin/python3" : "python3"
            try fixture.edit(fixture.serverFailure, "[python3, app", "[\(interpreter), app")
            let (outcome, report) = try await fixture.drill(fixture.serverFailure)
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.steps.map(\.verdict) == ["passed", "passed", "skipped", "passed", "passed", "passed"])
        }
    }

    @Test func wellWithAnEmptyCache() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(try edit(fixture, "{empty: true}", checks: false))
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.cases(of: "operation", service: "web-folder").first?.name == "is well with an empty cache")
            #expect(drill.cases(of: "restore", service: "redis").contains { $0.name == "the cache is empty" && $0.verdict == "passed" })
        }
    }

    // MARK: Red

    @Test func aCommandThatFails() async throws {
        try await Fixture.with { fixture in
            let file = try edit(fixture, "{repopulate: {run: [sh, -c, \"echo hunter2 >&2; exit 1\"]}}")
            let drill = try await fixture.expect(file, code: 1, rule: ["repopulation-failed"])
            #expect(drill.findings.contains { $0.actual == "exit 1" } && !"\(drill)".contains("hunter2"))
            #expect(drill.steps.last?.verdict == "skipped" && drill.objectives?.rto.measured == nil)
        }
    }

    @Test func aCommandThatHangs() async throws {
        try await Fixture.with { fixture in
            let file = try edit(fixture, "{repopulate: {run: [sleep, \"640.2201\"], timeout: 1s}}")
            let drill = try await fixture.expect(file, code: 1, rule: ["repopulation-failed"])
            #expect(drill.findings.contains { $0.actual == "no end in time" })
            #expect(!ProcessList.all().contains { $0.arguments.contains("640.2201") })
        }
    }

    @Test func aCommandThatDoesNothing() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.expect(try edit(fixture, "{repopulate: {run: [\"true\"]}}"), code: 1, rule: ["nothing-repopulated"])
        }
    }

    /// Something is there, and not what the drill asks for.
    @Test func aCommandThatDoesTooLittle() async throws {
        try await Fixture.with { fixture in
            try fixture.edit(loss(fixture), "rto: 1h, rpo: 6h", "rto: 1h")
            try fixture.edit(fixture.application, "\"domain:\" + row[0]", "\"domains:\" + row[0]")
            let drill = try await fixture.expect(loss(fixture), code: 1, rule: ["keys-out-of-bounds"])
            #expect(drill.steps.last?.verdict == "skipped")
        }
    }

    @Test func aMissingProgram() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.expect(
                try edit(fixture, "{repopulate: {run: [muster-no-such-program]}}"), code: 2, rule: ["application-tool-missing"])
        }
    }

    @Test func anApplicationThatNeedsItsCache() async throws {
        try await Fixture.with { fixture in
            try fixture.edit(
                fixture.application, "report[\"cached\"], report[\"sessions\"] = cache.count(\"domain:*\"), cache.count(\"session:*\")",
                "report[\"sessions\"] = cache.count(\"session:*\")\n        if report[\"sessions\"] == 0: report[\"status\"] = \"cold\"")
            try fixture.editEstate("within: 60s", "within: 4s")
            let drill = try await fixture.expect(
                try edit(fixture, "{empty: true}", checks: false), code: 1, rule: ["application-unhealthy"])
            #expect(drill.cases(of: "operation", service: "web-folder").map(\.name) == ["is well with an empty cache"])
        }
    }
}
