// The lab on other servers than the system's: it can be made there, and every drill that comes with it is green.

import Foundation
import ServerVersions
import Testing

@Suite(.serialized) struct LabVersionTests {
    @Test(.needs(.postgres18, .valkey91)) func onPostgres18AndValkey9() async throws {
        try await everyDrillIsGreen(.postgres18, .valkey91, "valkey 9.1")
    }

    @Test(.needs(.postgres19, .redis82)) func onPostgres19AndRedis8() async throws {
        try await everyDrillIsGreen(.postgres19, .redis82, "redis 8.2")
    }

    private func everyDrillIsGreen(_ postgres: Installation, _ redis: Installation, _ software: String) async throws {
        let environment = ["MUSTER_PG_BIN": try postgres.requireBin(), "MUSTER_REDIS_BIN": try redis.requireBin()]
        try Workspace.open()
        try await ConcurrencyLimit.shared.pass {
            let folder = Workspace.root.appendingPathComponent("v\(postgres.folder.suffix(2))", isDirectory: true)
            let fixture = try Fixture.bare(in: folder)
            let lab = folder.appendingPathComponent("l", isDirectory: true)
            do {
                let major = String(postgres.folder.dropFirst("postgresql-".count))
                let words = ["lab", "create", lab.path, "--days", "2", "--rows", "40", "--postgres", major]
                let made = try await fixture.run(words, environment: environment)
                #expect(made.code == 0, "\(made.text)")
                let (drilled, report) = try await fixture.drill(lab.appendingPathComponent("drills"), environment: environment)
                // All but that of pgBackRest's repository, where the pgbackrest here is older than the server.
                #expect(drilled.code == 0 && report.drills.count >= 11, "\(drilled.text)")
                // On those servers, where a drill restores one.
                let versions = report.drills.compactMap { $0.fact("postgres.server-version") }
                #expect(!versions.isEmpty && versions.allSatisfy { $0.hasPrefix("PostgreSQL \(major)") }, "\(versions)")
                let servers = report.drills.compactMap { $0.fact("redis.restore.server") }
                #expect(!servers.isEmpty && servers.allSatisfy { $0.hasPrefix(software) }, "\(servers)")
                // What happens to servers that live.
                let started = try await fixture.run(["lab", "start", lab.path], environment: environment)
                #expect(started.code == 0, "\(started.text)")
                let (lived, living) = try await fixture.drill(lab.appendingPathComponent("live"), environment: environment)
                #expect(lived.code == 0 && living.drills.count == 2, "\(lived.text)")
            } catch {
                Issue.record(error)
            }
            let destroyed = try await fixture.run(["lab", "destroy", lab.path])
            #expect(destroyed.code == 0 && !FileManager.default.fileExists(atPath: lab.path), "\(destroyed.text)")
            fixture.expectNothingLeft()
            try FileManager.default.removeItem(at: folder)
        }
    }
}
