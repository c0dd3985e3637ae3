// What a dump script needs, learned without running it, and what a restore's log may show.

import DrillModel
import Foundation
import ScratchHost
import Testing

@testable import PostgresRecovery

@Suite struct DumpScriptTests {
    /// Globals run first, and their code may have put a link where Muster writes or reads next.
    @Test(arguments: ["script", "globals"]) func aCopyIsMadeAnewWhateverLiesThere(kind: String) throws {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, target, other) = (
            folder.appendingPathComponent("in"), folder.appendingPathComponent("out"), folder.appendingPathComponent("other")
        )
        let end = kind == "script" ? DumpScript.lastWords : DumpScript.clusterLastWords
        let text = "--\n\(end.replacing(" complete", with: ""))\n--\n\nCREATE ROLE a;\n\n--\n\(end)\n--\n"
        try Data(text.utf8).write(to: file)
        try Data("ours".utf8).write(to: other)
        try FileManager.default.createSymbolicLink(at: target, withDestinationURL: other)
        if kind == "script" {
            try DumpScript(reading: file).write(file, without: [], to: target)
        } else {
            try GlobalsFile.prepare(file, as: target, superuser: "postgres")
        }
        #expect(try String(contentsOf: other, encoding: .utf8) == "ours")
        #expect(try String(contentsOf: target, encoding: .utf8) == text)
        let link = folder.appendingPathComponent("link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
        #expect(throws: (any Error).self) { try DumpScript(reading: link) }
    }

    /// What advisories are about, by what CREATE INDEX says.
    @Test(arguments: [
        ("CREATE INDEX words ON public.t USING gin (words);", ["gin": "public.words"]),
        ("CREATE UNIQUE INDEX \"Odd ON\" ON ONLY a.t USING gist (x public.gist_trgm_ops (siglen='32'));", ["gist_trgm_ops": "a.Odd ON"]),
        ("CREATE INDEX gin ON t USING btree (gin);", [:]),
        ("CREATE INDEX i ON public.gist_trgm_ops USING btree (a) WHERE (b = 'gin');", [:]),
        ("COMMENT ON INDEX public.words IS 'CREATE INDEX words ON public.t USING gin (words);';", [:]),
    ])
    func indexesAreNoted(statement: String, expected: [String: String]) {
        let found = DumpScript(text: statement + "\n").indexes
        #expect(found[.accessMethod("gin")] == expected["gin"].map { [$0] })
        #expect(found[.operatorClass("gist_trgm_ops")] == expected["gist_trgm_ops"].map { [$0] })
        #expect((found[.every] == nil) == statement.hasPrefix("COMMENT"))
    }

    @Test(arguments: [
        ("ALTER TABLE public.t OWNER TO alice;", ["alice"]),
        (#"ALTER TABLE public."OWNER TO eve" OWNER TO "Odd ""Role";"#, ["Odd \"Role"]),
        ("ALTER FUNCTION f(interval day to second) OWNER TO bob;", ["bob"]),
        ("ALTER LARGE OBJECT 4711 OWNER TO lo;", ["lo"]),
        ("GRANT SELECT,INSERT ON TABLE t TO a,b, \"c d\" WITH GRANT OPTION;", ["a", "b", "c d"]),
        ("GRANT ALL ON FUNCTION f(interval day to second) TO x;", ["x"]),
        ("GRANT SELECT(v) ON TABLE t TO GROUP g GRANTED BY boss;", ["g", "boss"]),
        ("GRANT ALL ON SCHEMA s TO PUBLIC;", []), ("GRANT pg_monitor TO watcher;", ["watcher"]),
        (#"GRANT ALL ON SCHEMA s TO "Public";"#, ["Public"]),
        ("REVOKE ALL ON TABLE t FROM alice;", ["alice"]),
        (#"ALTER DEFAULT PRIVILEGES FOR ROLE dp IN SCHEMA s GRANT SELECT ON TABLES  TO "R X";"#, ["dp", "R X"]),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE dp REVOKE ALL ON FUNCTIONS FROM PUBLIC;", ["dp"]),
        ("SET SESSION AUTHORIZATION 'from me';\nRESET SESSION AUTHORIZATION;", ["from me"]),
        ("SET SESSION AUTHORIZATION grantor;", ["grantor"]),
        ("ALTER ROLE um IN DATABASE x SET work_mem TO '6MB';", ["um"]),
        ("CREATE SCHEMA s AUTHORIZATION owner;", ["owner"]),
        ("CREATE POLICY p ON t FOR SELECT TO r1, r2 USING ((a = 'x TO y'::text));", ["r1", "r2"]),
        ("CREATE POLICY p ON t USING ((d = 'x'::interval day to second));", []),
        ("CREATE USER MAPPING FOR um SERVER s OPTIONS (\n    \"user\" 'x'\n);", ["um"]),
        // None of these is a statement of its own.
        ("COPY public.t (a, b) FROM stdin;\nGRANT x TO y;\nALTER TABLE t OWNER TO z;\n\\.\nSELECT 1;", []),
        ("CREATE FUNCTION f() RETURNS void AS $$\nBEGIN\nGRANT x TO body;\nEND $$;", []),
        ("CREATE FUNCTION f() AS $_$ $$ ; ALTER TABLE t OWNER TO inner; $$ $_$;\nALTER FUNCTION f() OWNER TO outer_;", ["outer_"]),
        ("COMMENT ON TABLE t IS 'first\nGRANT a TO commented;\n';", []),
        ("INSERT INTO t VALUES ('it''s\nGRANT a TO quoted;', E'\\';\nGRANT b TO escaped;');", []),
        ("-- GRANT a TO comment;\n/* GRANT b TO /* nested */ block; */", []),
        ("CREATE VIEW v AS\nSELECT \";\nGRANT a TO named;\" FROM t;", []),
        ("SELECT $1;\nGRANT a TO after_parameter;", ["after_parameter"]),
        ("\\connect \"GRANT a TO b\"\nGRANT a TO real;", ["real"]),
        ("CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); INSERT INTO b VALUES (2););\nGRANT a TO real;", ["real"]),
    ])
    func rolesAreRead(_ text: String, _ roles: [String]) {
        #expect(DumpScript(text: text).roles == Set(roles))
    }

    @Test func ownersOfWhatOnlySuperusersMayOwn() {
        let script = DumpScript(
            text: """
                ALTER EVENT TRIGGER et OWNER TO ev;
                ALTER FOREIGN DATA WRAPPER w OWNER TO fdw;
                ALTER FOREIGN TABLE ft OWNER TO plain;
                """)
        #expect(script.superusers == ["ev", "fdw"] && script.roles == ["ev", "fdw", "plain"])
    }

    @Test(arguments: [
        ("CREATE SCHEMA public;", "schema \"public\" already exists", true),
        ("CREATE SCHEMA other;", "schema \"other\" already exists", false),
        ("CREATE SCHEMA public CREATE TABLE t (i int);", "schema \"public\" already exists", false),
        ("CREATE TABLE public.public (i int);", "relation \"public\" already exists", false),
        ("SET SESSION AUTHORIZATION 'boss';CREATE SCHEMA public;", "schema \"public\" already exists", false),
        ("SET SESSION AUTHORIZATION DEFAULT;CREATE SCHEMA public;", "schema \"public\" already exists", true),
        ("CREATE EXTENSION plpgsql;", "extension \"plpgsql\" already exists", true),
        ("CREATE EXTENSION hstore;", "extension \"hstore\" already exists", false),
    ])
    func whatEachDatabaseHasByItself(_ text: String, _ problem: String, _ isExplained: Bool) {
        let statement = text.split(separator: ";").last.map(String.init) ?? ""
        let found = RestoreLog.Problem(object: "", text: problem, line: 1, statement: statement)
        #expect(NewDatabase.explains(found, in: DumpScript(text: text)) == isExplained)
    }

    @Test func theDatabaseAndItsEncoding() {
        let script = DumpScript(
            text: """
                SET client_encoding = 'UTF8';
                CREATE DATABASE "we ""ird" WITH TEMPLATE = template0 ENCODING = 'LATIN1' LOCALE = 'C';
                ALTER DATABASE "we ""ird" OWNER TO x;
                """)
        #expect(script.database == "we \"ird" && script.encoding == "LATIN1" && script.databaseLine == 2)
        #expect(DumpScript(text: "SET client_encoding = 'SQL_ASCII';").encoding == "SQL_ASCII")
    }

    @Test(arguments: [
        ("SELECT 1;\n-- PostgreSQL database dump complete\n--\n\n", true),
        ("SELECT 1;\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n", true),
        ("SELECT 1;\n-- PostgreSQL database dump complete", true),
        ("SELECT 1;\n", false), ("", false),
        ("-- PostgreSQL database dump complete\nSELECT 1;\n", false),
        ("-- PostgreSQL database dump complete\nSELECT 1", false),
        ("COPY t FROM stdin;\n-- PostgreSQL database dump complete\n", false),
        ("CREATE FUNCTION f() AS $$\n-- PostgreSQL database dump complete\n", false),
        ("-- PostgreSQL database cluster dump\n-- PostgreSQL database dump complete\n", false),
        ("-- PostgreSQL database cluster dump\n-- PostgreSQL database dump complete\n-- PostgreSQL database cluster dump complete\n", true),
        // Several in one file: whole, and with one that is cut, wherever that is.
        ("\(dump)\(dump)", true), ("\(dump)\\connect b\n\(dump)", true), ("\(head)\(dump)", false), ("\(dump)\(head)", false),
        ("\(head)\(dump)-- PostgreSQL database dump complete\n", false), ("\(dump)\(head)\(dump)", false),
        ("\(globals)\(dump)", true), ("\(dump)\(globals)", true), ("\(globalsHead)\(dump)", false),
        ("\(globalsHead)\(globals)\(dump)", false),
        ("\(globalsHead)\(dump)\(dump)-- PostgreSQL database cluster dump complete\n", true),
        ("\(globalsHead)\(head)\(dump)-- PostgreSQL database cluster dump complete\n", false),
        // The rows of a table without columns to count take up what follows.
        ("\(head)COPY lines FROM stdin;\nfirst\n\(head)COPY lines FROM stdin;\nx\n\\.\n-- PostgreSQL database dump complete\n", false),
        // And a table may hold whole dumps.
        ("\(head)COPY lines FROM stdin;\n\(dump)\\.\n-- PostgreSQL database dump complete\n", true),
    ])
    func theLastWordsMustBeTheLast(_ text: String, _ complete: Bool) {
        #expect(DumpScript(text: text).complete == complete)
    }

    private static let head = "--\n-- PostgreSQL database dump\n--\n\nSET a = b;\n"
    private static let dump = head + "CREATE TABLE t ();\n--\n-- PostgreSQL database dump complete\n--\n\n"
    private static let globalsHead = "--\n-- PostgreSQL database cluster dump\n--\n\nSET a = b;\n"
    private static let globals = globalsHead + "CREATE ROLE r;\n--\n-- PostgreSQL database cluster dump complete\n--\n\n"

    @Test func aScriptWithOtherLineEnds() {
        let text =
            "--\n-- PostgreSQL database dump\n--\nCOPY public.t (a) FROM stdin;\nx\n\\.\n--\n-- PostgreSQL database dump complete\n--\n"
        #expect(DumpScript(text: text.replacing("\n", with: "\r\n")).complete)
        #expect(!DumpScript(text: text.replacing("\n", with: "\r\n").replacing(" complete", with: "")).complete)
    }

    /// psql passes over a byte order mark, and takes CR LF: what is cut short is seen all the same, wherever it is cut.
    @Test(arguments: ["\u{feff}", ""]) func aTransferAsTextHidesNoCut(mark: String) throws {
        let part = "--\n-- PostgreSQL database dump\n--\nCREATE TABLE t (i int);\nCOPY t (i) FROM stdin;\n1\n\\.\n"
        let end = "--\n-- PostgreSQL database dump complete\n--\n"
        let cluster = "--\n-- PostgreSQL database cluster dump\n--\n\\connect t\n"
        let clusterEnd = "--\n-- PostgreSQL database cluster dump complete\n--\n"
        for (text, complete) in [
            (part + end, true), (part, false), (part + part + end, false), (cluster + part + end + clusterEnd, true),
            (cluster + part + end, false), (cluster + part + end + part + clusterEnd, false), (cluster + clusterEnd + part + end, true),
            (cluster + part + end + clusterEnd + part, false),
        ] {
            let script = DumpScript(text: mark + text.replacing("\n", with: "\r\n"))
            #expect(script.complete == complete && script.endsLinesWithCR, "\(text)")
            #expect(DumpScript(text: mark + text).complete == complete && !DumpScript(text: text).endsLinesWithCR, "\(text)")
        }
        // At every byte but the last line break, and the empty comment that opens the last words' end.
        let whole = Array((mark + cluster + part + end + clusterEnd).replacing("\n", with: "\r\n").utf8)
        for length in 0..<whole.count {
            let script = DumpScript(text: String(decoding: whole.prefix(length), as: UTF8.self))
            #expect(!script.complete || length >= whole.count - 6, "\(length) of \(whole.count)")
        }
    }

    @Test func theDatabasesOfACluster() {
        let script = DumpScript(
            text: #"""
                CREATE ROLE app;
                ALTER ROLE app WITH NOSUPERUSER NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS;
                CREATE ROLE boss;
                ALTER ROLE boss WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;
                CREATE ROLE other;
                ALTER ROLE other WITH SUPERUSER INHERIT CREATEROLE CREATEDB NOLOGIN REPLICATION BYPASSRLS;
                GRANT app TO late WITH INHERIT TRUE GRANTED BY other;
                CREATE ROLE late;
                \connect template1
                -- Dumped from database version 16.4 (Debian 16.4-1)
                CREATE DATABASE "we ird" WITH TEMPLATE = template0 ENCODING = 'UTF8';
                \connect -reuse-previous=on "dbname='we ird'"
                SELECT pg_catalog.setval('public.a_seq', 1, true);
                DROP DATABASE IF EXISTS postgres;
                \connect "Shop"
                SELECT pg_catalog.setval('public.b_seq', 1, true);
                """#)
        #expect(script.databases.entered == ["template1", "we ird", "Shop"] && script.databases.areSeveral)
        #expect(Array(script.databases.made.keys) == ["we ird"] && Array(script.databases.dropped.keys) == ["postgres"])
        #expect(script.sequencesSet == ["we ird": ["public.a_seq"], "Shop": ["public.b_seq"]])
        #expect(script.databases.database(at: 13) == "we ird" && script.databases.database(at: 3) == nil)
        #expect(script.lateRoles == ["late"] && script.bootstrapSuperuser == "other" && script.serverVersion == 160004)
        #expect(script.weakened == ["app": 2, "other": 6])
        let cut = DumpScript(
            text: "-- PostgreSQL database cluster dump\n-- PostgreSQL database dump\n-- PostgreSQL database dump complete\n")
        #expect(!cut.complete && cut.lastWordsExpected == DumpScript.clusterLastWords)
        let single = DumpScript(text: "CREATE DATABASE shop;\n\\connect shop\nCREATE TABLE t (i int);\n")
        #expect(!single.databases.areSeveral)
    }

    @Test func theFindingSaysHowItEnds() {
        #expect(DumpScript(text: Self.head).ending == "a script that ends before")
        #expect(DumpScript(text: Self.head + Self.dump).ending == "another script that begins before the first has ended")
    }

    @Test func whatMayFailIsKnownByItsLine() {
        let script = DumpScript(
            text: "DROP TABLE a;\nALTER TABLE b\n    DROP CONSTRAINT c;\nSET default_tablespace = x;\nCREATE TABLE a (\n  i int);\n")
        #expect(script.harmlessLines == [1, 3, 4])
    }

    @Test func aScriptOfAnySizeIsReadInConstantMemory() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("mt-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data().write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        try handle.write(contentsOf: Data("COPY t FROM stdin;\nGRANT a TO b;".utf8))
        // One row of 200 MB, sparse on disk.
        try handle.truncate(atOffset: 200 << 20)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("\n\\.\nGRANT a TO c;\n-- PostgreSQL database dump complete\n".utf8))
        try handle.close()
        let before = try peak()
        let script = try DumpScript(reading: file)
        #expect(script.roles == ["c"] && script.complete)
        #expect(try peak() - before < 48 << 20)
    }

    @Test func whatANewerOrOlderClientWroteIsKnown() {
        let script = DumpScript(
            text: """
                SET transaction_timeout = 0;
                SET client_encoding = 'UTF8';
                CREATE DATABASE d WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LC_COLLATE = 'C' LC_CTYPE = 'en_IN.utf8';
                ALTER TABLE ONLY public.t ALTER COLUMN i SET (pg_attver=1);
                COPY public.t (i) FROM stdin;
                1
                SET transaction_timeout = 0;
                \\.
                SELECT 1;
                """)
        #expect(script.parameters == [1: "transaction_timeout", 2: "client_encoding"])
        #expect(script.collate == "C" && script.ctype == "en_IN.utf8" && script.serversOwnOption == "pg_attver")
        #expect(script.rows == [5: 8])
        let named = DumpScript(text: "ALTER TABLE t ALTER COLUMN i SET (n_distinct=5);\nALTER TABLE pg_attver OWNER TO x;")
        #expect(named.serversOwnOption == nil)
    }

    /// The most that this process ever held, in bytes.
    private func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) * 1024
    }
}

@Suite struct RestoreLogTests {
    private func log(_ text: String, script: DumpScript? = nil, harmless: Set<Int> = []) throws -> RestoreLog {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("mt-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        return try RestoreLog(reading: file, script: script, harmless: harmless)
    }

    @Test func valuesAroundAnErrorNeverShow() throws {
        let log = try log(
            """
            psql:/s/a.sql:5: ERROR:  duplicate key value violates unique constraint "q_a_key"
            DETAIL:  Key (a)=(SECRET error: SECRET) already exists.
            CONTEXT:  COPY people, line 2, column a: "SECRET"
            psql:/s/a.sql:6: ERROR:  invalid input syntax for type integer: "SECRET does not exist" SECRET "SECRET"
            LINE 1: insert into q values ('SECRET ERROR:  SECRET error: SECRET');
                                          ^
            psql:/s/a.sql:7: ERROR:  customer SECRET is unknown
            psql:/s/a.sql:8: NOTICE:  error: SECRET
            psql:/s/a.sql:9: ERROR:  function nope() does not exist
            """)
        #expect(log.count == 4)
        #expect(log.problems.map(\.line) == [5, 6, 7, 9])
        #expect(log.problems[0].object == "table people" && log.problems[0].text.contains("q_a_key"))
        #expect(log.problems[2].text == ServerText.withheld)
        #expect(log.problems[3].text == "function nope() does not exist")
        #expect(!log.problems.contains { "\($0)".contains("SECRET") })
    }

    @Test func pgRestoreNamesTheEntry() throws {
        let log = try log(
            """
            pg_restore: while PROCESSING TOC:
            pg_restore: from TOC entry 217; 1259 16391 TABLE my domains postgres
            pg_restore: error: could not execute query: ERROR:  relation "x" already exists
            Command was: CREATE TABLE public.x (
                a text DEFAULT 'pg_restore: error: SECRET'
            );
            pg_restore: error: could not execute query: ERROR:  type "y" does not exist
            pg_restore: from TOC entry 3; 2615 2200 SCHEMA public 
            pg_restore: error: COPY failed for table "t": ERROR:  missing data for column "c"
            CONTEXT:  COPY t, line 1: "SECRET"
            pg_restore: warning: errors ignored on restore: 3
            """)
        #expect(log.ignored && log.count == 3)
        #expect(log.problems.map(\.object) == ["TABLE my domains", "TABLE my domains", "SCHEMA public"])
        #expect(!log.problems.contains { "\($0)".contains("SECRET") })
    }

    @Test(arguments: [
        ("ALTER TABLE ONLY public.t", "TABLE public.t"), ("CREATE UNIQUE INDEX i ON public.t USING btree (v);", "INDEX i"),
        (#"CREATE TABLE "Odd S"."T""x" ("#, #"TABLE Odd S.T"x"#), ("CREATE MATERIALIZED VIEW public.mv AS", "MATERIALIZED VIEW public.mv"),
        ("GRANT SELECT ON TABLE public.t TO x;", "TABLE public.t"), ("COMMENT ON EXTENSION e IS 'SECRET';", "EXTENSION e"),
        ("INSERT INTO public.t VALUES ('SECRET');", ""), ("SELECT pg_catalog.setval('SECRET', 1);", ""), ("CREATE", ""),
    ])
    func aFailedCommandIsNamedByItsObjectAlone(_ command: String, _ object: String) throws {
        #expect(RestoreLog.object(ofCommand: command[...]) == object)
        let log = try log(
            "pg_restore: error: could not execute query: ERROR:  relation \"x\" does not exist\nDETAIL:  y\nCommand was: \(command)\n")
        #expect(log.problems.map(\.object) == [object])
    }

    @Test(arguments: [
        ("pg_restore: error: could not read from input file: end of file", Verdict.failed, "archive-truncated"),
        ("pg_restore: error: could not uncompress data: incorrect data check", .failed, "archive-damaged"),
        ("pg_restore: error: out of memory", .failed, "archive-damaged"),
        ("pg_restore: error: unsupported version (1.16) in file header", .error, "postgres-too-old"),
        ("pg_restore: error: could not execute query: ERROR:  out of memory", .error, "scratch-server-failed"),
        ("pg_restore: error: could not execute query: server closed the connection unexpectedly", .error, "scratch-server-failed"),
        ("psql:a.sql:1: ERROR:  could not extend file \"base/1\": No space left on device", .error, "scratch-disk-full"),
        (
            "psql:a.sql:1: server closed the connection unexpectedly\npsql:a.sql:1: error: connection to server was lost", .error,
            "scratch-server-failed"
        ),
        ("psql:a.sql:1: ERROR:  invalid input syntax for type integer: \"no space left on device\"", .failed, "archive-damaged"),
    ])
    func whoseFaultItIs(_ text: String, _ verdict: Verdict, _ rule: String) throws {
        let failure = RestoreVerdict(tool: "t", service: "s", log: try log(text)).failure(
            of: ToolResult(exitCode: 1, signal: nil, output: ""), object: "o", scratch: "/s", serverDied: false)
        #expect(failure.verdict == verdict && failure.finding.rule.name == rule)
    }

    /// What pg_restore 17 says of each session with an older server; and of a setting that is the database's own.
    @Test func aSessionParameterIsNoProblem() throws {
        let session = """
            pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
            Command was: SET transaction_timeout = 0;

            """
        let database = """
            pg_restore: from TOC entry 3400; 0 0 DATABASE PROPERTIES shop postgres
            pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
            Command was: ALTER DATABASE shop SET transaction_timeout TO '1min';

            """
        let good = try log(session + session + "pg_restore: warning: errors ignored on restore: 2\n")
        #expect(good.problems.isEmpty && good.count == 0 && good.unknownParameters == ["transaction_timeout"] && good.ignored)
        let judged = RestoreVerdict(tool: "pg_restore", service: "s", log: good).judged(notes: [])
        #expect(judged.verdict == .passed && judged.findings.map(\.rule.name) == ["session-parameter-unknown"])
        let bad = try log(session + database + session)
        #expect(bad.problems.map(\.object) == ["DATABASE PROPERTIES shop"] && bad.count == 1)
        #expect(RestoreVerdict(tool: "pg_restore", service: "s", log: bad).judged(notes: []).verdict == .failed)
        // The statement is missing: nobody knows whose it was.
        let cut = try log(
            "pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter \"transaction_timeout\"\n")
        #expect(cut.count == 1)
    }

    /// An old psql reads the rows of a COPY that failed as SQL, and the statement behind them too; a new one passes them over.
    @Test func rowsOfAFailedCopyFollowFromIt() throws {
        let script = DumpScript(
            text: "CREATE TABLE t (h nosuch);\nCOPY t (h) FROM stdin;\na; b\nc\n\\.\n\nSELECT 1;\nSELECT nope();\n")
        let start = """
            psql:a.sql:1: ERROR:  extension "nosuch" is not available
            psql:a.sql:2: ERROR:  relation "t" does not exist

            """
        let rows = """
            psql:a.sql:3: ERROR:  syntax error at or near "a"
            psql:a.sql:5: error: invalid command \\.
            psql:a.sql:7: ERROR:  syntax error at or near "b"

            """
        for text in [start + rows, start] {
            let judged = RestoreVerdict(tool: "psql", service: "s", log: try log(text, script: script)).judged(notes: [])
            #expect(judged.verdict == .error)
            #expect(judged.findings.map(\.rule.name) == ["extension-missing", "object-not-restored"])
            #expect(judged.findings.last?.severity == .note)
        }
        // What breaks later by itself is the backup's.
        let later = try log(start + rows + "psql:a.sql:8: ERROR:  syntax error at or near \"nope\"\n", script: script)
        #expect(RestoreVerdict(tool: "psql", service: "s", log: later).judged(notes: []).verdict == .failed)
        // A COPY that took its rows and then refused one is the backup's too.
        let damaged = try log("psql:a.sql:5: ERROR:  invalid input syntax for type integer: \"x\"\n", script: script)
        #expect(RestoreVerdict(tool: "psql", service: "s", log: damaged).judged(notes: []).verdict == .failed)
    }

    /// What a COPY that failed swallows goes on through the next COPY, which is well: it must not be left out with the first.
    @Test func aCopyThatWasReadIntoTheRowsBeforeItHasNotFailed() throws {
        let script = DumpScript(text: "COPY a (h) FROM stdin;\n1\n\\.\nCOPY b (h) FROM stdin;\n2\n\\.\nCOPY c (h) FROM stdin;\n3\n\\.\n")
        let text = """
            psql:a.sql:1: ERROR:  relation "a" does not exist
            psql:a.sql:4: ERROR:  syntax error at or near "1"
            psql:a.sql:7: ERROR:  syntax error at or near "2"

            """
        #expect(try log(text, script: script).failedCopies == [1])
    }

    /// pg_restore prints a statement as it stands in the dump, on several lines.
    @Test func aStatementOfSeveralLinesIsReadWhole() throws {
        let text = """
            pg_restore: error: could not execute query: ERROR:  extension "cube" is not available
            Command was: CREATE EXTENSION cube;


            pg_restore: error: could not execute query: ERROR:  relation "public.c" does not exist
            Command was: ALTER TABLE ONLY public.o
                ADD CONSTRAINT o_fkey FOREIGN KEY (cid) REFERENCES public.c(id);


            pg_restore: error: could not execute query: ERROR:  relation "public.c" does not exist
            Command was: ALTER SEQUENCE public.c_id_seq OWNED BY public.c.id;


            pg_restore: error: could not execute query: ERROR:  statistics object "public.s" does not exist
            Command was: ALTER STATISTICS public.s OWNER TO postgres;

            pg_restore: error: could not execute query: ERROR:  relation "public.c" does not exist
            Command was: ALTER PUBLICATION p ADD TABLE ONLY public.c;

            pg_restore: error: could not execute query: ERROR:  relation "public.c" does not exist
            Command was: ALTER TABLE ONLY public.c ATTACH PARTITION public.c_1 FOR VALUES FROM (1) TO (2);


            """
        let (result, unrestored) = RestoreVerdict(tool: "pg_restore", service: "s", log: try log(text)).weighed(notes: [])
        #expect(result.verdict == .error)
        #expect(
            unrestored.isSuperset(of: ["public.o.o_fkey", "public.c_id_seq", "publication p", "partition public.c_1"]), "\(unrestored)")
        // By themselves they are the backup's.
        let alone = try log(String(text.drop { $0 != "\n" }.dropFirst().drop { $0 != "\n" }))
        #expect(RestoreVerdict(tool: "pg_restore", service: "s", log: alone).weighed(notes: []).result.verdict == .failed)
    }

    /// The name that a program goes by may be longer than the tool's.
    @Test(arguments: ["psql", "psql.real", "psql-17"]) func aToolOfAnotherNameIsHeard(_ name: String) throws {
        #expect(try log("\(name):a.sql:7: ERROR:  relation \"x\" does not exist\n").count == 1)
        #expect(try log("\(name):a.sql:7: error: invalid command \\restrict\n").hasOldPsql)
    }

    /// A tool that doesn't run has judged no backup.
    @Test(arguments: [
        ("", 127), ("", 126), ("pg_restore: error while loading shared libraries: libpq.so.5: cannot open shared object file\n", 1),
    ])
    func aToolThatCannotRunIsTheMachines(_ text: String, _ code: Int32) throws {
        let failure = RestoreVerdict(tool: "pg_restore", service: "s", log: try log(text)).failure(
            of: ToolResult(exitCode: code, signal: nil, output: ""), object: "o", scratch: "/s", serverDied: false)
        #expect(failure.verdict == .error && failure.finding.rule.name == "tool-broken")
        #expect(text.isEmpty || failure.finding.actual.contains("libpq.so.5"))
    }

    /// A database's own code may raise the loader's words: an error is an error.
    @Test func whatIsRaisedInTheLoadersWordsIsCounted() throws {
        let words = "error while loading shared libraries: libx.so.1"
        for text in [
            "psql:a.sql:7: ERROR:  \(words)\n", "pg_restore: error: could not execute query: ERROR:  \(words)\n",
            "psql:a.sql:7: ERROR:  x\ny: \(words)\n",
        ] {
            let log = try log(text)
            #expect(log.count == 1 && log.loaderTrouble == nil, "\(text)")
            #expect(RestoreVerdict(tool: "psql", service: "s", log: log).judged(notes: []).verdict == .failed)
        }
    }

    @Test func anOldPsqlIsTheMachines() throws {
        let log = try log("psql:a.sql:5: error: invalid command \\restrict\npsql:a.sql:90: error: invalid command \\unrestrict\n")
        let judged = RestoreVerdict(tool: "psql", service: "s", log: log).judged(notes: [])
        #expect(judged.verdict == .error && judged.findings.map(\.rule.name) == ["psql-too-old"])
    }

    @Test(arguments: [
        ("ERROR:  extension \"pg_cron\" can only be loaded via shared_preload_libraries", "pg_cron"),
        ("ERROR:  unrecognized configuration parameter \"cron.database_name\"", "cron.database_name"),
        ("ERROR:  can only create extension in database postgres", "postgres"),
    ])
    func aLibraryThatMustBeLoadedIsTheMachines(_ text: String, _ name: String) throws {
        let log = try log(
            "pg_restore: from TOC entry 2; 3079 16385 EXTENSION pg_cron \npg_restore: error: could not execute query: \(text)\n"
                + "Command was: CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog;\n")
        let judged = RestoreVerdict(tool: "pg_restore", service: "s", log: log).judged(notes: [])
        #expect(judged.verdict == .error && judged.findings.map(\.rule.name) == ["extension-missing"])
        #expect(judged.findings.first?.object == "EXTENSION pg_cron" && judged.findings.first?.actual.contains(name) == true)
    }

    /// A worker's end only follows from what it met.
    @Test func theFirstProblemSaysMore() throws {
        let text = "pg_restore: error: could not uncompress data: (null)\npg_restore: error: a worker process died unexpectedly\n"
        let failure = RestoreVerdict(tool: "pg_restore", service: "s", log: try log(text)).failure(
            of: ToolResult(exitCode: 1, signal: nil, output: ""), object: "o", scratch: "/s", serverDied: false)
        #expect(failure.verdict == .failed && failure.finding.actual.contains("could not uncompress"))
    }

    @Test(arguments: [
        ("postgres does not know where to find the \"hosts\" configuration file.\n", "\"hosts\""),
        ("2026 UTC FATAL:  unrecognized configuration parameter \"nope\"\n2026 UTC LOG:  database system is shut down\n", "\"nope\""),
        ("2026 UTC LOG:  starting\nsome library: gave up\n", "gave up"),
    ])
    func theLastWordsOfAServer(_ log: String, _ words: String) {
        #expect(ServerText.lastWords(of: log)?.contains(words) == true)
    }

    @Test func theLastWordsHoldNoValues() {
        let log = "2026 UTC FATAL:  customer \"SECRET\" refused\n2026 UTC DETAIL:  Key (a)=(SECRET)\n"
        #expect(ServerText.lastWords(of: log)?.contains("SECRET") == false)
        #expect(ServerText.lastWords(of: "a \"SECRET\" line\n")?.contains("SECRET") == false)
        #expect(ServerText.lastWords(of: "\n") == nil)
    }

    @Test func aLogThatSaysSomethingIsNeverSaidToSayNothing() {
        #expect(ServerText.cause(in: "\n  \n") == "its log says nothing")
        let cause = ServerText.cause(in: "2026 LOG:  starting PostgreSQL\n2026 LOG:  database system is \"SECRET\" down\n")
        #expect(cause.contains("ends with") && cause.contains("database system is") && !cause.contains("SECRET"))
        #expect(ServerText.cause(in: "2026 FATAL:  out of it\n").hasSuffix("out of it"))
    }

    @Test func whatFollowsFromAMissingExtensionIsNotTheBackupsFault() throws {
        let missing = """
            psql:a.sql:1: ERROR:  extension "nosuch" is not available
            psql:a.sql:2: ERROR:  type "nosuch_type" does not exist
            """
        let machine = RestoreVerdict(tool: "psql", service: "s", log: try log(missing)).judged(notes: [])
        #expect(machine.verdict == .error && machine.findings.first?.rule.name == "extension-missing")
        let both = missing + "\npsql:a.sql:3: ERROR:  duplicate key value violates unique constraint \"k\""
        #expect(RestoreVerdict(tool: "psql", service: "s", log: try log(both)).judged(notes: []).verdict == .failed)
        let lone = "psql:a.sql:2: ERROR:  type \"nosuch_type\" does not exist"
        #expect(RestoreVerdict(tool: "psql", service: "s", log: try log(lone)).judged(notes: []).verdict == .failed)
        #expect(RestoreVerdict(tool: "psql", service: "s", log: try log("")).judged(notes: []).verdict == .passed)
    }

    @Test func harmlessLinesDontCount() throws {
        let text = "psql:/s/a.sql:2: ERROR:  table \"a\" does not exist\npsql:/s/a.sql:3: ERROR:  relation \"b\" does not exist"
        #expect(try log(text, harmless: [2]).problems.map(\.line) == [3])
    }

    @Test func manyProblemsAreCounted() throws {
        let text = (1...200).map { "psql:a.sql:\($0): ERROR:  relation \"r\($0)\" already exists" }.joined(separator: "\n")
        let result = RestoreVerdict(tool: "psql", service: "s", log: try log(text)).judged(notes: [])
        #expect(result.findings.count == RestoreLog.shown + 1 && result.findings.last?.object == "150 more statements")
    }
}
