// A whole lab on real servers: what lies in it, and that nothing is left of it.

import Cryptography
import DrillFiles
import DrillModel
import Foundation
import PostgresClient
import RedisClient
import ScratchHost
import Seals
import Synchronization
import TestSupport
import Testing

@testable import Lab

@Suite(.enabled(if: TestMachine.hasPostgres && TestMachine.hasRedis, "needs postgres and redis-server"))
struct LabTests {
    /// A folder that is gone when the test ends, with a lab in it or without.
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "lab-test-\(UUID().uuidString)")
        do {
            try await body(folder.appending(path: "lab"))
        } catch {
            try? await Lab.destroy(folder.appending(path: "lab"))
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
        try? await Lab.destroy(folder.appending(path: "lab"))
        try? FileManager.default.removeItem(at: folder)
    }

    private func run(_ command: [String]) async throws -> ToolResult {
        try await ToolRunner.spawn(command, environment: [:], output: .capture(limit: 1 << 20), errors: .discard)
    }

    private func decrypt(_ file: URL, in places: LabPlaces) async throws -> URL {
        let target = places.folder.deletingLastPathComponent().appending(path: file.deletingPathExtension().lastPathComponent)
        let result = try await run([
            "openssl", "enc", "-d", "-aes-256-cbc", "-pbkdf2", "-pass", "file:\(places.passphrase.path)", "-in", file.path,
            "-out", target.path,
        ])
        #expect(result.succeeded, "openssl does not open \(file.lastPathComponent)")
        return target
    }

    private func mode(_ file: URL) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int) & 0o777
    }

    private func modified(_ file: URL) throws -> Date {
        try #require(FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date)
    }

    private func names(in folder: URL) -> [String]? { try? FileManager.default.contentsOfDirectory(atPath: folder.path) }

    private func processes(of folder: URL) -> [ProcessIdentity] {
        ProcessTable.belonging(toEnvironment: "none=none", orFolder: folder.path)
    }

    @Test func labHoldsWhatItPromises() async throws {
        try await withFolder { folder in
            let scratch = folder.deletingLastPathComponent()
            let told = Mutex<[Int]>([])
            // Short, since sockets lie below it.
            let root = URL(fileURLWithPath: "/tmp/lab-\(UInt32.random(in: 0 ... .max))")
            defer { try? FileManager.default.removeItem(at: root) }
            let now = Date()
            let lab = try await Lab.create(LabOptions(folder: folder, days: 2, rows: 60, scratch: ScratchRoot(root), now: now)) {
                _, done, all in
                told.withLock { $0.append(done * 100 + all) }
            }
            #expect(told.withLock { $0 } == [2, 102, 202])
            #expect(names(in: root) == [], "the servers' scratch folder is still there")
            #expect(processes(of: scratch).isEmpty)

            let places = LabPlaces(folder: lab.folder)
            #expect(try mode(places.passphrase) == 0o600)
            #expect(try mode(places.signingKey) == 0o600)
            #expect(lab.dumps.count == 2 && lab.snapshots.count == 2)
            let trusted = [try Ed25519PublicKey(pem: String(contentsOf: places.publicKey, encoding: .utf8))]
            let calendar = LabCalendar(days: 2, now: now)
            #expect(calendar.newest == lab.newest)
            let appendOnly = try FileManager.default.contentsOfDirectory(at: places.appendOnly, includingPropertiesForKeys: nil)
                .filter { !SealFile.isSeal($0.lastPathComponent) }.sorted { $0.path < $1.path }
            #expect(appendOnly.count == 2)
            for (files, service) in [(lab.dumps, "postgres"), (lab.snapshots, "redis"), (appendOnly, "redis")] {
                for (index, file) in files.enumerated() {
                    let instant = calendar.instant(ofNight: index + 1)
                    #expect(try mode(file) == 0o600)
                    #expect(try modified(file) == instant)
                    let seal = try #require(SealFile.read(besides: file, trusted: trusted).seal, "\(file.lastPathComponent)")
                    #expect(seal.service == service && seal.estate == "domainscope" && seal.truth == .source)
                    #expect(seal.snapshotTime == instant)
                    let measured = try await Seal.Artifact.measuring(file)
                    #expect(measured == seal.artifact)
                }
            }

            // The dumps between the nights: dated and sealed by themselves.
            #expect(lab.sixHourly.count == calendar.sixHourly.count)
            for (file, instant) in zip(lab.sixHourly, calendar.sixHourly) {
                let seal = try #require(SealFile.read(besides: file, trusted: trusted).seal, "\(file.lastPathComponent)")
                #expect(seal.backup == "six-hourly" && seal.snapshotTime == instant)
                #expect(try await Seal.Artifact.measuring(file) == seal.artifact)
                #expect(try modified(file) == instant)
            }

            let header = "Archive created at \(lab.newest.formatted(.iso8601.dateTimeSeparator(.space)).replacing("Z", with: " UTC"))"
            let dump = try await decrypt(try #require(lab.dumps.last), in: places)
            let list = try await run(["pg_restore", "--list", dump.path])
            #expect(list.succeeded)
            #expect(list.output.contains(header))
            for item in ["TABLE public domains", "MATERIALIZED VIEW public organisation_risk", "EVENT TRIGGER", "BLOB - 500001"] {
                #expect(list.output.contains(item), "no \(item)")
            }
            let globals = try #require(
                try FileManager.default.contentsOfDirectory(at: places.dumps, includingPropertiesForKeys: nil)
                    .first { $0.path.hasSuffix(".globals.sql.enc") })
            let roles = try await String(contentsOf: decrypt(globals, in: places), encoding: .utf8)
            #expect(roles.contains("CREATE ROLE domainscope_app"))

            let rdb = try await decrypt(try #require(lab.snapshots.last), in: places)
            let checked = try await run(["redis-check-rdb", rdb.path])
            #expect(checked.succeeded)
            #expect(checked.output.contains("ctime = '\(Int(lab.newest.timeIntervalSince1970))'"))
            #expect(checked.output.contains("Checksum OK"))
            let tar = try await decrypt(try #require(appendOnly.last), in: places)
            let unpacked = try await run(["tar", "-xf", tar.path, "-C", scratch.path])
            #expect(unpacked.succeeded)
            let manifest = scratch.appending(path: "appendonlydir/appendonly.aof.manifest")
            let aof = try await run(["redis-check-aof", manifest.path])
            #expect(aof.succeeded)
            #expect(aof.output.contains("All AOF files and manifest are valid"))

            let drills = try DrillFiles.load([places.drills.path])
            // Where this machine has what they take.
            let foreign =
                (ScratchHost.locate("git") == nil ? [] : ["recovery-set", "server-rebuild", "data-center-outage"])
                + (ScratchHost.locate("pgbackrest") == nil ? [] : ["pgbackrest"])
                + (LabIncrementals.binaries() == nil ? [] : ["incremental"])
            #expect(
                drills.map(\.name).sorted()
                    == ([
                        "database-corruption", "point-in-time", "quick-look", "redis-aof", "server-failure", "corruption-restart",
                        "redis-loss",
                    ]
                    + foreign).sorted())
            #expect(lab.drillFiles.first?.lastPathComponent == "database-corruption.yaml")
            // The moment before a mistake is one of the real clock.
            let simulated = drills.filter { !(["point-in-time", "server-failure"] + foreign).contains($0.name) }
            #expect(
                simulated.allSatisfy {
                    $0.incident == .at(Date(timeIntervalSince1970: calendar.incident.timeIntervalSince1970.rounded(.down)))
                })

            // A second lab in the same place is refused, and the first stays whole.
            await #expect(throws: LabError.self) { try await Lab.create(LabOptions(folder: folder)) }
            #expect(FileManager.default.fileExists(atPath: places.mark.path))

            try await Lab.destroy(folder)
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }

    @Test func serversStartAndStop() async throws {
        // Below a folder that the unprivileged user may pass.
        try await withFolder { folder in
            try await Lab.create(LabOptions(folder: folder, days: 1, rows: 40))
            let lab = try await Lab.start(folder)
            let sockets = lab.sockets
            #expect(try await Lab.start(folder) == lab)
            let database = try await PostgresConnection.connect(
                PostgresConfiguration(host: sockets.path, database: "domainscope", user: "postgres"))
            #expect(try await database.value("SELECT count(*) > 0 FROM public.domains") == "t")
            await database.close()
            let redis = try await RedisConnection.connect(unixSocket: sockets.appending(path: "redis.sock").path)
            await #expect(throws: RedisError.self) { try await redis.command(["EXISTS", "domain:1"]) }
            let places = LabPlaces(folder: folder)
            #expect(try mode(places.redisPassword) == 0o600 && mode(places.redisData.appending(path: "live.conf")) == 0o600)
            let password = try String(contentsOf: places.redisPassword, encoding: .utf8).trimmingCharacters(in: .newlines)
            try await redis.command(["AUTH", password])
            #expect(try await redis.command(["EXISTS", "domain:1"]).integer == 1)
            redis.close()
            let replica = try await RedisConnection.connect(unixSocket: lab.secondZone.appending(path: "redis.sock").path)
            try await replica.command(["AUTH", password])
            #expect(try await replica.command(["EXISTS", "domain:1"]).integer == 1)
            #expect(try await replica.command(["ROLE"]).array?.first?.text == "slave")
            replica.close()
            let there = PostgresConfiguration(host: lab.secondZone.path, database: "domainscope", user: "postgres")
            let standby = try await PostgresConnection.connect(there)
            #expect(try await standby.value("SELECT pg_is_in_recovery() AND count(*) > 0 FROM public.domains") == "t")
            // One that somebody promoted is no standby any more: the next start makes it anew.
            #expect(try await standby.value("SELECT pg_promote()") == "t")
            await standby.close()
            try await Lab.start(folder)
            let again = try await PostgresConnection.connect(there)
            #expect(try await again.value("SELECT pg_is_in_recovery()") == "t")
            await again.close()
            #expect(processes(of: folder).count > 1)
            try await Lab.stop(folder)
            #expect(processes(of: folder).isEmpty)
            #expect(!FileManager.default.fileExists(atPath: sockets.path))
            try await Lab.stop(folder)

            // Destroying a running lab ends its servers first.
            try await Lab.start(folder)
            try await Lab.destroy(folder)
            #expect(processes(of: folder).isEmpty)
            #expect(!FileManager.default.fileExists(atPath: sockets.path))
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }

    @Test func cancelledCreationLeavesNothing() async throws {
        try await withFolder { folder in
            let root = URL(fileURLWithPath: "/tmp/lab-\(UInt32.random(in: 0 ... .max))")
            defer { try? FileManager.default.removeItem(at: root) }
            let (nights, continuation) = AsyncStream<Int>.makeStream()
            let task = Task {
                defer { continuation.finish() }
                try await Lab.create(LabOptions(folder: folder, days: 30, rows: 40, scratch: ScratchRoot(root))) { _, done, _ in
                    continuation.yield(done)
                }
            }
            for await night in nights where night > 0 { break }
            task.cancel()
            let error = await #expect(throws: LabError.self) { try await task.value }
            #expect(error?.kind == .cancelled)
            #expect(!FileManager.default.fileExists(atPath: folder.path))
            #expect(names(in: root) == [])
            #expect(processes(of: root).isEmpty)
        }
    }

    @Test func folderThatIsNotEmptyIsRefused() async throws {
        try await withFolder { folder in
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appending(path: "mine.txt")
            try Data("mine".utf8).write(to: file)
            let error = await #expect(throws: LabError.self) { try await Lab.create(LabOptions(folder: folder, days: 1)) }
            #expect(error?.kind == .usage)
            #expect(names(in: folder) == ["mine.txt"])
        }
    }

    @Test(arguments: [
        nil, "{}", #"{"tool": "another", "id": "abc", "created": "2026-01-01T00:00:00Z", "postgres": "/", "complete": true}"#,
    ])
    func folderWithoutTheMarkIsNotDestroyed(mark: String?) async throws {
        try await withFolder { folder in
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("mine".utf8).write(to: folder.appending(path: "mine.txt"))
            if let mark { try Data(mark.utf8).write(to: folder.appending(path: LabMark.fileName)) }
            let destroying = await #expect(throws: LabError.self) { try await Lab.destroy(folder) }
            #expect(destroying?.kind == .usage)
            let stopping = await #expect(throws: LabError.self) { try await Lab.stop(folder) }
            #expect(stopping?.kind == .usage)
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: "mine.txt").path))
        }
    }

    @Test(arguments: [(0, 100), (401, 100), (3, 39), (3, 1_000_001)]) func numbersOutOfRangeAreRefused(days: Int, rows: Int) async throws {
        try await withFolder { folder in
            let error = await #expect(throws: LabError.self) {
                try await Lab.create(LabOptions(folder: folder, days: days, rows: rows))
            }
            #expect(error?.kind == .usage)
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }
}
