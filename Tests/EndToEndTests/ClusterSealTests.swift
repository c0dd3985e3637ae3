// `muster seal` of a whole cluster: all databases and roles in one script, each compared with its own truth.

import Foundation
import Glibc
import Testing

/// A cluster whose series `cluster` is sealed and drilled by the built program.
private struct SealedCluster: Sendable {
    let source: PostgresSource

    static func with(
        _ version: PostgresVersion = .system, settings: [String] = [], _ body: @Sendable (SealedCluster) async throws -> Void
    ) async throws {
        try await PostgresSource.with(version, settings: settings) { source in
            let test = SealedCluster(source: source)
            try test.edit("database: shop, ", "")
            try test.edit(
                "    backups:\n",
                "    backups:\n      cluster: {kind: pg_dump, store: one, match: \"*.sql.gz\", encryption: none, cluster: true}\n")
            try await body(test)
        }
    }

    func edit(_ old: String, _ new: String) throws {
        let text = try String(contentsOf: source.fixture.estate, encoding: .utf8)
        try #require(text.contains(old), "\(old) in \(text)")
        try Data(text.replacing(old, with: new).utf8).write(to: source.fixture.estate)
    }

    /// Three databases, one with a name to quote; roles, settings, rights, a large object, an extension and a sequence.
    func fill() async throws {
        try await source.sql(
            """
            CREATE ROLE app LOGIN PASSWORD 'hunter2'; ALTER ROLE app SET work_mem = '9MB'; CREATE ROLE resting NOLOGIN; GRANT resting TO app;
            ALTER DATABASE shop SET work_mem = '7MB'; GRANT CONNECT ON DATABASE shop TO app
            """, database: "postgres")
        for name in ["crm", "\"we ird\""] { try await source.sql("CREATE DATABASE \(name) OWNER app", database: "postgres") }
        try await source.sql(
            """
            CREATE EXTENSION pg_trgm; CREATE TABLE orders (id serial PRIMARY KEY, note text);
            INSERT INTO orders (note) SELECT 'order ' || g FROM generate_series(1, 200) g; GRANT SELECT ON orders TO app;
            SELECT lo_from_bytea(0, 'a large object')
            """)
        try await source.sql(
            "CREATE TABLE people (id int, name text); INSERT INTO people SELECT g, 'p' || g FROM generate_series(1, 7) g", database: "crm")
        try await source.sql("ALTER ROLE app IN DATABASE crm SET statement_timeout = '5min'", database: "postgres")
        try await source.sql("CREATE TABLE few (a int); INSERT INTO few VALUES (1)", database: "we ird")
    }

    func seal(_ more: [String] = []) async throws -> Outcome {
        try await source.fixture.run(
            ["seal", source.fixture.estate.path, "--service", "postgres", "--backup", "cluster"] + more,
            environment: PostgresSource.environment([source.bin]))
    }

    func requireSeal(_ location: SourceLocation = #_sourceLocation) async throws {
        let sealed = try await seal()
        try #require(sealed.code == 0, "\(sealed.text)", sourceLocation: location)
    }

    func expectGreen(_ checks: String = "", noticed: [String] = [], _ location: SourceLocation = #_sourceLocation) async throws
        -> Report.Drill
    {
        try await source.expectGreen("cluster, database: shop", checks: checks, bins: [source.bin], noticed: noticed, location: location)
    }

    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: source.fixture.store.path)) ?? []).sorted() }

    var artifact: URL {
        get throws { source.fixture.store.appendingPathComponent(try #require(files.first { $0.hasSuffix(".sql.gz") })) }
    }

    /// Signs another truth with the right key, so that nothing but the comparison can tell.
    func reseal(_ change: (inout [String: Any]) throws -> Void) async throws {
        let file = URL(fileURLWithPath: try artifact.path + ".seal.json")
        var envelope = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        let payload = try #require((envelope["payload"] as? String).flatMap { Data(base64Encoded: $0) })
        var seal = try #require(try JSONSerialization.jsonObject(with: payload) as? [String: Any])
        try change(&seal)
        let changed = try JSONSerialization.data(withJSONObject: seal, options: [.sortedKeys, .withoutEscapingSlashes])
        let type = "application/vnd.muster.seal+json"
        let signed = source.folder.appendingPathComponent("signed")
        try (Data("DSSEv1 \(type.utf8.count) \(type) \(changed.count) ".utf8) + changed).write(to: signed)
        let signature = source.folder.appendingPathComponent("signature")
        let key = source.fixture.lab.appendingPathComponent("seal.key").path
        try await Program.require(["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", signed.path, "-out", signature.path])
        var signatures = try #require(envelope["signatures"] as? [[String: Any]])
        signatures[0]["sig"] = try Data(contentsOf: signature).base64EncodedString()
        envelope["payload"] = changed.base64EncodedString()
        envelope["signatures"] = signatures
        try JSONSerialization.data(withJSONObject: envelope).write(to: file)
    }

    func expectRed(_ rule: String, object: String, _ location: SourceLocation = #_sourceLocation) async throws -> Report.Drill {
        let (outcome, drill) = try await source.drill("cluster, database: shop", bins: [source.bin])
        #expect(
            outcome.code == 1 && drill.findings.contains { $0.rule == rule && $0.object == object }, "\(outcome.text)",
            sourceLocation: location)
        return drill
    }
}

@Suite(.enabled(if: PostgresVersion.areHere(.system), "PostgreSQL 15 is not here"))
struct ClusterSealTests {
    /// With every tool of every version: pg_dumpall's last words are moved, and its own pg_dump packs.
    @Test(arguments: PostgresVersion.tried) func everyDatabaseIsSealed(_ version: PostgresVersion) async throws {
        try await SealedCluster.with(version) { test in
            try await test.fill()
            let sealed = try await test.seal()
            #expect(sealed.code == 0 && sealed.out.contains("5 databases, 3 tables, 208 rows"), "\(sealed.text)")
            #expect(sealed.out.contains("the databases template1, crm, postgres, shop, we ird"), "\(sealed.text)")
            #expect(sealed.out.contains("snapshot skew: 0."), "\(sealed.text)")
            let people = "{rows: {table: public.people, exactly: 7, database: crm}}"
            let drill = try await test.expectGreen("{rows: {table: public.orders, exactly: 200}}, \(people)")
            #expect(drill.recoveryPoints.first?.sealed == true && drill.recoveryPoints.first?.truth == "source")
            for name in [
                "every sealed database came back", "public.orders", "public.people in crm", "public.few in we ird", "large objects",
                "roles",
                "role memberships", "extensions", "settings", "settings in crm", "grants",
            ] {
                #expect(drill.cases.contains { $0.name == name && $0.verdict == "passed" }, "\(name) in \(drill.cases.map(\.name))")
            }
            // Roles are the cluster's, and compared once; new databases' own say nothing.
            #expect(!drill.cases.contains { $0.name == "roles in crm" }, "\(drill.cases.map(\.name))")
            #expect(!drill.findings.contains { ["nothing-sealed", "collation-differs"].contains($0.rule) }, "\(drill.findings)")
            #expect(drill.unproven.contains { $0.contains("not with the others") && $0.contains("after the oldest") }, "\(drill.unproven)")
            // Everybody can restore it: it is what pg_dumpall writes, packed.
            let script = try await Program.require(["gzip", "-dc", try test.artifact.path]).out
            #expect(script.contains("-- PostgreSQL database cluster dump\n") && script.contains("\n\\connect template1\n"))
            #expect(script.hasSuffix("--\n-- PostgreSQL database cluster dump complete\n--\n\n"), "\(script.suffix(200))")
        }
    }

    /// One snapshot for dump and truth of each database.
    @Test func whileItIsWrittenTo() async throws {
        try await SealedCluster.with { test in
            try await test.fill()
            let host = test.source.host
            let bench = "\(test.source.bin)/pgbench"
            for name in ["shop", "crm"] {
                try await Program.require([bench, "-h", host, "-U", "postgres", "-q", "-i", "-s", "1", name])
            }
            let writers = try ["shop", "crm"].map {
                try Program.start(
                    [bench, "-h", host, "-U", "postgres", "-c", "2", "-T", "600", $0], environment: [:], folder: test.source.folder)
            }
            try await test.source.wait(for: "t", "SELECT count(*) > 100 FROM pgbench_history")
            try await test.requireSeal()
            let before = try await test.source.sql("SELECT count(*) FROM pgbench_history")
            try await test.source.wait(for: "t", "SELECT count(*) > \(before) FROM pgbench_history")
            for writer in writers {
                writer.send(SIGKILL)
                _ = await writer.outcome()
            }
            let drill = try await test.expectGreen()
            for name in ["public.pgbench_history", "public.pgbench_accounts in crm"] {
                #expect(drill.cases.contains { $0.name == name && $0.group == "content" && $0.verdict == "passed" }, "\(name)")
            }
        }
    }

    /// A copy that is dumped by pg_dumpall once more is green, and red with one thing changed in it.
    @Test func whatIsDamagedIsSeen() async throws {
        try await SealedCluster.with { test in
            try await test.fill()
            try await test.requireSeal()
            let file = try test.source.fixture.drillFile("postgres", from: "cluster, database: shop")
            let damages = ["changed-value", "dropped-database", "dropped-grant", "cut-script", "flipped-bit"]
            let outcome = try await test.source.fixture.start(
                ["sabotage", file.path] + damages.flatMap { ["--damage", $0] }, environment: PostgresSource.environment([test.source.bin]),
                patience: .seconds(600)
            ).outcome()
            #expect(outcome.code == 0 && outcome.out.contains("6 as they should be, 0 not"), "\(outcome.text)")
            #expect(outcome.out.contains("caught: database-missing crm"), "\(outcome.text)")
        }
    }

    /// The artifact is what was sealed, and the seal says something else of a database that isn't the main one.
    @Test func eachDatabaseHasItsOwnTruth() async throws {
        try await SealedCluster.with { test in
            try await test.fill()
            try await test.requireSeal()
            func databases(_ seal: [String: Any]) throws -> [[String: Any]] {
                try #require((seal["cluster"] as? [String: Any])?["databases"] as? [[String: Any]])
            }
            func name(_ database: [String: Any]) -> String? {
                ((database["truth"] as? [String: Any])?["identity"] as? [String: Any])?["database"] as? String
            }
            func replace(_ seal: inout [String: Any], _ databases: [[String: Any]]) {
                var cluster = seal["cluster"] as? [String: Any] ?? [:]
                cluster["databases"] = databases
                seal["cluster"] = cluster
            }
            let whole = try Data(contentsOf: URL(fileURLWithPath: try test.artifact.path + ".seal.json"))
            try await test.reseal { seal in
                #expect(seal["version"] as? Int == 2 && seal["postgres"] == nil)
                var all = try databases(seal)
                let crm = try #require(all.firstIndex { name($0) == "crm" })
                var truth = try #require(all[crm]["truth"] as? [String: Any])
                var tables = try #require(truth["tables"] as? [[String: Any]])
                tables[0]["hash"] = "1"
                truth["tables"] = tables
                all[crm]["truth"] = truth
                replace(&seal, all)
            }
            let red = try await test.expectRed("content-differs", object: "public.people")
            #expect(red.cases.contains { $0.name == "public.people in crm" && $0.verdict == "failed" }, "\(red.cases.map(\.name))")
            let file = URL(fileURLWithPath: try test.artifact.path + ".seal.json")
            try whole.write(to: file)
            try await test.reseal { seal in replace(&seal, try databases(seal).filter { name($0) != "crm" }) }
            _ = try await test.expectRed("database-extra", object: "crm")
            try whole.write(to: file)
            try await test.reseal { seal in
                var all = try databases(seal)
                var copy = try #require(all.first { name($0) == "crm" })
                var truth = try #require(copy["truth"] as? [String: Any])
                var identity = try #require(truth["identity"] as? [String: Any])
                identity["database"] = "billing"
                truth["identity"] = identity
                copy["truth"] = truth
                all.append(copy)
                replace(&seal, all)
            }
            _ = try await test.expectRed("database-missing", object: "billing")
            // One that only a seal of a single database can be is no seal of this kind.
            try whole.write(to: file)
            try await test.reseal { $0["version"] = 1 }
            _ = try await test.expectRed("seal-unreadable", object: file.lastPathComponent)
        }
    }

    @Test func aScriptOfPgDumpallIsSealedWhole() async throws {
        try await SealedCluster.with { test in
            try await test.fill()
            let target = test.source.fixture.store.appendingPathComponent("night.sql.gz").path
            try await Program.require([
                "sh", "-c", "\"$1\" -h \"$2\" -U postgres | gzip > \"$3\"", "sh", "\(test.source.bin)/pg_dumpall", test.source.host, target,
            ])
            let sealed = try await test.seal(["--existing", "latest"])
            #expect(sealed.code == 0 && sealed.out.contains("5 databases, 3 tables, 208 rows"), "\(sealed.text)")
            #expect(!sealed.out.contains("skew"), "\(sealed.text)")
            let drill = try await test.expectGreen()
            #expect(drill.recoveryPoints.first?.truth == "backup")
            #expect(drill.cases.contains { $0.name == "public.people in crm" && $0.verdict == "passed" }, "\(drill.cases.map(\.name))")
        }
    }

    // MARK: What can't be sealed leaves nothing behind

    @Test func aDatabaseThatMayNotBeEntered() async throws {
        try await SealedCluster.with { test in
            try await test.fill()
            try await test.source.sql("CREATE ROLE backup LOGIN; GRANT pg_read_all_data TO backup", database: "postgres")
            try await test.source.sql("REVOKE CONNECT ON DATABASE crm FROM PUBLIC", database: "postgres")
            try test.edit("user: postgres", "user: backup")
            let sealed = try await test.seal()
            #expect(sealed.code == 2 && sealed.err.contains("backup may not connect to crm"), "\(sealed.text)")
            #expect(sealed.err.contains("GRANT CONNECT ON DATABASE") && test.files == [], "\(sealed.text)\(test.files)")
        }
    }

    /// Two of the databases are written by then.
    @Test func whatMayNotBeRead() async throws {
        try await SealedCluster.with { test in
            try await test.fill()
            try await test.source.sql("CREATE ROLE backup LOGIN; GRANT pg_read_all_data TO backup", database: "postgres")
            try test.edit("user: postgres", "user: backup")
            let sealed = try await test.seal()
            #expect(sealed.code == 2 && sealed.err.contains("the database shop could not be backed up: pg_dump ended"), "\(sealed.text)")
            #expect(sealed.err.contains("permission denied for large object") && test.files == [], "\(sealed.text)\(test.files)")
        }
    }

    @Test func tooFewConnections() async throws {
        try await SealedCluster.with(settings: ["max_connections = 7", "superuser_reserved_connections = 0"]) { test in
            try await test.fill()
            for name in ["more", "most"] { try await test.source.sql("CREATE DATABASE \(name)", database: "postgres") }
            let sealed = try await test.seal()
            #expect(
                sealed.code == 2 && sealed.err.contains("has room for 6 more sessions, and a seal of its 7 databases takes 8"),
                "\(sealed.text)")
            #expect(sealed.err.contains("max_connections") && test.files == [], "\(test.files)")
        }
    }

    /// Who finds it in an emergency goes by its name.
    @Test func aNameThatDoesNotSayHowItIsPacked() async throws {
        try await SealedCluster.with { test in
            try test.edit("match: \"*.sql.gz\"", "match: \"all-*.sql\"")
            let sealed = try await test.seal()
            #expect(sealed.code == 64 && sealed.err.contains("end with .sql.gz") && test.files == [], "\(sealed.text)\(test.files)")
        }
    }

    /// As pg_dumpall does, and it says so.
    @Test func whatTakesNoConnectionsIsLeftOut() async throws {
        try await SealedCluster.with { test in
            try await test.fill()
            try await test.source.sql("ALTER DATABASE crm ALLOW_CONNECTIONS false", database: "postgres")
            let sealed = try await test.seal()
            #expect(sealed.code == 0 && sealed.err.contains("warning: what takes no connections is not in the backup"), "\(sealed.text)")
            let drill = try await test.expectGreen()
            #expect(drill.unproven.contains { $0.contains("takes no connections in the source: crm") }, "\(drill.unproven)")
        }
    }
}
