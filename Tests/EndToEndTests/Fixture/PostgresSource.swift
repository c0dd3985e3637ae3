// A PostgreSQL of a chosen version that a test backs up, seals and drills with the built program.

import Foundation
import ServerVersions
import Testing

/// The versions that scripts/setup-tests brings, beside the system's own.
enum PostgresVersion: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case v14 = "14"
    case system = "15"
    case v15_20 = "15.20"
    /// With an extension that has to be preloaded.
    case v15_20cron = "15.20-cron"
    case v16 = "16"
    case v17 = "17"
    case v17_12 = "17.12"
    case v18 = "18"
    case v19 = "19"

    var testDescription: String { "PostgreSQL \(rawValue)" }

    var bin: String? {
        if self == .system { return access("/usr/lib/postgresql/15/bin/postgres", X_OK) == 0 ? "/usr/lib/postgresql/15/bin" : nil }
        return installation?.bin
    }

    private var installation: Installation? {
        switch self {
        case .v14: .postgres14
        case .system: nil
        case .v15_20: .postgres15Newest
        case .v15_20cron: .postgres15Cron
        case .v16: .postgres16
        case .v17: .postgres17
        case .v17_12: .postgres17Newest
        case .v18: .postgres18
        case .v19: .postgres19
        }
    }

    var major: String { String(rawValue.prefix { $0 != "." }) }

    /// Whether CI must have it: 19 comes from a suite that may lose it any day.
    var isPromised: Bool { self != .v19 }

    /// Those that the tests go through: in CI all that must be there, elsewhere what is.
    static var tried: [PostgresVersion] { allCases.filter { $0 != .v15_20cron && ($0.bin != nil || Program.inCI && $0.isPromised) } }

    static func areHere(_ versions: PostgresVersion...) -> Bool {
        versions.allSatisfy { $0.bin != nil || Program.inCI && $0.isPromised }
    }
}

/// A running server with a database `shop`, and a fixture whose estate names it.
struct PostgresSource: Sendable {
    let folder: URL
    let bin: String
    let fixture: Fixture
    var host: String { folder.appendingPathComponent("p").path }

    static func with(
        _ version: PostgresVersion, settings: [String] = [], more: String = "", _ body: @Sendable (PostgresSource) async throws -> Void
    ) async throws {
        let bin = try #require(version.bin, "PostgreSQL \(version.rawValue) is here: scripts/setup-tests brings it")
        try await ConcurrencyLimit.shared.pass { try await open(bin, settings, more, body) }
    }

    private static func open(
        _ bin: String, _ settings: [String], _ more: String, _ body: @Sendable (PostgresSource) async throws -> Void
    ) async throws {
        let folder = URL(fileURLWithPath: "/tmp/msource-\(UUID().uuidString.prefix(8))")
        let server = try #require(
            LoopbackServer(["sh", LoopbackServer.support("postgres-source.sh"), bin, folder.path] + settings), "the server comes up")
        defer { server.end() }
        let fixture = try Fixture.bare(in: folder.appendingPathComponent("fixture"))
        defer { try? FileManager.default.removeItem(at: fixture.folder) }
        let source = PostgresSource(folder: folder, bin: bin, fixture: fixture)
        try await source.sql("CREATE DATABASE shop", database: "postgres")
        try await source.writeEstate(more: more)
        try await body(source)
        fixture.expectNothingLeft()
    }

    private func writeEstate(more: String) async throws {
        try await fixture.makeSealingKey()
        let estate = """
            version: 1
            estate: shop
            timezone: UTC
            stores: {one: {type: file, path: backups/primary}}
            seals: {sign-with: {file: seal.key}, trust: [seal.pub]}
            services:
              postgres:
                engine: postgres
                source: {host: \(host), database: shop, user: postgres}
            \(more)
                backups:
                  daily: {kind: pg_dump, store: one, match: "*.dump", encryption: none}
                  script: {kind: pg_dump, store: one, match: "*.sql", encryption: none}
                  folder: {kind: pg_dump, store: one, match: "*.dir", encryption: none}
                  base: {kind: base_backup, store: one, match: "base/*", encryption: none, wal: {match: "wal/*", encryption: none}}

            """
        try Data(estate.utf8).write(to: fixture.estate)
    }

    @discardableResult
    func sql(_ text: String, database: String = "shop") async throws -> String {
        try await Program.require(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", "postgres", database, "-c", text])
            .out.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Asks until the answer is that one.
    func wait(for answer: String, _ text: String) async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        while ContinuousClock.now < deadline {
            if try await sql(text) == answer { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("\(text) did not come to \(answer)")
    }

    /// Dumps by any program into the store, as a backup job would.
    func dump(_ program: String, _ words: [String], to name: String) async throws {
        let target = fixture.store.appendingPathComponent(name).path
        try await Program.require([program, "-h", host, "-U", "postgres", "-d", "shop", "-f", target] + words)
    }

    func seal(_ more: [String] = [], bins: [String] = []) async throws -> Outcome {
        try await fixture.run(
            ["seal", fixture.estate.path, "--service", "postgres", "--backup", "daily"] + more, environment: Self.environment(bins))
    }

    func requireSeal(bins: [String] = [], location: SourceLocation = #_sourceLocation) async throws {
        let sealed = try await seal(bins: bins)
        try #require(sealed.code == 0, "\(sealed.text)", sourceLocation: location)
    }

    /// Drills the newest of a backup set, with a question that each of them can answer.
    func drill(
        _ backup: String = "daily", checks: String = "", bins: [String], more: [String] = []
    ) async throws -> (Outcome, Report.Drill) {
        let asked = checks.isEmpty ? "" : "checks: {postgres: [\(checks)]}"
        let file = try fixture.drillFile("postgres", from: backup, more: asked)
        let (outcome, report) = try await fixture.drill(file, more, environment: Self.environment(bins))
        return (outcome, try #require(report.drills.first, "\(outcome.text)"))
    }

    /// A drill that must pass, with what was noticed.
    @discardableResult
    func expectGreen(
        _ backup: String = "daily", checks: String = "", bins: [String], noticed rules: [String] = [],
        location: SourceLocation = #_sourceLocation
    ) async throws -> Report.Drill {
        let (outcome, drill) = try await self.drill(backup, checks: checks, bins: bins)
        #expect(outcome.code == 0, "\(outcome.text)", sourceLocation: location)
        for rule in rules {
            #expect(drill.findings.contains { $0.rule == rule }, "\(rule) in \(drill.findings)", sourceLocation: location)
        }
        return drill
    }

    /// A drill on a machine that has that one version alone. Needs root, to hide the system's own.
    func restored(by version: PostgresVersion) async throws -> Report.Drill {
        let output = fixture.reports.appendingPathComponent("o\(UUID().uuidString.prefix(8))", isDirectory: true)
        let words = [Program.muster, "run", try fixture.drillFile("postgres", from: "daily").path, "--output", output.path]
        let hidden = ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /usr/lib/postgresql && exec \"$@\"", "sh"]
        let outcome = try await Program.start(
            version == .system ? words : hidden + words,
            environment: Self.environment([try #require(version.bin)]).merging(["MUSTER_SCRATCH_ROOT": fixture.scratch.path]) { $1 },
            folder: fixture.folder
        ).outcome()
        return try #require(try Fixture.runFolder(in: output, outcome).report().drills.first, "\(outcome.text)")
    }

    static func environment(_ bins: [String]) -> [String: String] {
        bins.isEmpty ? [:] : ["MUSTER_PG_BIN": bins.joined(separator: ":")]
    }
}
