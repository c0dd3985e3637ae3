// Sealed moments of physical backups, with the built program: what comes back is what the source held under its snapshot, to the row.

import Foundation
import ServerVersions
import TestPrograms
import Testing

/// A source that archives its log into the fixture's store, with a base backup.
struct ArchivingSource: Sendable {
    let source: PostgresSource
    var fixture: Fixture { source.fixture }
    var moments: URL { fixture.store.appendingPathComponent("moments/postgres/base") }

    static func with(
        _ version: PostgresVersion = .system, settings: [String] = [], more: String = "",
        _ body: @Sendable (ArchivingSource) async throws -> Void
    ) async throws {
        try await PostgresSource.with(version, settings: ["archive_mode=on"] + settings, more: more) { source in
            let test = ArchivingSource(source: source)
            try await test.prepare()
            try await body(test)
        }
    }

    private func prepare() async throws {
        let wal = fixture.store.appendingPathComponent("wal")
        try FileManager.default.createDirectory(
            at: wal, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: wal.path)
        try FileManager.default.createDirectory(at: fixture.store.appendingPathComponent("base"), withIntermediateDirectories: true)
        try await source.sql("ALTER SYSTEM SET archive_command = 'cp %p \(wal.path)/.%f && mv \(wal.path)/.%f \(wal.path)/%f'")
        try await source.sql("SELECT pg_reload_conf()")
        try await source.sql(
            """
            CREATE TABLE goods (id int PRIMARY KEY, word text); INSERT INTO goods SELECT i, 'thing ' || i FROM generate_series(1, 500) i;
            CREATE TABLE sales (id bigserial PRIMARY KEY, good int REFERENCES goods, at timestamptz DEFAULT now());
            CREATE UNLOGGED TABLE cache (i int); INSERT INTO cache VALUES (1);
            SELECT lo_from_bytea(4711, 'large')
            """)
    }

    func baseBackup(_ name: String, _ more: [String] = []) async throws {
        try await Program.require(
            [
                "\(source.bin)/pg_basebackup", "-h", source.host, "-U", "postgres", "-D",
                fixture.store.appendingPathComponent("base/\(name)").path, "-c", "fast", "-X", "none",
            ] + more)
    }

    func sell(_ count: Int = 1) async throws {
        try await source.sql("INSERT INTO sales (good) SELECT i FROM generate_series(1, \(count)) i")
    }

    func seal(_ more: [String] = ["--wait", "3m", "--switch-wal"]) async throws -> Outcome {
        try await fixture.run(
            ["seal", fixture.estate.path, "--service", "postgres", "--backup", "base", "--moment"] + more,
            environment: PostgresSource.environment([source.bin]))
    }

    func requireSeal(_ more: [String] = ["--wait", "3m", "--switch-wal"], location: SourceLocation = #_sourceLocation) async throws {
        let sealed = try await seal(more)
        try #require(sealed.code == 0, "\(sealed.text)", sourceLocation: location)
    }

    func drill() async throws -> (Outcome, Report.Drill) {
        let file = try fixture.drillFile("postgres", from: "base", select: "latest, to: sealed-moment")
        let (outcome, report) = try await fixture.drill(file, environment: PostgresSource.environment([source.bin]))
        return (outcome, try #require(report.drills.first, "\(outcome.text)"))
    }

    /// The newest moment's file.
    func newest() throws -> URL {
        let names = try FileManager.default.contentsOfDirectory(atPath: moments.path)
        return moments.appendingPathComponent(try #require(names.max()))
    }

    /// Changes what the newest moment says, and signs it anew.
    func edit(_ name: String? = nil, _ change: (inout [String: Any]) throws -> Void) async throws {
        let file = try name.map { moments.appendingPathComponent($0) } ?? newest()
        var envelope = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        let type = try #require(envelope["payloadType"] as? String)
        let old = try #require((envelope["payload"] as? String).flatMap { Data(base64Encoded: $0) })
        var seal = try #require(try JSONSerialization.jsonObject(with: old) as? [String: Any])
        try change(&seal)
        let payload = try JSONSerialization.data(withJSONObject: seal, options: [.sortedKeys])
        let signed = fixture.folder.appendingPathComponent("signed")
        try (Data("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload).write(to: signed)
        let signature = fixture.folder.appendingPathComponent("signature")
        try await Program.require([
            "openssl", "pkeyutl", "-sign", "-rawin", "-inkey", fixture.lab.appendingPathComponent("seal.key").path, "-in", signed.path,
            "-out",
            signature.path,
        ])
        envelope["payload"] = payload.base64EncodedString()
        envelope["signatures"] = [["sig": try Data(contentsOf: signature).base64EncodedString()]]
        try JSONSerialization.data(withJSONObject: envelope).write(to: file)
    }

    /// The same of its snapshot, whose transactions and positions are numbers and texts.
    func editMoment(_ change: (inout [String: Any], inout [String: Any]) throws -> Void) async throws {
        try await edit { seal in
            var moment = try #require(seal["moment"] as? [String: Any])
            var snapshot = try #require(moment["snapshot"] as? [String: Any])
            try change(&moment, &snapshot)
            moment["snapshot"] = snapshot
            seal["moment"] = moment
        }
    }

    /// Runs a statement, and says which transaction it was and where the log ended behind it.
    func transaction(_ sql: String) async throws -> (number: Int, end: String) {
        let number = try await source.sql("BEGIN; \(sql); SELECT pg_current_xact_id(); COMMIT").split(separator: "\n").last.map(String.init)
        return (try #require(number.flatMap { Int($0) }), try await source.sql("SELECT pg_current_wal_insert_lsn()"))
    }
}

@Suite struct MomentDrillTests {
    /// While six clients write as fast as they can, on every version.
    @Test(arguments: PostgresVersion.tried) func underLoad(_ version: PostgresVersion) async throws {
        try await ArchivingSource.with(version) { test in
            let pgbench = ["\(test.source.bin)/pgbench", "-h", test.source.host, "-U", "postgres", "shop"]
            try await Program.require(pgbench + ["-i", "-s", "1", "-q"])
            try await test.baseBackup("b1")
            let load = try Program.start(
                pgbench + ["-n", "-c", "6", "-j", "2", "-T", "600"], folder: test.fixture.folder, patience: .seconds(900))
            defer { load.send(SIGKILL) }
            try await test.source.wait(for: "t", "SELECT count(*) > 100 FROM pgbench_history")
            try await test.sell(3)
            let sealed = try await test.seal()
            load.send(SIGKILL)
            _ = await load.outcome()
            #expect(sealed.code == 0, "\(sealed.text)")
            let (outcome, drill) = try await test.drill()
            #expect(outcome.code == 0, "\(outcome.text)")
            for table in ["pgbench_accounts", "pgbench_branches", "pgbench_history", "pgbench_tellers", "goods", "sales"] {
                #expect(
                    drill.cases.contains { $0.name == "public.\(table)" && $0.group == "content" && $0.verdict == "passed" }, "\(table)")
            }
            #expect(drill.cases.contains { $0.name == "sequence values" && $0.verdict == "passed" })
            #expect(drill.cases.contains { $0.name == "large objects" && $0.verdict == "passed" }, "\(drill.cases.map(\.name))")
            #expect(drill.fact("postgres.sealed-moment") == (try test.newest().lastPathComponent))
        }
    }

    /// One changed value in the base, one lost and one extra transaction: each is red at its table, and at no other.
    @Test func eachDifferenceIsRedAtItsTable() async throws {
        try await ArchivingSource.with { test in
            try await test.baseBackup("b1", ["--manifest-checksums=NONE"])
            try await test.source.sql("CREATE ROLE watcher LOGIN")
            let early = try await test.transaction("INSERT INTO sales (good) VALUES (1)")
            try await test.requireSeal()
            let late = try await test.transaction("UPDATE goods SET word = 'changed' WHERE id = 7")
            try await test.source.sql("SELECT pg_switch_wal()")
            let (green, _) = try await test.drill()
            #expect(green.code == 0, "\(green.text)")
            func red(_ expected: [String], _ location: SourceLocation = #_sourceLocation) async throws {
                let (outcome, drill) = try await test.drill()
                let told = drill.findings.filter { $0.severity == "critical" }.map { "\($0.rule) \($0.object)" }
                #expect(outcome.code == 1 && told == expected, "\(told) \(outcome.text)", sourceLocation: location)
            }
            let kept = try Data(contentsOf: try test.newest())
            try await test.editMoment { moment, snapshot in
                snapshot["running"] = [early.number]
                snapshot["xmin"] = early.number
            }
            try await red(["rows-differ public.sales"])
            try kept.write(to: try test.newest())
            try await test.editMoment { moment, snapshot in
                snapshot["xmax"] = late.number + 1
                moment["after"] = late.end
            }
            try await test.source.wait(for: "t", "SELECT last_archived_wal >= pg_walfile_name('\(late.end)') FROM pg_stat_archiver")
            try await red(["content-differs public.goods"])
            try kept.write(to: try test.newest())
            // A role that nothing of the database names: what it may do, and that it is there, is the cluster's.
            try await test.edit { seal in
                var postgres = try #require(seal["postgres"] as? [String: Any])
                let objects = try #require(postgres["objects"] as? [[String: Any]])
                #expect(objects.contains { $0["name"] as? String == "watcher" })
                postgres["objects"] = objects.filter { $0["name"] as? String != "watcher" }
                seal["postgres"] = postgres
            }
            try await red(["role-extra role watcher"])
            try kept.write(to: try test.newest())
            let file = try await test.source.sql("SELECT pg_relation_filepath('goods')")
            let heap = test.fixture.store.appendingPathComponent("base/b1/\(file)")
            var bytes = try Data(contentsOf: heap)
            let place = try #require(bytes.range(of: Data("thing 499".utf8)))
            bytes.replaceSubrange(place, with: Data("thing 4g9".utf8))
            try bytes.write(to: heap)
            try await red(["content-differs public.goods"])
        }
    }

    /// A transaction that was prepared before the snapshot, and committed behind it; one that ran all the time.
    @Test func whatRanIsNotThere() async throws {
        try await ArchivingSource.with(settings: ["max_prepared_transactions=5"]) { test in
            try await test.baseBackup("b1")
            try await test.source.sql("BEGIN; INSERT INTO sales (good) VALUES (1); PREPARE TRANSACTION 'one'")
            try await test.source.sql("BEGIN; INSERT INTO sales (good) VALUES (2); PREPARE TRANSACTION 'two'")
            try await test.sell(5)
            try await test.requireSeal(["--switch-wal"])
            try await test.source.sql("COMMIT PREPARED 'one'")
            try await test.source.sql("ROLLBACK PREPARED 'two'")
            try await test.requireSeal()
            let (outcome, drill) = try await test.drill()
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(drill.fact("postgres.sealed-moment") == (try test.newest().lastPathComponent))
            try FileManager.default.removeItem(at: try test.newest())
            let (earlier, told) = try await test.drill()
            #expect(earlier.code == 0, "\(earlier.text)")
            #expect(told.findings.contains { $0.rule == "prepared-transaction-open" })
        }
    }
}

/// Commits that stand in the log, and that nobody sees yet.
@Suite struct WaitingCommitTests {
    /// They wait for a standby that isn't there, younger than all that has ended: none is in the snapshot's list of those that run.
    @Test(arguments: ["postgres", "reader"]) func forAStandby(_ user: String) async throws {
        try await ArchivingSource.with { test in
            try await test.baseBackup("b1")
            try await test.source.sql(
                "CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader; GRANT SELECT ON pg_largeobject TO reader")
            try test.fixture.editEstate("user: postgres", "user: \(user)")
            try await test.sell(3)
            try await test.source.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            try await test.source.sql("SELECT pg_reload_conf()")
            let words = ["psql", "-qXAt", "-h", test.source.host, "-U", "postgres", "shop", "-c", "INSERT INTO sales (good) VALUES (9)"]
            let waiting = try (0..<3).map { _ in try Program.start(words, folder: test.fixture.folder) }
            try await test.source.wait(for: "3", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            // What lies behind them in the log is a good deal, and no commit.
            try await test.source.sql(
                "SET synchronous_commit = local; CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 90000)")
            try await test.requireSeal([])
            try await test.source.sql("ALTER SYSTEM RESET synchronous_standby_names", database: "postgres")
            try await test.source.sql("SELECT pg_reload_conf()")
            for program in waiting { #expect(await program.outcome().code == 0) }
            try await test.source.sql("SELECT pg_switch_wal()")
            try await test.source.wait(
                for: "t", "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 16777216) FROM pg_stat_archiver")
            // The table is seen, and stands behind them: no position has the one without the others.
            let (outcome, drill) = try await test.drill()
            #expect(outcome.code == 2 && drill.findings.contains { $0.rule == "moment-interleaved" }, "\(outcome.text)")
        }
    }

    @Test func nothingBehindThem() async throws {
        try await ArchivingSource.with { test in
            try await test.baseBackup("b1")
            try await test.sell(3)
            try await test.source.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            try await test.source.sql("SELECT pg_reload_conf()")
            let words = ["psql", "-qXAt", "-h", test.source.host, "-U", "postgres", "shop", "-c", "INSERT INTO sales (good) VALUES (9)"]
            let waiting = try (0..<3).map { _ in try Program.start(words, folder: test.fixture.folder) }
            try await test.source.wait(for: "3", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            try await test.requireSeal()
            try await test.source.sql("ALTER SYSTEM RESET synchronous_standby_names", database: "postgres")
            try await test.source.sql("SELECT pg_reload_conf()")
            for program in waiting { #expect(await program.outcome().code == 0) }
            let (outcome, drill) = try await test.drill()
            #expect(outcome.code == 0, "\(outcome.text)")
            #expect(drill.cases.contains { $0.name == "public.sales" && $0.group == "content" && $0.verdict == "passed" })
        }
    }
}

/// Moments that no drill can use, each with its reason.
@Suite struct UnusableMomentTests {
    private func expect(
        _ test: ArchivingSource, code: Int32 = 1, _ rule: String, _ words: String = "", location: SourceLocation = #_sourceLocation
    ) async throws {
        let (outcome, drill) = try await test.drill()
        let told = drill.findings.filter { $0.severity == "critical" }
        #expect(
            outcome.code == code
                && told.contains { $0.rule == rule && (words.isEmpty || "\($0.actual) \($0.message) \($0.hint)".contains(words)) },
            "\(told) \(outcome.text)",
            sourceLocation: location)
    }

    @Test func eachHasItsReason() async throws {
        try await ArchivingSource.with { test in
            try await test.requireSeal()
            try await test.baseBackup("b1")
            try await expect(test, "recovery-target-before-backup")
            try FileManager.default.removeItem(at: try test.newest())
            try await expect(test, "moment-missing", "muster seal --moment")
            // Not archived yet: said by --wait, and then by the drill.
            try await test.sell()
            let early = try await test.seal(["--wait", "1s"])
            #expect(early.code == 2 && early.text.contains("--switch-wal"), "\(early.text)")
            try await expect(test, "moment-not-archived", "archive_timeout")
            try await test.source.sql("SELECT pg_switch_wal()")
            try await test.requireSeal()
            let kept = try Data(contentsOf: try test.newest())
            // Another server's, though the estate trusts whoever signed it.
            try await test.edit { seal in
                var postgres = try #require(seal["postgres"] as? [String: Any])
                var identity = try #require(postgres["identity"] as? [String: Any])
                identity["systemIdentifier"] = "7000000000000000001"
                postgres["identity"] = identity
                seal["postgres"] = postgres
            }
            for name in try FileManager.default.contentsOfDirectory(atPath: test.moments.path)
            where name != (try test.newest().lastPathComponent) {
                try FileManager.default.removeItem(at: test.moments.appendingPathComponent(name))
            }
            try await expect(test, "moment-unusable", "sealed on another server")
            try kept.write(to: try test.newest())
            let other = try test.fixture.drillFile("postgres", from: "base", select: "latest, to: sealed-moment, database: postgres")
            let (asked, told) = try await test.fixture.drill(other, environment: PostgresSource.environment([test.source.bin]))
            #expect(asked.code == 2 && told.drills.first?.findings.contains { $0.actual == "one of shop" } == true, "\(asked.text)")
            let judged = try test.fixture.drillFile(
                "postgres", from: "base", select: "latest, to: sealed-moment", more: "targets: {rpo: 1h}")
            let refused = try await test.fixture.run(["run", judged.path])
            #expect(refused.code == 64 && refused.text.contains("can't be judged of backups and moments"), "\(refused.text)")
            // What is changed without the key is believed as little as any seal.
            try Data(String(decoding: kept, as: UTF8.self).replacing("\"sig\"", with: "\"gis\"").utf8).write(to: try test.newest())
            try await expect(test, "seal-unreadable")
        }
    }

    /// A dump's seal is no moment, and a moment is no dump's seal.
    @Test func twoKindsOfSealAreNotMixedUp() async throws {
        try await ArchivingSource.with { test in
            try await test.baseBackup("b1")
            try await test.source.requireSeal(bins: [test.source.bin])
            let names = try FileManager.default.contentsOfDirectory(atPath: test.fixture.store.path)
            let dump = try #require(names.first { $0.hasSuffix(".dump") })
            let seal = test.fixture.store.appendingPathComponent("\(dump).seal.json")
            try FileManager.default.createDirectory(at: test.moments, withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: seal, to: test.moments.appendingPathComponent("base-1.moment.json"))
            try await expect(test, "seal-names-other-artifact", "an artifact's seal lies where a sealed moment belongs")
            try FileManager.default.removeItem(at: test.moments.appendingPathComponent("base-1.moment.json"))
            try await test.requireSeal([])
            try FileManager.default.removeItem(at: seal)
            try FileManager.default.copyItem(at: try test.newest(), to: seal)
            let (outcome, drill) = try await test.source.drill(bins: [test.source.bin])
            #expect(
                outcome.code == 1
                    && drill.findings.contains { $0.rule == "seal-names-other-artifact" && $0.message.contains("a moment's seal lies") },
                "\(outcome.text)")
        }
    }

    /// Where commits became visible in another order than they stand in the log, no position is the moment's: an older one is taken, and
    /// where there is none nothing is proven.
    @Test func interleavedCommitsProveNothing() async throws {
        try await ArchivingSource.with { test in
            try await test.baseBackup("b1")
            try await test.requireSeal()
            let older = try test.newest().lastPathComponent
            let first = try await test.transaction("INSERT INTO sales (good) VALUES (1)")
            try await test.sell()
            try await test.requireSeal()
            try await test.editMoment { _, snapshot in
                snapshot["running"] = [first.number]
                snapshot["xmin"] = first.number
            }
            let (outcome, drill) = try await test.drill()
            #expect(outcome.code == 0 && drill.fact("postgres.sealed-moment") == older, "\(outcome.text)")
            #expect(drill.findings.contains { $0.rule == "moment-interleaved" && $0.severity == "note" })
            try FileManager.default.removeItem(at: test.moments.appendingPathComponent(older))
            try await expect(test, code: 2, "moment-interleaved", "1 commit on the wrong side")
            // One from before the base backup beside it makes that no fault of the backup's.
            let young = try Data(contentsOf: try test.newest())
            let name = try test.newest().lastPathComponent
            try await test.editMoment { moment, _ in (moment["before"], moment["after"]) = ("0/1000028", "0/1000028") }
            try FileManager.default.moveItem(at: try test.newest(), to: test.moments.appendingPathComponent("0.moment.json"))
            try await test.edit("0.moment.json") { seal in
                seal["artifact"] = ["name": "0.moment.json", "size": 0, "sha256": ""]
                seal["snapshotTime"] = "2026-01-01T00:00:00.000Z"
            }
            try young.write(to: test.moments.appendingPathComponent(name))
            try await expect(test, code: 2, "moment-interleaved")
        }
    }

    @Test func whatCannotBeSealed() async throws {
        try await PostgresSource.with(.system, settings: ["wal_level=minimal", "max_wal_senders=0"]) { source in
            let words = ["seal", source.fixture.estate.path, "--service", "postgres", "--moment", "--backup"]
            let minimal = try await source.fixture.run(words + ["base"])
            #expect(minimal.code == 2 && minimal.text.contains("wal_level = minimal"), "\(minimal.text)")
            let dump = try await source.fixture.run(words + ["daily"])
            #expect(dump.code == 64 && dump.text.contains("leave --moment away"), "\(dump.text)")
            let without = try await source.fixture.run(Array(words.dropLast(2)) + ["--backup", "base", "--wait", "1m"])
            #expect(without.code == 64 && without.text.contains("--wait and --switch-wal go with --moment"), "\(without.text)")
            try source.fixture.editEstate(", wal: {match: \"wal/*\", encryption: none}", "")
            let archiveless = try await source.fixture.run(words + ["base"])
            #expect(archiveless.code == 64 && archiveless.text.contains("wal: {match"), "\(archiveless.text)")
        }
    }

    /// A role that may not read all, and a table that somebody holds.
    @Test func whatMayNotBeReadIsNamed() async throws {
        try await ArchivingSource.with { test in
            try await test.source.sql("CREATE ROLE reader LOGIN")
            try test.fixture.editEstate("user: postgres", "user: reader")
            let refused = try await test.seal([])
            #expect(refused.code == 2 && refused.text.contains("permission denied for table cache"), "\(refused.text)")
            #expect((try? FileManager.default.contentsOfDirectory(atPath: test.moments.path)) == nil)
        }
    }
}
