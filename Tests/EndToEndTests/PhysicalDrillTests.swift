// Base backups, incremental chains, pgBackRest repositories and other tools' backups, drilled by the built program: whole and broken.

import Foundation
import ServerVersions
import TestPrograms
import Testing

/// The PostgreSQL 17 that the tests' set-up brings: the first with incremental backups.
enum NewerPostgres {
    static let bin: String? =
        access("/usr/lib/postgresql/17/bin/pg_combinebackup", X_OK) == 0 ? "/usr/lib/postgresql/17/bin" : Installation.postgres17.bin

    static var environment: [String: String] { bin.map { ["MUSTER_PG_BIN": $0] } ?? [:] }
    static var isHere: Bool { bin != nil || Program.inCI }
}

enum PgBackRestProgram {
    static var isHere: Bool { access("/usr/bin/pgbackrest", X_OK) == 0 || Program.inCI }
}

@Suite(.enabled(if: PgBackRestProgram.isHere, "pgbackrest is not installed"))
struct PgBackRestDrillTests {
    private func repository(_ fixture: Fixture) -> URL { fixture.store.appendingPathComponent("postgres/pgbackrest") }

    private func labels(_ fixture: Fixture) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: repository(fixture).appendingPathComponent("backup/domainscope").path)
            .filter { $0.hasPrefix("2") }.sorted()
    }

    /// Full, differential and incremental, encrypted: the newest that ended before the mistake, and the repository is only read.
    @Test func staysGreen() async throws {
        try await Fixture.with { fixture in
            let before = try await Program.require([
                "sh", "-c", "cd \"$0\" && find . -type f | sort | xargs sha256sum", repository(fixture).path,
            ])
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("pgbackrest.yaml"))
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            let labels = try self.labels(fixture)
            let differential = try #require(labels.first { $0.hasSuffix("D") })
            #expect(labels.count == 3 && drill.fact("postgres.base-backup.label") == differential)
            #expect(drill.cases.contains { $0.name == "every page matches its checksum" })
            #expect(drill.cases(of: "declared").count == 3)
            let after = try await Program.require([
                "sh", "-c", "cd \"$0\" && find . -type f | sort | xargs sha256sum", repository(fixture).path,
            ])
            #expect(before.out == after.out)
            // What stands in the key's file is nowhere else.
            let key = String(decoding: try Data(contentsOf: fixture.passphrase), as: UTF8.self).trimmingCharacters(
                in: .whitespacesAndNewlines)
            let leak = try await Program.run(["grep", "-rl", key, fixture.reports.path])
            #expect(leak.code == 1 && !outcome.text.contains(key))
        }
    }

    /// Since 2.59 pgbackrest refuses root, and Muster often is root. The repository is the one that 2.45 made.
    @Test(.needs(.pgBackRest260)) func aNewerOneStaysGreen() async throws {
        let environment = ["PATH": try Installation.pgBackRest260.path()]
        try await Fixture.with { fixture in
            let file = fixture.drills.appendingPathComponent("pgbackrest.yaml")
            let (outcome, report) = try await fixture.drill(file, environment: environment)
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(report.drills.first?.cases.contains { $0.name == "every file is the one that pgbackrest backed up" } == true)
            let deep = try await fixture.run(
                ["inspect", fixture.estate.path, "--deep", "--output", fixture.reports.appendingPathComponent("i").path],
                environment: environment)
            #expect(deep.out.contains(/✓ postgres +repository: every artifact reads to its end/), "\(deep.text)")
            try Data("another\n".utf8).write(to: fixture.passphrase)
            let (wrong, told) = try await fixture.drill(file, environment: environment)
            #expect(wrong.code == 1 && told.drills.first?.findings.contains { $0.rule == "repository-unreadable" } == true)
        }
    }

    /// pgbackrest runs as somebody who may not read: that says nothing of the backups.
    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"), arguments: ["info", "restore", "archive-get", "verify"])
    func whatCantBeReadIsNoDamage(command: String) async throws {
        try await Fixture.with { fixture in
            let bin = fixture.folder.appendingPathComponent("bin", isDirectory: true)
            try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
            let wrapper = bin.appendingPathComponent("pgbackrest")
            let script = """
                #!/bin/sh
                [ "$1" = \(command) ] || exec /usr/bin/pgbackrest "$@"
                exec setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/pgbackrest "$@"

                """
            try writeProgram(script, to: wrapper)
            try await Program.require(["chmod", "a+rx", fixture.folder.path, bin.path, wrapper.path])
            try await Program.require(["chmod", "-R", "a+rX", repository(fixture).path])
            let closed = command == "archive-get" ? "archive/domainscope/15-1" : "backup/domainscope"
            let ending = command == "info" ? "backup.info" : command == "archive-get" ? ".gz" : "1259.gz"
            let files = try FileManager.default.subpathsOfDirectory(atPath: repository(fixture).appendingPathComponent(closed).path)
                .filter { $0.hasSuffix(ending) || (command == "info" && $0.hasSuffix("backup.info.copy")) }
            try #require(!files.isEmpty)
            for file in files.map({ repository(fixture).appendingPathComponent("\(closed)/\($0)").path }) {
                try await Program.require(["chown", "0:0", file])
                try await Program.require(["chmod", "600", file])
            }
            let environment = ["PATH": "\(bin.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"]
            if command == "verify" {
                let deep = try await fixture.run(
                    ["inspect", fixture.estate.path, "--deep", "--output", fixture.reports.appendingPathComponent("i").path],
                    environment: environment)
                #expect(deep.code != 1 && deep.out.contains("pgbackrest-failed"), "\(deep.text)")
                #expect(deep.out.contains("Permission denied") && !deep.out.contains("repository-damaged"), "\(deep.text)")
                return
            }
            let (outcome, report) = try await fixture.drill(
                fixture.drills.appendingPathComponent("pgbackrest.yaml"), environment: environment)
            let findings = report.drills.first?.findings ?? []
            #expect(outcome.code == 2 && outcome.out.contains("Permission denied"), "\(outcome.text)")
            let damage = ["repository-unreadable", "repository-damaged", "wal-segment-damaged", "recovery-point-bad"]
            #expect(!findings.contains { damage.contains($0.rule) }, "\(findings)")
        }
    }

    @Test func theWrongKey() async throws {
        try await Fixture.with { fixture in
            try Data("another\n".utf8).write(to: fixture.passphrase)
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("pgbackrest.yaml"))
            #expect(outcome.code == 1 && report.drills.first?.findings.contains { $0.rule == "repository-unreadable" } == true)
        }
    }

    /// No key can be wrong where the estate names none.
    @Test func anEncryptedOneThatTheEstateCallsPlain() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("encryption: {format: pgbackrest, key: backup}", "encryption: none")
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("pgbackrest.yaml"))
            let finding = try #require(report.drills.first?.findings.first { $0.rule == "repository-unreadable" })
            #expect(outcome.code == 1 && finding.message.contains("is not encrypted, and it is"), "\(finding)")
            #expect(finding.hint.contains("encryption: {format: pgbackrest, key: NAME}"), "\(finding)")
        }
    }

    @Test func aMissingRepository() async throws {
        try await Fixture.with { fixture in
            try FileManager.default.removeItem(at: repository(fixture))
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("pgbackrest.yaml"))
            #expect(outcome.code == 1 && report.drills.first?.findings.contains { $0.rule == "repository-unreadable" } == true)
        }
    }

    /// The full backup that every other builds on is gone from the disk, and the catalogue still lists it.
    @Test func aMissingLink() async throws {
        try await Fixture.with { fixture in
            let full = try #require(try labels(fixture).first { $0.hasSuffix("F") })
            try FileManager.default.removeItem(at: repository(fixture).appendingPathComponent("backup/domainscope/\(full)"))
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("pgbackrest.yaml"))
            let findings = report.drills.first?.findings ?? []
            #expect(outcome.code == 1, "\(outcome.text)")
            #expect(findings.contains { $0.rule == "repository-damaged" && $0.object.contains(full) }, "\(findings)")
        }
    }

    /// A damaged segment: recovery ends before it, and says how far it came. `--deep` finds it without a restore.
    @Test func aDamagedSegment() async throws {
        try await Fixture.with { fixture in
            let archive = repository(fixture).appendingPathComponent("archive/domainscope")
            let segments = try FileManager.default.subpathsOfDirectory(atPath: archive.path).filter { $0.hasSuffix(".gz") }.sorted()
            let newest = try #require(segments.last)
            let name = String(try #require(newest.split(separator: "/").last).prefix(24))
            try fixture.edit(
                fixture.drills.appendingPathComponent("pgbackrest.yaml"), "postgres: {from: repository, to:",
                "postgres: {from: repository} #")
            let whole = try await fixture.run([
                "inspect", fixture.estate.path, "--deep", "--output", fixture.reports.appendingPathComponent("i").path,
            ])
            #expect(whole.out.contains(/✓ postgres +repository: every artifact reads to its end/), "\(whole.text)")
            try fixture.change(archive.appendingPathComponent(newest)) { $0[$0.count / 2] ^= 0x40 }
            let (outcome, report) = try await fixture.drill(fixture.drills.appendingPathComponent("pgbackrest.yaml"))
            let drill = try #require(report.drills.first)
            #expect(outcome.code == 1, "\(outcome.text)")
            #expect(drill.findings.contains { $0.rule == "wal-segment-damaged" && $0.object == name }, "\(drill.findings)")
            #expect(drill.fact("postgres.recoverable-up-to")?.hasPrefix("LSN ") == true)
            let deep = try await fixture.run([
                "inspect", fixture.estate.path, "--deep", "--output", fixture.reports.appendingPathComponent("j").path,
            ])
            #expect(deep.code == 1 && deep.out.contains("repository-damaged"), "\(deep.text)")
            // The newest backup's own first segment is gone, which verify calls ok: asked by names, without --deep.
            #expect(whole.out.contains(/✓ postgres +repository: the archive holds the write-ahead log of every backup/), "\(whole.text)")
            let names = try FileManager.default.subpathsOfDirectory(atPath: archive.path)
            let history = try #require(names.filter { $0.hasSuffix(".backup") }.sorted().last?.split(separator: "/").last)
            for gone in names where gone.contains("/\(history.prefix(24))-") {
                try FileManager.default.removeItem(at: archive.appendingPathComponent(gone))
            }
            let shallow = try await fixture.run([
                "inspect", fixture.estate.path, "--output", fixture.reports.appendingPathComponent("k").path,
            ])
            #expect(shallow.code == 1 && shallow.out.contains("wal-gap  \(history.prefix(24))"), "\(shallow.text)")
        }
    }
}

@Suite(.enabled(if: NewerPostgres.isHere, "no PostgreSQL 17 is here: scripts/setup-tests brings one"))
struct IncrementalDrillTests {
    private func chain(_ fixture: Fixture) -> URL { fixture.store.appendingPathComponent("measurements/base") }
    private func drill(_ fixture: Fixture) -> URL { fixture.drills.appendingPathComponent("incremental.yaml") }

    @Test func staysGreen() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(drill(fixture), environment: NewerPostgres.environment)
            #expect(outcome.code == 0, "\(outcome.text)")
            let found = try #require(report.drills.first)
            #expect(found.fact("measurements.base-backup.chain")?.components(separatedBy: " + ").count == 3)
            #expect(found.cases(of: "declared").count == 2)
            #expect(found.cases.first { $0.name == "every page matches its checksum" }?.verdict == "passed")
        }
    }

    /// The middle link, and then the full backup: named, with what builds on it.
    @Test(arguments: ["2-incremental", "1-full"])
    func aMissingLink(name: String) async throws {
        try await Fixture.with { fixture in
            let links = try FileManager.default.contentsOfDirectory(atPath: chain(fixture).path).sorted()
            let gone = try #require(links.first { $0.hasSuffix(name) })
            try FileManager.default.removeItem(at: chain(fixture).appendingPathComponent(gone))
            try fixture.edit(drill(fixture), "measurements: {from: chain", "measurements: {from: chain, select: latest")
            let (outcome, report) = try await fixture.drill(drill(fixture), environment: NewerPostgres.environment)
            #expect(outcome.code == 1, "\(outcome.text)")
            let broken = try #require(report.drills.first?.findings.first { $0.rule == "incremental-chain-broken" })
            #expect(broken.message.contains("3-incremental") && broken.expected.contains("the backup that began at "), "\(broken)")
            // Link by link down to the one that is missing.
            #expect(broken.message.contains("2-incremental") == (name == "1-full"), "\(broken)")
        }
    }

    @Test func aDamagedLink() async throws {
        try await Fixture.with { fixture in
            let links = try FileManager.default.contentsOfDirectory(atPath: chain(fixture).path).sorted()
            let middle = try #require(links.first { $0.hasSuffix("2-incremental") })
            try fixture.change(chain(fixture).appendingPathComponent("\(middle)/base.tar.gz.enc")) { $0[$0.count / 2] ^= 0x40 }
            try fixture.edit(drill(fixture), "measurements: {from: chain", "measurements: {from: chain, select: latest")
            let (outcome, report) = try await fixture.drill(drill(fixture), environment: NewerPostgres.environment)
            #expect(outcome.code == 1, "\(outcome.text)")
            #expect(report.drills.first?.findings.contains { $0.object.contains(middle) } == true, "\(outcome.text)")
        }
    }

    @Test func noServerOfThatVersion() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(drill(fixture), environment: ["MUSTER_PG_BIN": ""])
            #expect(outcome.code == 2, "\(outcome.text)")
            #expect(report.drills.first?.findings.contains { $0.rule == "postgres-missing" } == true)
        }
    }
}

/// Any other tool, by its own command: here `openssl` and `tar`, on the lab's base backups.
struct CommandDrillTests {
    private static let unpack = """
        set -e; for f in \\"$0\\"/*.tar.gz.enc; do openssl enc -d -aes-256-cbc -pbkdf2 -pass file:\\"$2\\" -in \\"$f\\" | tar -xz -C \\"$1\\"; done
        """
    private static let fetch = """
        openssl enc -d -aes-256-cbc -pbkdf2 -pass file:\\"$2\\" -in \\"$3/$0.gz.enc\\" | gzip -dc > \\"$1\\" && [ -s \\"$1\\" ]
        """

    private func declare(
        _ fixture: Fixture, restore: String = CommandDrillTests.unpack, fetch: String = CommandDrillTests.fetch, more: String = ""
    ) throws -> URL {
        let key = fixture.passphrase.path
        let wal = fixture.store.appendingPathComponent("postgres/wal").path
        try fixture.editEstate(
            "      base:\n",
            """
                  other:
                    kind: command
                    stores: [primary]
                    match: postgres/base/*-first
                    encryption: none
                    restore: [sh, -c, "\(restore)", "{backup}", "{data}", "\(key)"]
                    fetch-wal: [sh, -c, "\(fetch)", "{wal}", "{path}", "\(key)", "\(wal)"]
                  base:

            """)
        let drill = fixture.drills.appendingPathComponent("point-in-time.yaml")
        try fixture.edit(drill, "{from: base, to:", "{from: other, to:")
        return drill
    }

    @Test func staysGreen() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(try declare(fixture))
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.cases(of: "declared").allSatisfy { $0.verdict == "passed" } && drill.cases(of: "declared").count == 3)
            // What the tool did outside of the quarantine is said.
            #expect(drill.unproven.contains { $0.contains("outside of the quarantine") })
        }
    }

    @Test(arguments: [
        ("echo the reason >&2; exit 3", "restore-command-failed", Int32(1)), ("true", "restored-nothing", 1),
    ])
    func aCommandThatFails(command: String, rule: String, code: Int32) async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(try declare(fixture, restore: command))
            #expect(outcome.code == code, "\(outcome.text)")
            let finding = report.drills.first?.findings.first { $0.rule == rule }
            #expect(finding != nil, "\(outcome.text)")
            if rule == "restore-command-failed" { #expect(finding?.actual == "exit 3: the reason") }
        }
    }

    /// A link to files elsewhere: no server is started on them.
    @Test func aRestoreThatLeadsOutside() async throws {
        try await Fixture.with { fixture in
            let outside = fixture.folder.appendingPathComponent("outside")
            try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
            let restore = Self.unpack + "; rm -r \\\"$1/pg_stat_tmp\\\"; ln -s '\(outside.path)' \\\"$1/pg_stat_tmp\\\""
            let (outcome, report) = try await fixture.drill(try declare(fixture, restore: restore))
            #expect(outcome.code == 2, "\(outcome.text)")
            #expect(report.drills.first?.findings.contains { $0.rule == "restored-outside" } == true, "\(outcome.text)")
        }
    }

    @Test func aToolThatIsMissing() async throws {
        try await Fixture.with { fixture in
            let drill = try declare(fixture)
            try fixture.editEstate("restore: [sh, -c,", "restore: [no-such-tool, -c,")
            let (outcome, _) = try await fixture.drill(drill)
            #expect(outcome.code == 2, "\(outcome.text)")
        }
    }

    /// It broke, and so nobody knows where the archive ends: never a pass, also where the end is all that was asked for.
    @Test func aFetchThatBreaks() async throws {
        try await Fixture.with { fixture in
            let drill = try declare(fixture, fetch: "exit 130")
            try fixture.edit(drill, "{from: other, to:", "{from: other} #")
            let (outcome, report) = try await fixture.drill(drill)
            #expect(outcome.code == 2, "\(outcome.text)")
            let asked = report.drills.first?.cases.first { $0.name == "the artifact can be restored" }
            #expect(asked?.verdict == "error" && asked?.findings.first?.rule == "fetch-wal-failed")
        }
    }

    /// An archive that gives nothing: recovery ends early, and the target is not reached.
    @Test func anArchiveThatIsSilent() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(try declare(fixture, fetch: "exit 1"))
            #expect(outcome.code == 1, "\(outcome.text)")
            let rules = report.drills.first?.findings.map(\.rule) ?? []
            #expect(rules.contains("recovery-target-not-reached") || rules.contains("wal-missing"), "\(rules)")
        }
    }
}

/// The lab's own drill on a base backup and its archive.
struct PointInTimeDrillTests {
    private func drill(_ fixture: Fixture) -> URL { fixture.drills.appendingPathComponent("point-in-time.yaml") }
    private func wal(_ fixture: Fixture) -> URL { fixture.store.appendingPathComponent("postgres/wal") }

    @Test func staysGreen() async throws {
        try await Fixture.with { fixture in
            let (outcome, report) = try await fixture.drill(drill(fixture))
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(report.drills.first?.fact("postgres.recoverable-up-to")?.contains("LSN ") == true)
            #expect(report.drills.first?.recoveryPoints.first?.path.hasSuffix("-first") == true)
        }
    }

    private func segments(_ fixture: Fixture) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: wal(fixture).path)
        let segments = names.filter { $0.wholeMatch(of: /[0-9A-F]{24}\.gz\.enc/) != nil }.sorted()
        try #require(segments.count > 6)
        return segments
    }

    /// By its name, its header and its size it is what it should be: only who opens it can tell.
    @Test func inspectReadsTheArchiveToItsEnd() async throws {
        try await Fixture.with { fixture in
            func inspect(_ more: [String]) async throws -> String {
                let output = fixture.reports.appendingPathComponent("i\(UUID().uuidString.prefix(6))").path
                return try await fixture.run(["inspect", fixture.estate.path, "--output", output] + more).text
            }
            let whole = try await inspect(["--deep"])
            #expect(whole.contains(/✓ postgres +base: the write-ahead log reads to its end/), "\(whole)")
            let damaged = try segments(fixture)[3]
            try fixture.change(wal(fixture).appendingPathComponent(damaged)) { $0[$0.count / 2] ^= 1 }
            #expect(try await !inspect([]).contains("wal-segment-damaged"))
            let deep = try await inspect(["--deep"])
            #expect(deep.contains(/✗ postgres +base: the write-ahead log reads to its end/), "\(deep)")
            #expect(deep.contains("wal-segment-damaged  \(damaged.prefix(24))"), "\(deep)")
        }
    }

    @Test func aMissingSegmentIsNamed() async throws {
        try await Fixture.with { fixture in
            let segments = try segments(fixture)
            let gone = segments[segments.count / 2]
            try FileManager.default.removeItem(at: wal(fixture).appendingPathComponent(gone))
            let (outcome, report) = try await fixture.drill(drill(fixture))
            #expect(outcome.code == 1, "\(outcome.text)")
            let gap = try #require(report.drills.first?.findings.first { $0.rule == "wal-gap" })
            #expect(gap.object == gone.prefix(24) && gap.message.contains("is missing between"))
            #expect(report.drills.first?.fact("postgres.recoverable-up-to") != nil)
        }
    }

    @Test func aTargetBeforeEveryBackup() async throws {
        try await Fixture.with { fixture in
            let text = try String(contentsOf: drill(fixture), encoding: .utf8)
            let time = try #require(text.firstMatch(of: /to: \{time: "([0-9]{4})/)).output
            try fixture.edit(drill(fixture), String(time.0), "to: {time: \"2020")
            let (outcome, report) = try await fixture.drill(drill(fixture))
            #expect(outcome.code == 1, "\(outcome.text)")
            #expect(report.drills.first?.findings.contains { $0.rule == "recovery-target-before-backup" } == true)
        }
    }
}
