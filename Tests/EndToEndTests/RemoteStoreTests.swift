// Backups in S3 and behind SSH: restored, inspected, and what goes wrong on the way told for what it is.

import Foundation
import Glibc
import Testing

@Suite(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
struct RemoteStoreTests {
    @Test func aDrillFromABucket() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            try fixture.useBucket(bucket)
            // Nothing is read in the folder that it was uploaded from.
            try FileManager.default.removeItem(at: fixture.store)
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("quick-look.yaml"))
            let drill = try #require(report.drills.first)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(drill.cases(of: "backup").contains { $0.name == "the artifact is what was sealed" && $0.verdict == "passed" })
            for secret in [bucket.secret, bucket.id] {
                #expect(!outcome.text.contains(secret))
                for file in try FileManager.default.subpathsOfDirectory(atPath: fixture.reports.path) {
                    let text = (try? String(contentsOf: fixture.reports.appendingPathComponent(file), encoding: .utf8)) ?? ""
                    #expect(!text.contains(secret), "\(file)")
                }
            }
        }
    }

    /// Its members are read to find the snapshot's own time, and then fetched.
    @Test func unsealedBackupsOfABucketAreDatedByTheirContent() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try fixture.removeSeals(in: fixture.snapshots)
            try await bucket.upload(fixture.store)
            try fixture.useBucket(bucket)
            let shown = try await fixture.run(["inspect", "--list", "--format", "json", fixture.estate.path])
            #expect(shown.code == 0 || shown.code == 1)
            #expect(shown.out.contains("rdb-ctime"), "\(shown.text)")
            let asked = "checks:\n  redis:\n    - keys: {pattern: \"*\", at-least: 1}"
            let (outcome, _) = try await fixture.drill(try fixture.drillFile(more: asked))
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    @Test func copiesInABucketAreHeldAgainstTheFolder() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let names = try fixture.artifacts(in: fixture.snapshots).map(\.lastPathComponent)
            try #require(names.count > 2)
            try await bucket.rclone(["deletefile", bucket.path("redis/rdb/\(names[1])")])
            let wrong = fixture.folder.appendingPathComponent("wrong")
            var bytes = Array(try Data(contentsOf: fixture.snapshots.appendingPathComponent(names[2])))
            bytes[bytes.count / 2] ^= 1
            try Data(bytes).write(to: wrong)
            try await bucket.rclone(["copyto", wrong.path, bucket.path("redis/rdb/\(names[2])")])
            try fixture.useBucket(bucket)
            try fixture.editEstate("stores: [dr]\n        match: redis/rdb", "stores: [primary, dr]\n        match: redis/rdb")
            let output = fixture.reports.appendingPathComponent("inspected")
            let outcome = try await fixture.run(["inspect", fixture.estate.path, "--output", output.path])
            let lines = outcome.out.split(separator: "\n")
            func objects(_ rule: String) -> [Substring] { lines.filter { $0.contains("    \(rule)") } }
            #expect(outcome.code == 1)
            #expect(objects("copy-missing").count == 1 && objects("copy-missing").allSatisfy { $0.contains(names[1]) }, "\(outcome.out)")
            #expect(objects("copy-differs").count == 1 && objects("copy-differs").allSatisfy { $0.contains(names[2]) }, "\(outcome.out)")
            #expect(objects("artifact-").isEmpty, "\(outcome.out)")
        }
    }

    @Test func whatStandsBetween() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            try fixture.useBucket(bucket)
            let estate = try String(contentsOf: fixture.estate, encoding: .utf8)
            let secret = fixture.lab.appendingPathComponent("keys/s3.secret")
            try Data("not-the-secret-key".utf8).write(to: secret)
            let denied = try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["store-access-denied"])
            #expect(!denied.findings.contains { $0.message.contains("not-the-secret-key") })
            try Data(bucket.secret.utf8).write(to: secret)

            try fixture.editEstate("127.0.0.1:\(bucket.port)", "127.0.0.1:1")
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["store-unreachable"])
            try Data(estate.utf8).write(to: fixture.estate)

            try fixture.editEstate("bucket: \(Bucket.name)", "bucket: \(Bucket.name)-gone")
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["store-missing"])
            try Data(estate.utf8).write(to: fixture.estate)

            try fixture.editEstate("prefix: backups", "prefix: elsewhere")
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["no-recovery-point"])
        }
    }

    @Test func halfAnUpload() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try fixture.change(try fixture.newest("redis")) { $0.removeLast($0.count / 2) }
            try await bucket.upload(fixture.store)
            try fixture.useBucket(bucket)
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["artifact-truncated"])
        }
    }

    /// Connections break in the middle of objects: the transfer goes on where it broke, and what comes is whole.
    @Test func anInterruptedTransferGoesOn() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            try proxy.tell("cut", "40000 2")
            let (outcome, _) = try await fixture.drill(try fixture.drillFile("postgres"))
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(try String(contentsOf: proxy.folder.appendingPathComponent("cut"), encoding: .utf8) == "40000 0", "it was cut twice")
            // And one that breaks off for ever is given up.
            try proxy.tell("cut", "40000 1000000")
            let given = try await fixture.expect(try fixture.drillFile("postgres"), code: 2, rule: ["store-unreachable"])
            #expect(given.findings.contains { $0.hint.contains("network") })
        }
    }

    /// Small parts still come, whole artifacts don't: that the copies agree can't be told, and neither is anybody blamed for it.
    @Test func copiesThatCannotBeFetchedAreNotCompared() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            try fixture.editEstate("stores: [dr]\n        match: postgres/daily", "stores: [primary, dr]\n        match: postgres/daily")
            try proxy.tell("cut", "40000 1000000 .dump.enc HTTP")
            let output = fixture.reports.appendingPathComponent("inspected")
            let outcome = try await fixture.run(["inspect", fixture.estate.path, "--output", output.path])
            let judged = outcome.out.contains(/! policy postgres · daily: each is in primary and dr, with the same bytes \(error\)/)
            #expect(judged && outcome.out.contains("store-unreachable"), "\(outcome.text)")
            // The inspection goes on behind it, to its verdict and its reports.
            #expect(outcome.out.contains(/daily: made every day/), "\(outcome.text)")
            _ = try Fixture.runFolder(in: output, outcome).events()
        }
    }

    @Test func anObjectThatGoesWhileTheDrillRuns() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            try proxy.tell("hold", ".rdb.enc HTTP")
            let output = fixture.reports.appendingPathComponent("gone")
            let running = try fixture.start(["run", try fixture.drillFile().path, "--output", output.path])
            try await proxy.waitUntilHeld()
            try await bucket.rclone(["deletefile", bucket.path("redis/rdb/\(try fixture.newest("redis").lastPathComponent)")])
            try proxy.letGo()
            let outcome = await running.outcome()
            #expect(outcome.code == 1 && outcome.out.contains("has gone from the store since it was listed"), "\(outcome.text)")
        }
    }

    @Test func anObjectThatIsWrittenAgainAndAgain() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try fixture.removeSeals(in: fixture.snapshots)
            try await bucket.upload(fixture.store)
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            let object = bucket.path("redis/rdb/\(try fixture.newest("redis").lastPathComponent)")
            let bytes = try Data(contentsOf: try fixture.newest("redis"))
            // Whoever asks for it waits until it has been written anew.
            try proxy.tell("hold", String(try #require(object.split(separator: "/").last?.split(separator: "+").first)))
            let output = fixture.reports.appendingPathComponent("changing")
            let running = try fixture.start(["run", try fixture.drillFile().path, "--output", output.path])
            async let writer: Void = {
                var size = bytes.count
                try await proxy.beforeEachHeld {
                    size += 32
                    let file = fixture.folder.appendingPathComponent("again")
                    try (bytes + Data(repeating: 0, count: size - bytes.count)).write(to: file)
                    try await bucket.rclone(["copyto", file.path, object])
                }
            }()
            let outcome = await running.outcome()
            try proxy.letGo()
            try await writer
            #expect(outcome.code == 2 && outcome.out.contains("object-changed"), "\(outcome.text)")
        }
    }

    @Test(arguments: [SIGINT, SIGKILL])
    func stoppedWhileItFetches(signal: Int32) async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            try proxy.tell("hold", ".rdb.enc HTTP")
            let output = fixture.reports.appendingPathComponent("stopped")
            let running = try fixture.start(["run", try fixture.drillFile().path, "--output", output.path])
            try await proxy.waitUntilHeld()
            // The keys are in the environment of that one program, and on no command line.
            let commands = ProcessList.mentioning("rclone").map(\.arguments).joined(separator: "\n")
            #expect(commands.contains("rclone") && !commands.contains(bucket.secret) && !commands.contains(bucket.id), "\(commands)")
            running.send(signal)
            #expect(await running.outcome().code == (signal == SIGINT ? 130 : 137))
            if signal == SIGKILL {
                let cleaned = try await fixture.run(["clean"])
                #expect(cleaned.code == 0 && cleaned.out.contains("removed"), "\(cleaned.text)")
            }
            fixture.expectNothingLeft()
            try proxy.letGo()
        }
    }

    @Test func aBaseBackupInABucket() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            try fixture.useBucket(bucket)
            try fixture.editEstate("stores: [primary]\n        match: postgres/base", "stores: [dr]\n        match: postgres/base")
            try FileManager.default.removeItem(at: fixture.store)
            let (outcome, _) = try await fixture.drill(fixture.drills.appendingPathComponent("point-in-time.yaml"))
            #expect(outcome.code == 0, "\(outcome.text)")
            // The series that lie in the first store alone are gone.
            let deep = try await fixture.run([
                "inspect", fixture.estate.path, "--deep", "--output", fixture.reports.appendingPathComponent("deep").path,
            ]).text
            #expect(deep.contains(/✓ postgres +base: every artifact reads to its end/), "\(deep)")
            #expect(deep.contains(/✓ postgres +base: the write-ahead log reads to its end/), "\(deep)")
        }
    }
}

@Suite(.enabled(if: access("/usr/sbin/sshd", X_OK) == 0 || ProcessInfo.processInfo.environment["CI"] != nil, "openssh-server is missing"))
struct SSHStoreTests {
    @Test func aDrillThroughSSH() async throws {
        try await Fixture.with { fixture in
            let server = try await SSHServer.start(in: fixture.folder.appendingPathComponent("login"))
            defer { server.stop() }
            try fixture.useSSH(server)
            let (outcome, _) = try await fixture.drill(fixture.drills.appendingPathComponent("quick-look.yaml"))
            #expect(outcome.code == 0, "\(outcome.text)")

            // Another host key than the one that is known: nobody logs in there.
            try server.know("other")
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["store-untrusted"])
            // The right one, as that of a host on the usual port.
            try server.know("host", as: "127.0.0.1")
            let unnamed = try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["store-untrusted"])
            #expect(unnamed.findings.contains { $0.hint.contains("[127.0.0.1]:\(server.port)") }, "\(unnamed.findings)")
            try server.know("host")

            try fixture.editEstate("login: {file: \(server.key.path)}", "login: {file: \(server.folder.path)/other}")
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["store-access-denied"])
            try fixture.editEstate("login: {file: \(server.folder.path)/other}", "login: {file: \(server.key.path)}")

            try fixture.editEstate("backups/primary, known-hosts", "backups/nowhere, known-hosts")
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["store-missing"])
        }
    }
}
