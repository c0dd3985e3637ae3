// Dumps that are sealed while the source goes on, and what happens when it can't be done.

import Cryptography
import DrillModel
import Foundation
import PostgresClient
import ScratchHost
import Sealing
import TestPrograms
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "needs postgres"))
struct PostgresSealerTests {
    private let purpose = PostgresSealer.Purpose(estate: "shop", service: "postgres", backup: "daily")

    private func source(_ server: TestPostgres, user: String? = nil, database: String = "postgres") -> PostgresConfiguration {
        PostgresConfiguration(
            host: server.socketFolder, port: server.port, database: database, user: user ?? server.superuser, password: "not-in-argv")
    }

    /// A private folder that is gone when the body ends.
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sealing-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private func names(in folder: URL) -> [String]? { try? FileManager.default.contentsOfDirectory(atPath: folder.path) }

    @Test func dumpAndSealDescribeTheSameInstant() async throws {
        try await withTestPostgres { server in
            let session = try await server.connect()
            try await session.execute("CREATE TABLE orders (id bigserial, what text); INSERT INTO orders (what) VALUES ('first')")
            let writer = Task {
                let other = try await server.connect()
                while !Task.isCancelled { try await other.execute("INSERT INTO orders (what) VALUES ('more')") }
                await other.close()
            }
            defer { writer.cancel() }
            while try await session.value("SELECT count(*) > 50 FROM orders") != "t" { try await Task.sleep(for: .milliseconds(1)) }

            try await withFolder { folder in
                let target = folder.appending(path: "shop.dump")
                let before = Date()
                let (artifact, seal) = try await PostgresSealer(source: source(server), binaries: server.binFolder).seal(
                    to: target, encryption: nil, for: purpose)
                #expect(artifact == target)
                #expect(names(in: folder) == ["shop.dump"])
                #expect(seal.snapshotTime > before.addingTimeInterval(-1) && seal.snapshotTime < Date().addingTimeInterval(1))
                #expect(seal.truth == .source && seal.estate == "shop" && seal.backup == "daily")
                let digest = try await ArtifactStream.digest(of: target)
                #expect(seal.artifact == Seal.Artifact(name: "shop.dump", size: digest.size, sha256: digest.sha256))

                let sql = try await ToolRunner.spawn(
                    ["\(server.binFolder)/pg_restore", "--file=-", target.path], environment: [:], output: .capture(limit: 64 << 20),
                    errors: .discard)
                let rows = sql.output.split(separator: "\n").count { $0.hasSuffix("\tmore") || $0.hasSuffix("\tfirst") }
                let truth = try #require(seal.postgres)
                let table = try #require(truth.tables.first { $0.table == "orders" })
                #expect(rows > 50)
                #expect(table.rows == Int64(rows))
                // The writer went on: were the truth not taken under the snapshot, it would hold more.
                let now = try await session.value("SELECT count(*) FROM orders").flatMap(Int64.init) ?? 0
                #expect(now > table.rows)
                let sequence = try #require(truth.sequences.first)
                #expect(sequence.low >= Int64(rows) && sequence.high > sequence.low)
            }
            writer.cancel()
            _ = await writer.result
            await session.close()
        }
    }

    @Test func passwordStandsInTheEnvironmentAndNeverAmongTheArguments() async throws {
        try await withTestPostgres { server in
            try await withFolder { folder in
                let script = "#!/bin/sh\necho \"$@\" > \(folder.path)/arguments\nenv > \(folder.path)/environment\necho PGDMP\n"
                let tool = folder.appending(path: "pg_dump")
                try writeProgram(script, to: tool)
                _ = try await PostgresSealer(source: source(server), binaries: folder.path).seal(
                    to: folder.appending(path: "a.dump"), encryption: nil, for: purpose)
                let arguments = try String(contentsOf: folder.appending(path: "arguments"), encoding: .utf8)
                #expect(arguments.contains("--snapshot=") && !arguments.contains("not-in-argv"))
                let environment = try String(contentsOf: folder.appending(path: "environment"), encoding: .utf8)
                #expect(environment.contains("PGPASSWORD=not-in-argv"))
            }
        }
    }

    @Test func failedDumpLeavesNoArtifact() async throws {
        try await withTestPostgres { server in
            try await withFolder { folder in
                let target = folder.appending(path: "a.dump")
                let missing = await #expect(throws: SealingError.self) {
                    try await PostgresSealer(source: source(server), binaries: "/nowhere").seal(to: target, encryption: nil, for: purpose)
                }
                #expect(missing?.kind == .tool)

                let session = try await server.connect()
                try await session.execute("CREATE ROLE reader LOGIN; CREATE TABLE secret (a text)")
                await session.close()
                let refused = await #expect(throws: SealingError.self) {
                    try await PostgresSealer(source: source(server, user: "reader"), binaries: server.binFolder).seal(
                        to: target, encryption: nil, for: purpose)
                }
                #expect(refused?.kind == .tool || refused?.kind == .source)

                let absent = await #expect(throws: SealingError.self) {
                    try await PostgresSealer(source: source(server, database: "absent"), binaries: server.binFolder).seal(
                        to: target, encryption: nil, for: purpose)
                }
                #expect(absent?.kind == .source)
                #expect(names(in: folder) == [])
            }
        }
    }

    @Test func globalsHoldRolesAndVerifiersOnlyWhereAskedFor() async throws {
        try await withTestPostgres { server in
            let session = try await server.connect()
            try await session.execute("CREATE ROLE clerk LOGIN PASSWORD 'x'")
            await session.close()
            try await withFolder { folder in
                for passwords in [true, false] {
                    let target = folder.appending(path: "globals-\(passwords).sql")
                    let stored = try await DumpTool(source: source(server), binaries: server.binFolder).writeGlobals(
                        to: target, encryption: nil, passwords: passwords)
                    let text = try String(contentsOf: target, encoding: .utf8)
                    #expect(stored.bytesWritten == text.utf8.count)
                    #expect(text.contains("CREATE ROLE clerk"))
                    #expect(text.contains("SCRAM-SHA-256$") == passwords)
                }
            }
        }
    }
}

@Suite struct ServerAdvisoryTests {
    @Test(arguments: [
        (140_024, true), (140_025, false), (150_018, true), (150_020, false), (160_015, true), (170_011, true), (170_012, false),
        (180_006, true), (180_007, false), (130_022, true), (190_000, false),
    ])
    func concernsTheReleasesBeforeTheMend(version: Int, concerned: Bool) {
        #expect(ServerAdvisory.ofStandbys.count == 1)
        #expect(ServerAdvisory.ofStandbys.contains { $0.concerns(serverVersion: version) } == concerned)
    }

    /// A fault that one major version brought: neither older nor newer ones have it.
    @Test(arguments: [(140_003, true), (140_004, false), (130_005, false), (150_000, false)])
    func aFaultOfOneMajorVersion(version: Int, concerned: Bool) {
        let concurrently = ServerAdvisory.all.filter { $0.message.contains("CONCURRENTLY") }
        #expect(concurrently.count == 1 && concurrently.first?.concerns(serverVersion: version) == concerned)
    }
}
