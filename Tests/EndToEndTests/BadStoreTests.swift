// Stores, files and keys that aren't what the estate says: each its own finding, verdict and mend, and nothing left.

import Foundation
import Testing

struct BadStoreTests {
    @Test func aMissingStore() async throws {
        try await Fixture.with { fixture in
            try FileManager.default.removeItem(at: fixture.store)
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["store-missing"])
            try await fixture.expect(try fixture.drillFile("postgres", select: "latest-healthy"), code: 1, rule: ["store-missing"])
        }
    }

    @Test func anEmptyStore() async throws {
        try await Fixture.with { fixture in
            try FileManager.default.removeItem(at: fixture.store)
            try FileManager.default.createDirectory(at: fixture.store, withIntermediateDirectories: true)
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["no-recovery-point"])
            try await fixture.expect(try fixture.drillFile("postgres", select: "latest-healthy"), code: 1, rule: ["no-recovery-point"])
        }
    }

    /// A name that is no text is in no list of files, and yet it may be the newest backup.
    @Test func aNewestBackupWhoseNameIsNoText() async throws {
        try await Fixture.with { fixture in
            let name = Array(fixture.snapshots.path.utf8) + Array("/bad".utf8) + [0xff] + Array(".rdb.enc".utf8) + [0]
            let bytes = name.map { CChar(bitPattern: $0) }
            let descriptor = open(bytes, O_CREAT | O_WRONLY, 0o600)
            try #require(descriptor >= 0)
            close(descriptor)
            let drill = try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["name-unusable"])
            #expect(drill.findings.contains { $0.rule == "name-unusable" && $0.object.hasSuffix("redis/rdb/bad\\xff.rdb.enc") })
            // An older one is told, and turns nothing red.
            var times = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
            try #require(utimensat(AT_FDCWD, bytes, &times, 0) == 0)
            let (outcome, report) = try await fixture.drill(try fixture.drillFile())
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(report.drills.first?.findings.contains { $0.rule == "name-unusable" && $0.severity == "warning" } == true)
        }
    }

    @Test func aPatternThatMatchesNothing() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("redis/rdb/*.rdb.enc", "redis/rdb/*.rdb.gpg")
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["no-recovery-point"])
        }
    }

    @Test(arguments: ["postgres", "redis"])
    func aCutFile(service: String) async throws {
        try await Fixture.with { fixture in
            try fixture.change(try fixture.newest(service)) { $0.removeLast($0.count / 3 + 5) }
            try await fixture.expect(try fixture.drillFile(service), code: 1, rule: ["artifact-truncated"])
            // Without a seal the broken last block still tells.
            try fixture.removeSeals(in: service == "redis" ? fixture.snapshots : fixture.dumps)
            try await fixture.expect(try fixture.drillFile(service), code: 1, rule: ["artifact-truncated"])
        }
    }

    /// Cut at a block's border, nothing of the encryption's form is broken.
    @Test(arguments: ["postgres", "redis"])
    func aCutFileOfWholeBlocks(service: String) async throws {
        try await Fixture.with { fixture in
            try fixture.removeSeals(in: service == "redis" ? fixture.snapshots : fixture.dumps)
            try fixture.change(try fixture.newest(service)) { $0.removeLast($0.count / 2 / 16 * 16) }
            // One padding in 256 is right by chance, and then the format's own checks notice.
            let rules = ["decryption-failed", "artifact-damaged", "archive-truncated", "archive-damaged", "redis-data-damaged"]
            try await fixture.expect(try fixture.drillFile(service), code: 1, rule: rules)
        }
    }

    @Test(arguments: ["postgres", "redis"])
    func aFlippedBit(service: String) async throws {
        try await Fixture.with { fixture in
            try fixture.change(try fixture.newest(service)) { $0[$0.count / 2] ^= 0x04 }
            try await fixture.expect(try fixture.drillFile(service), code: 1, rule: ["artifact-digest-differs"])
            // Without a seal it is the format's own checks that notice.
            try fixture.removeSeals(in: service == "redis" ? fixture.snapshots : fixture.dumps)
            let rules = service == "redis" ? ["redis-data-damaged"] : ["archive-damaged", "object-not-restored"]
            try await fixture.expect(try fixture.drillFile(service), code: 1, rule: rules)
        }
    }

    @Test func anEmptyFile() async throws {
        try await Fixture.with { fixture in
            try Data().write(to: try fixture.newest("redis"))
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["artifact-empty"])
        }
    }

    @Test func aWrongKey() async throws {
        try await Fixture.with { fixture in
            try Data("not the key\n".utf8).write(to: fixture.passphrase)
            let sealed = try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["decryption-failed"])
            // The digest holds, so the finding can say that it is the key.
            #expect(sealed.findings.contains { $0.hint.contains("the key is wrong") })
            try fixture.removeSeals(in: fixture.snapshots)
            let unsealed = try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["decryption-failed"])
            #expect(!unsealed.findings.contains { $0.hint.contains("the key is wrong") })
        }
    }

    @Test func aKeyThatCannotBeHad() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("backup: {file: keys/backup.key}", "backup: {env: ME2E_KEY}")
            let drill = try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["key-missing"])
            #expect(drill.findings.contains { $0.hint.contains("ME2E_KEY") })
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["key-empty"], environment: ["ME2E_KEY": ""])
            try fixture.editEstate("{env: ME2E_KEY}", "{file: keys/nowhere.key}")
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["key-missing"])
            try fixture.editEstate("{file: keys/nowhere.key}", "{command: [\"false\"]}")
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["key-missing"])
            try fixture.editEstate("[\"false\"]", "[no-such-program-here]")
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["key-missing"])
        }
    }

    @Test func plainWhereEncryptedIsDeclared() async throws {
        try await Fixture.with { fixture in
            let newest = try fixture.newest("redis")
            let plain = fixture.folder.appendingPathComponent("plain.rdb")
            try await fixture.decrypt(newest, to: plain)
            try Data(contentsOf: plain).write(to: newest)
            try fixture.removeSeals(in: fixture.snapshots)
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["artifact-not-encrypted"])
        }
    }

    @Test func encryptedWherePlainIsDeclared() async throws {
        try await Fixture.with { fixture in
            let folder = try fixture.addPlainBackup(to: "redis", kind: "rdb")
            try FileManager.default.copyItem(at: try fixture.newest("redis"), to: folder.appendingPathComponent("a.rdb"))
            try await fixture.expect(try fixture.drillFile(from: "plain"), code: 1, rule: ["artifact-still-encrypted"])
        }
    }

    @Test func anArtifactOfAnotherKind() async throws {
        try await Fixture.with { fixture in
            let dumps = try fixture.addPlainBackup(to: "postgres", kind: "pg_dump")
            let file = dumps.appendingPathComponent("artifact")
            try await fixture.decrypt(try fixture.newest("redis"), to: file)
            try await fixture.expect(
                try fixture.drillFile("postgres", from: "plain"), code: 1, rule: ["artifact-not-a-dump", "artifact-unknown-kind"])
            try Data("Dear diary, today I took a backup.\n".utf8).write(to: file)
            try await fixture.expect(try fixture.drillFile("postgres", from: "plain"), code: 1, rule: ["artifact-unknown-kind"])
            try Data(repeating: 0, count: 100_000).write(to: file)
            try await fixture.expect(try fixture.drillFile("postgres", from: "plain"), code: 1, rule: ["artifact-unknown-kind"])
        }
        try await Fixture.with { fixture in
            let file = try fixture.addPlainBackup(to: "redis", kind: "rdb").appendingPathComponent("artifact")
            try await fixture.decrypt(try fixture.newest("postgres"), to: file)
            try await fixture.expect(
                try fixture.drillFile(from: "plain"), code: 1, rule: ["artifact-not-a-redis-backup", "artifact-unknown-kind"])
            // A snapshot where append-only files are declared: a server would come up empty.
            try fixture.editEstate("plain: {kind: rdb", "plain: {kind: aof")
            try FileManager.default.removeItem(at: file)
            try await fixture.decrypt(try fixture.newest("redis"), to: file)
            let (outcome, report) = try await fixture.drill(try fixture.drillFile(from: "plain"))
            #expect(outcome.code != 0, "\(report.drills.first?.findings.map(\.rule) ?? [])")
        }
    }

    /// Postgres 99 doesn't exist: whoever has such a dump needs a newer server, and the backup isn't to blame.
    @Test func aDumpOfANewerMajor() async throws {
        try await Fixture.with { fixture in
            let file = try fixture.addPlainBackup(to: "postgres", kind: "pg_dump").appendingPathComponent("artifact")
            try await fixture.decrypt(try fixture.newest("postgres"), to: file)
            try fixture.change(file) { bytes in
                let old = Array("15.".utf8)
                for place in 0..<300 where Array(bytes[place..<place + 3]) == old {
                    bytes.replaceSubrange(place..<place + 2, with: Array("99".utf8))
                }
            }
            let drill = try await fixture.expect(try fixture.drillFile("postgres", from: "plain"), code: 2, rule: ["postgres-too-old"])
            #expect(drill.findings.contains { $0.hint.contains("postgresql-99") })
        }
    }
}
