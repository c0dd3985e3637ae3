// "Restore from the latest healthy backup": past the bad one, and never as if it had not been.

import Foundation
import Testing

struct LatestHealthyTests {
    @Test(arguments: ["postgres", "redis"])
    func goesOnToTheNextOlder(service: String) async throws {
        try await Fixture.with { fixture in
            let artifacts = try fixture.artifacts(in: service == "redis" ? fixture.snapshots : fixture.dumps)
            try fixture.change(artifacts[0]) { $0[$0.count / 2] ^= 1 }
            let file = try fixture.drillFile(service, select: "latest-healthy", more: "targets: {rpo: 9000h}")
            let (outcome, report) = try await fixture.drill(file)
            #expect(outcome.code == 1, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.verdict == "failed")
            #expect(
                drill.recoveryPoints.map { URL(fileURLWithPath: $0.path).lastPathComponent } == artifacts.prefix(2).map(\.lastPathComponent)
            )
            #expect(drill.recoveryPoints.map(\.rejected) == [0, 1])
            #expect(drill.findings.contains { $0.rule == "recovery-point-bad" && $0.object.hasSuffix(artifacts[0].lastPathComponent) })
            #expect(drill.findings.contains { $0.rule == "artifact-digest-differs" })
            try #require(drill.recoveryPoints.count == 2)
            // The second one was verified in full, and the loss is that one's.
            let rpo = try #require(drill.objectives?.rpo.first)
            #expect(rpo.recovered == drill.recoveryPoints[1].time && rpo.recovered != drill.recoveryPoints[0].time)
            #expect(rpo.verdict == "passed")
            let content = drill.cases(of: "content", service: service)
            #expect(!content.isEmpty && content.allSatisfy { $0.verdict == "passed" })
        }
    }

    @Test func noneIsHealthy() async throws {
        try await Fixture.with { fixture in
            for artifact in try fixture.artifacts(in: fixture.snapshots) { try fixture.change(artifact) { $0[$0.count / 2] ^= 1 } }
            let drill = try await fixture.expect(try fixture.drillFile(select: "latest-healthy"), code: 1, rule: ["no-healthy-backup"])
            #expect(drill.recoveryPoints.count == SharedLab.days)
            #expect(drill.objectives?.rpo.first?.recovered == nil)
        }
    }

    /// A wrong key opens none of them: two are tried, and of the others nothing is said.
    @Test func aWrongKeyStopsAfterTwo() async throws {
        try await Fixture.with { fixture in
            try fixture.removeSeals(in: fixture.snapshots)
            try Data("not the key\n".utf8).write(to: fixture.passphrase)
            let drill = try await fixture.expect(
                try fixture.drillFile(select: "latest-healthy"), code: 1, rule: ["no-healthy-backup"])
            #expect(drill.recoveryPoints.count == 2)
            let finding = try #require(drill.findings.first { $0.rule == "no-healthy-backup" })
            #expect(finding.message.contains("stopped after 2: two in a row failed alike (decryption-failed)"))
            #expect(drill.unproven.contains { $0.contains("\(SharedLab.days - 2) older recovery points were not tried") })
            let untried = try fixture.artifacts(in: fixture.snapshots).dropFirst(2).map(\.lastPathComponent)
            #expect(!drill.cases.contains { result in untried.contains { result.name.contains($0) } })
        }
    }

    @Test func triesIsTheBound() async throws {
        try await Fixture.with { fixture in
            for artifact in try fixture.artifacts(in: fixture.snapshots) { try fixture.change(artifact) { $0[$0.count / 2] ^= 1 } }
            let file = try fixture.drillFile(select: "latest-healthy, tries: 3")
            let drill = try await fixture.expect(file, code: 1, rule: ["no-healthy-backup"])
            #expect(drill.recoveryPoints.count == 3)
            #expect(drill.unproven.contains { $0.contains("1 older recovery point was not tried") })
        }
    }

    /// A newer one is not taken for an incident before it.
    @Test func anIncidentBeforeAllBackups() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.drillFile()
            try fixture.edit(file, "incident: {at: now}", "incident: {at: \"2001-01-01T00:00:00Z\"}")
            try await fixture.expect(file, code: 1, rule: ["no-recovery-point-before-incident"])
        }
    }

    /// A fast profile's RTO is indicative: its target is never met by it.
    @Test func theFastProfileMeetsNoTarget() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(try fixture.drillFile(more: "targets: {rto: 10h}"))
            let drill = try #require(report.drills.first)
            let rto = try #require(drill.cases(of: "objective").first { $0.name == "RTO" })
            #expect(rto.verdict == "skipped" && drill.objectives?.rto.verdict != "passed")
            #expect(drill.unproven.contains { $0.contains("RTO") })
            #expect(outcome.code == 0)
            // The same target under the production profile is met; a shorter one than any drill takes is missed.
            let (_, durable) = try await fixture.drill(try fixture.drillFile(profile: "production", more: "targets: {rto: 10h}"))
            #expect(durable.drills.first?.cases(of: "objective").first { $0.name == "RTO" }?.verdict == "passed")
            let late = try await fixture.drill(
                try fixture.drillFile(profile: "production", more: "targets: {rto: 1h}\nallowances: {decide: 2h}"))
            #expect(late.0.code == 1)
            #expect(late.1.drills.first?.findings.contains { $0.rule == "rto-missed" } == true)
        }
    }
}
