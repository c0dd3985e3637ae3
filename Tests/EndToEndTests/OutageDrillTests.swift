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
        _ desk: Desk, _ recover: String = "redis: {from: rdb}", outage: String = commands, more: String = "",
        storesAreSet: Bool = false
    ) throws -> URL {
        if !storesAreSet { try desk.useBothStores() }
        let file = desk.drills.appendingPathComponent("own-outage.yaml")
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

    private func expectPrimaryIsBack(_ desk: Desk, _ location: SourceLocation = #_sourceLocation) {
        let files = FileManager.default
        #expect(files.fileExists(atPath: desk.store.path), sourceLocation: location)
        #expect(!files.fileExists(atPath: desk.store.path + ".lost"), sourceLocation: location)
    }

    private func second(_ desk: Desk, _ path: String) -> URL { desk.lab.appendingPathComponent("backups/dr/\(path)", isDirectory: true) }

    // MARK: Green

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/git")))
    func everythingFromTheSecondZone() async throws {
        try await Desk.with { desk in
            try desk.useBothStores()
            let file = desk.outage
            let (outcome, report) = try await desk.drill(file)
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
            expectPrimaryIsBack(desk)
            let dry = try await desk.run(["run", file.path, "--dry-run"])
            #expect(dry.code == 0 && dry.out.contains("lost       zone ksdc: primary, cut off by mv") && !dry.out.contains("in primary"))
        }
    }

    /// Cut off before the drill: no command needed; and an unmounted folder is an empty one.
    @Test(arguments: [true, false])
    func aZoneThatIsGoneAlready(emptyFolder: Bool) async throws {
        try await Desk.with { desk in
            let file = try outage(desk, outage: "outage: none")
            try FileManager.default.moveItem(at: desk.store, to: desk.lab.appendingPathComponent("elsewhere"))
            if emptyFolder { try FileManager.default.createDirectory(at: desk.store, withIntermediateDirectories: true) }
            let (outcome, _) = try await desk.drill(file)
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    // MARK: Preconditions

    @Test func aZoneThatCanStillBeReached() async throws {
        try await Desk.with { desk in
            for (index, commands) in ["outage: none", "outage: {cut: {run: [\"true\"]}, restore: {run: [\"true\"]}}"].enumerated() {
                let file = try outage(desk, outage: commands, storesAreSet: index > 0)
                let drill = try await desk.expect(file, code: 2, rule: ["lost-zone-reachable"])
                #expect(drill.findings.contains { $0.object == "store primary" } && drill.steps.allSatisfy { $0.verdict == "skipped" })
                #expect(drill.recoveryPoints.isEmpty)
            }
        }
    }

    /// Nothing fails over from them, and the application could go on with them: a zone whose servers answer isn't lost.
    @Test func serversThatStillAnswer() async throws {
        try await Desk.with { desk in
            try desk.useLiveServers()
            let file = try outage(desk)
            let dry = try await desk.run(["run", file.path, "--dry-run"])
            #expect(dry.out.contains("zone ksdc: primary, the source of postgres, the source of redis, cut off by mv"), "\(dry.text)")
            try await LiveSource.shared.with { _ in
                let drill = try await desk.expect(file, code: 2, rule: ["lost-zone-reachable"])
                let found = Set(drill.findings.filter { $0.rule == "lost-zone-reachable" }.map(\.object))
                #expect(found == ["the source of postgres", "the source of redis"] && drill.steps.allSatisfy { $0.verdict == "skipped" })
            }
            expectPrimaryIsBack(desk)
        }
    }

    /// A folder under two names: whatever is moved away, it is still there.
    @Test(arguments: ["../backups/primary", "../backups/primary/redis/.."])
    func twoZonesInOneFolder(other: String) async throws {
        try await Desk.with { desk in
            let file = try outage(desk)
            let links = desk.lab.appendingPathComponent("links", isDirectory: true)
            try FileManager.default.createDirectory(at: links, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: links.path + "/one", withDestinationPath: "../backups/primary")
            try FileManager.default.createSymbolicLink(atPath: links.path + "/two", withDestinationPath: other)
            try desk.editEstate("path: backups/primary", "path: links/one")
            try desk.editEstate("path: backups/dr", "path: links/two")
            try desk.edit(file, "[mv, -T, ../backups/primary, ../backups/primary.lost]", "[mv, -T, ../links/one, ../links/one.lost]")
            try desk.edit(file, "[mv, -T, ../backups/primary.lost, ../backups/primary]", "[mv, -T, ../links/one.lost, ../links/one]")
            try await desk.expect(file, code: 2, rule: ["lost-zone-reachable"])
        }
    }

    /// What could not be undone is not done.
    @Test func aZoneThatNothingWouldBringBack() async throws {
        try await Desk.with { desk in
            let file = try outage(desk)
            try desk.edit(file, "restore: {run: [mv,", "restore: {run: [muster-no-such-program,")
            let drill = try await desk.expect(file, code: 2, rule: ["lost-zone-not-restored"])
            #expect(drill.findings.contains { $0.message.contains("was not cut off") })
            expectPrimaryIsBack(desk)
        }
    }

    /// One that answers, were it only with a refusal, is not lost; one that gives no answer is.
    @Test(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
    func aLostBucket() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            try desk.useBucket(bucket)
            try desk.editEstate("stores: [dr]\n        match: redis/rdb", "stores: [primary, dr]\n        match: redis/rdb")
            let file = try outage(desk, outage: "outage: none", storesAreSet: true)
            try desk.edit(file, "lost-zone: ksdc", "lost-zone: dr")
            try await desk.expect(file, code: 2, rule: ["lost-zone-reachable"])
            try Data("wrong".utf8).write(to: desk.lab.appendingPathComponent("keys/s3.secret"))
            try await desk.expect(file, code: 2, rule: ["lost-zone-reachable"])
            try desk.editEstate("http://127.0.0.1:\(bucket.port)", "http://127.0.0.1:1")
            let (outcome, report) = try await desk.drill(file)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(report.drills.first?.recoveryPoints.map(\.service) == ["redis"])
        }
    }

    @Test func aZoneThatComesBack() async throws {
        try await Desk.with { desk in
            let file = try outage(
                desk, more: "hooks: {verify: {before: {run: [cp, -a, ../backups/dr, ../backups/primary]}}}")
            try desk.edit(
                file, "[mv, -T, ../backups/primary.lost, ../backups/primary]",
                "[sh, -c, 'rm -r ../backups/primary; mv -T ../backups/primary.lost ../backups/primary']")
            try await desk.expect(file, code: 2, rule: ["lost-zone-came-back"])
            expectPrimaryIsBack(desk)
        }
    }

    @Test func aCutThatFails() async throws {
        try await Desk.with { desk in
            let file = try outage(desk)
            try desk.edit(file, "cut: {run: [mv, -T,", "cut: {run: [mv, --no-such-option,")
            let drill = try await desk.expect(file, code: 2, rule: ["hook-failed"])
            // Nothing was moved, so nothing could be moved back: that is said, too.
            #expect(drill.findings.contains { $0.rule == "lost-zone-not-restored" })
            expectPrimaryIsBack(desk)
        }
    }

    // MARK: What was lost with it

    /// Through a link that no reading of the file shows.
    @Test func aKeyThatIsLostWithTheZone() async throws {
        try await Desk.with { desk in
            try FileManager.default.moveItem(at: desk.passphrase, to: desk.store.appendingPathComponent("backup.key"))
            try desk.editEstate(
                "backup: {file: keys/backup.key}",
                "backup: {command: [cat, \(desk.store.appendingPathComponent("backup.key").path)]}")
            let drill = try await desk.expect(try outage(desk), code: 1, rule: ["key-lost-with-zone"])
            #expect(drill.steps.allSatisfy { $0.verdict == "skipped" })
            expectPrimaryIsBack(desk)
        }
    }

    @Test func nothingInTheSecondZone() async throws {
        try await Desk.with { desk in
            let folder = second(desk, "redis/rdb")
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
            try await desk.expect(try outage(desk), code: 1, rule: ["no-recovery-point"])
            expectPrimaryIsBack(desk)
        }
    }

    /// The good copy of the first zone doesn't help.
    @Test func aDamagedCopyInTheSecondZone() async throws {
        try await Desk.with { desk in
            let newest = try #require(try desk.artifacts(in: second(desk, "redis/rdb")).first)
            try desk.change(newest) { $0[$0.count / 2] ^= 0xff }
            let file = try outage(desk, "redis: {from: rdb, select: latest}")
            try await desk.expect(file, code: 1, rule: ["artifact-digest-differs"])
            expectPrimaryIsBack(desk)
        }
    }

    // MARK: Its return

    private static let slow = "checks:\n  postgres:\n    - sql: {name: slow, query: \"select pg_sleep(600)\", expect: is not null}"

    @Test(arguments: ["identify", "restore"])
    func stoppedWhileItIsCutOff(step: String) async throws {
        try await Desk.with { desk in
            let output = desk.reports.appendingPathComponent("stopped")
            let file = try outage(desk, "postgres: {from: daily}", more: Self.slow)
            let running = try desk.start(["run", file.path, "--output", output.path])
            try await desk.wait(in: output, for: "\"step-started\"", "\"\(step)\"")
            #expect(!FileManager.default.fileExists(atPath: desk.store.path))
            for _ in 1...2 {
                running.send(SIGINT)
                try await Task.sleep(for: .milliseconds(30))
            }
            #expect(await running.outcome().code == 130)
            desk.expectNothingLeft()
            expectPrimaryIsBack(desk)
        }
    }

    @Test func stoppedWhileItIsBeingCutOff() async throws {
        try await Desk.with { desk in
            let output = desk.reports.appendingPathComponent("stopped")
            let file = try outage(desk)
            try desk.edit(
                file, "[mv, -T, ../backups/primary, ../backups/primary.lost], timeout: 30s",
                "[sh, -c, 'mv -T ../backups/primary ../backups/primary.lost; sleep 640.2101'], timeout: 11m")
            let running = try desk.start(["run", file.path, "--output", output.path])
            try await desk.wait(in: output, for: "\"lost-stores\"")
            let deadline = ContinuousClock.now + .seconds(180)
            while FileManager.default.fileExists(atPath: desk.store.path), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(10))
            }
            running.send(SIGINT)
            #expect(await running.outcome().code == 130)
            #expect(!ProcessList.all().contains { $0.arguments.contains("640.2101") })
            expectPrimaryIsBack(desk)
        }
    }

    /// Whoever cleans up brings it back; where that can't be, it is said.
    @Test func killedWhileItIsCutOff() async throws {
        try await Desk.with { desk in
            let output = desk.reports.appendingPathComponent("killed")
            let file = try outage(desk, "postgres: {from: daily}", more: Self.slow)
            for (index, brings) in [true, false].enumerated() {
                let output = output.appendingPathComponent("\(index)")
                let running = try desk.start(["run", file.path, "--output", output.path])
                try await desk.wait(in: output, for: "\"step-started\"", "\"restore\"")
                running.send(SIGKILL)
                #expect(await running.outcome().code == 137)
                let lost = URL(fileURLWithPath: desk.store.path + ".lost"), away = URL(fileURLWithPath: desk.store.path + ".away")
                if !brings { try FileManager.default.moveItem(at: lost, to: away) }
                let cleaned = try await desk.run(["clean"])
                #expect(cleaned.code == (brings ? 0 : 2), "\(cleaned.text)")
                #expect(
                    cleaned.text.contains(brings ? "brought zone ksdc back" : "run the command restore of zone ksdc"), "\(cleaned.text)")
                desk.expectNothingLeft()
                if !brings { try FileManager.default.moveItem(at: away, to: desk.store) }
                expectPrimaryIsBack(desk)
                #expect(try await desk.run(["clean"]).out.contains("nothing to clean"))
            }
        }
    }
}
