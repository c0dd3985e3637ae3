// A lost data center whose Redis fails over to its replica: what was lost, a zone that isn't lost, and a drill that is killed.

import Foundation
import Glibc
import Testing

@Suite struct ReplicaOutageTests {
    private static let user = ", user: reader, password: {env: K}"

    @Test func staysGreen() async throws {
        try await RedisPair.with { pair, fixture in
            let (outcome, drill) = try await pair.run(fixture, try pair.write(fixture, user: Self.user, outage: .init()))
            #expect(outcome.code == 0, "\(outcome.text)")
            let asked = drill.cases.filter { $0.verdict == "passed" }.map(\.name)
            for name in [
                "outage: cut a off", "the lost zone can't be reached: the primary of redis",
                "the lost zone stayed out of reach: the primary of redis", "a clone of the replica is promoted", "RPO",
                "the password of redis's standby can be had without the zone",
            ] { #expect(asked.contains(name), "\(name) \(asked)") }
            #expect(drill.fact("lost-servers") == "the primary of redis")
            #expect(drill.fact("redis.replication-lag.bytes") == "0" && drill.fact("redis.clone.way") == "key by key")
            #expect(drill.objectives?.rpo.first?.timeSource == "primary-position")
            #expect(!drill.findings.contains { $0.rule == "replica-link-down" }, "the zone is lost")
            // The zone is back, and the replica follows again.
            #expect(FileManager.default.fileExists(atPath: pair.socket("p")))
            try await pair.wait("s", "master_link_status:up")
        }
    }

    /// What the primary was given behind the replica's back.
    @Test func aReplicaThatLags() async throws {
        try await RedisPair.with { pair, fixture in
            try await pair.breakLink()
            try await pair.ask("p", "SET", "session:500", "lost")
            let file = try pair.write(fixture, user: Self.user, rpo: "30s", outage: .init())
            let (outcome, drill) = try await pair.run(fixture, file)
            #expect(outcome.code == 1, "\(outcome.text)")
            let missed = try #require(drill.findings.first { $0.rule == "rpo-missed" })
            #expect(missed.hint.contains("why the standby or replica is behind"))
            #expect(drill.fact("redis.replication-lag.bytes").flatMap { Int($0) }.map { $0 > 0 } == true)
            #expect(drill.objectives?.rpo.first?.timeSource == "last-replicated")
        }
    }

    @Test func aPrimaryThatStillAnswers() async throws {
        try await RedisPair.with { pair, fixture in
            let half = RedisPair.Outage(cut: "mkdir $P/lost && mv -T ../backups/primary ../backups/lost")
            try await pair.expect(fixture, try pair.write(fixture, user: Self.user, outage: half), code: 2, rule: "lost-zone-reachable")
        }
    }

    /// Before anybody could ask its primary: nothing is said of what it had.
    @Test func aZoneThatIsGoneAlready() async throws {
        try await RedisPair.with { pair, fixture in
            let file = try pair.write(fixture, user: Self.user, rpo: "1h", outage: .init(declared: false))
            try await pair.cutOff(fixture)
            let (outcome, drill) = try await pair.run(fixture, file)
            try await pair.bringBack(fixture)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(drill.fact("redis.replication-lag.bytes") == nil)
            #expect(drill.unproven.contains { $0.contains("out of reach before the drill began") }, "\(drill.unproven)")
            #expect(drill.objectives?.rpo.first?.timeSource == "last-replicated")
        }
    }

    @Test(arguments: [SIGINT, SIGKILL])
    func stopped(by signal: Int32) async throws {
        try await RedisPair.with { pair, fixture in
            let waiting = "hooks: {verify: {after: {run: [sleep, \"600\"], timeout: 11m}}}\n"
            let file = try pair.write(fixture, user: Self.user, outage: .init(more: waiting))
            let output = fixture.reports.appendingPathComponent("stopped")
            let running = try fixture.start(["run", file.path, "--output", output.path], environment: RedisPair.passwords)
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"verify\"")
            #expect(!FileManager.default.fileExists(atPath: pair.socket("p")))
            running.send(signal)
            #expect(await running.outcome().code == (signal == SIGKILL ? 137 : 130))
            if signal == SIGKILL {
                let cleaned = try await fixture.run(["clean"])
                #expect(cleaned.code == 0 && cleaned.out.contains("brought zone a back"), "\(cleaned.text)")
            }
            fixture.expectNothingLeft()
            try await pair.wait("s", "master_link_status:up")
        }
    }
}
