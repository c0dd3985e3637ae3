// A failover to a clone of a real streaming standby, and every way in which it isn't one.

import Foundation
import Testing

@Suite struct StandbyDrillTests {
    /// As a role that may only log in and replicate, by its password.
    @Test func staysGreen() async throws {
        try await StandbyPair.with { pair in
            try await pair.withFixture { fixture in
                let file = try pair.write(fixture, more: ", user: keeper, password: {env: KEEPER}")
                // A standby refuses what is serializable.
                try await pair.ask(pair.primary, "ALTER ROLE keeper SET default_transaction_isolation = serializable")
                try await pair.catchUp()
                let before = try await pair.ask(pair.standby, "SELECT pg_postmaster_start_time(), pg_is_in_recovery()")
                let (outcome, report) = try await fixture.drill(file, environment: ["KEEPER": "k33per-of-standbys"])
                #expect(outcome.code == 0, "\(outcome.text)")
                let drill = try #require(report.drills.first)
                let asked = drill.cases.filter { $0.verdict == "passed" }.map(\.name)
                for name in [
                    "a clone of the standby is promoted", "the standby itself is still a standby",
                    "a fresh standby follows the promoted server", "no replication source is set", "RPO",
                ] {
                    #expect(asked.contains(name), "\(name) \(asked)")
                }
                for fact in ["replication-lag.bytes", "replication-lag", "lost-transactions", "failover", "failback", "clone"] {
                    #expect(drill.fact("postgres.\(fact)") != nil, "\(fact)")
                }
                #expect(drill.fact("postgres.lost-transactions") == "none" && drill.fact("postgres.failover.timeline") == "1 to 2")
                #expect(drill.cases(of: "declared").filter { $0.verdict == "passed" }.count == 2)
                let after = try await pair.ask(pair.standby, "SELECT pg_postmaster_start_time(), pg_is_in_recovery()")
                #expect(before == after && after.hasSuffix("t"))
                // The standby still follows, and nobody but itself is connected to its primary.
                try await pair.ask(pair.primary, "INSERT INTO a VALUES (5000)")
                #expect(try await pair.ask(pair.primary, "SELECT count(*) FROM pg_stat_replication") == "1")
                #expect(try await pair.ask(pair.standby, "SELECT count(*) FROM pg_replication_slots") == "0")
                let leak = try await Program.run(["grep", "-rl", "k33per-of-standbys", fixture.reports.path])
                #expect(leak.code == 1 && !outcome.text.contains("k33per-of-standbys"))
            }
        }
    }

    /// Two commits have come in and are not replayed: what came back is older than what may be lost.
    @Test func aStandbyThatLags() async throws {
        try await StandbyPair.with { pair in
            try await pair.withFixture { fixture in
                try await pair.ask(pair.primary, "DELETE FROM b; INSERT INTO b VALUES (2)")
                try await Task.sleep(for: .milliseconds(500))
                try await pair.ask(pair.standby, "SELECT pg_wal_replay_pause()")
                try await Task.sleep(for: .milliseconds(500))
                for _ in 0..<2 { try await pair.ask(pair.primary, "INSERT INTO b VALUES (3)") }
                try await Task.sleep(for: .seconds(2))
                let (outcome, report) = try await fixture.drill(try pair.write(fixture, rpo: "2s"))
                let drill = try #require(report.drills.first)
                #expect(outcome.code == 1, "\(outcome.text)")
                #expect(drill.findings.filter { $0.severity == "critical" }.map(\.rule) == ["rpo-missed"], "\(drill.findings)")
                #expect(drill.findings.contains { $0.rule == "standby-paused" && $0.severity == "warning" })
                #expect(drill.fact("postgres.lost-transactions") == "at most 2")
                #expect(drill.fact("postgres.replication-lag.bytes").flatMap { Int($0) }.map { $0 > 0 } == true)
            }
        }
    }

    @Test func thePrimaryIsGone() async throws {
        try await StandbyPair.with { pair in
            try await pair.withFixture { fixture in
                try await pair.ask(pair.primary, "INSERT INTO b VALUES (2); DELETE FROM b WHERE i = 2")
                try await Task.sleep(for: .milliseconds(500))
                let file = try pair.write(fixture, source: "/tmp/muster-no-such-primary", rpo: "1h")
                let (outcome, report) = try await fixture.drill(file)
                let drill = try #require(report.drills.first)
                #expect(outcome.code == 0, "\(outcome.text)")
                #expect(drill.fact("postgres.lost-transactions") == nil && drill.fact("postgres.replication-lag.bytes") == nil)
                #expect(drill.unproven.contains { $0.contains("the primary could not be asked") })
            }
        }
    }

    @Test func notAStandby() async throws {
        try await StandbyPair.with { pair in
            try await pair.withFixture { fixture in
                try await fixture.expect(try pair.write(fixture, standby: pair.primary), code: 2, rule: ["not-a-standby"])
                try await fixture.expect(
                    try pair.write(fixture, standby: "/tmp/muster-no-such-standby"), code: 2, rule: ["standby-unreachable"])
                // May log in, and not replicate.
                try await pair.ask(pair.primary, "CREATE ROLE reader LOGIN")
                try await Task.sleep(for: .milliseconds(500))
                try await fixture.expect(try pair.write(fixture, more: ", user: reader"), code: 2, rule: ["clone-failed"])
            }
        }
    }
}
