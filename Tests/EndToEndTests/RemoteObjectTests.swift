// Single objects of a bucket that can't be read, and what it costs to read those that can: counted in requests.

import Foundation
import Glibc
import Testing

@Suite(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
struct RemoteObjectTests {
    /// A lifecycle rule that archives after thirty days is how people keep twelve monthlies.
    @Test func anArchivedBackupIsToldAndTheOthersAreRead() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let names = try fixture.artifacts(in: fixture.snapshots).map(\.lastPathComponent).sorted()
            try #require(names.count > 2)
            // And a seal alone: its artifact is then dated by itself.
            for name in [names[0], names[1] + ".seal.json"] { try await bucket.archive("redis/rdb/\(name)", in: "DEEP_ARCHIVE") }
            try await bucket.archive("redis/rdb/\(names[2])", in: "GLACIER_IR")
            try fixture.useBucket(bucket)
            let (outcome, _) = try await fixture.drill(try fixture.drillFile())
            #expect(outcome.code == 0, "\(outcome.text)")

            let shown = try await fixture.run(["inspect", "--list", fixture.estate.path])
            let rows = shown.out.split(separator: "\n").filter { $0.contains(names[0]) }
            #expect(rows.count == 1 && rows.allSatisfy { $0.contains("archived in DEEP_ARCHIVE") }, "\(shown.text)")
            #expect(shown.out.matches(of: /archived in/).count == 1, "\(shown.text)")

            let output = fixture.reports.appendingPathComponent("inspected")
            let inspected = try await fixture.run(["inspect", fixture.estate.path, "--deep", "--output", output.path])
            #expect(
                inspected.out.contains(/redis, rdb: every artifact can be fetched at once: 1 of [0-9]+ is archived in DEEP_ARCHIVE/),
                "\(inspected.text)")
            #expect(inspected.out.contains(/✓ redis +rdb: every artifact reads to its end/), "\(inspected.text)")
            #expect(
                inspected.out.contains(/! policy redis · rdb: every artifact is sealed, and the seals hold \(error\)/), "\(inspected.text)")
            #expect(!inspected.out.contains("not-sealed") && !inspected.out.contains("artifact-unreadable"), "\(inspected.text)")
        }
    }

    @Test func theNewestIsArchived() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let newest = try fixture.newest("redis").lastPathComponent
            try await bucket.archive("redis/rdb/\(newest)", in: "GLACIER")
            try fixture.useBucket(bucket)
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["artifact-archived"])
            // The next older one is drilled, and nobody calls the archived one unhealthy.
            let (outcome, report) = try await fixture.drill(try fixture.drillFile(select: "latest-healthy"))
            let drill = try #require(report.drills.first)
            #expect(outcome.code == 2 && !outcome.out.contains("recovery-point-bad"), "\(outcome.text)")
            #expect(drill.cases(of: "keys").contains { $0.verdict == "passed" }, "\(outcome.text)")
            let inspected = try await fixture.run([
                "inspect", fixture.estate.path, "--output", fixture.reports.appendingPathComponent("i").path,
            ])
            #expect(inspected.out.contains(/! policy redis · rdb: every artifact can be fetched at once \(error\)/), "\(inspected.text)")
        }
    }

    /// A monthly that is copied into the archive today, without a seal: dated by its store, it would count as today's backup, and that is said.
    @Test func anArchivedOneIsDatedByItsStore() async throws {
        try await Fixture.with { fixture in
            try fixture.removeSeals(in: fixture.snapshots)
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let oldest = try #require(try fixture.artifacts(in: fixture.snapshots).map(\.lastPathComponent).min())
            try await bucket.archive("redis/rdb/\(oldest)", in: "GLACIER")
            try fixture.useBucket(bucket)
            let drill = try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["artifact-archived"])
            let finding = drill.findings.first { $0.rule == "artifact-archived" }
            #expect(finding?.message.contains("dated by when it was stored (LastModified)") == true, "\(drill.findings)")
            let inspected = try await fixture.run([
                "inspect", fixture.estate.path, "--output", fixture.reports.appendingPathComponent("i").path,
            ])
            #expect(inspected.out.contains("dated by when it was stored"), "\(inspected.text)")
        }
    }

    /// What a key service encrypts has an ETag that looks like an MD5 and is none.
    @Test func aBucketWhoseETagsAreNoDigests() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            try proxy.tell("etags", "")
            let (outcome, _) = try await fixture.drill(try fixture.drillFile())
            #expect(outcome.code == 0, "\(outcome.text)")
            // What rclone held against a digest is held against ours.
            try proxy.tell("flip", ".rdb.enc HTTP")
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["artifact-digest-differs"])
            try proxy.tell("flip", ".seal.json HTTP")
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["seal-unreadable", "seal-signature-invalid"])
        }
    }

    @Test func oneObjectThatMayNotBeRead() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            let newest = try #require(try fixture.newest("redis").lastPathComponent.split(separator: "+").first)
            try proxy.tell("answer", "403 AccessDenied \(newest)")
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["artifact-access-denied"])
            let (outcome, report) = try await fixture.drill(try fixture.drillFile(select: "latest-healthy"))
            #expect(outcome.code == 2, "\(outcome.text)")
            #expect(report.drills.first?.cases(of: "keys").contains { $0.verdict == "passed" } == true, "\(outcome.text)")
            // Where all are refused, it is the credentials.
            try proxy.tell("answer", "403 AccessDenied /backups/redis")
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["store-access-denied"])
        }
    }

    /// What the remote's own encryption doesn't take is the artifact's damage, and says nothing of its store.
    @Test(arguments: [Damage.flipped(at: 0.5), .flipped(at: 0.001), .cut(to: 0.5)])
    func aDamagedObjectOfACryptRemote(damage: Damage) async throws {
        try await Fixture.with { fixture in
            let crypt = try await CryptRemote.make(of: fixture.store, in: fixture.folder.appendingPathComponent("crypt"))
            try fixture.replaceStore("{type: rclone, remote: \"crypt:\", config: \(crypt.configuration.path), zone: dr}")
            let newest = try fixture.newest("redis").lastPathComponent
            let (whole, _) = try await fixture.drill(try fixture.drillFile())
            #expect(whole.code == 0, "\(whole.text)")
            try await crypt.damage("redis/rdb/\(newest)", damage)
            let drill = try await fixture.expect(
                try fixture.drillFile(select: "latest-healthy"), code: 1, rule: ["artifact-unreadable", "artifact-truncated"])
            #expect(drill.cases(of: "keys").contains { $0.verdict == "passed" })
            let output = fixture.reports.appendingPathComponent("i")
            let inspected = try await fixture.run(["inspect", "--deep", fixture.estate.path, "--output", output.path])
            #expect(inspected.code == 1 && inspected.out.contains("\(newest)") && !inspected.out.contains("store-un"), "\(inspected.text)")
        }
    }

    /// Ten in a folder of many cost as many requests as ten in a folder of ten.
    @Test func readingAnObjectListsNothing() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try fixture.removeSeals(in: fixture.snapshots)
            try await bucket.upload(fixture.store)
            let objects = try fixture.artifacts(in: fixture.snapshots).count
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            try proxy.tell("count", "")
            let asked = "checks:\n  redis:\n    - keys: {pattern: \"*\", at-least: 1}"
            let (outcome, _) = try await fixture.drill(try fixture.drillFile(more: asked))
            #expect(outcome.code == 0, "\(outcome.text)")
            let requests = try proxy.requests()
            // The store once, page by page, and no folder of it.
            let listings = requests.filter { $0.contains("prefix=") }
            #expect(listings.count { !$0.contains("marker=") } == 1, "\(listings)")
            #expect(listings.allSatisfy { $0.hasSuffix("prefix=backups%2F") }, "\(listings)")
            // Of each its first bytes, and of one all of it; a look before and, of that one, after.
            #expect(requests.count { $0.hasPrefix("GET") } == listings.count + objects + 1, "\(requests)")
            #expect(requests.count { $0.hasPrefix("HEAD") } <= objects + 3, "\(requests)")
        }
    }
}
