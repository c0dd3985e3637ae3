// The pages of the commonest layouts, tried as their reader would: the page's own job makes the backups, its own files drill them.

import Foundation
import TestPrograms
import Testing

/// One page below docs/how-to whose job and files stand in it.
private struct HowToPage {
    let name: String
    private let text: String
    /// Where the test has what a reader has in these places.
    var places: [(String, String)] = []

    init(_ name: String) throws {
        self.name = name
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        text = try String(contentsOf: root.appendingPathComponent("docs/how-to/\(name).md"), encoding: .utf8)
    }

    /// By the path that follows `# script:` or `# file:` in a block's first line.
    func blocks(_ word: String) throws -> [String: String] {
        var blocks: [String: String] = [:]
        for block in text.matches(of: /(?m)^```(?:sh|yaml)\n# (script|file): (\S+)\n((?:.|\n)*?)^```$/) where block.output.1 == word {
            blocks[String(block.output.2)] = places.reduce(String(block.output.3)) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
        }
        try #require(!blocks.isEmpty, "\(name) has no \(word)")
        return blocks
    }
}

struct HowToTests {
    private static let nights = ["2026-03-01", "2026-03-02", "2026-03-03"]

    /// The job for three nights, then `init`, `doctor` and every drill of the page.
    ///
    /// - Parameter programs: A folder that comes before PATH.
    private func follow(
        _ name: String, in fixture: Fixture, environment: [String: String], programs: URL? = nil, found: [String]
    ) async throws {
        let store = fixture.folder.appendingPathComponent("mnt")
        let drills = fixture.folder.appendingPathComponent("page")
        var page = try HowToPage(name)
        page.places = [("/mnt/backups", store.path), ("/etc/muster", fixture.folder.path)]
        try FileManager.default.createDirectory(at: drills, withIntermediateDirectories: true)
        for folder in ["", "wal", "base"] {
            try FileManager.default.createDirectory(at: store.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        var environment = environment
        environment["PATH"] = "\(programs.map { $0.path + ":" } ?? "")\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
        for (path, script) in try page.blocks("script") {
            let file = drills.appendingPathComponent(path).lastPathComponent
            let job = fixture.folder.appendingPathComponent(file)
            try Data(("set -eu\n" + script).utf8).write(to: job)
            for night in Self.nights {
                let made = try await Program.start(["bash", job.path, night], environment: environment, folder: fixture.folder).outcome()
                try #require(made.code == 0, "\(path) \(night): \(made.text)")
            }
        }
        for (path, text) in try page.blocks("file") {
            try Data(text.utf8).write(to: drills.appendingPathComponent(URL(fileURLWithPath: path).lastPathComponent))
        }
        // What it finds there is what the page declares, as far as names tell.
        let drafts = fixture.folder.appendingPathComponent("drafts")
        let made = try await fixture.run(["init", store.path, "--output", drafts.path])
        #expect(made.code == 0, "\(made.text)")
        for line in found { #expect(made.out.contains(line), "\(line): \(made.text)") }

        let estate = drills.appendingPathComponent("estate.yaml")
        let looked = try await fixture.run(["doctor", estate.path])
        #expect(looked.code == 0 && looked.out.contains("✓ newest of "), "\(looked.text)")
        let outcome = try await fixture.run(["run", drills.path, "--output", fixture.reports.path])
        #expect(outcome.code == 0, "\(outcome.text)")
        fixture.expectNothingLeft()
    }

    private func fillDatabases(_ source: PostgresSource) async throws {
        for statement in ["CREATE ROLE app", "CREATE DATABASE crm"] { try await source.sql(statement, database: "postgres") }
        try await source.sql(
            "CREATE TABLE orders (id int PRIMARY KEY, at timestamptz DEFAULT now()); INSERT INTO orders SELECT generate_series(1, 200);"
                + "ALTER TABLE orders OWNER TO app")
        try await source.sql("CREATE TABLE contacts (id int, name text); INSERT INTO contacts VALUES (1, 'n')", database: "crm")
    }

    private func environment(of source: PostgresSource) -> [String: String] {
        ["PGHOST": source.host, "PGUSER": "postgres", "HOME": source.fixture.folder.path]
    }

    @Test(arguments: [
        ("custom-dumps", ["shop-*.dump: 3 of kind pg_dump, with the roles in shop-*.globals.sql"]),
        ("plain-dumps", ["shop-*.sql.gz: 3 of kind pg_dump"]), ("cluster-dumps", ["all-*.sql.gz: 3 of kind pg_dump"]),
        ("folder-per-day", ["*/shop.dump: 3 of kind pg_dump, with the roles in */globals.sql", "*/crm.dump: 3 of kind pg_dump"]),
    ])
    func dumps(page: String, found: [String]) async throws {
        try await PostgresSource.with(.system) { source in
            try await fillDatabases(source)
            try await follow(page, in: source.fixture, environment: environment(of: source), found: found)
        }
    }

    @Test func encryptedDumps() async throws {
        try await PostgresSource.with(.system) { source in
            try await fillDatabases(source)
            let folder = source.fixture.folder
            for (name, secret) in [("backup.pass", "correct horse"), ("gpg.pass", "battery staple")] {
                try Data((secret + "\n").utf8).write(to: folder.appendingPathComponent(name))
            }
            try await Program.require([
                "sh", "-ec", "umask 077; cd '\(folder.path)'; age-keygen -o age.key 2>/dev/null; age-keygen -y age.key > age.pub",
            ])
            try await follow(
                "encrypted-dumps", in: source.fixture, environment: environment(of: source),
                found: ["shop-*.dump.enc: 3 of kind pg_dump", "age-*.dump.age: 3 of kind pg_dump", "gpg-*.dump.gpg: 3 of kind pg_dump"])
        }
    }

    @Test func baseBackups() async throws {
        let wal = "/tmp/mhowto-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: wal, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: wal)
        defer { try? FileManager.default.removeItem(atPath: wal) }
        let settings = ["archive_mode=on", "archive_command='cp %p \(wal)/%f.part && mv \(wal)/%f.part \(wal)/%f'", "max_wal_senders=4"]
        try await PostgresSource.with(.system, settings: settings) { source in
            try await fillDatabases(source)
            // The store's own folder for the segments is the archive's.
            let store = source.fixture.folder.appendingPathComponent("mnt")
            try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(atPath: store.path + "/wal", withDestinationPath: wal)
            try await follow(
                "base-backups", in: source.fixture, environment: environment(of: source), found: ["base/*: 3 of kind base_backup"])
        }
    }

    @Test func redis() async throws {
        try await RedisSource.with(.system, arguments: ["--appendonly", "yes"]) { source in
            for key in 1...20 { try await source.ask("SET", "session:\(key)", "v") }
            let programs = source.fixture.folder.appendingPathComponent("bin")
            try standIn("redis-cli", "exec /usr/bin/redis-cli -s '\(source.socket)' \"$@\"", in: programs)
            try await follow(
                "redis", in: source.fixture, environment: ["REDIS_DATA": source.data.path], programs: programs,
                found: ["dump-*.rdb: 3 of kind rdb", "aof-*.tar.gz: 3 of kind aof"])
        }
    }

    /// The page's sealing job into its staging folder, what that wrote uploaded, and the drill machine's own files.
    @Test(.enabled(if: Bucket.isPossible, "moto's server is not installed: scripts/setup-tests brings it"))
    func aBucket() async throws {
        try await PostgresSource.with(.system) { source in
            try await fillDatabases(source)
            let folder = source.fixture.folder
            let bucket = try Bucket.start()
            try Data("correct horse\n".utf8).write(to: folder.appendingPathComponent("shop.pass"))
            for (name, secret) in [("s3.id", bucket.id), ("s3.secret", bucket.secret)] {
                try Data(secret.utf8).write(to: folder.appendingPathComponent(name))
            }
            for name in ["seal.key", "seal.pub"] {
                let made = source.fixture.lab.appendingPathComponent(name)
                if made.deletingLastPathComponent().path != folder.path {
                    try FileManager.default.copyItem(at: made, to: folder.appendingPathComponent(name))
                }
            }
            let staging = folder.appendingPathComponent("staging")
            try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
            var page = try HowToPage("s3")
            page.places = [
                ("/etc/muster", folder.path), ("/var/backups/shop", staging.path), ("/run/postgresql", source.host),
                ("https://s3.example", "http://127.0.0.1:\(bucket.port)"), ("bucket: shop-backups", "bucket: \(Bucket.name)"),
                ("eu-central-1", "us-east-1"),
            ]
            let drills = folder.appendingPathComponent("page")
            try FileManager.default.createDirectory(at: drills, withIntermediateDirectories: true)
            for (path, text) in try page.blocks("file") {
                let isOfBackupHost = path.hasSuffix("backup-host.yaml")
                try Data(text.utf8).write(
                    to: (isOfBackupHost ? folder : drills).appendingPathComponent(URL(fileURLWithPath: path).lastPathComponent))
            }
            let sealed = try await source.fixture.run([
                "seal", folder.appendingPathComponent("backup-host.yaml").path, "--service", "postgres", "--backup", "nightly",
            ])
            try #require(sealed.code == 0, "\(sealed.text)")
            try await bucket.rclone(["copy", staging.appendingPathComponent("nightly").path, "S:\(Bucket.name)/shop/nightly"])
            let looked = try await source.fixture.run(["doctor", drills.appendingPathComponent("estate.yaml").path])
            #expect(looked.code == 0 && looked.out.contains("✓ newest of postgres/nightly: "), "\(looked.text)")
            let outcome = try await source.fixture.run(["run", drills.path, "--output", source.fixture.reports.path])
            #expect(outcome.code == 0 && outcome.out.contains("content"), "\(outcome.text)")
            // One night is no series of thirty-five: as the page says of a bucket that is new.
            let inspected = try await source.fixture.run([
                "inspect", drills.appendingPathComponent("estate.yaml").path, "--output", source.fixture.reports.path,
            ])
            #expect(inspected.code == 1 && inspected.out.contains("retention-missing"), "\(inspected.text)")
        }
    }

    /// An encrypted repository, and the page's estate and nightly drill. Its other drill aims at a moment of its author's.
    @Test func pgBackRest() async throws {
        let work = URL(fileURLWithPath: "/tmp/mhowto-\(UUID().uuidString.prefix(8))", isDirectory: true)
        let configuration = work.appendingPathComponent("pgbackrest.conf").path
        for name in ["pgbackrest", "log", "lock"] {
            try FileManager.default.createDirectory(at: work.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(at: work) }
        let isRoot = geteuid() == 0
        let asServer = isRoot ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        let settings = ["archive_mode=on", "archive_command='pgbackrest --config=\(configuration) --stanza=shop archive-push %p'"]
        try await PostgresSource.with(.system, settings: settings) { source in
            let folder = source.fixture.folder
            let text = """
                [global]
                repo1-path=\(work.path)/pgbackrest
                repo1-cipher-type=aes-256-cbc
                repo1-cipher-pass=correct-horse
                log-path=\(work.path)/log
                lock-path=\(work.path)/lock
                start-fast=y
                [shop]
                pg1-path=\(source.host)/data
                pg1-socket-path=\(source.host)
                pg1-user=postgres

                """
            try Data(text.utf8).write(to: URL(fileURLWithPath: configuration))
            if isRoot { try await Program.require(["chown", "-R", "65534:65534", work.path]) }
            try await fillDatabases(source)
            for words in [["stanza-create"], ["backup", "--type=full"]] {
                try await Program.require(asServer + ["pgbackrest", "--config=\(configuration)", "--stanza=shop"] + words)
            }
            try await source.sql("INSERT INTO orders VALUES (20501); SELECT pg_switch_wal()")
            try await source.wait(
                for: "t", "SELECT last_archived_wal = pg_walfile_name(pg_current_wal_lsn() - 16777216) FROM pg_stat_archiver")

            var page = try HowToPage("pgbackrest")
            page.places = [
                ("path: /var/lib", "path: \(work.path)"), ("/etc/muster/cipher.pass", folder.appendingPathComponent("cipher").path),
            ]
            try Data("correct-horse".utf8).write(to: folder.appendingPathComponent("cipher"))
            let files = try page.blocks("file")
            for name in ["estate.yaml", "to-the-end.yaml"] {
                try Data(try #require(files["pgbackrest/\(name)"]).utf8).write(to: folder.appendingPathComponent("own-\(name)"))
            }
            let drill = folder.appendingPathComponent("own-to-the-end.yaml")
            try source.fixture.edit(drill, "estate: estate.yaml", "estate: own-estate.yaml")
            let looked = try await source.fixture.run(["doctor", folder.appendingPathComponent("own-estate.yaml").path])
            #expect(looked.code == 0 && looked.out.contains("✓ newest of postgres/repository: "), "\(looked.text)")
            let outcome = try await source.fixture.run(["run", drill.path, "--output", source.fixture.reports.path])
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    /// docker is a stand-in here that runs the same commands beside it.
    @Test func dockerVolumes() async throws {
        try await PostgresSource.with(.system) { source in
            try await fillDatabases(source)
            try await RedisSource.beside(source, .system) { redis in
                for key in 1...20 { try await redis.ask("SET", "session:\(key)", "v") }
                let programs = source.fixture.folder.appendingPathComponent("bin")
                let lines = """
                    case "$*" in
                    "exec shop-redis redis-cli "*) shift 3; exec redis-cli -s '\(redis.socket)' "$@" ;;
                    "exec shop-postgres "*) shift 2; exec "$@" ;;
                    "run --rm --volumes-from shop-redis:ro debian:12 tar -C /data "*) shift 8; exec tar -C '\(redis.data.path)' "$@" ;;
                    esac
                    echo "no such container" >&2; exit 125
                    """
                try standIn("docker", lines, in: programs)
                try await follow(
                    "docker-volumes", in: source.fixture, environment: environment(of: source), programs: programs,
                    found: ["shop-*.sql.gz: 3 of kind pg_dump", "redis-*.tar.gz: 3 of kind rdb"])
            }
        }
    }

    private func standIn(_ name: String, _ lines: String, in folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try writeProgram("#!/bin/sh\n" + lines + "\n", to: folder.appendingPathComponent(name))
    }
}
