// A Redis or Valkey of a chosen version that a test backs up, seals and drills with the built program.

import Foundation
import ServerVersions
import Testing

/// The servers that scripts/setup-tests brings, beside the system's own.
enum RedisVersion: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case redis62 = "redis-6.2"
    case system = "redis-7.0"
    case redis74 = "redis-7.4"
    case redis82 = "redis-8.2"
    case valkey91 = "valkey-9.1"

    var testDescription: String { rawValue }

    var bin: String? {
        switch self {
        case .system: access("/usr/bin/redis-server", X_OK) == 0 ? "/usr/bin" : nil
        case .redis62: Installation.redis62.bin
        case .redis74: Installation.redis74.bin
        case .redis82: Installation.redis82.bin
        case .valkey91: Installation.valkey91.bin
        }
    }

    var program: String { self == .valkey91 ? "valkey-server" : "redis-server" }

    /// Whether a field of a hash may have a time to live.
    var hasFieldTimes: Bool { [.redis74, .redis82, .valkey91].contains(self) }

    /// Whether the append-only files are a folder with a manifest.
    var hasManifest: Bool { self != .redis62 }

    /// Those that the tests go through: in CI all, elsewhere what is here.
    static var tried: [RedisVersion] { Program.inCI ? allCases : allCases.filter { $0.bin != nil } }
}

/// A running server, and a fixture whose estate names it.
struct RedisSource: Sendable {
    let folder: URL
    let version: RedisVersion
    let bin: String
    let fixture: Fixture
    var data: URL { folder.appendingPathComponent("r") }
    var socket: String { data.appendingPathComponent("redis.sock").path }

    static func with(
        _ version: RedisVersion, arguments: [String] = [], _ body: @Sendable (RedisSource) async throws -> Void
    ) async throws {
        let bin = try #require(version.bin, "\(version.rawValue) is here: scripts/setup-tests brings it")
        try await ConcurrencyLimit.shared.pass { try await open(version, bin, arguments, body) }
    }

    /// Beside another source that a test has open: to wait for one more place would keep that one from everybody.
    static func beside(
        _ source: PostgresSource, _ version: RedisVersion, _ body: @Sendable (RedisSource) async throws -> Void
    ) async throws {
        try await open(version, try #require(version.bin, "\(version.rawValue) is here: scripts/setup-tests brings it"), [], body)
    }

    private static func open(
        _ version: RedisVersion, _ bin: String, _ arguments: [String], _ body: @Sendable (RedisSource) async throws -> Void
    ) async throws {
        let folder = URL(fileURLWithPath: "/tmp/mrsource-\(UUID().uuidString.prefix(8))")
        let words = ["sh", LoopbackServer.support("redis-source.sh"), "\(bin)/\(version.program)", folder.path]
        let server = try #require(LoopbackServer(words + arguments), "the server comes up")
        defer { server.end() }
        let fixture = try Fixture.bare(in: folder.appendingPathComponent("fixture"))
        defer { try? FileManager.default.removeItem(at: fixture.folder) }
        let source = RedisSource(folder: folder, version: version, bin: bin, fixture: fixture)
        try await source.writeEstate()
        try await body(source)
        fixture.expectNothingLeft()
    }

    private func writeEstate() async throws {
        try await fixture.makeSealingKey()
        let estate = """
            version: 1
            estate: shop
            timezone: UTC
            stores: {one: {type: file, path: backups/primary}}
            seals: {sign-with: {file: seal.key}, trust: [seal.pub]}
            services:
              redis:
                engine: redis
                source: {host: \(socket)}
                backups:
                  rdb: {kind: rdb, store: one, match: "*.rdb", encryption: none}
                  aof: {kind: aof, store: one, match: "aof-*", encryption: none}

            """
        try Data(estate.utf8).write(to: fixture.estate)
    }

    @discardableResult
    func ask(_ words: String...) async throws -> String {
        try await Program.require(["redis-cli", "-s", socket] + words).out.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func wait(for text: String, in section: String) async throws {
        for _ in 0..<3000 {
            if try await ask("INFO", section).contains(text) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("\(section) did not come to \(text)")
    }

    /// The version's own programs first.
    var environment: [String: String] { ["MUSTER_REDIS_BIN": bin] }

    func seal(_ backup: String, _ more: [String] = []) async throws -> Outcome {
        try await fixture.run(["seal", fixture.estate.path, "--service", "redis", "--backup", backup] + more, environment: environment)
    }

    func drill(_ backup: String, checks: String = "") async throws -> (Outcome, Report.Drill) {
        let file = try fixture.drillFile("redis", from: backup, more: checks.isEmpty ? "" : "checks: {redis: [\(checks)]}")
        let (outcome, report) = try await fixture.drill(file, environment: environment)
        return (outcome, try #require(report.drills.first, "\(outcome.text)"))
    }

    func expectGreen(_ backup: String, location: SourceLocation = #_sourceLocation) async throws {
        let (outcome, drill) = try await drill(backup)
        #expect(outcome.code == 0, "\(outcome.text)", sourceLocation: location)
        #expect(drill.cases(of: "content").contains { $0.verdict == "passed" }, "\(outcome.text)", sourceLocation: location)
    }
}
