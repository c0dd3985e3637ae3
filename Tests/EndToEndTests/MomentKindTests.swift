// Sealed moments of every kind of physical backup, of a standby, and in a bucket, with the built program.

import Foundation
import ServerVersions
import TestPrograms
import Testing

@Suite struct MomentKindTests {
    /// The base backup is the same for all: what differs is how it is restored, and who reads the archive.
    @Test func restoredByACommand() async throws {
        try await ArchivingSource.with { test in
            try await test.baseBackup("b1")
            try await test.sell(3)
            let wal = test.fixture.store.appendingPathComponent("wal").path
            try test.fixture.editEstate(
                "kind: base_backup, store: one, match: \"base/*\", encryption: none, wal: {match: \"wal/*\", encryption: none}}",
                """
                kind: command, store: one, match: "base/*", encryption: none, restore: [cp, -a, "{backup}/.", "{data}"], \
                fetch-wal: [cp, "\(wal)/{wal}", "{path}"]}
                """)
            // What the archive holds only the command knows: the source says what it has archived.
            try await test.requireSeal()
            try await expectGreen(test)
            try await test.sell()
            try await test.requireSeal([])
            let (outcome, drill) = try await test.drill()
            let told = drill.findings.first { $0.rule == "moment-not-archived" }
            #expect(outcome.code == 0 && told?.severity == "warning", "\(outcome.text)")
        }
    }

    @Test(.enabled(if: PostgresVersion.areHere(.v17), "needs the PostgreSQL 17 of scripts/setup-tests"))
    func aChainOfIncrements() async throws {
        try await ArchivingSource.with(.v17, settings: ["summarize_wal=on"]) { test in
            try await test.baseBackup("b1")
            try await test.sell(300)
            let manifest = test.fixture.store.appendingPathComponent("base/b1/backup_manifest").path
            try await test.baseBackup("b2", ["--incremental=\(manifest)"])
            try await test.sell(3)
            try await test.requireSeal()
            let drill = try await expectGreen(test)
            #expect(drill.fact("postgres.base-backup.chain")?.contains("base/b2") == true)
            // Of an older link alone, the rest comes from the log.
            try FileManager.default.removeItem(at: test.fixture.store.appendingPathComponent("base/b2"))
            try await expectGreen(test)
        }
    }

    @Test(.enabled(if: PgBackRestProgram.isHere, "pgbackrest is not installed"))
    func aRepository() async throws {
        let work = URL(fileURLWithPath: "/tmp/mrepo-\(UUID().uuidString.prefix(8))", isDirectory: true)
        let configuration = work.appendingPathComponent("pgbackrest.conf").path
        for name in ["log", "lock"] {
            try FileManager.default.createDirectory(at: work.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(at: work) }
        let asServer = geteuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        try await ArchivingSource.with { test in
            let repository = test.fixture.store.appendingPathComponent("repository")
            try FileManager.default.createDirectory(at: repository, withIntermediateDirectories: true)
            let text = """
                [global]
                repo1-path=\(repository.path)
                log-path=\(work.path)/log
                lock-path=\(work.path)/lock
                start-fast=y
                [shop]
                pg1-path=\(test.source.host)/data
                pg1-socket-path=\(test.source.host)
                pg1-user=postgres

                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: configuration))
            if geteuid() == 0 { try await Program.require(["chown", "-R", "65534:65534", work.path, repository.path]) }
            let call = asServer + ["pgbackrest", "--config=\(configuration)", "--stanza=shop"]
            try await Program.require(call + ["stanza-create"])
            try await test.source.sql(
                "ALTER SYSTEM SET archive_command = 'pgbackrest --config=\(configuration) --stanza=shop archive-push %p'")
            try await test.source.sql("SELECT pg_reload_conf()")
            try await Program.require(call + ["backup", "--type=full"])
            try test.fixture.editEstate(
                "kind: base_backup, store: one, match: \"base/*\", encryption: none, wal: {match: \"wal/*\", encryption: none}}",
                "kind: pgbackrest, store: one, match: repository, stanza: shop, encryption: none}")
            try await test.sell(3)
            try await test.requireSeal()
            try await expectGreen(test)
        }
    }

    /// Compressed and encrypted segments.
    @Test func packedSegments() async throws {
        try await ArchivingSource.with { test in
            let wal = test.fixture.store.appendingPathComponent("wal").path
            let key = test.fixture.lab.appendingPathComponent("wal.key")
            try Data("correct horse".utf8).write(to: key)
            chmod(key.path, 0o644)
            let push = """
                gzip -c %p | openssl enc -aes-256-cbc -pbkdf2 -pass file:\(key.path) -out \(wal)/.%f && mv \(wal)/.%f \(wal)/%f.gz.enc
                """
            try await test.source.sql("ALTER SYSTEM SET archive_command = '\(push)'")
            try await test.source.sql("SELECT pg_reload_conf()")
            try test.fixture.editEstate(
                "wal: {match: \"wal/*\", encryption: none}", "wal: {match: \"wal/*.gz.enc\", encryption: {format: openssl, key: log}}")
            try test.fixture.editEstate("seals:", "keys: {log: {file: wal.key}}\nseals:")
            try await test.baseBackup("b1")
            try await test.sell(3)
            try await test.requireSeal()
            try await expectGreen(test)
        }
    }

    /// The moments too: nothing is read in a folder.
    @Test(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
    func inABucket() async throws {
        try await ArchivingSource.with { test in
            try await test.baseBackup("b1")
            try await test.sell(3)
            try await test.requireSeal()
            let bucket = try Bucket.start()
            try await bucket.upload(test.fixture.store)
            for (name, secret) in [("s3.id", bucket.id), ("s3.secret", bucket.secret)] {
                let file = test.fixture.lab.appendingPathComponent(name)
                try Data(secret.utf8).write(to: file)
                chmod(file.path, 0o600)
            }
            try test.fixture.editEstate("seals:", "keys: {s3-id: {file: s3.id}, s3-secret: {file: s3.secret}}\nseals:")
            try test.fixture.editEstate(
                "{one: {type: file, path: backups/primary}}",
                """
                {one: {type: s3, endpoint: "http://127.0.0.1:\(bucket.port)", bucket: \(Bucket.name), prefix: backups, region: us-east-1, \
                access-key: s3-id, secret-key: s3-secret}}
                """)
            try FileManager.default.removeItem(at: test.fixture.store)
            let drill = try await expectGreen(test)
            #expect(drill.fact("postgres.sealed-moment")?.hasSuffix(".moment.json") == true)
            let sealed = try await test.seal([])
            #expect(sealed.code == 64 && sealed.text.contains("store one is remote"), "\(sealed.text)")
        }
    }

    @discardableResult
    private func expectGreen(_ test: ArchivingSource, location: SourceLocation = #_sourceLocation) async throws -> Report.Drill {
        let (outcome, drill) = try await test.drill()
        let compared = drill.cases.contains { $0.name == "public.sales" && $0.group == "content" && $0.verdict == "passed" }
        #expect(outcome.code == 0 && compared, "\(outcome.text)", sourceLocation: location)
        return drill
    }
}

/// Where the source of moments is a standby.
@Suite struct MomentOfAStandbyTests {
    @Test func itIsWhereReplayStood() async throws {
        try await StandbyPair.with { pair in
            try await pair.withFixture { fixture in
                try await prepare(pair, fixture)
                try await pair.ask(pair.primary, "INSERT INTO a SELECT generate_series(2001, 2020)")
                try await pair.catchUp()
                let sealed = try await fixture.run(["seal", fixture.estate.path, "--service", "postgres", "--backup", "base", "--moment"])
                #expect(sealed.code == 0 && sealed.out.contains("where the standby stood still"), "\(sealed.text)")
                #expect(try await pair.ask(pair.standby, "SELECT pg_get_wal_replay_pause_state()") == "not paused")
                let told = try await fixture.run([
                    "seal", fixture.estate.path, "--service", "postgres", "--backup", "base", "--moment", "--switch-wal",
                ])
                #expect(told.code == 0 && told.err.contains("writes no log of its own"), "\(told.text)")
                try await pair.ask(pair.primary, "INSERT INTO a SELECT generate_series(3001, 3020)")
                try await pair.ask(pair.primary, "SELECT pg_switch_wal()")
                try await pair.wait(
                    for: "t", of: pair.primary,
                    "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 16777216) FROM pg_stat_archiver")
                let file = try fixture.drillFile("postgres", from: "base", select: "latest, to: sealed-moment")
                let (outcome, report) = try await fixture.drill(file)
                let drill = try #require(report.drills.first)
                #expect(outcome.code == 0, "\(outcome.text)")
                let compared = drill.cases.filter { $0.group == "content" && $0.verdict == "passed" }.map(\.name)
                #expect(compared.contains("public.a") && compared.contains("public.b"), "\(compared)")
            }
        }
    }

    private func prepare(_ pair: StandbyPair, _ fixture: Fixture) async throws {
        try await fixture.makeSealingKey()
        let wal = fixture.store.appendingPathComponent("wal")
        for folder in [wal, fixture.store.appendingPathComponent("base")] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        }
        try await pair.ask(pair.primary, "ALTER SYSTEM SET archive_command = 'cp %p \(wal.path)/.%f && mv \(wal.path)/.%f \(wal.path)/%f'")
        try await pair.ask(pair.primary, "SELECT pg_reload_conf()")
        let bin = try await pair.ask(pair.primary, "SELECT setting FROM pg_config() WHERE name = 'BINDIR'")
        try await Program.require([
            "\(bin)/pg_basebackup", "-h", pair.primary, "-U", "postgres", "-D", fixture.store.appendingPathComponent("base/b1").path, "-c",
            "fast", "-X", "none", "-Ft",
        ])
        let estate = """
            version: 1
            estate: shop
            timezone: UTC
            stores: {one: {type: file, path: backups/primary}}
            seals: {sign-with: {file: seal.key}, trust: [seal.pub]}
            services:
              postgres:
                engine: postgres
                source: {host: \(pair.standby), database: shop, user: postgres}
                backups:
                  base: {kind: base_backup, store: one, match: "base/*", encryption: none, wal: {match: "wal/*", encryption: none}}

            """
        try Data(estate.utf8).write(to: fixture.estate)
    }
}
