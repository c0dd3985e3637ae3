// A primary and its streaming standby that a test starts for itself, with the estates and drills that fail over between them.

import Foundation
import TestPrograms
import Testing

/// A primary and its standby. They are the test's own, and live outside of what muster may leave behind.
struct StandbyPair: Sendable {
    let folder: URL
    /// Alive as long as the pair.
    private let server: LoopbackServer
    var primary: String { folder.appendingPathComponent("p").path }
    var standby: String { folder.appendingPathComponent("s").path }

    /// - Parameter binaries: The bin folder of their PostgreSQL; nil: of the oldest that is installed.
    static func start(_ binaries: String? = nil) throws -> StandbyPair {
        let folder = URL(fileURLWithPath: "/tmp/mpair-\(UUID().uuidString.prefix(8))")
        let words = ["sh", LoopbackServer.support("standby-pair.sh"), folder.path] + (binaries.map { [$0] } ?? [])
        let server = try #require(LoopbackServer(words), "the pair comes up")
        #expect(server.line == "ready")
        return StandbyPair(folder: folder, server: server)
    }

    static func with(_ binaries: String? = nil, _ body: @Sendable (StandbyPair) async throws -> Void) async throws {
        let pair = try start(binaries)
        defer { pair.server.end() }
        try await body(pair)
    }

    /// A fixture without the lab: nothing of it is needed here.
    func withFixture(_ body: @Sendable (Fixture) async throws -> Void) async throws {
        let fixture = Fixture(folder: folder.appendingPathComponent("fixture-\(UUID().uuidString.prefix(4))"))
        defer { try? FileManager.default.removeItem(at: fixture.folder) }
        for folder in [fixture.drills, fixture.store, fixture.scratch, fixture.reports] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try await body(fixture)
        fixture.expectNothingLeft()
    }

    @discardableResult
    func ask(_ host: String, _ sql: String, database: String = "shop") async throws -> String {
        try await Program.require(["psql", "-qXAth", host, "-U", "postgres", database, "-c", sql])
            .out.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Asks until the answer is that one.
    func wait(for answer: String, of host: String, _ sql: String) async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        while ContinuousClock.now < deadline {
            if try await ask(host, sql) == answer { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("\(sql) did not come to \(answer)")
    }

    /// Waits until the standby has replayed all that the primary has written.
    func catchUp() async throws {
        let end = try await ask(primary, "SELECT pg_current_wal_lsn()")
        try await wait(for: "t", of: standby, "SELECT pg_last_wal_replay_lsn() >= '\(end)'")
    }

    /// A bin folder whose pg_basebackup takes minutes where it writes into a folder of that name, for MUSTER_PG_BIN.
    func slowBinaries(_ fixture: Fixture, into part: String) async throws -> String {
        try await binaries(
            fixture, "pg_basebackup",
            """
            case "$*" in *\(part)*) exec $REAL --max-rate=64k "$@";; esac
            exec $REAL "$@"
            """)
    }

    /// A bin folder of the pair's own PostgreSQL in which a script stands for one program, for MUSTER_PG_BIN; `$REAL` is that program.
    func binaries(_ fixture: Fixture, _ program: String, _ script: String) async throws -> String {
        let real = try await ask(primary, "SELECT setting FROM pg_config() WHERE name = 'BINDIR'")
        let major = try await ask(primary, "SELECT current_setting('server_version_num')::int / 10000")
        let folder = fixture.folder.appendingPathComponent("bin-\(UUID().uuidString.prefix(4))/\(major)/bin")
        let files = FileManager.default
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: real) where name != program {
            try files.createSymbolicLink(atPath: folder.appendingPathComponent(name).path, withDestinationPath: "\(real)/\(name)")
        }
        try writeProgram("#!/bin/sh\nREAL=\(real)/\(program)\n\(script)\n", to: folder.appendingPathComponent(program))
        return folder.path
    }

    /// The primary's socket and the fixture's only store lie in zone a.
    struct Outage {
        var cut = StandbyPair.cut
        var declared = true
        var more = ""
    }

    /// Moves the socket, without which nobody gets in, and the store.
    static let cut = "mkdir $P/lost && mv $P/.s.PGSQL.5432 $P/lost && mv -T ../backups/primary ../backups/lost"
    private static let restore = """
        mv $P/lost/.s.PGSQL.5432 $P; rmdir $P/lost; if [ -e ../backups/lost ]; then mv -T ../backups/lost ../backups/primary; fi
        """

    private func script(_ text: String) -> String { text.replacingOccurrences(of: "$P", with: primary) }

    /// What a person does after a kill -9.
    func bringBack(_ fixture: Fixture) async throws {
        _ = try await Program.start(["sh", "-c", script(Self.restore)], folder: fixture.drills).outcome()
    }

    /// Before a drill that has no commands.
    func cutOff(_ fixture: Fixture) async throws {
        #expect(await (try Program.start(["sh", "-c", script(Self.cut)], folder: fixture.drills)).outcome().code == 0)
    }

    private func lines(_ outage: Outage?) -> String {
        guard let outage else { return "scenario: database-corruption" }
        let commands = """
            outage:
              cut: {run: [sh, -c, '\(script(outage.cut))'], timeout: 30s}
              restore: {run: [sh, -c, '\(script(Self.restore))'], timeout: 30s}
            """
        return "scenario: data-center-outage\nlost-zone: a\n" + (outage.declared ? commands : "") + "\n" + outage.more
    }

    func write(
        _ fixture: Fixture, source: String? = nil, standby: String? = nil, more: String = "", rpo: String = "5s", outage: Outage? = nil,
        checks: String = ""
    ) throws -> URL {
        let file = fixture.drills.appendingPathComponent("standby.yaml")
        let estate = """
            version: 1
            estate: shop
            stores: {one: {type: file, path: backups/primary, zone: a}}
            services:
              postgres:
                engine: postgres
                source: {host: \(source ?? primary), database: shop, zone: a}
                standby: {host: \(standby ?? self.standby), zone: b\(more)}
                backups:
                  daily: {kind: pg_dump, store: one, match: "*.dump", encryption: none}

            """
        let drill = """
            version: 1
            drill: failover
            estate: ../shop.yaml
            \(lines(outage))
            profile: \(outage == nil ? "production" : "fast")
            targets: {rto: 1h, rpo: \(rpo)}
            recover: {postgres: {from: standby}}
            checks: {postgres: [{rows: {table: public.a, exactly: 1000}}, {rows: {table: public.b, at-least: 1}}\(checks)]}

            """
        try Data(estate.utf8).write(to: fixture.lab.appendingPathComponent("shop.yaml"))
        try Data(drill.utf8).write(to: file)
        return file
    }
}
