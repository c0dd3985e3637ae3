// What differs between PostgreSQL's versions and minor releases is no difference between a backup and its source.

import Foundation
import TestPrograms
import Testing

private func notHere(_ versions: PostgresVersion...) -> Comment {
    "scripts/setup-tests brings PostgreSQL \(versions.map(\.rawValue).joined(separator: ", "))"
}

/// The minor releases of November 2026 keep an option of the server's own, `pg_attver`, among those of a column.
@Suite(.enabled(if: PostgresVersion.areHere(.v15_20, .v17_12), notHere(.v15_20, .v17_12)))
struct ServersOwnOptionTests {
    private static let schema = """
        CREATE TABLE people (id int PRIMARY KEY, name text, born date);
        ALTER TABLE people ALTER COLUMN name SET (n_distinct = 50);
        INSERT INTO people SELECT i, 'name ' || i, date '2000-01-01' + i FROM generate_series(1, 500) i;
        CREATE VIEW names AS SELECT id, name FROM people; CREATE TYPE pair AS (a int, b text)
        """

    /// Sealed on one minor release and drilled on the same, on an older and on a newer one.
    @Test(arguments: [
        (PostgresVersion.v15_20, PostgresVersion.v15_20), (.system, .v15_20), (.v15_20, .system), (.v17_12, .v17_12), (.v17_12, .v17),
    ])
    func isNoDifference(_ from: PostgresVersion, _ to: PostgresVersion) async throws {
        try await PostgresSource.with(from) { source in
            try await source.sql(Self.schema)
            if from == .v15_20 || from == .v17_12 {
                let own = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'people'::regclass AND attoptions::text LIKE '%pg_attver%'"
                #expect(try await source.sql(own) != "0", "otherwise this asks nothing")
            }
            try await source.requireSeal(bins: [source.bin])
            let bin = try #require(to.bin)
            try await source.expectGreen(bins: [bin])
            // What a user has set is compared as ever.
            let outcome = try await source.fixture.run(
                ["sabotage", try source.fixture.drillFile("postgres", from: "daily").path, "--damage", "changed-value"],
                environment: PostgresSource.environment([bin]))
            #expect(outcome.code == 0 && outcome.out.contains("caught: "), "\(outcome.text)")
        }
    }

    /// A pg_dump of an older minor release takes the option for a user's. It is asked itself: its version doesn't tell.
    @Test func anOlderClientIsRefused() async throws {
        let older = try #require(PostgresVersion.system.bin)
        try await PostgresSource.with(.v15_20) { source in
            try await source.sql(Self.schema)
            let refused = try await source.seal(bins: [older])
            #expect(refused.code == 2 && refused.err.contains("pg_attver"), "\(refused.text)")
            #expect(refused.err.contains("MUSTER_PG_BIN") && refused.err.contains("--allow-older-pg-dump"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: source.fixture.store.path) == [])
            let allowed = try await source.seal(["--allow-older-pg-dump"], bins: [older])
            #expect(allowed.code == 0 && allowed.err.contains("warning: pg_dump is older"), "\(allowed.text)")
            // A server that knows the option has it whole; any other refuses the table, which is the machine's fault as long as the right one wasn't asked.
            try await source.expectGreen(bins: [source.bin], noticed: ["older-dump-client"])
            let (outcome, drill) = try await source.drill(bins: [older])
            #expect(outcome.code == 2, "\(outcome.text)")
            let finding = try #require(drill.findings.first { $0.rule == "older-dump-client" && $0.severity == "critical" })
            #expect(finding.object.contains("people") && finding.hint.contains("15.20") && finding.hint.contains("MUSTER_PG_BIN"))
            let (red, _) = try await source.drill(checks: "{rows: {table: public.never, exactly: 1}}", bins: [older])
            #expect(red.code == 1, "a table that the dump never had is missed: \(red.text)")
        }
    }

    /// In a script the option is a statement of its own: all rows come back, and whoever stops at errors is told.
    @Test func aScriptComesBackAllTheSame() async throws {
        let older = try #require(PostgresVersion.system.bin)
        try await PostgresSource.with(.v15_20) { source in
            try await source.sql(Self.schema)
            try await source.dump("\(older)/pg_dump", ["-Fp"], to: "a.sql")
            let rows = "{rows: {table: public.people, exactly: 500}}"
            try await source.expectGreen("script", checks: rows, bins: [source.bin], noticed: ["older-dump-client"])
            // One of the statements holds an option of the user's too, which is lost where it is refused.
            let (outcome, drill) = try await source.drill("script", checks: rows, bins: [older])
            #expect(outcome.code == 2, "\(outcome.text)")
            #expect(
                drill.findings.contains {
                    $0.rule == "older-dump-client" && $0.severity == "critical" && $0.object == "column public.people.name"
                })
            try await source.sql("ALTER TABLE people ALTER COLUMN name RESET (n_distinct)")
            try await source.dump("\(older)/pg_dump", ["-Fp"], to: "b.sql")
            let green = try await source.expectGreen("script", checks: rows, bins: [older], noticed: ["older-dump-client"])
            #expect(green.findings.filter { $0.rule == "older-dump-client" }.map(\.severity) == ["warning"], "told once")
        }
    }

    @Test func inspectionFindsIt() async throws {
        let older = try #require(PostgresVersion.system.bin)
        try await PostgresSource.with(.v15_20) { source in
            try await source.sql(Self.schema)
            try await source.dump("\(older)/pg_dump", ["-Fc"], to: "a.dump")
            let looked = try await source.fixture.run(["inspect", source.fixture.estate.path, "--deep"])
            #expect(looked.out.contains("older-dump-client") && looked.out.contains("pg_attver"), "\(looked.text)")
        }
    }
}

/// A client that is newer than its server writes what that server doesn't know, and all data is there.
@Suite(.enabled(if: PostgresVersion.areHere(.v14, .v16, .v17, .v18), notHere(.v14, .v16, .v17, .v18)))
struct NewerClientTests {
    private static let schema = """
        CREATE TABLE a (id int PRIMARY KEY, t text); INSERT INTO a SELECT i, 'text ' || i FROM generate_series(1, 300) i;
        CREATE VIEW v AS SELECT a.id FROM a WHERE a.t IN ('x', 'y'); CREATE INDEX ON a (t)
        """
    private static let rows = "{rows: {table: public.a, exactly: 300}}"

    /// A machine that has a newer PostgreSQL too: each dump is restored by the tools of its own major.
    @Test(arguments: [(PostgresVersion.system, PostgresVersion.v17), (.system, .v18), (.v16, .v18), (.v14, .v18)])
    func aNewerInstallationBesideItChangesNothing(_ version: PostgresVersion, _ newer: PostgresVersion) async throws {
        let bins = [try #require(version.bin), try #require(newer.bin)]
        try await PostgresSource.with(version) { source in
            try await source.sql(Self.schema)
            try await source.requireSeal(bins: bins)
            let drill = try await source.expectGreen(bins: bins)
            #expect(!drill.findings.contains { $0.severity != "note" }, "\(drill.findings)")
            #expect(drill.fact("postgres.server-version") == "PostgreSQL \(version.rawValue)")
        }
    }

    /// A dump that a newer pg_dump made: what the server doesn't know is told, and nothing is missing.
    @Test(arguments: ["-Fc", "-Fp", "-Fd"], [PostgresVersion.v17, .v18])
    func whatItSetsIsAWarning(_ format: String, _ newer: PostgresVersion) async throws {
        let bins = [try #require(PostgresVersion.system.bin), try #require(newer.bin)]
        let (set, name) = ["-Fc": ("daily", "a.dump"), "-Fp": ("script", "a.sql"), "-Fd": ("folder", "a.dir")][format] ?? ("", "")
        try await PostgresSource.with(.system) { source in
            try await source.sql(Self.schema)
            try await source.dump("\(bins[1])/pg_dump", [format], to: name)
            let drill = try await source.expectGreen(set, checks: Self.rows, bins: bins, noticed: ["session-parameter-unknown"])
            let finding = try #require(drill.findings.first { $0.rule == "session-parameter-unknown" })
            #expect(finding.object == "transaction_timeout" && finding.severity == "warning" && finding.hint.contains("pg_dump"))
            #expect(drill.findings.filter { $0.rule == "session-parameter-unknown" }.count == 1, "it is told once")
        }
    }

    /// A parameter that the database itself sets is part of the backup: that it can't come back is red.
    @Test func whatTheDatabaseSetsIsNone() async throws {
        let bins = [try #require(PostgresVersion.system.bin), try #require(PostgresVersion.v17.bin)]
        try await PostgresSource.with(.system) { source in
            try await source.sql(Self.schema)
            try await source.dump("\(bins[0])/pg_dump", ["-Fp", "-C"], to: "a.sql")
            let file = source.fixture.store.appendingPathComponent("a.sql")
            try source.fixture.edit(file, "\\connect shop", "ALTER DATABASE shop SET transaction_timeout = '1min';\n\\connect shop")
            try await source.fixture.expect(
                try source.fixture.drillFile("postgres", from: "script", more: "checks: {postgres: [\(Self.rows)]}"), code: 1,
                rule: ["object-not-restored"], environment: PostgresSource.environment(bins))
        }
    }

    /// PostgreSQL 14 refuses an option of the CREATE DATABASE that each later pg_dump writes.
    @Test(arguments: ["-Fc", "-Fp"]) func anOptionOfTheDatabaseIsNamed(_ format: String) async throws {
        let bins = [try #require(PostgresVersion.v14.bin), try #require(PostgresVersion.system.bin)]
        try await PostgresSource.with(.v14) { source in
            try await source.sql(Self.schema)
            try await source.dump("\(bins[1])/pg_dump", [format, "-C"], to: format == "-Fc" ? "a.dump" : "a.sql")
            let drill = try await source.expectGreen(
                format == "-Fc" ? "daily" : "script", checks: Self.rows, bins: bins, noticed: ["database-option-unknown"])
            let finding = try #require(drill.findings.first { $0.rule == "database-option-unknown" })
            #expect(finding.actual.contains("locale_provider") && finding.hint.contains("pg_dump 14"), "\(finding)")
            #expect(drill.fact("postgres.server-version") == "PostgreSQL 14")
        }
    }

    /// No pg_dump here reads the server: said with what is wanted, what is there, and where to name it.
    @Test func aServerNewerThanEveryPgDump() async throws {
        try await PostgresSource.with(.v18) { source in
            try await source.sql(Self.schema)
            let refused = try await source.seal()
            #expect(refused.code == 2, "\(refused.text)")
            #expect(refused.err.contains("PostgreSQL 18") && refused.err.contains("postgres 15") && refused.err.contains("MUSTER_PG_BIN"))
            // And no pg_restore reads its archive.
            try await source.dump("\(source.bin)/pg_dump", ["-Fc"], to: "a.dump")
            let drill = try await source.fixture.expect(
                try source.fixture.drillFile("postgres", from: "daily", more: "checks: {postgres: [\(Self.rows)]}"), code: 2,
                rule: ["postgres-too-old"])
            let finding = try #require(drill.findings.first { $0.rule == "postgres-too-old" })
            #expect(finding.expected.contains("18") && finding.actual.contains("15") && finding.hint.contains("MUSTER_PG_BIN"))
        }
    }

    /// A server 15 whose dump was made by pg_dump 18, and no 18 here: the archive can't be read.
    @Test func anArchiveNewerThanEveryPgRestore() async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql(Self.schema)
            try await source.dump("\(try #require(PostgresVersion.v18.bin))/pg_dump", ["-Fc"], to: "a.dump")
            let drill = try await source.fixture.expect(
                try source.fixture.drillFile("postgres", from: "daily", more: "checks: {postgres: [\(Self.rows)]}"), code: 2,
                rule: ["postgres-too-old"])
            let finding = try #require(drill.findings.first { $0.rule == "postgres-too-old" })
            #expect(finding.expected.contains("18.") && finding.actual.contains("postgres 15") && finding.hint.contains("MUSTER_PG_BIN"))
        }
    }
}

/// A newer major version prints definitions otherwise than the one that was sealed.
@Suite(
    .enabled(if: PostgresVersion.areHere(.v14, .v17, .v18), notHere(.v14, .v17, .v18)),
    .enabled(if: Program.isRoot, "the system's own PostgreSQL is hidden by a mount, which needs root"))
struct NewerMajorTests {
    private static let schema = """
        CREATE TABLE a (id int PRIMARY KEY, t text, d date); INSERT INTO a SELECT i, 'text ' || i, now() FROM generate_series(1, 50) i;
        CREATE TABLE b (id int, note text);
        CREATE VIEW v1 AS SELECT a.id FROM a WHERE a.t IN ('x', 'y');
        CREATE VIEW v2 WITH (security_barrier) AS SELECT a.id, a.t FROM a WHERE a.id BETWEEN 1 AND 5 AND a.t <> 'q';
        CREATE VIEW v3 AS SELECT a.id, b.note FROM a JOIN b USING (id);
        CREATE VIEW v4 AS SELECT a.id FROM a UNION SELECT b.id FROM b;
        CREATE MATERIALIZED VIEW mv AS SELECT max(a.id) AS top, count(*) FROM a GROUP BY a.d;
        CREATE RULE r AS ON INSERT TO b WHERE new.id > 5 DO ALSO UPDATE a SET t = new.note WHERE a.id = new.id;
        CREATE RULE r2 AS ON DELETE TO b DO INSTEAD SELECT a.id FROM a; ALTER TABLE b DISABLE RULE r2;
        CREATE FUNCTION f(int) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(a.id) FROM a WHERE a.id > $1; END
        """

    @Test(arguments: [
        (PostgresVersion.system, PostgresVersion.v17), (.v14, .v18), (.v17, .v18),
    ])
    func printsTheSameOtherwise(_ from: PostgresVersion, _ to: PostgresVersion) async throws {
        try await PostgresSource.with(from) { source in
            try await source.sql(
                from == .v14 ? Self.schema.replacingOccurrences(of: "ALTER TABLE b DISABLE RULE r2;", with: "") : Self.schema)
            try await source.requireSeal(bins: [source.bin])
            // The next newer one that is there is used; the dump must find no older one of its own.
            let drill = try await source.restored(by: to)
            #expect(drill.verdict == "passed", "\(drill.findings)")
            #expect(drill.fact("postgres.server-version") == "PostgreSQL \(to.rawValue)")
            #expect(drill.findings.map(\.rule).contains("major-version-differs"))
        }
    }
}

/// What PostgreSQL makes, keeps or prints by itself, and no dump holds.
struct ServersHabitTests {
    /// Each is everyday, and each was red, or could not be sealed at all.
    @Test(
        .enabled(if: PostgresVersion.areHere(.system), "needs the system's PostgreSQL 15"),
        arguments: [
            ("a dropped schema public", "DROP SCHEMA public; CREATE SCHEMA app; CREATE TABLE app.t AS SELECT 1 AS i", "schema-extra"),
            ("a dropped language", "DROP EXTENSION plpgsql; CREATE TABLE t AS SELECT 1 AS i", "extension-extra"),
            (
                "the identity of LIKE", "CREATE TABLE a (id int GENERATED BY DEFAULT AS IDENTITY); CREATE TABLE b (LIKE a INCLUDING ALL)",
                ""
            ),
            (
                "the comment of a dropped subscription",
                """
                CREATE TABLE t AS SELECT 1 AS i; CREATE PUBLICATION p FOR TABLE t;
                CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
                COMMENT ON SUBSCRIPTION s IS 'old'; DROP SUBSCRIPTION s
                """, ""
            ),
            (
                "a forward declaration of an operator",
                """
                CREATE FUNCTION same(boolean, boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
                CREATE OPERATOR === (LEFTARG = boolean, RIGHTARG = boolean, FUNCTION = same, NEGATOR = !==);
                DROP OPERATOR === (boolean, boolean); CREATE TABLE t AS SELECT 1 AS i
                """, ""
            ),
            (
                "quoted options of a dictionary",
                """
                CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = snowball, language = english, stopwords = english); CREATE TABLE t AS SELECT 1 AS i;
                ALTER DATABASE shop SET quote_all_identifiers = on
                """, ""
            ),
        ])
    func isNoDifference(name: String, sql: String, note: String) async throws {
        try await PostgresSource.with(.system) { source in
            for statement in sql.split(separator: ";") { try await source.sql(String(statement)) }
            try await source.requireSeal()
            let drill = try await source.expectGreen(bins: [], noticed: note.isEmpty ? [] : [note])
            #expect(drill.findings.allSatisfy { $0.severity != "critical" }, "\(drill.findings)")
            if !note.isEmpty { #expect(drill.findings.first { $0.rule == note }?.severity == "note") }
        }
    }

    /// pg_restore makes event triggers before it fills materialized views.
    @Test(.enabled(if: PostgresVersion.areHere(.system), "needs the system's PostgreSQL 15"))
    func anEventTriggerInTheWayIsTold() async throws {
        try await PostgresSource.with(.system) { source in
            try await source.sql("CREATE TABLE t AS SELECT 1 AS i")
            try await source.sql("CREATE MATERIALIZED VIEW m AS SELECT * FROM t")
            try await source.sql(
                "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'frozen'; END $$")
            try await source.sql("CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION no()")
            try await source.requireSeal()
            let (_, drill) = try await source.drill(bins: [])
            let finding = try #require(drill.findings.first { $0.rule == "event-trigger-in-the-way" }, "\(drill.findings)")
            #expect(finding.severity == "warning" && finding.object.contains("public.m"))
        }
    }
}

/// A server that can't start says why, in its own words, whatever its version writes them like.
struct LastWordsTests {
    @Test(.enabled(if: PostgresVersion.areHere(.v19), "scripts/setup-tests brings PostgreSQL 19"))
    func postgresql19IsDrilled() async throws {
        try await PostgresSource.with(.v19) { source in
            try await source.sql("CREATE TABLE t (i int PRIMARY KEY, twice int GENERATED ALWAYS AS (i * 2) VIRTUAL)")
            try await source.sql("INSERT INTO t SELECT generate_series(1, 100)")
            try await source.requireSeal(bins: [source.bin])
            let drill = try await source.expectGreen(bins: [source.bin])
            #expect(drill.fact("postgres.server-version") == "PostgreSQL 19")
        }
    }

    /// A major version of the future, that wants a file which nobody gives it: its last words are the finding.
    @Test func ofAVersionThatNobodyKnows() async throws {
        let bin = try #require(PostgresVersion.system.bin)
        try await PostgresSource.with(.system) { source in
            try await source.sql("CREATE TABLE t AS SELECT 1 AS i")
            try await source.dump("\(bin)/pg_dump", ["-Fc"], to: "a.dump")
            let future = source.folder.appendingPathComponent("15/bin")
            try await Program.require(["mkdir", "-p", future.path])
            try await Program.require(["sh", "-c", "ln -s \(bin)/* \(future.path)/ && rm \(future.path)/postgres \(future.path)/initdb"])
            let words = #"postgres does not know where to find the "moons" configuration file. Set "moons_file"."#
            for (program, script) in [
                ("initdb", "exec \(bin)/initdb \"$@\""),
                ("postgres", "case \"$*\" in *config_file*) echo '\(words)' >&2; exit 2;; esac; exec \(bin)/postgres \"$@\""),
            ] {
                try writeProgram("#!/bin/sh\n\(script)\n", to: future.appendingPathComponent(program))
            }
            let drill = try await source.fixture.expect(
                try source.fixture.drillFile(
                    "postgres", from: "daily", more: "checks: {postgres: [{rows: {table: public.t, exactly: 1}}]}"),
                code: 2, rule: ["scratch-server-failed"], environment: PostgresSource.environment([future.path]))
            #expect(drill.findings.contains { $0.rule == "scratch-server-failed" && $0.actual.contains("moons") }, "\(drill.findings)")
        }
    }
}

/// What a plain dump can't bring back here is the machine's lack where it is that, and is told once.
struct MissingExtensionTests {
    /// All that hangs on a table that couldn't be made: its sequence, a publication, statistics, a foreign key of another table.
    @Test(.enabled(if: PostgresVersion.areHere(.v17), notHere(.v17))) func whatHangsOnATableFollowsFromIt() async throws {
        let bin = try #require(PostgresVersion.v17.bin)
        try await PostgresSource.with(.v17, settings: ["wal_level=logical"]) { source in
            for sql in [
                "CREATE EXTENSION cube", "CREATE TABLE c (id serial PRIMARY KEY, e cube, n int)",
                "INSERT INTO c (e, n) SELECT cube(i), i FROM generate_series(1, 40) i",
                "CREATE TABLE a2 (id int, e cube)", "INSERT INTO a2 SELECT i, cube(i) FROM generate_series(1, 40) i",
                "CREATE TABLE o (id int PRIMARY KEY, cid int REFERENCES c, t text)",
                "INSERT INTO o SELECT i, i, 'x' FROM generate_series(1, 30) i", "CREATE PUBLICATION p FOR TABLE c",
                "CREATE STATISTICS s ON id, n FROM c",
            ] { try await source.sql(sql) }
            try await source.requireSeal(bins: [bin])
            try await source.dump("\(bin)/pg_dump", ["-Fp"], to: "a.sql")
            let lacking = source.folder.appendingPathComponent("lacking")
            let home = URL(fileURLWithPath: bin).deletingLastPathComponent().path
            try await Program.require(["cp", "-a", home, lacking.path])
            try await Program.require(["sh", "-c", "find \(lacking.path) -name 'cube*' -delete && chmod -R a+rX \(lacking.path)"])
            defer { try? FileManager.default.removeItem(at: lacking) }
            let checks = "{rows: {table: public.o, exactly: 30}}"
            for set in ["daily", "script"] {
                let (outcome, drill) = try await source.drill(set, checks: checks, bins: [lacking.path + "/bin"])
                #expect(outcome.code == 2, "\(set): \(outcome.text)")
                #expect(!drill.cases.contains { $0.verdict == "failed" }, "\(set): \(outcome.text)")
                #expect(drill.findings.contains { $0.rule == "extension-missing" }, "\(set)")
                #expect(drill.cases(of: "declared").map(\.verdict) == ["passed"], "\(set): its rows are all there")
                let (red, other) = try await source.drill(
                    set, checks: checks.replacing("30", with: "31"), bins: [lacking.path + "/bin"])
                #expect(red.code == 1 && other.findings.contains { $0.rule == "rows-out-of-bounds" }, "\(set): \(red.text)")
            }
        }
    }

    /// A client that doesn't run has judged no backup.
    @Test func aBrokenClientIsThisMachines() async throws {
        let bin = try #require(PostgresVersion.system.bin)
        try await PostgresSource.with(.system) { source in
            try await source.sql("CREATE TABLE t AS SELECT 1 AS i")
            try await source.requireSeal()
            let broken = source.folder.appendingPathComponent("bin")
            try await Program.require(["mkdir", "-p", broken.path])
            try await Program.require(["sh", "-c", "ln -s \(bin)/* \(broken.path)/ && rm \(broken.path)/pg_restore"])
            let words = "pg_restore: error while loading shared libraries: libpq.so.5: cannot open shared object file"
            try writeProgram("#!/bin/sh\necho '\(words)' >&2\nexit 127\n", to: broken.appendingPathComponent("pg_restore"))
            try await Program.require(["chmod", "a+rx", broken.path])
            let (outcome, drill) = try await source.drill(bins: [broken.path])
            #expect(outcome.code == 2, "\(outcome.text)")
            #expect(drill.findings.contains { $0.rule == "tool-broken" && $0.actual.contains("libpq.so.5") }, "\(outcome.text)")
        }
    }

    /// An extension that this machine doesn't have, in a script: its table and rows follow from it.
    @Test(arguments: [PostgresVersion.system, .v15_20])
    func inAScriptIsThisMachines(_ version: PostgresVersion) async throws {
        let bin = try #require(version.bin)
        try await PostgresSource.with(.system) { source in
            try await source.sql("CREATE EXTENSION hstore")
            try await source.sql("CREATE TABLE other AS SELECT i FROM generate_series(1, 20) i")
            try await source.sql("CREATE TABLE things (id int, h hstore, note text)")
            // What an old psql would read as SQL, with a quote and a comment that take along what follows.
            try await source.sql("INSERT INTO things SELECT i, hstore('k', 'a; b' || i), 'it''s /* $$ ' || i FROM generate_series(1, 40) i")
            try await source.sql("CREATE TABLE zz AS SELECT i, i || '; DROP' AS t FROM generate_series(1, 30) i")
            try await source.sql("CREATE FUNCTION f(hstore) RETURNS text LANGUAGE sql AS 'SELECT $1::text'")
            try await source.sql("CREATE VIEW v AS SELECT id FROM things")
            try await source.dump("\(try #require(PostgresVersion.system.bin))/pg_dump", ["-Fp"], to: "a.sql")
            let file = source.fixture.store.appendingPathComponent("a.sql")
            let text = try String(contentsOf: file, encoding: .utf8).replacingOccurrences(of: "hstore", with: "hstorf")
            try Data(text.utf8).write(to: file)
            let checks = """
                {rows: {table: public.things, exactly: 40}}, {rows: {table: public.other, exactly: 20}}, {rows: {table: public.zz, exactly: 30}}
                """
            let (outcome, drill) = try await source.drill("script", checks: checks, bins: [bin])
            #expect(outcome.code == 2, "\(outcome.text)")
            let seen = "\(drill.findings.map { "\($0.rule) \($0.severity) \($0.object): \($0.actual)" })"
            #expect(!drill.cases.contains { $0.verdict == "failed" }, "\(seen)")
            // First what broke first, and what follows is a number.
            let restore = try #require(drill.cases(of: "restore").first { $0.name.hasPrefix("psql reported") })
            #expect(restore.findings.first?.rule == "extension-missing" && restore.findings.first?.object == "EXTENSION hstorf", "\(seen)")
            #expect(restore.findings.filter { $0.severity == "critical" }.allSatisfy { $0.rule == "extension-missing" }, "\(seen)")
            #expect(drill.cases.contains { $0.name.contains("public.other") && $0.verdict == "passed" })
            #expect(drill.cases.contains { $0.name.contains("public.zz") && $0.verdict == "passed" }, "\(seen)")
            #expect(drill.cases.contains { $0.name.contains("public.things") && $0.verdict == "error" })
            // What doesn't hang on it is red as ever.
            let wrong = checks.replacingOccurrences(of: "exactly: 30", with: "exactly: 31")
            let (red, other) = try await source.drill("script", checks: wrong, bins: [bin])
            #expect(red.code == 1 && other.findings.contains { $0.rule == "rows-out-of-bounds" && $0.object.contains("zz") }, "\(red.text)")
            #expect(!outcome.text.contains("a; b"), "no row is shown")
        }
    }
}

/// What a minor release mends, an older one may have done to the source.
struct KnownServerBugTests {
    private static let schema = """
        CREATE TABLE t (code bpchar, fixed char(5), words tsvector); CREATE INDEX codes ON t (code); CREATE INDEX fixed ON t (fixed);
        CREATE INDEX words ON t USING gin (words); INSERT INTO t VALUES ('a', 'b', 'c')
        """

    /// The same database on a release that may have harmed it and on one that has the mends.
    @Test(
        .enabled(if: PostgresVersion.areHere(.v15_20), notHere(.v15_20)), arguments: [(PostgresVersion.system, true), (.v15_20, false)])
    func isToldWhereItConcerns(_ version: PostgresVersion, _ concerned: Bool) async throws {
        try await PostgresSource.with(version) { source in
            try await source.sql(Self.schema)
            let sealed = try await source.seal(bins: [source.bin])
            #expect(sealed.code == 0 && sealed.err.contains("REINDEX") == concerned, "\(sealed.text)")
            #expect(sealed.err.contains("public.codes") == concerned && !sealed.err.contains("public.fixed"))
            let drill = try await source.expectGreen(bins: [source.bin], noticed: concerned ? ["known-server-bug"] : [])
            let told = drill.findings.filter { $0.rule == "known-server-bug" }
            #expect(told.allSatisfy { $0.severity == "warning" } && told.isEmpty != concerned)
            #expect(told.map(\.object).sorted() == (concerned ? ["index public.codes", "index public.words"] : []))
            // Without a restore, once, for the newest backup: what the dump's own text says of its indexes.
            try await source.dump("\(source.bin)/pg_dump", ["-Fc"], to: "b.dump")
            let looked = try await source.fixture.run(["inspect", source.fixture.estate.path, "--deep"], environment: ["NO_COLOR": "1"])
            #expect(looked.out.contains("known-server-bug") == concerned, "\(looked.text)")
            #expect(looked.out.components(separatedBy: "over a GIN index several times").count == (concerned ? 2 : 1), "\(looked.text)")
        }
    }

    /// A drill host that is a minor release behind says so.
    @Test(.enabled(if: PostgresVersion.areHere(.v15_20), notHere(.v15_20)))
    func anOlderScratchServerIsNoted() async throws {
        try await PostgresSource.with(.v15_20) { source in
            try await source.sql("CREATE TABLE t AS SELECT 1 AS i")
            try await source.requireSeal(bins: [source.bin])
            let drill = try await source.expectGreen(bins: [], noticed: ["minor-version-older"])
            #expect(drill.findings.first { $0.rule == "minor-version-older" }?.severity == "note")
        }
    }
}

/// A database whose extension has to be preloaded: pg_cron, whose jobs must not run in a drill.
@Suite(.enabled(if: PostgresVersion.areHere(.v15_20cron), notHere(.v15_20cron)))
struct PreloadedLibraryTests {
    private static let needs = """
            preload: [pg_cron]
            settings: {cron.database_name: shop, max_locks_per_transaction: 128}
        """

    /// The source's own jobs reach no server: the test counts rows.
    private static let settings = ["shared_preload_libraries='pg_cron'", "cron.database_name='shop'", "cron.host='/nowhere'"]

    private func fill(_ source: PostgresSource) async throws {
        try await source.sql("CREATE EXTENSION pg_cron")
        try await source.sql("CREATE TABLE ticks (at timestamptz DEFAULT now())")
        try await source.sql("INSERT INTO ticks SELECT now() FROM generate_series(1, 5)")
        try await source.sql("SELECT cron.schedule('tick', '* * * * *', 'INSERT INTO public.ticks DEFAULT VALUES')")
    }

    @Test func isDrilledWithWhatTheEstateNames() async throws {
        try await PostgresSource.with(
            .v15_20cron, settings: Self.settings, more: Self.needs
        ) { source in
            try await fill(source)
            try await source.requireSeal(bins: [source.bin])
            let scheduler = "select count(*) from pg_stat_activity where backend_type like '%cron%'"
            // The source's own comes once its database is there.
            try await source.wait(for: "1", scheduler)
            let drill = try await source.expectGreen(
                checks: """
                    {rows: {table: public.ticks, exactly: 5}}, {sql: {name: no scheduler, query: "\(scheduler)", expect: "= 0"}},
                    {sql: {name: locks, query: "show max_locks_per_transaction", expect: "= 128"}}
                    """.replacingOccurrences(of: "\n", with: " "), bins: [source.bin])
            let asked = drill.cases(of: "quarantine").first { $0.name.contains("pg_cron alone is preloaded") }
            #expect(asked?.verdict == "passed", "\(drill.cases(of: "quarantine").map(\.name))")
        }
    }

    /// Without the keys it is the machine's lack, with the keys to write; and nothing else of the drill is red.
    @Test func withoutThemItIsAnError() async throws {
        try await PostgresSource.with(
            .v15_20cron, settings: Self.settings
        ) { source in
            try await fill(source)
            try await source.requireSeal(bins: [source.bin])
            let (outcome, drill) = try await source.drill(bins: [source.bin])
            #expect(outcome.code == 2, "\(outcome.text)")
            #expect(!drill.cases.contains { $0.verdict == "failed" && $0.group != "objective" }, "\(drill.findings)")
            #expect(drill.findings.first { $0.rule == "extension-missing" }?.hint.contains("preload: [") == true, "\(drill.findings)")
            // All that doesn't hang on it was compared.
            #expect(drill.cases.contains { $0.group == "content" && $0.name.contains("public.ticks") && $0.verdict == "passed" })
        }
    }

    /// A library that the machine hasn't.
    @Test func whatIsNotHereIsAnError() async throws {
        try await PostgresSource.with(.v15_20cron, more: "    preload: [timescaledb]") { source in
            try await source.sql("CREATE TABLE t AS SELECT 1 AS i")
            try await source.requireSeal(bins: [source.bin])
            let (outcome, drill) = try await source.drill(bins: [source.bin])
            #expect(outcome.code == 2, "\(outcome.text)")
            let finding = try #require(drill.findings.first { $0.rule == "extension-missing" }, "\(drill.findings)")
            #expect(finding.actual.contains("timescaledb") && finding.hint.contains("preload"))
        }
    }
}
