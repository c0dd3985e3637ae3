// What `muster doctor` says of the newest backup of each series: opened as a drill would, without a restore.

import Foundation
import Testing

struct DoctorOpeningTests {
    private func look(_ fixture: Fixture, _ environment: [String: String] = [:]) async throws -> Outcome {
        try await fixture.run(["doctor", fixture.estate.path], environment: NewerPostgres.environment.merging(environment) { $1 })
    }

    @Test func everySeriesOfTheLabOpens() async throws {
        try await Fixture.with { fixture in
            let looked = try await look(fixture)
            #expect(looked.code == 0, "\(looked.text)")
            for (series, words) in [
                ("postgres/daily", /opens with its key, custom dump of PostgreSQL \d.*, \d+ tables, needs \d.*, extensions .*citext/),
                ("postgres/base", /its manifest opens and names [\d,]+ files/), ("postgres/repository", /listed and not opened/),
                ("redis/rdb", /opens with its key, a snapshot of (?:redis|valkey) \d/),
                ("redis/aof", /opens with its key, append-only files/),
                ("code/bundle", /opens with its key, a git bundle/), ("configuration/env", /opens with its key, variables/),
            ] {
                let line = looked.out.split(separator: "\n").first { $0.hasPrefix("✓ newest of \(series): ") }
                #expect(line?.contains(words) == true, "\(series): \(looked.out)")
            }
            fixture.expectNothingLeft()
        }
    }

    /// The disappointments of a first drill, each by its name.
    @Test func whatDoesNotOpenIsSaid() async throws {
        try await Fixture.with { fixture in
            let newest = try fixture.newest("postgres")
            try fixture.removeSeals(in: newest.deletingLastPathComponent())
            // Another day's passphrase.
            let key = try Data(contentsOf: fixture.passphrase)
            try Data("another passphrase\n".utf8).write(to: fixture.passphrase)
            let wrong = try await look(fixture)
            #expect(wrong.code == 2, "\(wrong.text)")
            #expect(wrong.out.contains("✗ newest of postgres/daily: ") && wrong.out.contains("✗ newest of redis/rdb: "), "\(wrong.out)")
            #expect(!wrong.out.contains("another passphrase"))
            try key.write(to: fixture.passphrase)
            // A file of nobody's, and one that is no backup.
            try Data().write(to: newest)
            let empty = try await look(fixture)
            #expect(empty.code == 2 && empty.out.contains("the stored file is empty"), "\(empty.text)")
            for artifact in try fixture.artifacts(in: newest.deletingLastPathComponent()) {
                try FileManager.default.removeItem(at: artifact)
            }
            let none = try await look(fixture)
            #expect(none.code == 2 && none.out.contains("✗ newest of postgres/daily: "), "\(none.text)")
            fixture.expectNothingLeft()
        }
    }

    /// Before it costs a restore: an extension that this machine has no files of, in a plain script.
    @Test func anExtensionThatIsNotInstalled() async throws {
        try await Fixture.with { fixture in
            let newest = try fixture.newest("postgres")
            try fixture.removeSeals(in: newest.deletingLastPathComponent())
            let script = fixture.folder.appendingPathComponent("script.sql")
            try Data(
                """
                --
                -- PostgreSQL database dump
                --

                -- Dumped from database version 15.18

                CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
                CREATE EXTENSION IF NOT EXISTS nosuch WITH SCHEMA public;

                """.utf8
            ).write(to: script)
            try await fixture.encrypt(script, to: newest)
            let looked = try await look(fixture)
            #expect(looked.code == 2 && looked.out.contains("plain dump of PostgreSQL 15.18"), "\(looked.text)")
            #expect(looked.out.contains(/✗ extension nosuch of postgres \d+: needed for postgres\/daily/), "\(looked.text)")
            #expect(!looked.out.contains("extension pg_trgm of"), "\(looked.text)")
        }
    }

    /// Commands may ask somebody, or count their calls: what only they open stays closed, and is not called opened.
    @Test func aKeyThatComesFromACommand() async throws {
        try await Fixture.with { fixture in
            let called = fixture.folder.appendingPathComponent("called").path
            try fixture.editEstate("backup: {file: keys/backup.key}", "backup: {command: [touch, \(called)]}")
            let looked = try await look(fixture)
            #expect(looked.out.contains("? newest of redis/rdb: not opened: its key comes from a command"), "\(looked.text)")
            #expect(
                looked.code == 0 && looked.out.contains(/nothing that was looked at is missing.*, \d+ not looked at\n/), "\(looked.text)")
            #expect(!FileManager.default.fileExists(atPath: called))
        }
    }

    /// Of a large object in a bucket no more is fetched than tells what it is, and an archived one is told as that.
    @Test(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
    func aBucket() async throws {
        try await Fixture.with { fixture in
            let newest = try fixture.newest("postgres")
            try fixture.removeSeals(in: newest.deletingLastPathComponent())
            let noise = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/urandom")).read(upToCount: 9 << 20) ?? Data()
            let script = fixture.folder.appendingPathComponent("script.sql")
            let head = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n\n"
            try (Data(head.utf8) + noise.base64EncodedData()).write(to: script)
            try await fixture.encrypt(script, to: newest)
            let bucket = try Bucket.start()
            try await bucket.upload(fixture.store)
            try await bucket.archive("redis/rdb/\(try fixture.newest("redis").lastPathComponent)", in: "GLACIER")
            try fixture.useBucket(bucket)
            let looked = try await look(fixture)
            let large = looked.out.split(separator: "\n").first { $0.hasPrefix("✓ newest of postgres/daily: ") }
            #expect(large?.contains("(its beginning was read), plain dump of PostgreSQL 15.18") == true, "\(looked.text)")
            let archived = looked.out.split(separator: "\n").first { $0.hasPrefix("✗ newest of redis/rdb: ") }
            #expect(looked.code == 2 && archived?.contains("GLACIER") == true, "\(looked.text)")
            fixture.expectNothingLeft()
        }
    }
}
