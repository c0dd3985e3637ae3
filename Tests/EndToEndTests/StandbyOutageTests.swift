// A lost data center whose Postgres fails over to its standby: the lab's own drill, every way in which the zone isn't lost, and every way to stop it.

import Foundation
import Glibc
import Testing

struct LabFailoverTests {
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/git")))
    func theLabsDrill() async throws {
        try await Fixture.with { fixture in
            try fixture.useBothStores()
            try fixture.useLiveServers()
            try await LiveSource.shared.with { sockets in
                let file = fixture.lab.appendingPathComponent("live/standby-failover.yaml")
                let (outcome, report) = try await fixture.drill(file)
                #expect(outcome.code == 0, "\(outcome.text)")
                let drill = try #require(report.drills.first)
                #expect(drill.steps.allSatisfy { $0.verdict == "passed" && !$0.activities.isEmpty })
                let asked = drill.cases.filter { $0.verdict == "passed" }.map(\.name)
                for name in [
                    "outage: cut ksdc off", "the lost zone can't be reached: primary",
                    "the lost zone can't be reached: the primary of postgres",
                    "key backup can be had without the zone", "a clone of the standby is promoted", "the standby itself is still a standby",
                    "the lost zone can't be reached: the primary of redis", "a clone of the replica is promoted",
                    "a fresh replica follows the promoted server", "the lost zone stayed out of reach: the primary of redis",
                    "is well", "a fresh standby follows the promoted server", "the lost zone stayed out of reach: the primary of postgres",
                ] { #expect(asked.contains(name), "\(name)") }
                for fact in ["replication-lag.bytes", "replication-lag", "failover", "failback", "clone"] {
                    for service in ["postgres", "redis"] { #expect(drill.fact("\(service).\(fact)") != nil, "\(service).\(fact)") }
                }
                #expect(drill.fact("postgres.lost-transactions") == "none" && drill.fact("redis.replication-lag.bytes") == "0")
                #expect(drill.fact("lost-servers") == "the primary of postgres, the primary of redis")
                for service in ["postgres", "redis"] {
                    #expect(drill.objectives?.rpo.first { $0.service == service }?.timeSource == "primary-position")
                }
                #expect(!drill.findings.contains { ["standby-not-streaming", "replica-link-down"].contains($0.rule) })
                let dry = try await fixture.run(["run", file.path, "--dry-run"])
                #expect(
                    dry.code == 0 && dry.out.contains("zone ksdc: primary, the primary of postgres, the primary of redis, cut off by sh"),
                    "\(dry.text)")
                // The zone is back, and the standby finds it.
                #expect(FileManager.default.fileExists(atPath: fixture.store.path))
                #expect(Set(try FileManager.default.contentsOfDirectory(atPath: sockets)).isSuperset(of: ["redis.sock", ".s.PGSQL.5432"]))
                #expect(!FileManager.default.fileExists(atPath: sockets + "/lost"))
                let deadline = ContinuousClock.now + .seconds(180)
                var streams = ""
                while streams != "1", ContinuousClock.now < deadline {
                    streams = try await Program.require([
                        "psql", "-qXAth", sockets, "-U", "postgres", "postgres", "-c", "SELECT count(*) FROM pg_stat_replication",
                    ]).out.trimmingCharacters(in: .whitespacesAndNewlines)
                }
                #expect(streams == "1")
                let password = try String(contentsOf: fixture.lab.appendingPathComponent("keys/redis.password"), encoding: .utf8)
                let loop =
                    "for i in $(seq 400); do redis-cli -s $0/dr/redis.sock INFO | grep -q master_link_status:up && exit; sleep 0.05; done; exit 1"
                try await Program.require(
                    ["sh", "-c", loop, sockets], environment: ["REDISCLI_AUTH": password.trimmingCharacters(in: .newlines)])
            }
        }
    }
}

/// One after another, on one pair.
@Suite(.serialized)
struct StandbyOutageTests {
    private actor Shared {
        static let shared = Shared()
        private var pair: StandbyPair?

        /// Ends with the process: its standard input does.
        func started() throws -> StandbyPair {
            if let pair { return pair }
            let made = try StandbyPair.start()
            pair = made
            return made
        }
    }

    /// Gives a body the pair with a fixture of its own; afterwards the standby follows as before, and nobody else is connected.
    private func with(_ body: @Sendable (StandbyPair, Fixture) async throws -> Void) async throws {
        let pair = try await Shared.shared.started()
        try await pair.ask(pair.primary, "DELETE FROM b; INSERT INTO b VALUES (1)")
        try await follows(pair)
        try await pair.withFixture { try await body(pair, $0) }
        try await follows(pair)
    }

    private func follows(_ pair: StandbyPair) async throws {
        let position = try await pair.ask(pair.primary, "INSERT INTO b VALUES (9); SELECT pg_current_wal_lsn()")
        let deadline = ContinuousClock.now + .seconds(180)
        var isThere = ""
        while isThere != "t", ContinuousClock.now < deadline {
            isThere = try await pair.ask(
                pair.standby,
                "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= '\(position)' AND NOT EXISTS"
                    + " (SELECT FROM pg_stat_replication) AND EXISTS (SELECT FROM pg_stat_wal_receiver)")
        }
        #expect(isThere == "t", "the standby follows, and lends nobody a connection")
        #expect(try await pair.ask(pair.primary, "SELECT count(*) FROM pg_stat_replication") == "1")
    }

    @Test func staysGreen() async throws {
        try await with { pair, fixture in
            let file = try pair.write(fixture, more: ", user: keeper, password: {env: KEEPER}", outage: .init())
            let (outcome, report) = try await fixture.drill(file, environment: ["KEEPER": "k33per-of-standbys"])
            let drill = try #require(report.drills.first)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(drill.fact("postgres.lost-transactions") == "none")
            let asked = drill.cases.filter { $0.verdict == "passed" }.map(\.name)
            #expect(asked.contains("the password of postgres's standby can be had without the zone") && asked.contains("RPO"), "\(asked)")
            #expect(!outcome.text.contains("k33per-of-standbys"))
        }
    }

    // MARK: A zone that isn't lost

    @Test func aPrimaryThatStillAnswers() async throws {
        try await with { pair, fixture in
            let half = StandbyPair.Outage(
                cut: "mkdir $P/lost && mv -T ../backups/primary ../backups/lost")
            let drill = try await fixture.expect(try pair.write(fixture, outage: half), code: 2, rule: ["lost-zone-reachable"])
            #expect(drill.findings.contains { $0.rule == "lost-zone-reachable" && $0.object == "the primary of postgres" })
            #expect(drill.steps.allSatisfy { $0.verdict == "skipped" } && drill.recoveryPoints.isEmpty)
            // A server that lets nobody in is there, too.
            let refused = try pair.write(fixture, outage: .init(declared: false))
            try FileManager.default.moveItem(at: fixture.store, to: fixture.lab.appendingPathComponent("elsewhere"))
            try fixture.edit(fixture.lab.appendingPathComponent("shop.yaml"), "database: shop, zone: a", "user: nobody-at-all, zone: a")
            try await fixture.expect(refused, code: 2, rule: ["lost-zone-reachable"])
        }
    }

    @Test func aPrimaryThatComesBack() async throws {
        try await with { pair, fixture in
            let returning = "hooks: {verify: {before: {run: [ln, -s, \(pair.primary)/lost/.s.PGSQL.5432, \(pair.primary)/]}}}"
            let drill = try await fixture.expect(
                try pair.write(fixture, outage: .init(more: returning)), code: 2, rule: ["lost-zone-came-back"])
            #expect(drill.findings.contains { $0.object == "the primary of postgres" })
        }
    }

    @Test func aZoneThatIsGoneAlready() async throws {
        try await with { pair, fixture in
            let file = try pair.write(fixture, rpo: "1h", outage: .init(declared: false))
            try await pair.cutOff(fixture)
            let (outcome, report) = try await fixture.drill(file)
            try await pair.bringBack(fixture)
            let drill = try #require(report.drills.first)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(drill.fact("postgres.lost-transactions") == nil && drill.fact("postgres.replication-lag") == nil)
            #expect(drill.unproven.contains { $0.contains("out of reach before the drill began") }, "\(drill.unproven)")
        }
    }

    // MARK: What is lost

    @Test func aStandbyThatLags() async throws {
        try await with { pair, fixture in
            try await pair.ask(pair.standby, "SELECT pg_wal_replay_pause()")
            try await Task.sleep(for: .milliseconds(500))
            for _ in 0..<2 { try await pair.ask(pair.primary, "INSERT INTO b VALUES (3)") }
            try await Task.sleep(for: .seconds(2))
            let drill = try await fixture.expect(try pair.write(fixture, rpo: "2s", outage: .init()), code: 1, rule: ["rpo-missed"])
            try await pair.ask(pair.standby, "SELECT pg_wal_replay_resume()")
            #expect(drill.fact("postgres.lost-transactions") == "at most 2")
            #expect(drill.fact("postgres.replication-lag.bytes").flatMap { Int($0) }.map { $0 > 0 } == true)
            #expect(
                drill.cases.contains { $0.name == "the lost zone stayed out of reach: the primary of postgres" && $0.verdict == "passed" })
        }
    }

    /// Behind a command, which no reading of the files shows.
    @Test func aPasswordThatIsLostWithTheZone() async throws {
        try await with { pair, fixture in
            try Data("k33per-of-standbys\n".utf8).write(to: fixture.store.appendingPathComponent("secret"))
            let file = try pair.write(
                fixture, more: ", user: keeper, password: {command: [cat, \(fixture.store.path)/secret]}", outage: .init())
            let drill = try await fixture.expect(file, code: 1, rule: ["key-lost-with-zone"])
            #expect(drill.findings.contains { $0.object == "the password of postgres's standby" })
            #expect(drill.steps.allSatisfy { $0.verdict == "skipped" })
        }
    }

    // MARK: Stopped

    enum Moment: String, CaseIterable, Sendable {
        case identify, retrieve, restore, verify, failback
    }

    @Test(arguments: Moment.allCases, [SIGINT, SIGKILL])
    func stopped(at moment: Moment, by signal: Int32) async throws {
        try await with { pair, fixture in
            let output = fixture.reports.appendingPathComponent("stopped")
            // Whatever is waited for lasts until the signal comes, on the slowest machine too.
            let sleep = ", {sql: {name: slow, query: select pg_sleep(600), expect: is not null}}"
            let slow = moment == .restore || moment == .verify ? sleep : ""
            let clone = moment == .retrieve ? "p/data" : moment == .failback ? "b/data" : nil
            var environment: [String: String] = [:]
            if let clone { environment["MUSTER_PG_BIN"] = try await pair.slowBinaries(fixture, into: clone) }
            let file = try pair.write(fixture, rpo: "1h", outage: .init(), checks: slow)
            if moment == .identify {
                // What was received and is not replayed is waited for.
                try await pair.ask(pair.standby, "SELECT pg_wal_replay_pause()")
                try await pair.ask(pair.primary, "INSERT INTO b VALUES (3)")
            }
            let running = try fixture.start(["run", file.path, "--output", output.path], environment: environment)
            try await reach(moment, fixture, output)
            running.send(signal)
            let outcome = await running.outcome()
            if moment == .identify { try await pair.ask(pair.standby, "SELECT pg_wal_replay_resume()") }
            if signal == SIGINT {
                #expect(outcome.code == 130, "\(outcome.text)")
                let report = try Fixture.runFolder(in: output).report()
                #expect(report.run.interrupted && report.drills.first?.verdict == "error")
            } else {
                #expect(outcome.code == 137, "\(outcome.text)")
                #expect(!FileManager.default.fileExists(atPath: fixture.store.path))
                let cleaned = try await fixture.run(["clean"])
                #expect(
                    cleaned.code == 0 && cleaned.out.contains("removed ") && cleaned.out.contains("brought zone a back"), "\(cleaned.text)")
            }
            fixture.expectNothingLeft()
            #expect(FileManager.default.fileExists(atPath: fixture.store.path))
            #expect(FileManager.default.fileExists(atPath: pair.primary + "/.s.PGSQL.5432"))
        }
    }

    /// In the middle of a step: where a tool does its work, it is the tool that is waited for.
    private func reach(_ moment: Moment, _ fixture: Fixture, _ output: URL) async throws {
        switch moment {
        case .identify, .verify:
            try await fixture.wait(in: output, for: "\"step-started\"", "\"step\":\"\(moment.rawValue)\"")
            try await Task.sleep(for: .milliseconds(200))
        case .retrieve: try await waitForProcess("pg_basebackup", in: fixture.scratch.path, "p/data")
        case .restore: try await waitForProcess("postgres", in: fixture.scratch.path, "p/data")
        case .failback: try await waitForProcess("pg_basebackup", in: fixture.scratch.path, "b/data")
        }
    }

    private func waitForProcess(_ name: String, in folder: String, _ part: String) async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        while ContinuousClock.now < deadline {
            if ProcessList.mentioning(folder).contains(where: { $0.name == name && $0.arguments.contains(part) }) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("no \(name) ever worked on \(part)")
    }
}
