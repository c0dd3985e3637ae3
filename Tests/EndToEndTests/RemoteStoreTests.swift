// Backups in S3 and behind SSH: restored, inspected, and what goes wrong on the way told for what it is.

import Foundation
import Glibc
import Testing

@Suite(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
struct RemoteStoreTests {
    @Test func aDrillFromABucket() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            try desk.useBucket(bucket)
            // Nothing is read in the folder that it was uploaded from.
            try FileManager.default.removeItem(at: desk.store)
            let (outcome, report) = try await desk.drill(desk.drills.appendingPathComponent("quick-look.yaml"))
            let drill = try #require(report.drills.first)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(drill.cases(of: "backup").contains { $0.name == "the artifact is what was sealed" && $0.verdict == "passed" })
            for secret in [bucket.secret, bucket.id] {
                #expect(!outcome.text.contains(secret))
                for file in try FileManager.default.subpathsOfDirectory(atPath: desk.reports.path) {
                    let text = (try? String(contentsOf: desk.reports.appendingPathComponent(file), encoding: .utf8)) ?? ""
                    #expect(!text.contains(secret), "\(file)")
                }
            }
        }
    }

    /// Its members are read to find the snapshot's own time, and then fetched.
    @Test func unsealedBackupsOfABucketAreDatedByTheirContent() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try desk.removeSeals(in: desk.snapshots)
            try await bucket.upload(desk.store)
            try desk.useBucket(bucket)
            let shown = try await desk.run(["inspect", "--list", "--format", "json", desk.estate.path])
            #expect(shown.code == 0 || shown.code == 1)
            #expect(shown.out.contains("rdb-ctime"), "\(shown.text)")
            let asked = "checks:\n  redis:\n    - keys: {pattern: \"*\", at-least: 1}"
            let (outcome, _) = try await desk.drill(try desk.drillFile(more: asked))
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    @Test func copiesInABucketAreHeldAgainstTheFolder() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            let names = try desk.artifacts(in: desk.snapshots).map(\.lastPathComponent)
            try #require(names.count > 2)
            try await bucket.rclone(["deletefile", bucket.path("redis/rdb/\(names[1])")])
            let wrong = desk.folder.appendingPathComponent("wrong")
            var bytes = Array(try Data(contentsOf: desk.snapshots.appendingPathComponent(names[2])))
            bytes[bytes.count / 2] ^= 1
            try Data(bytes).write(to: wrong)
            try await bucket.rclone(["copyto", wrong.path, bucket.path("redis/rdb/\(names[2])")])
            try desk.useBucket(bucket)
            try desk.editEstate("stores: [dr]\n        match: redis/rdb", "stores: [primary, dr]\n        match: redis/rdb")
            let output = desk.reports.appendingPathComponent("inspected")
            let outcome = try await desk.run(["inspect", desk.estate.path, "--output", output.path])
            let lines = outcome.out.split(separator: "\n")
            func objects(_ rule: String) -> [Substring] { lines.filter { $0.contains("    \(rule)") } }
            #expect(outcome.code == 1)
            #expect(objects("copy-missing").count == 1 && objects("copy-missing").allSatisfy { $0.contains(names[1]) }, "\(outcome.out)")
            #expect(objects("copy-differs").count == 1 && objects("copy-differs").allSatisfy { $0.contains(names[2]) }, "\(outcome.out)")
            #expect(objects("artifact-").isEmpty, "\(outcome.out)")
        }
    }

    @Test func whatStandsBetween() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            try desk.useBucket(bucket)
            let estate = try String(contentsOf: desk.estate, encoding: .utf8)
            let secret = desk.lab.appendingPathComponent("keys/s3.secret")
            try Data("not-the-secret-key".utf8).write(to: secret)
            let denied = try await desk.expect(try desk.drillFile(), code: 2, rule: ["store-access-denied"])
            #expect(!denied.findings.contains { $0.message.contains("not-the-secret-key") })
            try Data(bucket.secret.utf8).write(to: secret)

            try desk.editEstate("127.0.0.1:\(bucket.port)", "127.0.0.1:1")
            try await desk.expect(try desk.drillFile(), code: 2, rule: ["store-unreachable"])
            try Data(estate.utf8).write(to: desk.estate)

            try desk.editEstate("bucket: \(Bucket.name)", "bucket: \(Bucket.name)-gone")
            try await desk.expect(try desk.drillFile(), code: 1, rule: ["store-missing"])
            try Data(estate.utf8).write(to: desk.estate)

            try desk.editEstate("prefix: backups", "prefix: elsewhere")
            try await desk.expect(try desk.drillFile(), code: 1, rule: ["no-recovery-point"])
        }
    }

    @Test func halfAnUpload() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try desk.change(try desk.newest("redis")) { $0.removeLast($0.count / 2) }
            try await bucket.upload(desk.store)
            try desk.useBucket(bucket)
            try await desk.expect(try desk.drillFile(), code: 1, rule: ["artifact-truncated"])
        }
    }

    /// Connections break in the middle of objects: the transfer goes on where it broke, and what comes is whole.
    @Test func anInterruptedTransferGoesOn() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            let proxy = try Proxy.start(to: bucket.port, in: desk.folder.appendingPathComponent("proxy"))
            try desk.useBucket(bucket, port: proxy.port)
            try proxy.tell("cut", "40000 2")
            let (outcome, _) = try await desk.drill(try desk.drillFile("postgres"))
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(try String(contentsOf: proxy.folder.appendingPathComponent("cut"), encoding: .utf8) == "40000 0", "it was cut twice")
            // And one that breaks off for ever is given up.
            try proxy.tell("cut", "40000 1000000")
            let given = try await desk.expect(try desk.drillFile("postgres"), code: 2, rule: ["store-unreachable"])
            #expect(given.findings.contains { $0.hint.contains("network") })
        }
    }

    /// Small parts still come, whole artifacts don't: that the copies agree can't be told, and neither is anybody blamed for it.
    @Test func copiesThatCannotBeFetchedAreNotCompared() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            let proxy = try Proxy.start(to: bucket.port, in: desk.folder.appendingPathComponent("proxy"))
            try desk.useBucket(bucket, port: proxy.port)
            try desk.editEstate("stores: [dr]\n        match: postgres/daily", "stores: [primary, dr]\n        match: postgres/daily")
            try proxy.tell("cut", "40000 1000000 .dump.enc HTTP")
            let output = desk.reports.appendingPathComponent("inspected")
            let outcome = try await desk.run(["inspect", desk.estate.path, "--output", output.path])
            let judged = outcome.out.contains(/! policy postgres · daily: each is in primary and dr, with the same bytes \(error\)/)
            #expect(judged && outcome.out.contains("store-unreachable"), "\(outcome.text)")
            // The inspection goes on behind it, to its verdict and its reports.
            #expect(outcome.out.contains(/daily: made every day/), "\(outcome.text)")
            _ = try Desk.runFolder(in: output, outcome).events()
        }
    }

    @Test func anObjectThatGoesWhileTheDrillRuns() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            let proxy = try Proxy.start(to: bucket.port, in: desk.folder.appendingPathComponent("proxy"))
            try desk.useBucket(bucket, port: proxy.port)
            try proxy.tell("hold", ".rdb.enc HTTP")
            let output = desk.reports.appendingPathComponent("gone")
            let running = try desk.start(["run", try desk.drillFile().path, "--output", output.path])
            try await proxy.waitUntilHeld()
            try await bucket.rclone(["deletefile", bucket.path("redis/rdb/\(try desk.newest("redis").lastPathComponent)")])
            try proxy.letGo()
            let outcome = await running.outcome()
            #expect(outcome.code == 1 && outcome.out.contains("has gone from the store since it was listed"), "\(outcome.text)")
        }
    }

    @Test func anObjectThatIsWrittenAgainAndAgain() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try desk.removeSeals(in: desk.snapshots)
            try await bucket.upload(desk.store)
            let proxy = try Proxy.start(to: bucket.port, in: desk.folder.appendingPathComponent("proxy"))
            try desk.useBucket(bucket, port: proxy.port)
            let object = bucket.path("redis/rdb/\(try desk.newest("redis").lastPathComponent)")
            let bytes = try Data(contentsOf: try desk.newest("redis"))
            // Whoever asks for it waits until it has been written anew.
            try proxy.tell("hold", String(try #require(object.split(separator: "/").last?.split(separator: "+").first)))
            let output = desk.reports.appendingPathComponent("changing")
            let running = try desk.start(["run", try desk.drillFile().path, "--output", output.path])
            async let writer: Void = {
                var size = bytes.count
                try await proxy.beforeEachHeld {
                    size += 32
                    let file = desk.folder.appendingPathComponent("again")
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
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            let proxy = try Proxy.start(to: bucket.port, in: desk.folder.appendingPathComponent("proxy"))
            try desk.useBucket(bucket, port: proxy.port)
            try proxy.tell("hold", ".rdb.enc HTTP")
            let output = desk.reports.appendingPathComponent("stopped")
            let running = try desk.start(["run", try desk.drillFile().path, "--output", output.path])
            try await proxy.waitUntilHeld()
            // The keys are in the environment of that one program, and on no command line.
            let commands = ProcessList.mentioning("rclone").map(\.arguments).joined(separator: "\n")
            #expect(commands.contains("rclone") && !commands.contains(bucket.secret) && !commands.contains(bucket.id), "\(commands)")
            running.send(signal)
            #expect(await running.outcome().code == (signal == SIGINT ? 130 : 137))
            if signal == SIGKILL {
                let cleaned = try await desk.run(["clean"])
                #expect(cleaned.code == 0 && cleaned.out.contains("removed"), "\(cleaned.text)")
            }
            desk.expectNothingLeft()
            try proxy.letGo()
        }
    }

    @Test func aBaseBackupInABucket() async throws {
        try await Desk.with { desk in
            let bucket = try Bucket.start()
            try await bucket.upload(desk.store)
            try desk.useBucket(bucket)
            try desk.editEstate("stores: [primary]\n        match: postgres/base", "stores: [dr]\n        match: postgres/base")
            try FileManager.default.removeItem(at: desk.store)
            let (outcome, _) = try await desk.drill(desk.drills.appendingPathComponent("point-in-time.yaml"))
            #expect(outcome.code == 0, "\(outcome.text)")
            // The series that lie in the first store alone are gone.
            let deep = try await desk.run([
                "inspect", desk.estate.path, "--deep", "--output", desk.reports.appendingPathComponent("deep").path,
            ]).text
            #expect(deep.contains(/✓ postgres +base: every artifact reads to its end/), "\(deep)")
            #expect(deep.contains(/✓ postgres +base: the write-ahead log reads to its end/), "\(deep)")
        }
    }
}

@Suite(.enabled(if: access("/usr/sbin/sshd", X_OK) == 0 || ProcessInfo.processInfo.environment["CI"] != nil, "openssh-server is missing"))
struct SSHStoreTests {
    @Test func aDrillThroughSSH() async throws {
        try await Desk.with { desk in
            let server = try await SSHServer.start(in: desk.folder.appendingPathComponent("login"))
            defer { server.stop() }
            try desk.useSSH(server)
            let (outcome, _) = try await desk.drill(desk.drills.appendingPathComponent("quick-look.yaml"))
            #expect(outcome.code == 0, "\(outcome.text)")

            // Another host key than the one that is known: nobody logs in there.
            try server.know("other")
            try await desk.expect(try desk.drillFile(), code: 2, rule: ["store-untrusted"])
            try server.know("host")

            try desk.editEstate("login: {file: \(server.key.path)}", "login: {file: \(server.folder.path)/other}")
            try await desk.expect(try desk.drillFile(), code: 2, rule: ["store-access-denied"])
            try desk.editEstate("login: {file: \(server.folder.path)/other}", "login: {file: \(server.key.path)}")

            try desk.editEstate("backups/primary, known-hosts", "backups/nowhere, known-hosts")
            try await desk.expect(try desk.drillFile(), code: 1, rule: ["store-missing"])
        }
    }
}
