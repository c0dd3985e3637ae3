// Why a remote store as a whole doesn't answer as it should: told in bounded time, with the store's own code and no secret.

import Foundation
import Glibc
import Testing

@Suite(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
struct StoreCauseTests {
    /// rclone 1.60 asks for ever where every answer is a redirect.
    @Test(arguments: [
        ("301 PermanentRedirect", "store-unreadable", "none within 60 s"), ("503 SlowDown", "store-busy", "SlowDown"),
        ("400 AuthorizationHeaderMalformed", "store-unreadable", "AuthorizationHeaderMalformed"),
        ("403 RequestTimeTooSkewed", "store-access-denied", "RequestTimeTooSkewed"),
    ])
    func aStoreThatAnswersTheSameToEverything(answer: String, rule: String, cause: String) async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            let proxy = try Proxy.start(to: bucket.port, in: fixture.folder.appendingPathComponent("proxy"))
            try fixture.useBucket(bucket, port: proxy.port)
            try proxy.tell("answer", "\(answer) /")
            let start = ContinuousClock.now
            let drill = try await fixture.expect(try fixture.drillFile(), code: 2, rule: [rule])
            let finding = try #require(drill.findings.first { $0.rule == rule })
            // A newer rclone gives up by itself, and then says the code.
            #expect(finding.actual.contains(cause) || finding.actual.contains("PermanentRedirect"), "\(finding)")
            #expect(!finding.message.contains("reached"))
            #expect(start.duration(to: .now) < .seconds(240))
        }
    }

    /// As in a bucket where somebody put an object under the very name of the folder, and a script joined two parts with a slash too many.
    @Test func aPrefixThatIsAnObjectAndAKeyWithTwoSlashes() async throws {
        try await Fixture.with { fixture in
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            try await bucket.put(Data("a file".utf8), as: "backups")
            try await bucket.put(Data("lost".utf8), as: "backups/redis/rdb//dump.rdb.enc")
            try fixture.useBucket(bucket)
            let (outcome, _) = try await fixture.drill(try fixture.drillFile())
            #expect(outcome.out.contains("recovery point") && outcome.out.contains("✓ restore"), "\(outcome.text)")
            #expect(outcome.out.contains("name-unusable") && outcome.out.contains("redis/rdb//"), "\(outcome.text)")
        }
    }

    @Test func aRemoteThatIsNotDeclared() async throws {
        try await Fixture.with { fixture in
            let configuration = fixture.lab.appendingPathComponent("keys/rclone.conf")
            try Data("[one]\ntype = union\nupstreams = /tmp\n".utf8).write(to: configuration)
            try fixture.replaceStore("{type: rclone, remote: \"nope:backups\", config: keys/rclone.conf, zone: dr}")
            let undeclared = try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["store-unreadable"])
            #expect(undeclared.findings.contains { $0.message.contains("doesn't declare the remote nope") }, "\(undeclared.findings)")
            try fixture.editEstate("nope:backups", "one:backups")
            let refused = try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["store-unreadable"])
            #expect(refused.findings.contains { $0.message.contains("doesn't take one:backups as it is declared") }, "\(refused.findings)")
        }
    }
}
