// `muster init` and `muster doctor`, as somebody who has just installed it uses them.

import Foundation
import Testing

struct InitAndDoctorTests {
    /// What it writes drills: the lab's store, told by content and names, and nothing of it touched.
    @Test func whatInitWritesRuns() async throws {
        try await Fixture.with { fixture in
            let target = fixture.folder.appendingPathComponent("drafts")
            let made = try await fixture.run(["init", fixture.store.path, "--output", target.path])
            #expect(made.code == 0, "\(made.text)")
            #expect(
                made.out.contains("postgres/base/*: 2 of kind base_backup, encrypted, with the WAL archive postgres/wal/*"), "\(made.out)")
            #expect(made.out.contains("redis/rdb/dump-*.rdb.enc: 4 of kind rdb (by their names), encrypted"), "\(made.out)")
            let key = String(decoding: try Data(contentsOf: fixture.passphrase), as: UTF8.self).trimmingCharacters(
                in: .whitespacesAndNewlines)
            // The lab's pgBackRest repository is of another format, and so of another key.
            let environment = ["MUSTER_BACKUP_KEY_OPENSSL": key, "MUSTER_BACKUP_KEY_PGBACKREST": key]
            let shown = try await fixture.run(["run", target.path, "--dry-run"], environment: environment)
            #expect(shown.code == 0, "\(shown.text)")
            // Seals that nobody vouches for count as forged; with their key the newest backup is proven in full.
            let (untrusted, _) = try await fixture.drill(target.appendingPathComponent("redis-rdb.yaml"), environment: environment)
            #expect(made.out.contains("name their public key") && untrusted.code == 1, "\(untrusted.text)")
            let trusting = fixture.folder.appendingPathComponent("trusting")
            let publicKey = fixture.lab.appendingPathComponent("keys/seal.pub").path
            try await Program.require([Program.muster, "init", fixture.store.path, "--output", trusting.path, "--trust", publicKey])
            let (proven, _) = try await fixture.drill(trusting.appendingPathComponent("redis-rdb.yaml"), environment: environment)
            #expect(proven.code == 0, "\(proven.text)")
            // Its seals are of the estate of that name, and are believed for no other.
            let drafted = try String(contentsOf: trusting.appendingPathComponent("estate.yaml"), encoding: .utf8)
            #expect(drafted.contains("\nestate: domainscope\n"), "\(drafted)")
            let named = fixture.folder.appendingPathComponent("named").path
            try await Program.require([
                Program.muster, "init", fixture.store.path, "--output", named, "--trust", publicKey, "--estate", "mine",
            ])
            #expect(try String(contentsOfFile: named + "/estate.yaml", encoding: .utf8).contains("\nsealed-as: [\"domainscope\"]"))
            // Without a seal and without a check nothing is proven, and it says so.
            try fixture.removeSeals(in: fixture.snapshots)
            let (unproven, _) = try await fixture.drill(trusting.appendingPathComponent("redis-rdb.yaml"), environment: environment)
            #expect(unproven.code == 2 && unproven.out.contains("nothing-verified"), "\(unproven.text)")
            let again = try await fixture.run(["init", fixture.store.path, "--output", target.path])
            #expect(again.code == 64 && again.err.contains("is there already"), "\(again.text)")
        }
    }

    /// Kinds by content alone, whatever the names.
    @Test func kindsAreToldByContent() async throws {
        try await Fixture.with { fixture in
            let store = fixture.folder.appendingPathComponent("odd \"store\"")
            try FileManager.default.createDirectory(at: store.appendingPathComponent("x"), withIntermediateDirectories: true)
            try Data("REDIS0011".utf8).write(to: store.appendingPathComponent("x/a-1"))
            try Data("PGDMP".utf8).write(to: store.appendingPathComponent("x/b[2]"))
            try Data("hello".utf8).write(to: store.appendingPathComponent("x/letter"))
            let made = try await fixture.run(["init", store.path, "--output", fixture.folder.appendingPathComponent("odd").path])
            #expect(made.code == 0, "\(made.text)")
            #expect(made.out.contains("x/a-1: 1 of kind rdb\n") && made.out.contains("x/b?2?: 1 of kind pg_dump\n"), "\(made.out)")
            #expect(made.out.contains("passed over x/letter"))
        }
    }

    @Test func nothingToFind() async throws {
        try await Fixture.with { fixture in
            let empty = fixture.folder.appendingPathComponent("empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            let made = try await fixture.run(["init", empty.path, "--output", fixture.folder.appendingPathComponent("none").path])
            #expect(made.code == 2 && made.err.contains("no backup was recognised"), "\(made.text)")
            let missing = try await fixture.run(["init", fixture.folder.appendingPathComponent("nowhere").path])
            #expect(missing.code == 64, "\(missing.text)")
        }
    }

    /// By what it ends with: as a snapshot the file of Redis 6 would come back without its commands, and its drill be green.
    @Test func appendOnlyFilesAreTold() async throws {
        try await Fixture.with { fixture in
            let store = fixture.folder.appendingPathComponent("old")
            try FileManager.default.createDirectory(at: store.appendingPathComponent("v"), withIntermediateDirectories: true)
            let snapshot = Array("REDIS0009".utf8) + [0xff, 1, 2, 3, 4, 5, 6, 7, 8]
            let commands = Array("*1\r\n$4\r\nPING\r\n".utf8)
            try Data(snapshot + commands).write(to: store.appendingPathComponent("appendonly.aof"))
            try Data(snapshot).write(to: store.appendingPathComponent("dump.rdb"))
            try Data(commands).write(to: store.appendingPathComponent("plain.aof"))
            try Data(commands).write(to: store.appendingPathComponent("a.aof.1.incr.aof"))
            try Data(Array("VALKEY080".utf8) + [0xff]).write(to: store.appendingPathComponent("v/dump.rdb"))
            let made = try await fixture.run(["init", store.path, "--output", fixture.folder.appendingPathComponent("made").path])
            for line in [
                "appendonly.aof: 1 of kind aof", "dump.rdb: 1 of kind rdb", "plain.aof: 1 of kind aof", "v/dump.rdb: 1 of kind rdb",
            ] {
                #expect(made.out.contains(line), "\(line) \(made.text)")
            }
            #expect(!made.out.contains("incr.aof: 1 of kind"), "\(made.text)")
        }
    }

    @Test func aMachineThatHasAll() async throws {
        try await Fixture.with { fixture in
            let looked = try await fixture.run(["doctor", fixture.estate.path], environment: NewerPostgres.environment)
            #expect(looked.code == 0 && looked.out.contains("✓ redis-server") && looked.out.contains("✓ key backup"), "\(looked.text)")
            fixture.expectNothingLeft()
        }
    }

    /// Each lack by its name, with its mend; the key itself never shows.
    @Test func whatIsMissing() async throws {
        try await Fixture.with { fixture in
            let bare = fixture.folder.appendingPathComponent("bin")
            try FileManager.default.createDirectory(at: bare, withIntermediateDirectories: true)
            for tool in ["env", "setpriv", "unshare"] {
                let path = try await Program.require(["sh", "-c", "command -v \(tool)"]).out.trimmingCharacters(in: .whitespacesAndNewlines)
                try FileManager.default.createSymbolicLink(atPath: bare.appendingPathComponent(tool).path, withDestinationPath: path)
            }
            try FileManager.default.removeItem(at: fixture.lab.appendingPathComponent("backups/dr"))
            try fixture.editEstate("backup: {file: keys/backup.key}", "backup: {env: ME2E_NOT_SET}")
            let looked = try await fixture.run(["doctor", fixture.estate.path], environment: ["PATH": bare.path])
            #expect(looked.code == 2, "\(looked.text)")
            for line in [
                "✗ key backup: the environment variable ME2E_NOT_SET is not set", "✗ store dr", "✗ redis-server",
                "apt-get install redis-server",
            ] {
                #expect(looked.out.contains(line), "\(line) \(looked.out)")
            }
            fixture.expectNothingLeft()
        }
    }
}
