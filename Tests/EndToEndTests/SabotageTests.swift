// The red tests of all checks at once: every damage is caught, by its own finding, and by nothing else.

import Foundation
import Testing

struct SabotageTests {
    @Test(arguments: ["postgres", "redis"])
    func everyDamageIsCaught(service: String) async throws {
        try await Fixture.with { fixture in
            let listed = try await fixture.run(["sabotage", "--list", "x"])
            #expect(listed.code == 0)
            let file = try fixture.drillFile(service)
            let outcome = try await fixture.start(["sabotage", file.path], patience: .seconds(900)).outcome()
            #expect(outcome.code == 0, "\(outcome.text)")
            let lines = outcome.out.split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("✓ \(service) untouched") && $0.contains("green") })
            #expect(!lines.contains { $0.hasPrefix("✗") || $0.hasPrefix("!") }, "\(outcome.out)")
            // The lab holds something to damage in every way.
            #expect(!lines.contains { $0.hasPrefix("-") }, "\(outcome.out)")
            let caught = lines.filter { $0.hasPrefix("✓ \(service) ") && $0.contains("caught: ") }.count
            #expect(caught >= (service == "postgres" ? 24 : 14), "\(outcome.out)")
            #expect(lines.contains { $0.hasPrefix("✓ \(service) untouched series") && $0.contains("green") }, "\(outcome.out)")
            for (damage, rule) in [("missed-run", "backup-missing"), ("kept-too-long", "retention-exceeded")] {
                #expect(lines.contains { $0.hasPrefix("✓ \(service) \(damage)") && $0.contains("caught: \(rule)") }, "\(outcome.out)")
            }
        }
    }

    /// A tar of append-only files: what is done to a dataset is done by the server that loaded them, and what to a file to the tar.
    @Test func everyDamageOfAppendOnlyFilesIsCaught() async throws {
        try await Fixture.with { fixture in
            let file = fixture.drills.appendingPathComponent("redis-aof.yaml")
            let outcome = try await fixture.start(["sabotage", file.path], patience: .seconds(900)).outcome()
            #expect(outcome.code == 0, "\(outcome.text)")
            let lines = outcome.out.split(separator: "\n")
            #expect(!lines.contains { $0.hasPrefix("✗") || $0.hasPrefix("!") || $0.hasPrefix("-") }, "\(outcome.out)")
            for damage in ["stolen-entry", "lost-library", "emptied-file", "changed-seal"] {
                #expect(lines.contains { $0.hasPrefix("✓ redis \(damage)") && $0.contains("caught: ") }, "\(outcome.out)")
            }
        }
    }

    /// As a folder, one of its files is damaged.
    @Test(.enabled(if: RedisVersion.system.bin != nil || Program.inCI, "no redis-server is here")) func soAreThoseOfAFolder() async throws {
        try await RedisSource.with(.system, arguments: ["--appendonly", "yes"]) { source in
            for number in 0..<40 { try await source.ask("HSET", "page:\(number)", "title", String(repeating: "content ", count: 8)) }
            try await source.ask("BGREWRITEAOF")
            try await source.wait(for: "aof_rewrite_in_progress:0", in: "persistence")
            let target = source.fixture.store.appendingPathComponent("aof-1")
            try await Program.require(["cp", "-r", source.data.appendingPathComponent("appendonlydir").path, target.path])
            let sealed = try await source.seal("aof", ["--existing", "latest"])
            #expect(sealed.code == 0, "\(sealed.text)")
            let file = try source.fixture.drillFile("redis", from: "aof")
            let damages = ["changed-field", "flipped-bit", "truncated-file", "emptied-file", "changed-seal"]
            let words = ["sabotage", file.path] + damages.flatMap { ["--damage", $0] }
            let outcome = try await source.fixture.start(words, patience: .seconds(600)).outcome()
            #expect(outcome.code == 0 && outcome.out.contains("6 as they should be, 0 not"), "\(outcome.text)")
        }
    }

    /// What nothing is damaged of is said, and proves nothing.
    @Test func whatCannotBeDamagedIsSaid() async throws {
        try await Fixture.with { fixture in
            let file = fixture.drills.appendingPathComponent("point-in-time.yaml")
            let outcome = try await fixture.run(["sabotage", file.path, "--damage", "changed-value"])
            #expect(outcome.code == 2 && outcome.out.contains("is one of physical backups"), "\(outcome.text)")
            let other = try await fixture.run(["sabotage", try fixture.drillFile().path, "--damage", "dropped-index"])
            #expect(other.code == 2 && other.out.contains("none of the named damages"), "\(other.text)")
        }
    }

    /// A repository of pgBackRest's has no seal: a table's file is damaged in what it recovers to.
    @Test func aDamagedFileOfATableIsCaught() async throws {
        try await Fixture.with { fixture in
            let file = fixture.drills.appendingPathComponent("pgbackrest.yaml")
            // Where pgbackrest is not installed, the lab has no such drill.
            guard FileManager.default.fileExists(atPath: file.path) || Program.inCI else { return }
            let outcome = try await fixture.start(["sabotage", file.path], patience: .seconds(1200)).outcome()
            #expect(outcome.code == 0, "\(outcome.text)")
            let lines = outcome.out.split(separator: "\n")
            #expect(lines.contains { $0.hasPrefix("✓ postgres untouched") && $0.contains("green") }, "\(outcome.out)")
            for damage in ["zeroed-page", "emptied-relation"] {
                #expect(
                    lines.contains { $0.hasPrefix("✓ postgres \(damage)") && $0.contains("caught: relation-page-lost") }, "\(outcome.out)")
            }
        }
    }

    /// A base backup and its archive: a server comes up on each of these.
    @Test func everyDamageOfAnArchiveIsCaught() async throws {
        try await Fixture.with { fixture in
            let outcome = try await fixture.start(
                ["sabotage", fixture.drills.appendingPathComponent("point-in-time.yaml").path], patience: .seconds(1200)
            ).outcome()
            #expect(outcome.code == 0, "\(outcome.text)")
            let lines = outcome.out.split(separator: "\n")
            for control in ["untouched", "untouched archive"] {
                #expect(lines.contains { $0.hasPrefix("✓ postgres \(control)  ") && $0.contains("green") }, "\(outcome.out)")
            }
            for (damage, rule) in [
                ("flipped-wal-record", "recovery-ended-early"), ("zeroed-wal-tail", "recovery-ended-early"), ("missing-segment", "wal-gap"),
                ("missing-history", "wal-timeline-broken"), ("emptied-archive", "wal-missing"),
                ("zeroed-page", "relation-page-lost"), ("emptied-relation", "relation-page-lost"),
            ] {
                #expect(lines.contains { $0.hasPrefix("✓ postgres \(damage)") && $0.contains("caught: \(rule)") }, "\(outcome.out)")
            }
        }
    }

    /// What the issue names, one by one: a damage that is renamed or dropped must not go unseen.
    @Test func theListIsWhole() async throws {
        try await Fixture.with { fixture in
            let listed = try await fixture.run(["sabotage", "--list", "x"])
            let names = Set(listed.out.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
            let promised: Set = [
                "changed-value", "missing-row", "swapped-values", "null-becomes-empty", "dropped-index", "dropped-grant",
                "changed-function",
                "changed-field", "missing-key", "stolen-entry", "lost-library", "flipped-bit", "truncated-file", "changed-seal",
                "zeroed-page", "emptied-relation", "flipped-wal-record", "zeroed-wal-tail", "missing-segment", "missing-history",
                "emptied-archive", "sequence-reset", "changed-language-right", "adopted-table", "other-service", "error-message",
                "cut-script", "missed-run", "kept-too-long",
            ]
            #expect(names.isSuperset(of: promised), "\(promised.subtracting(names))")
        }
    }

    @Test func anUnknownDamageIsWrongUsage() async throws {
        try await Fixture.with { fixture in
            let outcome = try await fixture.run(["sabotage", try fixture.drillFile().path, "--damage", "changed-valeu"])
            #expect(outcome.code == 64)
            #expect(outcome.err.contains("changed-valeu") && outcome.err.contains("hint: "))
        }
    }

    /// Without a seal no check could tell: that is no success.
    @Test func withoutASealNothingIsProven() async throws {
        try await Fixture.with { fixture in
            try fixture.removeSeals(in: fixture.snapshots)
            let outcome = try await fixture.run(["sabotage", try fixture.drillFile().path])
            #expect(outcome.code == 2, "\(outcome.text)")
        }
    }
}
