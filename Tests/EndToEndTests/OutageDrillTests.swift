// A lost data center: everything from the second zone, the proof that the first is out of reach, and its return on every path.

import Foundation
import Glibc
import Testing

struct OutageDrillTests {
    private static let commands = """
        outage:
          cut: {run: [mv, -T, ../backups/primary, ../backups/primary.lost], timeout: 30s}
          restore: {run: [mv, -T, ../backups/primary.lost, ../backups/primary], timeout: 30s}
        """

    /// A drill of the lost zone; the estate with both of its stores again.
    private func outage(
        _ fixture: Fixture, _ recover: String = "redis: {from: rdb}", outage: String = commands, more: String = "",
        storesAreSet: Bool = false
    ) throws -> URL {
        if !storesAreSet { try fixture.useBothStores() }
        let file = fixture.drills.appendingPathComponent("own-outage.yaml")
        try Data(
            """
            version: 1
            drill: outage
            estate: ../estate.yaml
            scenario: data-center-outage
            lost-zone: ksdc
            \(outage)
            targets: {rto: 1h}
            recover:
              \(recover)
            \(more)

            """.utf8
        ).write(to: file)
        return file
    }

    private func expectPrimaryIsBack(_ fixture: Fixture, _ location: SourceLocation = #_sourceLocation) {
        let files = FileManager.default
        #expect(files.fileExists(atPath: fixture.store.path), sourceLocation: location)
        #expect(!files.fileExists(atPath: fixture.store.path + ".lost"), sourceLocation: location)
    }

    private func second(_ fixture: Fixture, _ path: String) -> URL {
        fixture.lab.appendingPathComponent("backups/dr/\(path)", isDirectory: true)
    }

    // MARK: Green

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/git")))
    func everythingFromTheSecondZone() async throws {
        try await Fixture.with { fixture in
            try fixture.useBothStores()
            let file = fixture.outage
            let (outcome, report) = try await fixture.drill(file)
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.steps.map(\.step) == ["identify", "stop", "retrieve", "restore", "verify", "restart"])
            #expect(drill.steps.allSatisfy { $0.verdict == "passed" && !$0.activities.isEmpty })
            let asked = drill.cases.filter { $0.verdict == "passed" }.map(\.name)
            for name in [
                "outage: cut ksdc off", "the lost zone can't be reached: primary", "key backup can be had without the zone",
                "the lost zone stayed out of reach: primary",
            ] { #expect(asked.contains(name), "\(name)") }
            #expect(drill.fact("lost-stores") == "primary" && drill.objectives?.rto.verdict == "passed")
            #expect(drill.cases(of: "operation").contains { $0.name == "is well" && $0.verdict == "passed" })
            expectPrimaryIsBack(fixture)
            let dry = try await fixture.run(["run", file.path, "--dry-run"])
            #expect(dry.code == 0 && dry.out.contains("lost       zone ksdc: primary, cut off by mv") && !dry.out.contains("in primary"))
        }
    }

    /// Cut off before the drill: no command needed; and an unmounted folder is an empty one.
    @Test(arguments: [true, false])
    func aZoneThatIsGoneAlready(emptyFolder: Bool) async throws {
        try await Fixture.with { fixture in
            let file = try outage(fixture, outage: "outage: none")
            try FileManager.default.moveItem(at: fixture.store, to: fixture.lab.appendingPathComponent("elsewhere"))
            if emptyFolder { try FileManager.default.createDirectory(at: fixture.store, withIntermediateDirectories: true) }
            let (outcome, _) = try await fixture.drill(file)
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    // MARK: Preconditions

    @Test func aZoneThatCanStillBeReached() async throws {
        try await Fixture.with { fixture in
            for (index, commands) in ["outage: none", "outage: {cut: {run: [\"true\"]}, restore: {run: [\"true\"]}}"].enumerated() {
                let file = try outage(fixture, outage: commands, storesAreSet: index > 0)
                let drill = try await fixture.expect(file, code: 2, rule: ["lost-zone-reachable"])
                #expect(drill.findings.contains { $0.object == "store primary" } && drill.steps.allSatisfy { $0.verdict == "skipped" })
                #expect(drill.recoveryPoints.isEmpty)
            }
        }
    }

    /// Nothing fails over from them, and the application could go on with them: a zone whose servers answer isn't lost.
    @Test func serversThatStillAnswer() async throws {
        try await Fixture.with { fixture in
            try fixture.useLiveServers()
            let file = try outage(fixture)
            let dry = try await fixture.run(["run", file.path, "--dry-run"])
            #expect(dry.out.contains("zone ksdc: primary, the source of postgres, the source of redis, cut off by mv"), "\(dry.text)")
            try await LiveSource.shared.with { _ in
                let drill = try await fixture.expect(file, code: 2, rule: ["lost-zone-reachable"])
                let found = Set(drill.findings.filter { $0.rule == "lost-zone-reachable" }.map(\.object))
                #expect(found == ["the source of postgres", "the source of redis"] && drill.steps.allSatisfy { $0.verdict == "skipped" })
            }
            expectPrimaryIsBack(fixture)
        }
    }

    /// A folder under two names: whatever is moved away, it is still there.
    @Test(arguments: ["../backups/primary", "../backups/primary/redis/.."])
    func twoZonesInOneFolder(other: String) async throws {
        try await Fixture.with { fixture in
            let file = try outage(fixture)
            let links = fixture.lab.appendingPathComponent("links", isDirectory: true)
            try FileManager.default.createDirectory(at: links, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: links.path + "/one", withDestinationPath: "../backups/primary")
            try FileManager.default.createSymbolicLink(atPath: links.path + "/two", withDestinationPath: other)
            try fixture.editEstate("path: backups/primary", "path: links/one")
            try fixture.editEstate("path: backups/dr", "path: links/two")
            try fixture.edit(file, "[mv, -T, ../backups/primary, ../backups/primary.lost]", "[mv, -T, ../links/one, ../links/one.lost]")
            try fixture.edit(file, "[mv, -T, ../backups/primary.lost, ../backups/primary]", "[mv, -T, ../links/one.lost, ../links/one]")
            try await fixture.expect(file, code: 2, rule: ["lost-zone-reachable"])
        }
    }

    /// What could not be undone is not done.
    @Test func aZoneThatNothingWouldBringBack() async throws {
        try await Fixture.with { fixture in
            let file = try outage(fixture)
            try fixture.edit(file, "restore: {run: [mv,", "restore: {run: [muster-no-such-program,")
            let drill = try await fixture.expect(file, code: 2, rule: ["lost-zone-not-restored"])
            #expect(drill.findings.contains { $0.message.contains("was not cut off") })
            expectPrimaryIsBack(fixture)
        }
    }

    /// One that answers, were it only with a refusal, is not lost; one that gives no answer is.
    @Test(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
    func aLostBucket() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            try fixture.useBucket(bucket)
            try fixture.editEstate("stores: [dr]\n        match: redis/rdb", "stores: [primary, dr]\n        match: redis/rdb")
            let file = try outage(fixture, outage: "outage: none", storesAreSet: true)
            try fixture.edit(file, "lost-zone: ksdc", "lost-zone: dr")
            try await fixture.expect(file, code: 2, rule: ["lost-zone-reachable"])
            try Data("wrong".utf8).write(to: fixture.lab.appendingPathComponent("keys/s3.secret"))
            try await fixture.expect(file, code: 2, rule: ["lost-zone-reachable"])
            try fixture.editEstate("http://127.0.0.1:\(bucket.port)", "http://127.0.0.1:1")
            let (outcome, report) = try await fixture.drill(file)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(report.drills.first?.recoveryPoints.map(\.service) == ["redis"])
        }
    }

    @Test func aZoneThatComesBack() async throws {
        try await Fixture.with { fixture in
            let file = try outage(
                fixture, more: "hooks: {verify: {before: {run: [cp, -a, ../backups/dr, ../backups/primary]}}}")
            try fixture.edit(
                file, "[mv, -T, ../backups/primary.lost, ../backups/primary]",
                "[sh, -c, 'rm -r ../backups/primary; mv -T ../backups/primary.lost ../backups/primary']")
            try await fixture.expect(file, code: 2, rule: ["lost-zone-came-back"])
            expectPrimaryIsBack(fixture)
        }
    }

    @Test func aCutThatFails() async throws {
        try await Fixture.with { fixture in
            let file = try outage(fixture)
            try fixture.edit(file, "cut: {run: [mv, -T,", "cut: {run: [mv, --no-such-option,")
            let drill = try await fixture.expect(file, code: 2, rule: ["hook-failed"])
            // Nothing was moved, so nothing could be moved back: that is said, too.
            #expect(drill.findings.contains { $0.rule == "lost-zone-not-restored" })
            expectPrimaryIsBack(fixture)
        }
    }

    // MARK: What was lost with it

    /// Through a link that no reading of the file shows.
    @Test func aKeyThatIsLostWithTheZone() async throws {
        try await Fixture.with { fixture in
            try FileManager.default.moveItem(at: fixture.passphrase, to: fixture.store.appendingPathComponent("backup.key"))
            try fixture.editEstate(
                "backup: {file: keys/backup.key}",
                "backup: {command: [cat, \(fixture.store.appendingPathComponent("backup.key").path)]}")
            let drill = try await fixture.expect(try outage(fixture), code: 1, rule: ["key-lost-with-zone"])
            #expect(drill.steps.allSatisfy { $0.verdict == "skipped" })
            expectPrimaryIsBack(fixture)
        }
    }

    @Test func nothingInTheSecondZone() async throws {
        try await Fixture.with { fixture in
            let folder = second(fixture, "redis/rdb")
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
            try await fixture.expect(try outage(fixture), code: 1, rule: ["no-recovery-point"])
            expectPrimaryIsBack(fixture)
        }
    }

    /// The good copy of the first zone doesn't help.
    @Test func aDamagedCopyInTheSecondZone() async throws {
        try await Fixture.with { fixture in
            let newest = try #require(try fixture.artifacts(in: second(fixture, "redis/rdb")).first)
            try fixture.change(newest) { $0[$0.count / 2] ^= 0xff }
            let file = try outage(fixture, "redis: {from: rdb, select: latest}")
            try await fixture.expect(file, code: 1, rule: ["artifact-digest-differs"])
            expectPrimaryIsBack(fixture)
        }
    }

    // MARK: Its return

    private static let slow = "checks:\n  postgres:\n    - sql: {name: slow, query: \"select pg_sleep(600)\", expect: is not null}"

    @Test(arguments: ["identify", "restore"])
    func stoppedWhileItIsCutOff(step: String) async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("stopped")
            let file = try outage(fixture, "postgres: {from: daily}", more: Self.slow)
            let running = try fixture.start(["run", file.path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"step-started\"", "\"\(step)\"")
            #expect(!FileManager.default.fileExists(atPath: fixture.store.path))
            for _ in 1...2 {
                running.send(SIGINT)
                try await Task.sleep(for: .milliseconds(30))
            }
            #expect(await running.outcome().code == 130)
            fixture.expectNothingLeft()
            expectPrimaryIsBack(fixture)
        }
    }

    @Test func stoppedWhileItIsBeingCutOff() async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("stopped")
            let file = try outage(fixture)
            try fixture.edit(
                file, "[mv, -T, ../backups/primary, ../backups/primary.lost], timeout: 30s",
                "[sh, -c, 'mv -T ../backups/primary ../backups/primary.lost; sleep 640.2101'], timeout: 11m")
            let running = try fixture.start(["run", file.path, "--output", output.path])
            try await fixture.wait(in: output, for: "\"lost-stores\"")
            let deadline = ContinuousClock.now + .seconds(180)
            while FileManager.default.fileExists(atPath: fixture.store.path), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(10))
            }
            running.send(SIGINT)
            #expect(await running.outcome().code == 130)
            #expect(!ProcessList.all().contains { $0.arguments.contains("640.2101") })
            expectPrimaryIsBack(fixture)
        }
    }

    /// Whoever cleans up brings it back; where that can't be, it is said.
    @Test func killedWhileItIsCutOff() async throws {
        try await Fixture.with { fixture in
            let output = fixture.reports.appendingPathComponent("killed")
            let file = try outage(fixture, "postgres: {from: daily}", more: Self.slow)
            for (index, brings) in [true, false].enumerated() {
                let output = output.appendingPathComponent("\(index)")
                let running = try fixture.start(["run", file.path, "--output", output.path])
                try await fixture.wait(in: output, for: "\"step-started\"", "\"restore\"")
                running.send(SIGKILL)
                #expect(await running.outcome().code == 137)
                let lost = URL(fileURLWithPath: fixture.store.path + ".lost"), away = URL(fileURLWithPath: fixture.store.path + ".away")
                if !brings { try FileManager.default.moveItem(at: lost, to: away) }
                let cleaned = try await fixture.run(["clean"])
                #expect(cleaned.code == (brings ? 0 : 2), "\(cleaned.text)")
                #expect(
                    cleaned.text.contains(brings ? "brought zone ksdc back" : "run the command restore of zone ksdc"), "\(cleaned.text)")
                fixture.expectNothingLeft()
                if !brings { try FileManager.default.moveItem(at: away, to: fixture.store) }
                expectPrimaryIsBack(fixture)
                #expect(try await fixture.run(["clean"]).out.contains("nothing to clean"))
            }
        }
    }
}
