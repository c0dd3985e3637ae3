// Every kind of damage to a schema is found, named, and found once.

import DrillModel
@testable import IntegrityChecks
import PostgresClient
import TestSupport
import Testing

@Suite(.enabled(if: TestMachine.hasPostgres, "PostgreSQL is not installed")) struct SchemaDiffTests {
    /// Damage to the rich database, and the whole list of critical findings of the schema that it causes.
    static let damages: [(sql: String, red: [String])] = [
        ("SELECT 1", []),
        ("DROP INDEX app.people_trgm", ["index-missing index app.people_trgm"]),
        ("CREATE INDEX more ON app.orders (amount)", ["index-extra index app.more"]),
        ("DROP INDEX app.people_trgm; CREATE INDEX people_trgm ON app.people USING btree (name)", ["index-differs index app.people_trgm"]),
        ("ALTER TABLE app.people SET WITHOUT CLUSTER", ["index-differs index app.people_email_key"]),
        ("REVOKE SELECT ON app.people FROM app_reader", ["grant-missing rights of app_reader on table app.people"]),
        ("REVOKE UPDATE (name) ON app.people FROM app_reader", ["grant-missing rights of app_reader on column app.people.name"]),
        ("GRANT SELECT ON app.orders TO PUBLIC", ["grant-extra rights of PUBLIC on table app.orders"]),
        ("REVOKE GRANT OPTION FOR INSERT ON app.people FROM \"Odd Role\"", ["grant-differs rights of \"Odd Role\" on table app.people"]),
        ("GRANT TRUNCATE ON app.people TO app_owner", ["grant-missing rights of app_owner on table app.people"]),
        ("GRANT EXECUTE ON FUNCTION app.add TO PUBLIC", ["grant-missing rights of PUBLIC on function app.add(integer,integer)"]),
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC", ["grant-missing rights of PUBLIC on schema public"]),
        ("GRANT ALL ON SCHEMA public TO app_reader", ["grant-extra rights of app_reader on schema public"]),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", ["grant-differs rights of PUBLIC on schema public"]),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT INSERT ON TABLES TO app_reader",
            ["grant-differs default privileges of postgres in schema app on tables"]
        ),
        // A default that the server writes down is the same default.
        ("GRANT SELECT ON app.orders TO app_reader; REVOKE SELECT ON app.orders FROM app_reader", []),
        ("GRANT EXECUTE ON FUNCTION app.standard TO PUBLIC", []),
        (
            "CREATE OR REPLACE FUNCTION app.add(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'select a - b'",
            ["function-differs function app.add(integer,integer)"]
        ),
        ("ALTER FUNCTION app.standard STABLE", ["function-differs function app.standard(integer)"]),
        (
            "CREATE OR REPLACE FUNCTION app.standard(a integer) RETURNS integer LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN a BETWEEN 1 AND 6 AND a <> 3 THEN 1 ELSE 0 END; END",
            ["function-differs function app.standard(integer)"]
        ),
        ("DROP PROCEDURE app.noop", ["function-missing function app.noop(integer)"]),
        ("DROP AGGREGATE app.total(integer)", ["function-missing function app.total(integer)"]),
        (
            "ALTER TABLE app.orders OWNER TO app_owner",
            ["owner-differs owner of sequence app.orders_id_seq", "owner-differs owner of table app.orders"]
        ),
        ("ALTER TABLE app.parent ALTER c TYPE bigint", ["column-differs column app.parent.c", "column-differs column app.child.c"]),
        ("ALTER TABLE app.orders ALTER amount DROP NOT NULL", ["column-differs column app.orders.amount"]),
        ("ALTER TABLE app.orders ALTER amount SET DEFAULT 1", ["default-differs default app.orders.amount"]),
        ("ALTER TABLE app.orders ALTER amount DROP DEFAULT", ["default-missing default app.orders.amount"]),
        (
            "ALTER TABLE app.refers DROP at CASCADE; ALTER TABLE app.refers ADD z integer",
            [
                "column-missing column app.refers.at", "column-extra column app.refers.z",
                "constraint-missing constraint app.refers.refers_at_fkey",
                "view-missing view app.v_using", "publication-differs publication a_few",
            ]
        ),
        ("ALTER TABLE app.people ALTER body SET STORAGE MAIN", ["column-differs column app.people.body"]),
        ("ALTER TABLE app.people ALTER name DROP NOT NULL", ["column-differs column app.people.name"]),
        ("ALTER TABLE app.orders DROP CONSTRAINT unchecked", ["constraint-missing constraint app.orders.unchecked"]),
        ("ALTER TABLE app.orders VALIDATE CONSTRAINT unchecked", ["constraint-differs constraint app.orders.unchecked"]),
        ("ALTER TABLE app.orders DROP CONSTRAINT orders_person_fkey", ["constraint-missing constraint app.orders.orders_person_fkey"]),
        ("ALTER TABLE app.keyed_2024 DROP CONSTRAINT IF EXISTS nothing_here", []),
        (
            "ALTER TABLE app.people DROP CONSTRAINT people_state_check; ALTER TABLE app.people ADD CONSTRAINT people_state_check CHECK (state IN ('new', 'odd'))",
            ["constraint-differs constraint app.people.people_state_check"]
        ),
        (
            "ALTER TABLE app.people DROP CONSTRAINT weights; ALTER TABLE app.people ADD CONSTRAINT weights CHECK (weight BETWEEN -100 AND 100 AND id > 0 OR (name <> '' AND code IS NOT NULL))",
            ["constraint-differs constraint app.people.weights", "comment-missing comment on constraint app.people.weights"]
        ),
        ("DROP VIEW app.v_union", ["view-missing view app.v_union"]),
        (
            "CREATE OR REPLACE VIEW app.v_check AS SELECT id, amount FROM app.orders WHERE amount > 1 WITH LOCAL CHECK OPTION",
            ["view-differs view app.v_check"]
        ),
        ("ALTER VIEW app.v_check RESET (check_option)", ["view-differs view app.v_check"]),
        ("REFRESH MATERIALIZED VIEW app.m_empty", ["materialized-view-differs materialized-view app.m_empty"]),
        ("DROP MATERIALIZED VIEW app.m_filled", ["materialized-view-missing materialized-view app.m_filled"]),
        ("DROP TRIGGER touch ON app.people", ["trigger-missing trigger app.people.touch"]),
        ("ALTER TABLE app.people ENABLE TRIGGER touch", ["trigger-differs trigger app.people.touch"]),
        ("DROP EVENT TRIGGER on_ddl", ["event-trigger-missing event-trigger on_ddl"]),
        ("ALTER EVENT TRIGGER on_ddl DISABLE", ["event-trigger-differs event-trigger on_ddl"]),
        ("DROP POLICY writers ON app.people", ["policy-missing policy app.people.writers"]),
        ("ALTER POLICY readers ON app.people TO app_reader", ["policy-differs policy app.people.readers"]),
        ("ALTER TABLE app.people DISABLE ROW LEVEL SECURITY", ["table-differs table app.people"]),
        ("ALTER TABLE app.people RESET (toast.autovacuum_enabled)", ["table-differs table app.people"]),
        ("ALTER TABLE app.cache SET LOGGED", ["table-differs table app.cache"]),
        ("ALTER TABLE app.orders REPLICA IDENTITY DEFAULT", ["table-differs table app.orders"]),
        ("DROP RULE guard ON app.people", ["rule-missing rule app.people.guard"]),
        ("ALTER SEQUENCE app.plain_seq NO CYCLE", ["sequence-differs sequence app.plain_seq"]),
        ("ALTER SEQUENCE app.orders_id_seq OWNED BY NONE", ["sequence-differs sequence app.orders_id_seq"]),
        ("DROP STATISTICS app.people_stats", ["statistics-missing statistics app.people_stats"]),
        (
            "ALTER TABLE app.events DETACH PARTITION app.events_2024",
            [
                "partition-missing partition app.events_2024", "index-differs index app.events_2024_kind_idx",
                "constraint-extra constraint app.events_2024.events_person_fkey",
            ]
        ),
        ("DROP TABLE app.events_2024", ["table-missing table app.events_2024"]),
        (
            "DROP TABLE app.events CASCADE",
            ["table-missing table app.events", "view-missing view app.v_drift", "view-missing view app.v_grouping"]
        ),
        ("ALTER TYPE app.mood ADD VALUE 'new'", ["type-differs type app.mood"]),
        ("ALTER TYPE app.mood RENAME VALUE 'sad' TO 'SAD'", ["type-differs type app.mood", "view-differs view app.v_drift"]),
        (
            "ALTER DOMAIN app.percent DROP CONSTRAINT percent_check",
            ["type-differs type app.percent", "comment-missing comment on constraint app.percent.percent_check"]
        ),
        ("ALTER DOMAIN app.percent DROP NOT NULL", ["type-differs type app.percent"]),
        ("ALTER TYPE app.nested ADD ATTRIBUTE c integer", ["type-differs type app.nested"]),
        (
            "DROP TABLE app.refers CASCADE",
            ["table-missing table app.refers", "view-missing view app.v_using", "publication-differs publication a_few"]
        ),
        ("DROP TABLE \"Odd \"\"schema\".\"Ta\"\"b.le\"", ["table-missing table \"Odd \"\"schema\".\"Ta\"\"b.le\""]),
        ("DROP SCHEMA \"Odd \"\"schema\" CASCADE", ["schema-missing schema \"Odd \"\"schema\""]),
        ("DROP EXTENSION file_fdw", ["extension-missing extension file_fdw"]),
        ("ALTER EXTENSION hstore SET SCHEMA app", ["extension-differs extension hstore", "column-differs column app.people.attributes"]),
        ("CREATE EXTENSION unaccent", ["extension-extra extension unaccent"]),
        ("COMMENT ON TABLE app.people IS NULL", ["comment-missing comment on table app.people"]),
        ("COMMENT ON EXTENSION citext IS 'one that the copy alone has'", ["comment-differs comment on extension citext"]),
        ("COMMENT ON EXTENSION citext IS NULL", ["comment-missing comment on extension citext"]),
        ("COMMENT ON COLUMN app.people.name IS 'another'", ["comment-differs comment on column app.people.name"]),
        ("DROP PUBLICATION a_few", ["publication-missing publication a_few"]),
        ("ALTER PUBLICATION everything SET (publish = 'insert')", ["publication-differs publication everything"]),
        ("DROP CAST (app.address AS text)", ["cast-missing cast app.address as text"]),
        ("DROP OPERATOR app.<+> (integer, integer)", ["operator-missing operator app.<+>(integer,integer)"]),
        (
            "ALTER TEXT SEARCH CONFIGURATION app.search DROP MAPPING FOR asciiword",
            ["text-search-differs text-search configuration app.search"]
        ),
        (
            "DROP COLLATION app.loose CASCADE",
            [
                "collation-missing collation app.loose", "column-missing column app.people.loose",
                "view-missing view app.v_simple", "view-missing view app.v_using",
            ]
        ),
        ("ALTER SERVER elsewhere OPTIONS (SET host 'other')", ["foreign-differs foreign server elsewhere"]),
        (
            "ALTER USER MAPPING FOR app_reader SERVER elsewhere OPTIONS (SET password 'other')",
            ["foreign-differs foreign user mapping of app_reader on server elsewhere"]
        ),
        ("DROP SERVER elsewhere CASCADE", ["foreign-missing foreign server elsewhere", "foreign-missing foreign table app.remote"]),
        ("ALTER FOREIGN TABLE app.remote OPTIONS (SET table_name 'other')", ["foreign-differs foreign table app.remote"]),
        (
            "DROP ACCESS METHOD other_heap CASCADE",
            ["access-method-missing access-method other_heap", "materialized-view-missing materialized-view app.m_other"]
        ),
        ("DROP CONVERSION app.latin", ["conversion-missing conversion app.latin"]),
        ("DROP TRANSFORM FOR integer LANGUAGE sql", ["transform-missing transform for integer language sql"]),
        ("DROP TEXT SEARCH PARSER app.parser", ["text-search-missing text-search parser app.parser"]),
        ("DROP TEXT SEARCH TEMPLATE app.template", ["text-search-missing text-search template app.template"]),
        (
            "ALTER FUNCTION app.touch() NO DEPENDS ON EXTENSION ltree",
            ["dependency-missing dependency function app.touch() on extension ltree"]
        ),
        (
            "DROP AGGREGATE app.writing(integer); CREATE AGGREGATE app.writing(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', FINALFUNC = int4abs)",
            ["function-differs function app.writing(integer)"]
        ),
        ("ALTER MATERIALIZED VIEW app.m_other SET ACCESS METHOD heap", ["materialized-view-differs materialized-view app.m_other"]),
        ("ALTER MATERIALIZED VIEW app.m_other ALTER one SET STATISTICS 8", ["column-differs column app.m_other.one"]),
        ("ALTER MATERIALIZED VIEW app.m_other ALTER t SET STORAGE EXTENDED", ["column-missing column app.m_other.t"]),
        ("ALTER INDEX app.people_name ALTER COLUMN 1 SET STATISTICS -1", ["column-missing column app.people_name.lower"]),
        ("ALTER TABLE app.events_x ENABLE TRIGGER touch_event", ["trigger-missing trigger app.events_x.touch_event"]),
        ("ALTER TABLE app.events_2024 ENABLE ALWAYS TRIGGER touch_event", ["trigger-extra trigger app.events_2024.touch_event"]),
        ("ALTER TEXT SEARCH CONFIGURATION app.search OWNER TO app_owner", ["owner-differs owner of text-search configuration app.search"]),
        ("ALTER TEXT SEARCH DICTIONARY app.plain OWNER TO app_owner", ["owner-differs owner of text-search dictionary app.plain"]),
        ("ALTER OPERATOR CLASS app.class USING btree OWNER TO app_owner", ["owner-differs owner of operator class app.class using btree"]),
        (
            "ALTER OPERATOR FAMILY app.family USING btree OWNER TO app_owner",
            ["owner-differs owner of operator family app.family using btree"]
        ),
        ("ALTER CONVERSION app.latin OWNER TO app_owner", ["owner-differs owner of conversion app.latin"]),
        ("GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC", ["grant-missing rights of PUBLIC on language plpgsql"]),
        (
            "REVOKE EXECUTE ON FUNCTION nlevel(ltree) FROM app_reader",
            ["grant-missing rights of app_reader on function public.nlevel(public.ltree)"]
        ),
        (
            "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM app_reader",
            ["grant-missing rights of app_reader on function pg_read_file(text)"]
        ),
        ("GRANT SELECT ON pg_catalog.pg_authid TO app_reader", ["grant-extra rights of app_reader on table pg_authid"]),
        (
            "CREATE TABLE app.more (a integer PRIMARY KEY, b text DEFAULT 'x' CHECK (b <> '')); CREATE INDEX ON app.more (b)",
            ["table-extra table app.more"]
        ),
    ]

    @Test func everyDamageIsFoundOnceAndNamed() async throws {
        try await withTestPostgres { server in
            let admin = try await server.connect(database: "postgres")
            try await admin.execute(RichSchema.roles)
            try await admin.execute("CREATE DATABASE rich TEMPLATE template0")
            let source = try await server.connect(database: "rich")
            try await source.execute(RichSchema.schema)
            // Not in the rich schema, which is restored by several jobs: they may come to it before the trigger is made.
            try await source.execute("ALTER TABLE app.events_x DISABLE TRIGGER touch_event")
            let sealed = try await PostgresInventory(source).schema()
            await source.close()
            for (sql, red) in Self.damages {
                try await admin.execute("CREATE DATABASE broken TEMPLATE rich")
                let broken = try await server.connect(database: "broken")
                do {
                    try await broken.execute(sql)
                    let found = try await PostgresInventory(broken).schema(comparingWith: sealed)
                    let findings = SchemaDiff.compare(expected: sealed, actual: found)
                    #expect(Set(findings.map { "\($0.rule) \($0.object)" }) == Set(red), "\(sql)")
                    #expect(findings.count == red.count, "\(sql)")
                    for finding in findings {
                        #expect(
                            finding.diff.allSatisfy { " -+".contains($0.prefix(1)) }
                                && (!finding.diff.isEmpty || finding.object.hasPrefix("schema")))
                        #expect(finding.diff.contains { $0.hasPrefix("-") || $0.hasPrefix("+") } || finding.diff.isEmpty)
                    }
                } catch {
                    Issue.record("\(sql): \(error)")
                }
                await broken.close()
                try await admin.execute("DROP DATABASE broken")
            }
            await admin.close()
        }
    }

    @Test func whatBelongsToTheDatabaseAndToRolesCanBeLeftOut() async throws {
        try await withTestPostgres { server in
            let admin = try await server.connect(database: "postgres")
            try await admin.execute(RichSchema.roles)
            try await admin.execute("CREATE DATABASE one TEMPLATE template0")
            try await admin.execute(RichSchema.properties(of: "one"))
            var one = try await server.connect(database: "one")
            try await one.execute("CREATE TABLE t (a integer); ALTER TABLE t OWNER TO app_reader; GRANT SELECT ON t TO app_group")
            let sealed = try await PostgresInventory(one).schema()
            await one.close()
            try await admin.execute("CREATE DATABASE two TEMPLATE one")
            let two = try await server.connect(database: "two")
            let found = try await PostgresInventory(two).schema(comparingWith: sealed)
            let all = Set(SchemaDiff.compare(expected: sealed, actual: found).map { "\($0.rule) \($0.object)" })
            #expect(
                all == [
                    "database-differs database", "owner-differs owner of database database", "comment-missing comment on database",
                    "grant-missing rights of app_reader on database database", "grant-missing rights of PUBLIC on database database",
                    "setting-missing setting database: statement_timeout", "setting-missing setting database: app.secret",
                    "setting-missing setting role app_reader in database: search_path",
                ])
            #expect(SchemaDiff.compare(expected: sealed, actual: found, options: .init(databaseProperties: false)).isEmpty)

            one = try await server.connect(database: "one")
            // Roles as a restore makes them that has no globals file: empty.
            try await admin.execute(
                "ALTER ROLE app_group LOGIN; ALTER ROLE app_reader PASSWORD NULL; COMMENT ON ROLE app_reader IS NULL; REVOKE SET ON PARAMETER log_statement FROM app_reader; ALTER ROLE app_reader CONNECTION LIMIT -1; ALTER ROLE app_reader RESET work_mem; REVOKE app_group FROM app_reader"
            )
            let roles = Set(
                SchemaDiff.compare(expected: sealed, actual: try await PostgresInventory(one).schema()).map { "\($0.rule) \($0.object)" })
            #expect(
                roles == [
                    "role-differs role app_reader", "role-differs role app_group", "role-password-differs password of role app_reader",
                    "comment-missing comment on role app_reader", "grant-missing rights of app_reader on parameter log_statement",
                    "setting-missing setting role app_reader: work_mem",
                    "role-membership-missing role app_reader in app_group",
                ])
            let without = SchemaDiff.compare(
                expected: sealed, actual: try await PostgresInventory(one).schema(), options: .init(roles: false))
            #expect(without.isEmpty)
            await one.close()
            await two.close()
            await admin.close()
        }
    }
}

/// What the server brings by itself, and what earlier releases of Muster sealed.
@Suite struct SchemaFormTests {
    private func object(_ kind: SchemaObject.Kind, _ name: String, _ definition: String = "") -> SchemaObject {
        SchemaObject(kind: kind, name: name, definition: definition)
    }

    /// A source whose schema public was dropped: the copy's is a note, and what lies in it is a difference.
    @Test func whatLiesInANewSchemaPublicIsADifference() {
        let findings = SchemaDiff.compare(
            expected: [object(.schema, "app")],
            actual: [
                object(.schema, "app"), object(.schema, "public"), object(.owner, "schema public", "of schema public\nowner: postgres"),
                object(.comment, "schema public", "of schema public\nstandard"), object(.table, "public.more", "table"),
                object(.column, "public.more.i", "of table public.more\ntype: integer"),
                object(.owner, "table public.more", "of table public.more\nowner: postgres"),
            ])
        #expect(findings.map { "\($0.severity) \($0.object)" } == ["note schema public", "critical table public.more"])
    }

    @Test func whatIsNoLongerSealedIsNotMissed() {
        let old = [
            object(.column, "t.i", "of table t\ntype: integer\noption n_distinct=5\noption pg_attver=3"),
            object(.sequence, "t_id_seq", "of column t.id\nof table t\nidentity\ntype: bigint\nstart: 1"),
            object(.sequence, "own", "type: bigint\nstart: 1"),
            object(.operator, "public.!==(boolean,boolean)", "result: boolean"),
            object(.owner, "operator public.!==(boolean,boolean)", "of operator public.!==(boolean,boolean)\nowner: postgres"),
        ]
        let today = [
            object(.column, "t.i", "of table t\ntype: integer\noption n_distinct=5"),
            object(.sequence, "t_id_seq", "of column t.id\nof table t\nidentity\nstart: 1"),
            object(.sequence, "own", "type: bigint\nstart: 1"),
        ]
        #expect(SchemaDiff.compare(expected: old, actual: today).isEmpty)
        var other = today
        other[0].definition = "of table t\ntype: integer"
        other[2].definition = "type: integer\nstart: 1"
        #expect(SchemaDiff.compare(expected: old, actual: other).map(\.rule.name) == ["column-differs", "sequence-differs"])
    }

    /// A seal of a release that asked for less: what it doesn't hold is no difference, and what it holds still is one.
    @Test func whatAnEarlierSealDoesNotHoldIsNotExtra() {
        let copy = [
            object(.conversion, "public.c"), object(.textSearch, "parser public.p"),
            object(.owner, "conversion public.c", "of conversion public.c\nowner: a"),
            object(.column, "public.m.t", "of materialized-view public.m\nstorage: main"),
            object(.trigger, "public.part.t", "of table public.part\ncopy of that of table public.whole\ndisabled"),
            object(.grant, "a on function public.h()", "of function public.h()\nof extension h\nALL"),
            object(.function, "public.f(integer)", "aggregate\ntransition: g\nfinal modifies: w"), object(.table, "public.t", "table"),
        ]
        let (known, unknown) = SealedForm.known(to: 1, of: copy)
        #expect(known == [object(.function, "public.f(integer)", "aggregate\ntransition: g"), object(.table, "public.t", "table")])
        #expect(unknown == 7)
        #expect(SealedForm.known(to: 2, of: copy).unknown == 0)
        let comment = object(.comment, "extension citext", "of extension citext\nits own")
        #expect(SealedForm.known(to: 2, of: [comment]).objects == [] && SealedForm.known(to: 2, of: [comment]).unknown == 1)
        #expect(SealedForm.known(to: 3, of: [comment]).objects == [comment])
        // Removed at the source, and back with the extension: no dump holds that.
        let citext = object(.extension, "citext", "version: 1.6")
        #expect(SchemaDiff.compare(expected: [citext], actual: [citext, comment]).isEmpty)
        #expect(SchemaDiff.compare(expected: [citext, comment], actual: [citext]).map(\.rule.name) == ["comment-missing"])
    }

    /// Only what the server itself changed between the two versions is a warning.
    @Test(arguments: [
        (14, 18, "owner: pg_database_owner", "USAGE", 0), (14, 14, "owner: pg_database_owner", "USAGE", 2),
        (15, 18, "owner: pg_database_owner", "USAGE", 2), (14, 18, "owner: eve", "CREATE", 2),
    ])
    func theSchemaPublicOfANewerVersion(from: Int, to: Int, owner: String, right: String, red: Int) {
        let findings = SchemaDiff.compare(
            expected: [
                object(.owner, "schema public", "of schema public\nowner: postgres"),
                object(.grant, "PUBLIC on schema public", "of schema public\nALL"),
            ],
            actual: [
                object(.owner, "schema public", "of schema public\n\(owner)"),
                object(.grant, "PUBLIC on schema public", "of schema public\n\(right)"),
            ], options: SchemaDiff.Options(majors: (from, to)))
        #expect(findings.count == 2 && findings.filter { $0.severity == .critical }.count == red)
    }
}
