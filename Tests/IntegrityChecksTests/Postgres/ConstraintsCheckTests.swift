// Rows that break what their tables promise, as damage or a load with triggers off leaves them.

import DrillModel
import PostgresClient
import TestSupport
import Testing

@testable import IntegrityChecks

@Suite struct ConstraintsCheckTests {
    private static let whole = """
        CREATE EXTENSION IF NOT EXISTS btree_gist;
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE FUNCTION even(i int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN i % 2 = 0; END';
        CREATE TABLE parent (a int, b text COLLATE "C", PRIMARY KEY (a, b));
        INSERT INTO parent SELECT i, 'p' || i FROM generate_series(1, 50) i;
        CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b text, FOREIGN KEY (a, b) REFERENCES parent);
        INSERT INTO child (a, b) SELECT i, 'p' || i FROM generate_series(1, 50) i UNION ALL SELECT 7, NULL;
        CREATE TABLE full_child (a int, b text, CONSTRAINT both_or_none FOREIGN KEY (a, b) REFERENCES parent MATCH FULL);
        INSERT INTO full_child VALUES (1, 'p1'), (NULL, NULL);
        CREATE TABLE "Odd ""one" (id positive NOT NULL, "the value" int CONSTRAINT even_only CHECK (even("the value")),
          until date CONSTRAINT to_come CHECK (until > CURRENT_DATE), r int4range, EXCLUDE USING gist (r WITH &&) WHERE (id > 1) DEFERRABLE);
        INSERT INTO "Odd ""one" SELECT i, i * 2, CURRENT_DATE + i, int4range(i, i + 1) FROM generate_series(1, 20) i;
        CREATE TABLE words (w text, n int, UNIQUE (w) DEFERRABLE);
        CREATE UNIQUE INDEX lower_word ON words (lower(w) text_pattern_ops, n) WHERE n > 0;
        INSERT INTO words SELECT 'w' || i, i FROM generate_series(1, 20) i UNION ALL SELECT NULL, 1 UNION ALL SELECT NULL, 1;
        CREATE TABLE parts (k int, v int NOT NULL, ref int, PRIMARY KEY (k)) PARTITION BY RANGE (k);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
        INSERT INTO parts SELECT i, i, NULL FROM generate_series(0, 19) i;
        ALTER TABLE parts ADD FOREIGN KEY (ref) REFERENCES parts (k);
        CREATE TABLE short (a char(10) PRIMARY KEY); INSERT INTO short VALUES ('a');
        CREATE TABLE long (a text REFERENCES short, at timestamptz); INSERT INTO long VALUES ('a   ', now());
        CREATE TABLE days (d timestamptz PRIMARY KEY); CREATE TABLE of_day (d date REFERENCES days);
        CREATE DOMAIN small AS positive CONSTRAINT below CHECK (VALUE < 100) NOT NULL;
        CREATE TABLE typed (s small, w varchar(5), many small[]); INSERT INTO typed VALUES (1, 'x', '{1}'), (99, 'y', NULL);
        ALTER TABLE child ADD CONSTRAINT never_checked CHECK (a > 40) NOT VALID;
        """

    /// What breaks, by what was done; the finding's object and what is actual.
    private static let damages: [(damage: String, object: String, actual: String)] = [
        ("", "", ""),
        ("DELETE FROM parent WHERE a BETWEEN 2 AND 4", "public.child: child_a_b_fkey", "3 rows without a match"),
        ("INSERT INTO full_child VALUES (1, NULL)", "public.full_child: both_or_none", "1 row without a match"),
        ("UPDATE parts SET ref = 77 WHERE k IN (3, 13)", "public.parts: parts_ref_fkey", "2 rows without a match"),
        (
            "UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'parts_2'::regclass; "
                + "UPDATE parts_2 SET v = NULL WHERE k > 16; UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'parts_2'::regclass "
                + "AND attname IN ('k', 'v')", "public.parts_2: v", "NULL in 3 rows"
        ),
        (
            "UPDATE pg_constraint SET convalidated = true WHERE conname = 'never_checked'", "public.child: never_checked",
            "false in 41 rows"
        ),
        ("DELETE FROM short", "public.long: long_a_fkey", "1 row without a match"),
        (
            "ALTER DOMAIN small DROP CONSTRAINT below; UPDATE typed SET s = 100 WHERE s = 99; ALTER DOMAIN small ADD CONSTRAINT below "
                + "CHECK (VALUE < 100) NOT VALID; UPDATE pg_constraint SET convalidated = true WHERE conname = 'below'",
            "public.typed: s", "a value that breaks it"
        ),
        ("INSERT INTO words VALUES ('w3', 99), ('w3', 98)", "public.words: words_w_key", "2 rows too many"),
        (
            "DROP INDEX lower_word; INSERT INTO words VALUES ('W5', 5); CREATE INDEX lower_word ON words (lower(w) text_pattern_ops, n) "
                + "WHERE n > 0; UPDATE pg_index SET indisunique = true WHERE indexrelid = 'lower_word'::regclass",
            "public.words: lower_word", "1 row too many"
        ),
        (
            "INSERT INTO \"Odd \"\"one\" SELECT i, i * 2, CURRENT_DATE + i, int4range(1, 5) FROM generate_series(30, 31) i",
            "public.\"Odd \"\"one\": Odd \"one_r_excl", "7 pairs"
        ),
    ]

    @Test func whatBreaksIsCounted() async throws {
        try await withTestPostgres { server in
            for (damage, object, actual) in Self.damages {
                try await withDatabase(on: server) { connection in
                    try await connection.execute(Self.whole)
                    // Triggers off, and with them foreign keys and what is deferred.
                    try await connection.execute("SET session_replication_role = replica; \(damage)")
                    let (cases, unproven) = await ask(connection, .files(serverVersion: nil))
                    let findings = cases.flatMap(\.findings)
                    #expect(findings.map { "\($0.object) \($0.actual)" } == (object.isEmpty ? [] : ["\(object) \(actual)"]), "\(damage)")
                    #expect(cases.count == 12 && cases.allSatisfy { $0.verdict == ($0.findings.isEmpty ? .passed : .failed) })
                    // It may have been true when the row came.
                    #expect(
                        unproven.count == 1
                            && ["to_come", "of_day_d_fkey (what is equal depends on the time zone)", "many (an array of a domain)"]
                                .allSatisfy(unproven[0].contains),
                        "\(unproven)")
                    // A dump's are asked by its restore.
                    #expect(await ask(connection, .dump(serverVersion: nil)).cases.isEmpty)
                }
            }
        }
    }

    /// What the time is not enough for, and what fails for reasons of its own, is said and is no verdict.
    @Test func whatIsNotAskedIsSaid() async throws {
        try await withTestPostgres { server in
            try await withDatabase(on: server) { connection in
                try await connection.execute(Self.whole)
                try await connection.execute(
                    """
                    CREATE FUNCTION slow(i int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(0.01); RETURN true; END';
                    CREATE TABLE slow (i int); INSERT INTO slow SELECT generate_series(1, 50); ALTER TABLE slow ADD CONSTRAINT waits CHECK (slow(i));
                    CREATE FUNCTION breaks(i int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1 / i = 0; END';
                    CREATE TABLE broken (i int NOT NULL CONSTRAINT divides CHECK (breaks(i))); INSERT INTO broken VALUES (5);
                    CREATE OR REPLACE FUNCTION breaks(i int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1 / (i - 5) = 0; END';
                    CREATE OR REPLACE FUNCTION slow(i int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(10); RETURN true; END'
                    """)
                let (cases, unproven) = await ask(connection, .files(serverVersion: nil), limit: .seconds(8))
                #expect(cases.allSatisfy { $0.verdict == .passed }, "\(cases.filter { $0.verdict != .passed })")
                #expect(cases.contains { $0.name == "constraints of public.broken" }, "the other promise of its row was asked")
                #expect(unproven.contains { $0.contains("public.broken: divides (SQLSTATE 22012)") }, "\(unproven)")
                #expect(unproven.contains { $0.contains("public.slow: waits") && $0.contains("8 s were over") }, "\(unproven)")
            }
        }
    }

    private func ask(
        _ connection: PostgresConnection, _ origin: PostgresCheckContext.Origin, limit: Duration = .seconds(600)
    ) async -> (cases: [CaseResult], unproven: [String]) {
        let (emitted, said) = (Emitted(), Emitted())
        var context = PostgresCheckContext(connection: connection, service: "db", seal: nil, origin: origin, emit: { emitted.add($0) })
        context.unproven = { said.add(.skipped(.restore, service: "db", name: $0, reason: "")) }
        await ConstraintsCheck(limit: limit).run(context)
        return (emitted.cases, said.cases.map(\.name))
    }
}
