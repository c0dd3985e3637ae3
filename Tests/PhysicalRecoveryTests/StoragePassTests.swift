// The storage pass on real clusters: whole ones with all that a crash and daily use leave, and one table after another damaged.

import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import ScratchHost
import ServerVersions
import Synchronization
import TestSupport
import Testing

@testable import PhysicalRecovery
@testable import PostgresRecovery

@Suite(.enabled(if: TestMachine.hasPostgres, "no postgres server is installed"))
struct StoragePassTests {
    /// A cluster with a table in every state that a healthy one can have, and what is to be damaged.
    private struct Cluster {
        var server: ScratchPostgres
        let host: ScratchHost

        func connect(_ settings: [String: String] = [:]) async throws -> PostgresConnection {
            try await PostgresConnection.connect(server.configuration(database: "postgres", settings: settings))
        }

        func ask() async throws -> StoragePass.Outcome {
            let connection = try await connect()
            let outcome = await StoragePass(server: server, service: "db", database: "postgres", isFirst: true).ask(connection) { _, _ in }
            await connection.close()
            return outcome
        }

        /// Changes files while the server is down.
        mutating func damage(_ change: (Cluster) throws -> Void) async throws {
            await server.process.stop([(2, .seconds(120))])
            try change(self)
            server = try await server.startAgain(on: host)
        }

        func file(_ path: String) -> URL { server.dataFolder.appendingPathComponent(path) }

        func zero(_ path: String, page: Int) throws {
            var bytes = try Data(contentsOf: file(path))
            try #require(bytes.count >= (page + 1) * 8192)
            bytes.replaceSubrange(page * 8192..<(page + 1) * 8192, with: Data(count: 8192))
            try write(bytes, path)
        }

        func cut(_ path: String, to length: Int) throws { try write(try Data(contentsOf: file(path)).prefix(length), path) }

        /// In place: the file stays its owner's.
        func write(_ bytes: Data, _ path: String) throws {
            let handle = try FileHandle(forWritingTo: file(path))
            try handle.write(contentsOf: bytes)
            try handle.truncate(atOffset: UInt64(bytes.count))
            try handle.close()
        }
    }

    private func withCluster(
        binaries: PostgresBinaries? = nil, checksums: Bool = false, _ body: (inout Cluster) async throws -> Void
    ) async throws {
        try await withScratchHost { host in
            let server = try await ScratchPostgres.start(
                on: host, in: try host.folder.privateFolder("p"), binaries: try binaries ?? PostgresBinaries.suitable(forDumpOf: nil),
                profile: .fast, dataChecksums: checksums)
            var cluster = Cluster(server: server, host: host)
            do {
                try await body(&cluster)
                await cluster.server.stop()
            } catch {
                await cluster.server.stop()
                throw error
            }
        }
    }

    private static let names = [
        "zeroed", "emptied", "cut", "gone", "bare", "scribbled", "lacking", "nopages", "noindex", "longer", "status",
    ]

    private func fill(_ connection: PostgresConnection) async throws {
        // No vacuum marks a page whose last commit isn't in the log yet.
        try await connection.execute("SET synchronous_commit = on")
        for name in Self.names {
            try await connection.execute(
                """
                CREATE TABLE \(name) (id int\(name == "bare" ? "" : " PRIMARY KEY"), v text);
                INSERT INTO \(name) SELECT i, repeat('x', 700) FROM generate_series(1, 2000) i
                """)
            try await connection.execute("VACUUM ANALYZE \(name)")
        }
        try await connection.execute(
            """
            CREATE TABLE long (id int PRIMARY KEY, v text); ALTER TABLE long ALTER v SET STORAGE EXTERNAL;
            INSERT INTO long SELECT i, repeat('y', 9000) FROM generate_series(1, 50) i;
            CREATE TABLE used (id int PRIMARY KEY, v text, n int); CREATE INDEX ON used (n); CREATE INDEX ON used (lower(v)) WHERE n > 1;
            INSERT INTO used SELECT i, 'v' || i, i % 7 FROM generate_series(1, 5000) i;
            CREATE FUNCTION plus(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
            CREATE INDEX own ON used (plus(id)); CREATE INDEX tree ON used USING gin (to_tsvector('simple', v));
            CREATE UNLOGGED TABLE fleeting AS SELECT i FROM generate_series(1, 3000) i; ANALYZE fleeting;
            CREATE SEQUENCE numbers; CREATE MATERIALIZED VIEW made AS SELECT * FROM used; CREATE TABLE parts (a int) PARTITION BY LIST (a);
            """)
        // A statement of its own each: together they would be one transaction.
        for statement in ["BEGIN", "INSERT INTO used SELECT -i, 'rolled back', 3 FROM generate_series(1, 900) i", "ROLLBACK"] {
            try await connection.execute(statement)
        }
        try await connection.execute(
            """
            UPDATE used SET v = v || 'x' WHERE id < 900; DELETE FROM used WHERE id > 4000; ANALYZE used
            """)
        for _ in 0..<3 { try await connection.execute("VACUUM zeroed") }
        // One that can't be built stays behind without a page.
        let built: Void? = try? await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY gaveup ON used ((1))")
        #expect(built == nil)
        #expect(
            try await connection.value(
                "SELECT pg_relation_size('gaveup') + indisvalid::int FROM pg_index WHERE indexrelid = 'gaveup'::regclass") == "0")
    }

    private func path(_ connection: PostgresConnection, _ relation: String) async throws -> String {
        try #require(try await connection.value("SELECT pg_relation_filepath($1::regclass)", [relation]))
    }

    /// HOT chains, dead rows, a rollback, posting lists, pages that no row ever came to, and a log that ended in the middle of it.
    @Test(arguments: [false, true]) func whatIsWholeIsGreen(checksums: Bool) async throws {
        try await withCluster(checksums: checksums) { cluster in
            let connection = try await cluster.connect()
            try await fill(connection)
            let grown = try await path(connection, "used")
            await connection.close()
            try await cluster.damage { cluster in
                // As a crash leaves it behind a file that it had made longer.
                try cluster.write(try Data(contentsOf: cluster.file(grown)) + Data(count: 3 * 8192), grown)
            }
            let outcome = try await cluster.ask()
            #expect(outcome.cases.allSatisfy { $0.verdict == .passed && $0.findings.isEmpty }, "\(outcome.cases)")
            #expect(outcome.cases.count == 6, "\(outcome.cases.map(\.name))")
            let unproven = outcome.unproven.joined(separator: "\n")
            #expect(unproven.contains("public.tree") && unproven.contains("the entries of public.own"), "\(unproven)")
            // Nothing of it stays.
            let after = try await cluster.connect()
            #expect(try await after.value("SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql'") == "0")
            #expect(try await after.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'muster%'") == "0")
            await after.close()
            // Asked again, and beside another database of the cluster.
            let again = try await cluster.ask()
            #expect(again.cases.allSatisfy { $0.verdict == .passed }, "\(again.cases)")
        }
    }

    /// What the functions are called with, and what they answer, on other versions.
    @Test(.needs(.postgres14, .postgres18), arguments: [(14, Installation.postgres14), (18, .postgres18)])
    func otherVersionsAreGreen(major: Int, installation: Installation) async throws {
        try await withCluster(binaries: PostgresBinaries(major: major, folder: try installation.requireBin()), checksums: true) { cluster in
            let connection = try await cluster.connect()
            try await fill(connection)
            await connection.close()
            let outcome = try await cluster.ask()
            #expect(
                outcome.cases.count == 6 && outcome.cases.allSatisfy { $0.verdict == .passed && $0.findings.isEmpty }, "\(outcome.cases)")
        }
    }

    @Test func everyDamageIsNamed() async throws {
        try await withCluster { cluster in
            let connection = try await cluster.connect()
            try await fill(connection)
            // A row that no index entry leads to.
            try await connection.execute(
                """
                SET allow_system_table_mods = on;
                UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'lacking_pkey'::regclass
                """)
            try await connection.execute("INSERT INTO lacking VALUES (5000, 'unlisted')")
            try await connection.execute(
                "UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 'lacking_pkey'::regclass")
            var paths: [String: String] = [:]
            for name in Self.names + ["noindex_pkey", "nopages_pkey"] { paths[name] = try await path(connection, name) }
            let long = try #require(
                try await connection.value("SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = 'long'::regclass"))
            let longPath = try await path(connection, long)
            await connection.close()
            let files = paths
            try await cluster.damage { cluster in
                func file(_ name: String) throws -> String { try #require(files[name]) }
                try cluster.zero(try file("zeroed"), page: 3)
                try cluster.cut(try file("emptied"), to: 0)
                try cluster.cut(try file("cut"), to: 100 * 8192)
                try FileManager.default.removeItem(at: cluster.file(try file("gone")))
                try cluster.cut(try file("bare"), to: 0)
                try FileManager.default.removeItem(at: cluster.file(try file("noindex_pkey")))
                try cluster.zero(try file("nopages_pkey"), page: 2)
                try cluster.zero(longPath, page: 1)
                var bytes = try Data(contentsOf: cluster.file(try file("scribbled")))
                // A line pointer whose row would begin where there is none.
                bytes.replaceSubrange(5 * 8192 + 24..<5 * 8192 + 28, with: [0xff, 0xff, 0x00, 0x00])
                try cluster.write(bytes, try file("scribbled"))
                // Behind a segment that isn't full nobody reads.
                let behind = cluster.file(try file("longer") + ".1")
                try Data(count: 8192).write(to: behind)
                try cluster.host.folder.own(behind)
            }
            let outcome = try await cluster.ask()
            let found = Set(outcome.cases.flatMap(\.findings).filter { $0.severity == .critical }.map { "\($0.rule) \($0.object)" })
            let wanted: Set = [
                "relation-page-lost public.zeroed", "relation-page-lost public.emptied", "relation-page-lost public.cut",
                "relation-file-missing public.gone", "relation-page-lost public.bare", "relation-file-missing public.noindex_pkey",
                "index-damaged public.nopages_pkey", "relation-page-lost TOAST of public.long", "table-damaged public.scribbled",
                "index-damaged public.lacking_pkey", "relation-file-missing \(files["longer"] ?? "").1",
            ]
            #expect(found == wanted, "missed \(wanted.subtracting(found)), and more: \(found.subtracting(wanted))")
            #expect(outcome.cases.filter { $0.verdict == .failed }.count >= 4 && !outcome.cases.contains { $0.verdict == .error })

            // The rows themselves, on a server that is told to prefer an index wherever one can answer.
            let preferring = try await cluster.connect(["enable_seqscan": "off"])
            #expect(try await preferring.value("SELECT count(*) FROM zeroed") == "2000", "an index answers for what is lost")
            let emitted = Mutex<[CaseResult]>([])
            await PostgresChecks.askDeclared(
                PostgresCheckContext(
                    connection: preferring, service: "db", seal: nil, origin: .files(serverVersion: nil),
                    declared: [
                        .rows(table: "zeroed", bounds: Bounds(atLeast: 2000, atMost: 2000)),
                        .sql(
                            name: "own", query: "SELECT count(*) FROM zeroed WHERE id > 0",
                            expect: try #require(Expectation(parsing: "= 2000"))),
                        .rows(table: "gone", bounds: Bounds(atLeast: 1)),
                    ], emit: { result in emitted.withLock { $0.append(result) } }))
            let answers = emitted.withLock { $0 }
            #expect(answers.map(\.verdict) == [.failed, .failed, .failed], "\(answers)")
            #expect(answers.flatMap(\.findings).map(\.rule.name) == ["rows-out-of-bounds", "storage-damaged", "expectation-not-met"])
            let table = TableReference(schema: "public", table: "zeroed")
            #expect(try await PostgresInventory(preferring).fingerprint(table).rows == 1989)
            // What it has set is set back.
            #expect(try await preferring.value("SHOW enable_indexonlyscan") == "on")
            #expect(try await preferring.value("SHOW enable_seqscan") == "off")
            await preferring.close()
        }
    }

    /// Where no index leads, what a vacuum has marked was there; what a crash leaves was never marked, and shortening takes the marks away.
    @Test(
        .needs(.postgres17, .postgres18),
        arguments: [(nil, false, true), (.postgres18, true, true), (.postgres17, false, false)] as [(Installation?, Bool, Bool)])
    func pagesThatNoIndexLeadsTo(installation: Installation?, checksums: Bool, isCertain: Bool) async throws {
        let binaries = try installation.map { PostgresBinaries(major: $0 == .postgres18 ? 18 : 17, folder: try $0.requireBin()) }
        try await withCluster(binaries: binaries, checksums: checksums) { cluster in
            let connection = try await cluster.connect(["synchronous_commit": "on"])
            for name in ["whole", "shortened", "growing", "blank", "short"] {
                try await connection.execute(
                    "CREATE TABLE \(name) (v text); INSERT INTO \(name) SELECT repeat('x', 700) FROM generate_series(1, 2000)")
            }
            try await connection.execute(
                "CREATE MATERIALIZED VIEW made AS SELECT * FROM whole; DELETE FROM shortened WHERE ctid > '(90,0)'")
            for name in ["whole", "shortened", "growing", "blank", "short", "made"] {
                // What a vacuum has marked to the end of the table, the next one shortens.
                try await connection.execute("VACUUM (TRUNCATE false) \(name)")
                try await connection.execute("VACUUM \(name)")
            }
            #expect(try await connection.value("SELECT pg_relation_size('shortened') / 8192") == "90")
            try await connection.execute("CHECKPOINT")
            var paths: [String: String] = [:]
            for name in ["blank", "short", "made", "growing"] { paths[name] = try await path(connection, name) }
            let files = paths
            func file(_ name: String) throws -> String { try #require(files[name]) }
            // A crash in the middle of both growing.
            try await connection.execute("BEGIN")
            for name in ["shortened", "growing"] {
                try await connection.execute("INSERT INTO \(name) SELECT repeat('y', 700) FROM generate_series(1, 5000)")
            }
            await cluster.server.process.stop([(3, .seconds(120))])
            await connection.close()
            let grown = try file("growing")
            try cluster.write(try Data(contentsOf: cluster.file(grown)) + Data(count: 3 * 8192), grown)
            cluster.server = try await cluster.server.startAgain(on: cluster.host)
            let green = try await cluster.ask()
            #expect(green.cases.allSatisfy { $0.verdict == .passed && $0.findings.isEmpty }, "\(green.cases)")
            #expect(
                green.unproven.contains { $0.contains("may never have held a row") && $0.contains("public.growing") }, "\(green.unproven)")

            try await cluster.damage { cluster in
                try cluster.zero(try file("blank"), page: 3)
                try cluster.cut(try file("short"), to: 50 * 8192)
                try cluster.zero(try file("made"), page: 100)
            }
            // No vacuum takes the marks of lost pages away.
            let again = try await cluster.connect()
            for name in ["blank", "short", "made"] { try await again.execute("VACUUM \(name)") }
            await again.close()
            let red = try await cluster.ask()
            let found = red.cases.flatMap(\.findings).map { "\($0.rule) \($0.object) \($0.actual) \($0.severity)" }
            let severity = isCertain ? "critical" : "warning"
            #expect(
                Set(found) == [
                    "relation-page-lost public.blank a page is of zeros or behind its end, from page 3 on \(severity)",
                    "relation-page-lost public.short 132 pages are of zeros or behind its end, from page 50 on \(severity)",
                    "relation-page-lost public.made a page is of zeros or behind its end, from page 100 on \(severity)",
                ], "\(found)")
            #expect(red.cases.map(\.verdict).contains(.failed) == isCertain, "\(red.cases)")
        }
    }

    @Test func aVisibilityMapsBits() throws {
        // Pages 0, 3 and 5 are marked, 5 as frozen, too; 10 as frozen alone, which none is.
        let map = try #require(VisibilityMap(hex: "410c20" + "00000000"))
        #expect((0..<30).filter(map.isMarked) == [0, 3, 5])
        #expect(map.end == 11)
        #expect(
            map.lost([0, 1, 5], pages: 6) == [0, 5] && map.lost([], pages: 5) == [5] && map.lost([1], pages: 6).isEmpty)
        #expect(VisibilityMap(hex: "") == nil && VisibilityMap(hex: "0g") == nil)
        #expect(
            try #require(VisibilityMap(hex: "0000")).end == 0 && VisibilityMap(hex: "80")?.end == 4 && VisibilityMap(hex: "02")?.end == 1)
    }

    /// Without a word from the server: a page whose checksum is wrong is an error there, and a row lost to the log is none.
    @Test func transactionsThatAreNoLongerCommitted() async throws {
        try await withCluster { cluster in
            let connection = try await cluster.connect()
            try await connection.execute("CREATE TABLE kept AS SELECT i FROM generate_series(1, 10) i")
            // Whoever reads a row marks it: the catalogue's rows have their marks, others haven't.
            _ = try await connection.query("SELECT count(*) FROM pg_class, pg_attribute WHERE attrelid = pg_class.oid")
            await connection.close()
            try await cluster.damage { cluster in
                let size = try Data(contentsOf: cluster.file("pg_xact/0000")).count
                try cluster.write(Data(count: size), "pg_xact/0000")
            }
            let outcome = try await cluster.ask()
            let findings = outcome.cases.flatMap(\.findings)
            #expect(findings.contains { $0.rule == .transactionStatusLost && $0.severity == .critical }, "\(outcome.cases)")
        }
    }

    /// From 17 on a unique index is asked whether it is one.
    @Test(.needs(.postgres17)) func twoRowsOfOneKey() async throws {
        let bin = try Installation.postgres17.requireBin()
        try await withCluster(binaries: PostgresBinaries(major: 17, folder: bin)) { cluster in
            let connection = try await cluster.connect()
            try await connection.execute(
                """
                CREATE TABLE once (id int); CREATE INDEX once_id ON once (id); INSERT INTO once VALUES (1), (2), (2), (3);
                CREATE TABLE fine (id int PRIMARY KEY); INSERT INTO fine SELECT generate_series(1, 100);
                SET allow_system_table_mods = on; UPDATE pg_index SET indisunique = true WHERE indexrelid = 'once_id'::regclass
                """)
            await connection.close()
            let findings = try await cluster.ask().cases.flatMap(\.findings)
            #expect(
                findings.map { "\($0.rule) \($0.object) \($0.actual)" } == ["index-damaged public.once_id SQLSTATE XX002"], "\(findings)")
        }
    }

    @Test func aStartOnDamagedFilesIsTheBackups() {
        for words in [
            "could not access status of transaction 749", "could not open file \"base/5/1259\": No such file or directory",
            "WAL contains references to invalid pages", "could not open file \"pg_xact/0000\": No such file or directory",
        ] {
            #expect(RecoveryOutcome.isStorageDamage(words), "\(words)")
        }
        for words in [
            "could not open file \"base/5/1259\": Permission denied", "could not access file \"pg_cron\": No such file or directory",
            "could not map anonymous shared memory: Cannot allocate memory",
        ] {
            #expect(!RecoveryOutcome.isStorageDamage(words), "\(words)")
        }
    }
}
