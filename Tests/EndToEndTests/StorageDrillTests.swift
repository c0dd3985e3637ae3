// Copies of whole data folders, drilled by the built program: whole, cold, with slots and prepared transactions, and damaged inside.

import Foundation
import Testing

@Suite(.enabled(if: PostgresVersion.areHere(.system), "PostgreSQL 15 is not here"))
struct StorageDrillTests {
    private static let rows = "{rows: {table: public.h, exactly: 5000}}"

    /// A source with two databases, and one base backup of it in the store: without its manifest, as other tools leave it.
    private static func with(_ body: @Sendable (PostgresSource, URL) async throws -> Void) async throws {
        let settings = ["wal_level=logical", "max_prepared_transactions=5", "autovacuum=off"]
        try await PostgresSource.with(.system, settings: settings) { source in
            try await source.sql(
                """
                CREATE TABLE h (id int PRIMARY KEY, v text); INSERT INTO h SELECT i, repeat('x', 700) FROM generate_series(1, 5000) i;
                CREATE TABLE other (id int PRIMARY KEY, v text); INSERT INTO other SELECT i, 'v' FROM generate_series(1, 500) i
                """)
            try await source.sql("VACUUM ANALYZE")
            try await source.sql("CREATE DATABASE billing", database: "postgres")
            try await source.sql(
                "CREATE TABLE bills (id int PRIMARY KEY); INSERT INTO bills SELECT generate_series(1, 900)", database: "billing")
            try source.fixture.editEstate(
                "      base: {kind: base_backup",
                """
                      copy:
                        kind: command
                        store: one
                        match: "copy/*"
                        encryption: none
                        restore: [cp, -a, "{backup}/.", "{data}"]
                      base: {kind: base_backup
                """)
            try await source.sql("CHECKPOINT", database: "postgres")
            let copy = source.fixture.store.appendingPathComponent("copy/one")
            try await Program.require([
                "\(source.bin)/pg_basebackup", "-h", source.host, "-U", "postgres", "-D", copy.path, "-Fp", "-X", "fetch", "-c", "fast",
                "--no-manifest",
            ])
            try await body(source, copy)
        }
    }

    private static func file(_ source: PostgresSource, _ relation: String, database: String = "shop") async throws -> String {
        try await source.sql("SELECT pg_relation_filepath('\(relation)')", database: database)
    }

    private static func edit(_ file: URL, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = [UInt8](try Data(contentsOf: file))
        change(&bytes)
        try Data(bytes).write(to: file)
    }

    /// What is whole passes, and what must be known of it is said: the other database, an open transaction, a slot.
    @Test func aWholeCopy() async throws {
        try await Self.with { source, copy in
            try await source.sql("SELECT pg_create_logical_replication_slot('feed', 'test_decoding')")
            try await source.sql("BEGIN; INSERT INTO other VALUES (9999, 'held'); PREPARE TRANSACTION 'transfer-7'")
            try await source.sql("CHECKPOINT", database: "postgres")
            let whole = source.fixture.store.appendingPathComponent("copy/two")
            try await Program.require([
                "\(source.bin)/pg_basebackup", "-h", source.host, "-U", "postgres", "-D", whole.path, "-Fp", "-X", "fetch", "-c", "fast",
                "--no-manifest",
            ])
            // Tools that copy whole folders bring the slots along.
            let slots = source.folder.appendingPathComponent("p/data/pg_replslot/feed").path
            try await Program.require(["cp", "-a", slots, whole.appendingPathComponent("pg_replslot/feed").path])
            try FileManager.default.removeItem(at: copy)
            let drill = try await source.expectGreen(
                "copy", checks: Self.rows, bins: [source.bin],
                noticed: ["prepared-transaction-open", "databases-not-asked", "armed-in-backup"])
            func finding(_ rule: String) throws -> Report.Finding { try #require(drill.findings.first { $0.rule == rule }) }
            #expect(try finding("prepared-transaction-open").object == "transfer-7 in shop")
            #expect(try finding("prepared-transaction-open").actual.contains("ago"))
            #expect(try finding("databases-not-asked").object == "billing")
            #expect(drill.unproven.contains { $0.contains("was not asked: billing") })
            #expect(drill.findings.contains { $0.rule == "armed-in-backup" && $0.object == "replication slot feed" })
            for database in ["shop", "billing", "postgres"] {
                #expect(drill.cases.contains { $0.name == "every table of \(database) is whole (verify_heapam)" && $0.verdict == "passed" })
            }
        }
    }

    /// One damage after another in the one backup, each put right again.
    @Test func damagedCopies() async throws {
        try await Self.with { source, copy in
            let heap = copy.appendingPathComponent(try await Self.file(source, "h"))
            let index = copy.appendingPathComponent(try await Self.file(source, "h_pkey"))
            let bills = copy.appendingPathComponent(try await Self.file(source, "bills", database: "billing"))
            let other = copy.appendingPathComponent(try await Self.file(source, "other"))
            func expectRed(
                _ file: URL, _ rule: String, _ object: String, and more: [String] = [], _ change: (inout [UInt8]) -> Void
            ) async throws {
                let before = try Data(contentsOf: file)
                try Self.edit(file, change)
                let (outcome, drill) = try await source.drill("copy", checks: Self.rows, bins: [source.bin])
                let seen = "\(drill.findings.map { "\($0.rule) \($0.object): \($0.message)" }) \(outcome.err)"
                #expect(outcome.code == 1, "\(rule): \(seen)")
                #expect(drill.findings.contains { $0.rule == rule && $0.object == object && $0.severity == "critical" }, "\(rule): \(seen)")
                for rule in more { #expect(drill.findings.contains { $0.rule == rule }, "\(rule): \(seen)") }
                #expect(outcome.out.contains(rule), "\(rule)")
                try before.write(to: file)
            }
            try await expectRed(heap, "relation-page-lost", "public.h", and: ["rows-out-of-bounds"]) { bytes in
                bytes.replaceSubrange(3 * 8192..<4 * 8192, with: [UInt8](repeating: 0, count: 8192))
            }
            try await expectRed(other, "relation-page-lost", "public.other") { $0 = [] }
            // In the database that no question goes to.
            try await expectRed(bills, "relation-page-lost", "public.bills") { $0 = [] }
            // What the server itself calls damaged is the backup's fault, wherever it is met.
            try await expectRed(heap, "table-damaged", "public.h", and: ["storage-damaged"]) { bytes in
                bytes.replaceSubrange(3 * 8192 + 8..<3 * 8192 + 24, with: [UInt8](repeating: 0xff, count: 16))
            }
            try await expectRed(index, "relation-file-short", "public.h_pkey") { $0 = [] }
            try FileManager.default.removeItem(at: other)
            let (outcome, drill) = try await source.drill("copy", checks: Self.rows, bins: [source.bin])
            #expect(outcome.code == 1 && drill.findings.contains { $0.rule == "relation-file-missing" && $0.object == "public.other" })
        }
    }

    /// A dump of a whole cluster: the estate says which of its databases a drill's questions go to, and the others are asked, too.
    @Test func aDumpOfSeveralDatabases() async throws {
        try await Self.with { source, _ in
            let script = source.fixture.store.appendingPathComponent("all.sql").path
            try await Program.require(["\(source.bin)/pg_dumpall", "-h", source.host, "-U", "postgres", "-f", script])
            let drill = try await source.expectGreen("script", checks: Self.rows, bins: [source.bin])
            #expect(drill.fact("postgres.database") == "shop" && drill.fact("postgres.databases") == "billing, shop")
            #expect(!drill.findings.contains { $0.rule == "databases-not-asked" })
            #expect(drill.unproven.contains { $0.contains("only asked whether tables and rows came back: billing") })
        }
    }

    /// A copy of a stopped server has no label and needs none; of a running one it is no backup.
    @Test func aColdCopy() async throws {
        try await Self.with { source, copy in
            func asOwner(_ words: [String]) async throws {
                let user = geteuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
                try await Program.require(user + words)
            }
            let label = copy.appendingPathComponent("backup_label")
            let labelled = try Data(contentsOf: label)
            try FileManager.default.removeItem(at: label)
            let (outcome, drill) = try await source.drill("copy", checks: Self.rows, bins: [source.bin])
            let missing = drill.findings.first { $0.rule == "base-file-missing" }
            #expect(outcome.code == 1 && missing?.hint.contains("in production") == true, "\(outcome.text)")
            try labelled.write(to: label)
            let cold = source.folder.appendingPathComponent("p/cold")
            try await Program.require(["cp", "-a", copy.path, cold.path])
            if geteuid() == 0 { try await Program.require(["chown", "-R", "65534:65534", cold.path]) }
            // Recovers, and ends in order.
            try await asOwner([
                "sh", "-c", "\"$0\" --single -D \"$1\" postgres </dev/null >/dev/null 2>&1", "\(source.bin)/postgres", cold.path,
            ])
            try #require(!FileManager.default.fileExists(atPath: cold.appendingPathComponent("backup_label").path))
            try FileManager.default.removeItem(at: copy)
            try FileManager.default.moveItem(at: cold, to: copy)
            try await source.expectGreen("copy", checks: Self.rows, bins: [source.bin])
        }
    }
}
