// A failover to a clone of a real Redis replica, and every way in which it isn't one.

import Foundation
import Glibc
import Testing

@Suite struct ReplicaDrillTests {
    private static let names = [
        "a clone of the replica is promoted", "the replica itself is still a replica", "db0: as many keys as the replica had",
        "db3: as many keys as the replica had", "no replication source can replace the data", "RPO",
    ]
    /// With whose rights a replica whose link is down can be copied.
    private static let reader = ", user: reader, password: {env: K}"

    private func expectAsked(_ names: [String], _ drill: Report.Drill) {
        let asked = drill.cases.filter { $0.verdict == "passed" }.map(\.name)
        for name in names { #expect(asked.contains(name), "\(name) \(asked)") }
    }

    /// As a user that may only ask how it is and replicate.
    @Test func staysGreen() async throws {
        try await RedisPair.with { pair, fixture in
            let before = try await pair.ask("s", "INFO", "server").split(whereSeparator: \.isNewline).first { $0.hasPrefix("run_id") }
            let (outcome, drill) = try await pair.run(fixture, try pair.write(fixture))
            #expect(outcome.code == 0, "\(outcome.text)")
            expectAsked(Self.names, drill)
            for fact in ["replication-lag.bytes", "replication-lag", "failover", "clone", "clone.load", "replica.offset"] {
                #expect(drill.fact("redis.\(fact)") != nil, "\(fact)")
            }
            #expect(drill.fact("redis.clone.way") == "snapshot" && drill.fact("redis.replication-lag.bytes") == "0")
            #expect(drill.cases(of: "declared").filter { $0.verdict == "passed" }.count == 2)
            let failback = try #require(drill.cases.first { $0.name == "a fresh replica follows the promoted server" })
            // Where there may be no network of its own, it is skipped, and never anything else.
            #expect(failback.verdict == (geteuid() == 0 ? "passed" : failback.verdict) && failback.verdict != "error")
            #expect((drill.fact("redis.failback") != nil) == (failback.verdict == "passed"))
            // The replica still follows, and nobody but itself is connected to its primary.
            try await pair.ask("p", "SET", "after", "1")
            #expect(try await pair.ask("p", "WAIT", "1", "5000") == "1")
            #expect(try await pair.ask("s", "GET", "after") == "1")
            #expect(try await pair.holds("p", "connected_slaves:1"))
            #expect(try await pair.holds("s", "connected_slaves:0"))
            #expect(try await pair.ask("s", "INFO", "server").split(whereSeparator: \.isNewline).first { $0.hasPrefix("run_id") } == before)
            #expect(try await pair.ask("s", "--scan", "--pattern", "muster:*") == "")
        }
    }

    /// Every key whose time runs out while the drill waits is still in the clone; counts and digest are those of the replica.
    @Test func keysWhoseTimeHasCome() async throws {
        try await RedisPair.with { pair, fixture in
            for key in ["one", "two"] { try await pair.ask("p", "SET", "brief:\(key)", "x", "PX", "1") }
            let (outcome, drill) = try await pair.run(fixture, try pair.write(fixture))
            #expect(outcome.code == 0, "\(outcome.text)")
            expectAsked(Self.names, drill)
        }
    }

    /// What the primary has written since is in bytes; how old the rest may be is judged, although the primary lives.
    @Test func aLinkThatIsDown() async throws {
        try await RedisPair.with { pair, fixture in
            // The primary doesn't say that it has gone, however long it takes until the link is down.
            try await pair.ask("p", "DEBUG", "SET-ACTIVE-EXPIRE", "0")
            try await pair.ask("p", "SET", "gone", "x", "PX", "400")
            try await pair.breakLink()
            try await pair.ask("p", "SET", "new", String(repeating: "x", count: 1000))
            try await Task.sleep(for: .milliseconds(500))
            let late = try pair.write(fixture, user: Self.reader, rpo: "30s")
            let (missed, red) = try await pair.run(fixture, late)
            #expect(missed.code == 1, "\(missed.text)")
            #expect(red.findings.filter { $0.severity == "critical" }.map(\.rule) == ["rpo-missed"], "\(red.findings)")
            #expect(red.findings.contains { $0.rule == "replica-link-down" && $0.severity == "warning" })
            #expect(red.fact("redis.replication-lag.bytes").flatMap { Int($0) }.map { $0 > 1000 } == true)
            // Within what may be lost, the same is green: every key, and its library of functions, came over one by one.
            let checks =
                "{keys: {pattern: \"*\", at-least: 555, at-most: 555}}, {key: {name: stream, type: stream}}, {key: {name: sorted, type: zset}}"
            let (kept, green) = try await pair.run(fixture, try pair.write(fixture, user: Self.reader, rpo: "1h", checks: checks))
            #expect(kept.code == 0, "\(kept.text)")
            expectAsked(Self.names, green)
            #expect(green.fact("redis.clone.way") == "key by key" && green.fact("redis.clone.expired-keys") == "1")
            #expect(green.unproven.contains { $0.contains("only when its link went down") })
            // Without the rights that this takes, it is nobody's fault but the user's.
            try await pair.expect(fixture, try pair.write(fixture), code: 2, rule: "clone-failed")
            try await pair.mendLink()
            #expect(try await pair.ask("s", "STRLEN", "new") == "1000")
        }
    }

    /// As after the loss of a zone.
    @Test func thePrimaryIsGone() async throws {
        try await RedisPair.with { pair, fixture in
            _ = try await Program.run(
                ["redis-cli", "-s", pair.socket("p"), "SHUTDOWN", "NOSAVE"], environment: ["REDISCLI_AUTH": "p-of-pairs"])
            try await pair.wait("s", "master_link_status:down")
            try await pair.ask("s", "CONFIG", "SET", "repl-timeout", "2")
            // Only who may ask for repl-timeout knows that it is shorter than usual.
            let (outcome, drill) = try await pair.run(fixture, try pair.write(fixture, user: ", password: {env: S}", rpo: "59s"))
            #expect(outcome.code == 0, "\(outcome.text)")
            expectAsked(Self.names, drill)
            #expect(drill.fact("redis.replication-lag.bytes") == nil && drill.fact("redis.replica.link") == "down")
            #expect(drill.unproven.contains { $0.contains("the primary could not be asked") })
            let (missed, _) = try await pair.run(fixture, try pair.write(fixture, user: Self.reader, rpo: "59s"))
            #expect(missed.code == 1)
        }
    }

    @Test func notAReplica() async throws {
        try await RedisPair.with { pair, fixture in
            try await pair.expect(
                fixture, try pair.write(fixture, replica: pair.socket("p")), code: 2, rule: "not-a-replica")
            try await pair.expect(
                fixture, try pair.write(fixture, replica: "/tmp/muster-no-such-replica.sock"), code: 2, rule: "replica-unreachable")
            try await pair.expect(
                fixture, try pair.write(fixture, user: ", user: keeper, password: {env: S}"), code: 2, rule: "replica-unreachable")
            // May ask, and not replicate.
            try await pair.expect(
                fixture, try pair.write(fixture, user: ", user: looker, password: {env: K}"), code: 2, rule: "clone-failed")
            // Of another primary than the estate's source.
            try await pair.expect(fixture, try pair.write(fixture, source: "o"), code: 1, rule: "replica-of-another")
            // Keys that a promoted server must have and this one has not.
            let absent = "{keys: {pattern: \"session:*\", at-least: 501}}"
            let (outcome, _) = try await pair.run(fixture, try pair.write(fixture, checks: absent))
            #expect(outcome.code == 1)
        }
    }

    /// Key by key, for longer than the test.
    @Test func aReplicaThatIsBeingFilled() async throws {
        try await RedisPair.with { pair, fixture in
            try await pair.ask("p", "CONFIG", "SET", "rdb-key-save-delay", "200000")
            try await pair.ask("s", "REPLICAOF", "NO", "ONE")
            try await pair.ask("s", "SET", "own", "x")
            let port = try await pair.ask("p", "CONFIG", "GET", "port").split(separator: "\n").last.map(String.init) ?? ""
            try await pair.ask("s", "REPLICAOF", "127.0.0.1", port)
            try await pair.wait("s", "master_sync_in_progress:1")
            try await pair.expect(fixture, try pair.write(fixture), code: 1, rule: "replica-syncing")
        }
    }

    /// Somebody promotes the replica while the drill runs.
    @Test func promotedMeanwhile() async throws {
        try await RedisPair.with { pair, fixture in
            let file = try pair.write(fixture)
            let command = fixture.lab.appendingPathComponent("promote.sh")
            let text = "#!/bin/sh\nREDISCLI_AUTH=s-of-pairs exec redis-cli -s \(pair.socket("s")) REPLICAOF NO ONE\n"
            try Data(text.utf8).write(to: command)
            try fixture.edit(file, "recover:", "hooks: {restore: {before: {run: [sh, \(command.path)]}}}\nrecover:")
            try await pair.expect(fixture, file, code: 1, rule: "replica-changed")
        }
    }

    /// While it waits for the snapshot, and when it has been verified.
    @Test(arguments: [("retrieve", true), ("retrieve", false), ("verify", true), ("verify", false)])
    func stopped(step: String, isKilled: Bool) async throws {
        try await RedisPair.with { pair, fixture in
            // So long the replica waits for others that want the same snapshot.
            if step == "retrieve" { try await pair.ask("s", "CONFIG", "SET", "repl-diskless-sync-delay", "3600") }
            let file = try pair.write(fixture)
            if step == "verify" {
                try fixture.edit(file, "recover:", "hooks: {verify: {after: {run: [sleep, \"600\"], timeout: 11m}}}\nrecover:")
            }
            let output = fixture.reports.appendingPathComponent("stopped")
            let running = try fixture.start(["run", file.path, "--output", output.path], environment: RedisPair.passwords)
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"\(step)\"")
            try await Task.sleep(for: .milliseconds(700))
            running.send(isKilled ? SIGKILL : SIGINT)
            #expect(await running.outcome().code == (isKilled ? 137 : 130))
            if isKilled {
                let cleaned = try await fixture.run(["clean"])
                #expect(cleaned.code == 0 && cleaned.out.contains("removed"), "\(cleaned.text)")
            }
            fixture.expectNothingLeft()
            #expect(try await pair.holds("s", "master_link_status:up"))
            // What waited for the snapshot has gone from the replica too.
            try await pair.wait("s", "connected_slaves:0")
        }
    }
}
