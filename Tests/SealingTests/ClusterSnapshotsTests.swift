// The snapshots of a cluster's databases, and what changes while they are taken.

import Foundation
import PostgresClient
import Synchronization
import TestSupport
import Testing

@testable import Sealing

@Suite(.enabled(if: TestMachine.hasPostgres, "needs postgres"))
struct ClusterSnapshotsTests {
    private func source(_ server: TestPostgres) -> PostgresConfiguration {
        PostgresConfiguration(host: server.socketFolder, port: server.port, database: "postgres", user: server.superuser)
    }

    @Test func oneOfEachDatabase() async throws {
        try await withTestPostgres { server in
            let home = try await server.connect()
            for name in ["shop", "crm"] { try await home.execute("CREATE DATABASE \(name)") }
            let snapshots = try await ClusterSnapshots.take(home, from: source(server)) { _, _ in }
            #expect(snapshots.all.map(\.database) == ["template1", "crm", "postgres", "shop"] && snapshots.omitted == [])
            let times = snapshots.all.map(\.time)
            #expect(times == times.sorted() && Set(snapshots.all.map(\.identifier)).count == 4)
            await snapshots.close()
            await home.close()
        }
    }

    /// A backup of a list that no longer is the cluster's would be one of fewer databases, or end in the middle.
    @Test(arguments: ["CREATE DATABASE late TEMPLATE template0", "DROP DATABASE shop", "ALTER DATABASE shop RENAME TO store"])
    func aDatabaseThatComesOrGoes(_ change: String) async throws {
        try await withTestPostgres { server in
            let home = try await server.connect()
            for name in ["crm", "shop"] { try await home.execute("CREATE DATABASE \(name)") }
            let failure = await #expect(throws: SealingError.self) {
                _ = try await ClusterSnapshots.take(home, from: source(server)) { _, database in
                    guard database == "crm" else { return }
                    let other = try await server.connect()
                    try await other.execute(change)
                    await other.close()
                }
            }
            #expect(failure?.kind == .source && failure?.hint.contains("seal again") == true, "\(String(describing: failure))")
            // No session of it is left.
            let sessions = """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname IN ('crm', 'shop', 'store', 'template1') AND backend_type = 'client backend'
                """
            for _ in 0..<500 where try await home.value(sessions) != "0" { try await Task.sleep(for: .milliseconds(20)) }
            #expect(try await home.value(sessions) == "0")
            await home.close()
        }
    }

    /// Its rows are gone for everybody, whatever the snapshot says: what is dumped of it later is no backup of that moment.
    @Test func aTableThatIsTruncatedBeforeItsTurn() async throws {
        try await withTestPostgres { server in
            let home = try await server.connect()
            for name in ["crm", "shop"] {
                try await home.execute("CREATE DATABASE \(name)")
                let session = try await server.connect(database: name)
                try await session.execute("CREATE TABLE t AS SELECT generate_series(1, 9) AS i")
                await session.close()
            }
            await home.close()
            let folder = FileManager.default.temporaryDirectory.appending(path: "cluster-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let isFirst = Mutex(true)
            var options = PostgresSealer.Options()
            options.progress = { table, _, _ in
                // That of crm, which comes before shop.
                let now = isFirst.withLock { first in
                    defer { first = false }
                    return first && table == "public.t"
                }
                guard now else { return }
                let psql = Process()
                psql.executableURL = URL(fileURLWithPath: "\(server.binFolder)/psql")
                psql.arguments = [
                    "-qX", "-h", server.socketFolder, "-p", String(server.port), "-U", server.superuser, "shop", "-c", "TRUNCATE t",
                ]
                try? psql.run()
                psql.waitUntilExit()
            }
            let tool = DumpTool(source: source(server), binaries: server.binFolder, folder: folder)
            let failure = await #expect(throws: SealingError.self) {
                _ = try await ClusterSealer(tool: tool, options: options).seal(
                    to: folder.appending(path: "all.sql.gz"), encryption: nil,
                    for: PostgresSealer.Purpose(estate: "shop", service: "postgres", backup: "all"))
            }
            let message = failure?.message ?? ""
            #expect(message.contains("the database shop") && message.contains("truncated, rewritten or replaced"), "\(message)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
    }
}
