// A Redis and its replica that a test starts for itself, with the estates and drills that fail over between them.

import Foundation
import Testing

/// A Redis, its replica and a stranger. They are the test's own, and live outside of what muster may leave behind.
struct RedisPair: Sendable {
    let folder: URL

    /// - Parameter name: `p` is the primary, `s` its replica, `o` another Redis.
    func socket(_ name: String) -> String { folder.appendingPathComponent("\(name)/redis.sock").path }

    static let passwords = ["P": "p-of-pairs", "S": "s-of-pairs", "O": "o-of-pairs", "K": "k33per-of-pairs"]

    static func with(_ body: @Sendable (RedisPair, Fixture) async throws -> Void) async throws {
        let pair = RedisPair(folder: URL(fileURLWithPath: "/tmp/mredis-\(UUID().uuidString.prefix(8))"))
        let server = try #require(LoopbackServer(["sh", LoopbackServer.support("replica-pair.sh"), pair.folder.path]), "the pair comes up")
        #expect(server.line == "ready")
        defer { server.end() }
        // A fixture without the lab: nothing of it is needed here.
        let fixture = Fixture(folder: pair.folder.appendingPathComponent("fixture"))
        for folder in [fixture.drills, fixture.store, fixture.scratch, fixture.reports] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try await body(pair, fixture)
        fixture.expectNothingLeft()
        // No password stands in anything that muster wrote.
        for password in Self.passwords.values {
            let leak = try await Program.run(["grep", "-rlF", password, fixture.reports.path, fixture.scratch.path])
            #expect(leak.code == 1, "\(leak.out)")
        }
    }

    @discardableResult
    func ask(_ name: String, _ words: String...) async throws -> String {
        let password = try #require(Self.passwords[name.uppercased()])
        return try await Program.require(["redis-cli", "-s", socket(name)] + words, environment: ["REDISCLI_AUTH": password])
            .out.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func holds(_ name: String, _ field: String) async throws -> Bool { try await ask(name, "INFO", "replication").contains(field) }

    /// In one program: each that a test starts costs this process some descriptors for good.
    func wait(_ name: String, _ field: String) async throws {
        let loop = "for i in $(seq 400); do redis-cli -s \"$0\" INFO replication | grep -q \"^$1\" && exit; sleep 0.05; done; exit 1"
        let password = try #require(Self.passwords[name.uppercased()])
        try await Program.require(["sh", "-c", loop, socket(name), field], environment: ["REDISCLI_AUTH": password])
    }

    /// The replica follows no longer, though its primary lives.
    func breakLink() async throws {
        try await ask("s", "CONFIG", "SET", "masterauth", "wrong")
        try await ask("s", "CLIENT", "KILL", "TYPE", "master")
        try await wait("s", "master_link_status:down")
    }

    func mendLink() async throws {
        try await ask("s", "CONFIG", "SET", "masterauth", "p-of-pairs")
        try await wait("s", "master_link_status:up")
    }

    /// The primary's socket and the fixture's only store lie in zone a.
    struct Outage {
        var cut = RedisPair.cut
        var declared = true
        var more = ""
    }

    /// Moves the socket, without which Muster doesn't get in, and the store, and sends the replica away from a port that is closed.
    static let cut = """
        mkdir $P/lost && mv -T ../backups/primary ../backups/lost && mv $P/redis.sock $P/lost && export REDISCLI_AUTH=$(cat $P/auth) && \
        redis-cli -s $P/lost/redis.sock CONFIG GET port | tail -1 > $P/lost/port && redis-cli -s $P/lost/redis.sock CONFIG SET port 0 && \
        redis-cli -s $P/lost/redis.sock CLIENT KILL TYPE replica
        """
    private static let restore = """
        export REDISCLI_AUTH=$(cat $P/auth); \
        if [ -s $P/lost/port ]; then redis-cli -s $P/lost/redis.sock CONFIG SET port $(cat $P/lost/port); rm $P/lost/port; fi; \
        mv $P/lost/redis.sock $P; rmdir $P/lost; if [ -e ../backups/lost ]; then mv -T ../backups/lost ../backups/primary; fi
        """

    private func script(_ text: String) -> String {
        text.replacingOccurrences(of: "$P", with: folder.appendingPathComponent("p").path)
    }

    /// Outside of a drill.
    func cutOff(_ fixture: Fixture) async throws { try await run(Self.cut, fixture) }
    func bringBack(_ fixture: Fixture) async throws { try await run(Self.restore, fixture) }

    private func run(_ text: String, _ fixture: Fixture) async throws {
        let outcome = try await Program.start(["sh", "-c", script(text)], folder: fixture.drills).outcome()
        #expect(outcome.code == 0, "\(outcome.text)")
    }

    private func lines(_ outage: Outage?) -> String {
        guard let outage else { return "scenario: database-corruption" }
        let commands = """
            outage:
              cut: {run: [sh, -c, '\(script(outage.cut))'], timeout: 30s}
              restore: {run: [sh, -c, '\(script(Self.restore))'], timeout: 30s}
            """
        return "scenario: data-center-outage\nlost-zone: a\nprofile: fast\n" + (outage.declared ? commands : "") + "\n" + outage.more
    }

    func write(
        _ fixture: Fixture, source: String? = "p", replica: String? = nil, user: String = ", user: keeper, password: {env: K}",
        rpo: String = "10s", outage: Outage? = nil,
        checks: String = "{keys: {pattern: \"session:*\", at-least: 500, at-most: 500}}, {key: {name: other, database: 3, type: string}}"
    ) throws -> URL {
        let file = fixture.drills.appendingPathComponent("replica.yaml")
        let source = source.map { "source: {host: \(socket($0)), password: {env: \($0.uppercased())}, zone: a}" } ?? "rpo-worst-case: 1h"
        let estate = """
            version: 1
            estate: shop
            stores: {one: {type: file, path: backups/primary, zone: a}}
            services:
              redis:
                engine: redis
                \(source)
                replica: {host: \(replica ?? socket("s"))\(user), zone: b}
                backups:
                  rdb: {kind: rdb, store: one, match: "*.rdb", encryption: none}

            """
        let drill = """
            version: 1
            drill: failover
            estate: ../shop.yaml
            \(lines(outage))
            targets: {rto: 1h, rpo: \(rpo)}
            recover: {redis: {from: replica}}
            checks: {redis: [\(checks)]}

            """
        try Data(estate.utf8).write(to: fixture.lab.appendingPathComponent("shop.yaml"))
        try Data(drill.utf8).write(to: file)
        return file
    }

    func run(_ fixture: Fixture, _ file: URL) async throws -> (Outcome, Report.Drill) {
        let (outcome, report) = try await fixture.drill(file, environment: Self.passwords)
        for password in Self.passwords.values { #expect(!outcome.text.contains(password)) }
        return (outcome, try #require(report.drills.first))
    }

    func expect(_ fixture: Fixture, _ file: URL, code: Int32, rule: String, location: SourceLocation = #_sourceLocation) async throws {
        try await fixture.expect(file, code: code, rule: [rule], environment: Self.passwords, location: location)
    }
}
