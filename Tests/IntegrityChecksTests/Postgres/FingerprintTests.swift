// What a fingerprint must notice, and what it must not depend on.

import DrillModel
import IntegrityChecks
import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct FingerprintTests {
    /// A type, and two values of it that a restore must not confuse.
    static let types: [(type: String, one: String, other: String)] = [
        ("boolean", "true", "false"), ("smallint", "1", "-1"), ("integer", "1", "11"), ("bigint", "9223372036854775807", "0"),
        ("numeric", "1.0", "1.00"), ("numeric(20,5)", "'NaN'", "1"), ("real", "'1.1'", "'1.1000001'"),
        ("double precision", "0.1", "0.30000000000000004"), ("double precision", "'-0'", "0"), ("double precision", "'NaN'", "'Infinity'"),
        ("money", "1.00", "1.01"), ("oid", "1", "2"), ("text", "'a'", "'b'"), ("text", "''", "' '"), ("text", "'ä'", "'a' || U&'\\0308'"),
        ("varchar(10)", "'a'", "'a '"), ("char(3)", "'a'", "'b'"), ("bpchar", "'a'", "'a '"), ("\"char\"", "'a'", "'b'"),
        ("name", "'a'", "'b'"), ("bytea", "'\\x'", "'\\x00'"), ("bytea", "'\\x00ff'", "'\\xff00'"),
        ("date", "'2024-01-02'", "'2024-02-01'"),
        ("date", "'infinity'", "'-infinity'"), ("time", "'00:00'", "'24:00'"), ("timetz", "'12:00+01'", "'11:00+00'"),
        ("timestamp", "'2024-01-01'", "'2024-01-01 00:00:00.000001'"), ("timestamptz", "'2024-01-01+00'", "'2024-01-01+01'"),
        ("interval", "'1 day'", "'24 hours'"), ("uuid", "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
        ("inet", "'10.0.0.1'", "'10.0.0.1/24'"), ("cidr", "'10.0.0.0/8'", "'10.0.0.0/16'"),
        ("macaddr", "'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"),
        ("macaddr8", "'08:00:2b:01:02:03:04:05'", "'08:00:2b:01:02:03:04:06'"), ("bit(3)", "B'101'", "B'100'"),
        ("varbit", "B''", "B'0'"), ("json", "'{\"a\":1}'", "'{\"a\": 1}'"), ("jsonb", "'{\"a\":1}'", "'{\"a\":\"1\"}'"),
        ("jsonb", "'null'", "'\"null\"'"), ("jsonpath", "'$.a'", "'$.b'"), ("xml", "'<a/>'", "'<a></a>'"), ("xml", "'text only'", "'<a/>'"),
        ("point", "'(1,2)'", "'(2,1)'"), ("line", "'{1,2,3}'", "'{1,2,4}'"), ("lseg", "'(1,2),(3,4)'", "'(1,2),(3,5)'"),
        ("box", "'(1,2),(3,4)'", "'(1,2),(3,5)'"), ("path", "'(1,2),(3,4)'", "'[(1,2),(3,4)]'"),
        ("polygon", "'(1,2),(3,4)'", "'(1,2),(3,5)'"),
        ("circle", "'<(1,2),3>'", "'<(1,2),4>'"), ("tsvector", "'a:1'", "'a:2'"), ("tsquery", "'a & b'", "'a | b'"),
        ("pg_lsn", "'0/1'", "'1/0'"), ("txid_snapshot", "'10:20:'", "'10:20:15'"), ("regclass", "'pg_class'", "'pg_type'"),
        ("int4range", "'[1,3)'", "'empty'"), ("tstzrange", "'[2024-01-01+00,)'", "'(2024-01-01+00,)'"),
        ("int4multirange", "'{[1,3)}'", "'{}'"), ("integer[]", "'{}'", "'{NULL}'"), ("text[]", "'{\"\"}'", "'{}'"),
        ("text[]", "ARRAY['a,b']", "ARRAY['a', 'b']"), ("integer[]", "'[2:2]={1}'", "'{1}'"), ("integer[]", "'{{1},{2}}'", "'{{1,2}}'"),
        ("citext", "'a'", "'A'"), ("hstore", "'a=>1'", "'a=>NULL'"), ("ltree", "'a.b'", "'a.c'"), ("ltree", "''", "'a'"),
        ("t_enum", "'one'", "'two'"), ("t_domain", "1", "2"), ("t_text_domain", "''", "'x'"), ("t_array_domain", "'{1}'", "'{2}'"),
        ("t_composite", "ROW(1, 'x')", "ROW(1, NULL)"), ("t_composite", "ROW(NULL, NULL)", "ROW(1, NULL)"),
        ("t_nested", "ROW(ROW(1, ',')::t_composite, '{}')", "ROW(ROW(1, '')::t_composite, '{}')"),
        ("t_composite[]", "ARRAY[ROW(1, 'x')::t_composite]", "'{}'"), ("t_range", "'[a,b]'", "'[a,c]'"), ("t_labelled", "''", "'x'"),
    ]

    static let definitions = """
        CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
        CREATE TYPE t_enum AS ENUM ('one', 'two');
        CREATE TYPE t_labelled AS ENUM ('', 'x');
        CREATE DOMAIN t_domain AS integer;
        CREATE DOMAIN t_text_domain AS varchar(5);
        CREATE DOMAIN t_array_domain AS integer[];
        CREATE TYPE t_composite AS (a integer, b text);
        CREATE TYPE t_nested AS (c t_composite, d t_enum[]);
        CREATE TYPE t_range AS RANGE (subtype = text);
        CREATE CAST (t_composite AS text) WITH INOUT AS IMPLICIT;
        """

    @Test func tellsValuesOfEveryTypeApart() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(Self.definitions)
                for (type, one, other) in Self.types {
                    func hash(_ value: String) async throws -> String {
                        try await connection.execute("CREATE TABLE one (v \(type)); INSERT INTO one VALUES (\(value))")
                        let print = try await fingerprint(connection, "one")
                        try await connection.execute("DROP TABLE one")
                        #expect(print.rows == 1)
                        return print.hash
                    }
                    do {
                        let hashes = [try await hash(one), try await hash(other), try await hash("NULL")]
                        #expect(Set(hashes).count == 3, "\(type) \(one) \(other)")
                        #expect(try await hash(one) == hashes[0])
                    } catch {
                        Issue.record("\(type): \(error)")
                    }
                }
            }
        }
    }

    /// Changes of a table of three rows that must show, and rewritings that must not.
    static let changes: [(change: String, shows: Bool)] = [
        ("UPDATE t SET a = 'x' WHERE id = 1", true), ("UPDATE t SET b = '' WHERE b IS NULL", true), ("DELETE FROM t WHERE id = 2", true),
        ("UPDATE t SET a = NULL WHERE a = ''", true), ("INSERT INTO t SELECT * FROM t WHERE id = 1", true),
        ("DELETE FROM t WHERE id = 2; INSERT INTO t SELECT * FROM t WHERE id = 1", true),
        // Between two rows.
        ("UPDATE t SET n = CASE id WHEN 1 THEN 20 ELSE 10 END WHERE id IN (1, 2)", true),
        ("UPDATE t SET a = CASE id WHEN 1 THEN 'bb' ELSE 'aa' END WHERE id IN (1, 2)", true),
        // Between two columns, and across their border.
        ("UPDATE t SET a = b, b = a WHERE id = 1", true), ("UPDATE t SET a = 'aab', b = '1' WHERE id = 1", true),
        ("UPDATE t SET a = E'aa\\x1fb1', b = NULL WHERE id = 1", true), ("UPDATE t SET a = E'aa\\x1f', b = 'b1' WHERE id = 1", true),
        ("UPDATE t SET a = NULL, b = '' WHERE id = 3", true), ("UPDATE t SET n = 1, id = 10 WHERE id = 1", true),
        // The same rows in another order, with dead ones between them, or in another number of columns that ever were.
        ("CREATE TABLE u AS SELECT * FROM t ORDER BY id DESC; DROP TABLE t; ALTER TABLE u RENAME TO t", false),
        ("UPDATE t SET a = a; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (2, 20, 'bb', 'b2')", false),
        ("ALTER TABLE t ADD z text DEFAULT 'z'; ALTER TABLE t DROP z", false),
        (
            "DROP TABLE t; CREATE TABLE t (b text, a text, n numeric, id bigint); INSERT INTO t VALUES ('b1','aa',10,1),('b2','bb',20,2),(NULL,'',30,3)",
            false
        ),
        ("ALTER TABLE t ADD PRIMARY KEY (id); CLUSTER t USING t_pkey", false), ("ALTER TABLE t SET UNLOGGED", false),
        ("CREATE TABLE c () INHERITS (t); INSERT INTO c VALUES (4, 4, 'c', 'c')", false),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", false),
    ]

    @Test func noticesChangesAndNothingElse() async throws {
        try await withTestPostgres { server in
            for (change, shows) in Self.changes {
                try await withDatabase(on: server) { connection in
                    try await connection.execute(
                        """
                        CREATE TABLE t (id bigint, n numeric, a text, b text);
                        INSERT INTO t VALUES (1, 10, 'aa', 'b1'), (2, 20, 'bb', 'b2'), (3, 30, '', NULL)
                        """)
                    let before = try await fingerprint(connection, "t")
                    try await connection.execute(change)
                    let after = try await fingerprint(connection, "t")
                    #expect((before.hash != after.hash) == shows, "\(change)")
                }
            }
        }
    }

    @Test func doesNotDependOnTheSession() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(
                    """
                    CREATE TABLE t AS SELECT '2024-03-04 05:06:07.89+00'::timestamptz ts, '1 day -02:03'::interval i, 0.1::float8 f, '\\xff'::bytea b,
                      '12.34'::money m, '<a/>'::xml x, 'pg_class'::regclass c, point(0.1, 0.2) p, ARRAY[now()] = ARRAY[now()] e,
                      tstzrange('2024-03-04 05:06+00', NULL) r, ARRAY['2024-03-04 05:06+00'::timestamptz] a
                    """)
                let plain = try await fingerprint(connection, "t")
                try await connection.execute(
                    """
                    SET DateStyle = 'German, DMY'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'Asia/Kolkata'; SET extra_float_digits = -5;
                    SET bytea_output = 'escape'; SET xmloption = 'document'; SET xmlbinary = 'hex'; SET quote_all_identifiers = on;
                    SET search_path = pg_catalog, public; SET jit = on; SET row_security = on
                    """)
                #expect(try await fingerprint(connection, "t") == plain)
                let parallel = PostgresInventory(connection, options: .init(parallelWorkers: true, loadPercent: 50))
                #expect(try await parallel.fingerprint(TableReference(schema: "public", table: "t")).hash == plain.hash)
            }
        }
    }

    @Test func doesNotDependOnTheLocale() async throws {
        try await withTestPostgres { server in
            var hashes: Set<String> = []
            for locale in ["LOCALE 'C'", "LOCALE 'C.UTF-8'", "LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE-u-ks-level1' LOCALE 'C.UTF-8'"] {
                try await withDatabase(on: server, options: "ENCODING 'UTF8' \(locale)") { connection in
                    try await connection.execute(
                        """
                        CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                        CREATE TABLE t (a text, b text COLLATE loose, c char(9) COLLATE loose);
                        INSERT INTO t SELECT chr(i), 'É' || chr(i), chr(i + 1) FROM generate_series(200, 2000) i
                        """)
                    hashes.insert(try await fingerprint(connection, "t").hash)
                    let before = try await fingerprint(connection, "t")
                    try await connection.execute("UPDATE t SET b = lower(b)")
                    #expect(try await fingerprint(connection, "t") != before, "equal under the collation is not equal")
                }
            }
            #expect(hashes.count == 1)
        }
    }

    static let oddNames = ["ta\"ble", "with space", "UPPER", "naïve 😀", "select", "a'b", "a\\b", "a.b", "percent %I", "$1"]

    @Test func copesWithOddNames() async throws {
        try await withTestPostgres { server in
            for name in Self.oddNames {
                try await withDatabase(on: server) { connection in
                    let table = SQL.identifier("s " + name, name)
                    try await connection.execute(
                        """
                        CREATE SCHEMA \(SQL.identifier("s " + name)); CREATE TABLE \(table) (\(SQL.identifier(name)) text, "other" integer);
                        INSERT INTO \(table) VALUES ('a', 1)
                        """)
                    let inventory = PostgresInventory(connection)
                    let found = try #require(try await inventory.tables().first)
                    #expect(found.schema == "s " + name && found.table == name)
                    let before = try await inventory.fingerprint(found)
                    try await connection.execute("UPDATE \(table) SET \(SQL.identifier(name)) = 'b'")
                    #expect(try await inventory.fingerprint(found).hash != before.hash)
                }
            }
        }
    }

    @Test func copesWithAnyNumberOfColumns() async throws {
        try await withTestPostgres { server in
            for count in [0, 1, 49, 50, 51, 99, 100, 101, 150, 1200] {
                try await withDatabase(on: server) { connection in
                    let columns = (0..<count).map { "c\($0) \($0 % 2 == 0 ? "integer" : "text")" }.joined(separator: ", ")
                    try await connection.execute(
                        "CREATE TABLE wide (\(columns)); INSERT INTO wide DEFAULT VALUES; INSERT INTO wide DEFAULT VALUES")
                    let empty = try await fingerprint(connection, "wide")
                    #expect(empty.rows == 2)
                    var seen: Set<String> = [empty.hash]
                    for column in Set([0, 48, 49, 50, 98, 99, 100, count - 1]) where column >= 0 && column < count {
                        try await connection.execute("UPDATE wide SET c\(column) = '1' WHERE ctid = (SELECT min(ctid) FROM wide)")
                        #expect(seen.insert(try await fingerprint(connection, "wide").hash).inserted)
                    }
                    if count == 0 {
                        try await connection.execute("INSERT INTO wide DEFAULT VALUES")
                        #expect(try await fingerprint(connection, "wide").hash != empty.hash)
                    }
                }
            }
        }
    }

    @Test func piecesAddUpToTheWhole() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(
                    "CREATE TABLE big AS SELECT i, repeat('x', 900) AS filler FROM generate_series(1, 180000) i; DELETE FROM big WHERE i % 7 = 0"
                )
                let table = try #require(try await PostgresInventory(connection).tables().first)
                #expect(table.bytes > 150 << 20)
                let steps = Emitted.Counter()
                let pieces = PostgresInventory(connection) { _, done, total in
                    #expect(done <= total)
                    steps.add()
                }
                let whole = PostgresInventory(connection, options: .init(parallelWorkers: true))
                let (a, b) = (try await pieces.fingerprint(table), try await whole.fingerprint(table))
                #expect(a == b)
                #expect(steps.count > 3, "there was progress within the table")
            }
        }
    }

    @Test func aTableThatMayNotBeReadIsAnError() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(
                    """
                    CREATE TABLE public.t (a integer); DROP ROLE IF EXISTS nobody_here; CREATE ROLE nobody_here;
                    ALTER TABLE public.t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON public.t USING (a > 0); SET ROLE nobody_here
                    """)
                let hidden = await #expect(throws: PostgresError.self) { try await fingerprint(connection, "t") }
                #expect(hidden?.sqlState == "42501")
                try await connection.execute("RESET ROLE; GRANT SELECT ON public.t TO nobody_here; SET ROLE nobody_here")
                await #expect(throws: PostgresError.self, "a policy would hide rows") { try await fingerprint(connection, "t") }
                try await connection.execute("RESET ROLE; DROP OWNED BY nobody_here; DROP ROLE nobody_here")
            }
        }
    }

    private func fingerprint(_ connection: PostgresConnection, _ table: String) async throws -> TableFingerprint {
        var print = try await PostgresInventory(connection).fingerprint(TableReference(schema: "public", table: table))
        // Reading pins the session's search path; the test's own statements want theirs back.
        try await connection.execute("RESET search_path")
        print.bytes = 0  // A size is no content.
        return print
    }
}

extension Emitted {
    final class Counter: Sendable {
        private let value = Emitted()

        var count: Int { value.cases.count }

        func add() { value.add(.skipped(.step, name: "", reason: "")) }
    }
}

@Suite(.enabled(if: TestMachine.hasPostgres, "needs postgres"))
struct TruncatedMeanwhileTests {
    /// The rows of a truncated table are gone also for a snapshot that was taken before: what it would count is what nobody ever had.
    /// And a name is that of another table now, where the two were swapped.
    @Test(arguments: [
        "TRUNCATE t", "ALTER TABLE t ALTER i TYPE text", "ALTER TABLE t RENAME TO old; ALTER TABLE u RENAME TO t",
        "DROP TABLE t; CREATE TABLE t (i int)",
    ])
    func isAnErrorAndNoEmptyTable(change: String) async throws {
        try await withTestPostgres { server in
            let session = try await server.connect()
            try await session.execute("CREATE TABLE t (i int); INSERT INTO t VALUES (1); CREATE TABLE u (i int)")
            let reader = try await server.connect()
            let inventory = PostgresInventory(reader)
            try await reader.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            let table = try #require(try await inventory.tables().first { $0.table == "t" })
            try await session.execute(change)
            let error = await #expect(throws: PostgresError.self) { try await inventory.fingerprint(table) }
            #expect(error?.message.contains("after the snapshot") == true && error?.hint == "seal again")
            try await reader.execute("ROLLBACK")
            let now = try #require(try await inventory.tables().first { $0.table == "t" })
            #expect(try await inventory.fingerprint(now).rows == (change.contains("TYPE") ? 1 : 0))
            await session.close()
            await reader.close()
        }
    }
}
