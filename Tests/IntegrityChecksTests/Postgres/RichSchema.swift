// A database with one of everything that pg_dump can bring back, and with all that is awkward about it.

enum RichSchema {
    /// Roles are the cluster's: made once a server.
    static let roles = #"""
        CREATE ROLE app_owner NOLOGIN;
        CREATE ROLE app_reader LOGIN CONNECTION LIMIT 7 VALID UNTIL '2031-02-03 04:05:06+00' IN ROLE pg_monitor;
        CREATE ROLE "Odd Role" LOGIN;
        CREATE ROLE app_group NOINHERIT CREATEDB;
        GRANT app_group TO app_reader WITH ADMIN OPTION;
        ALTER ROLE app_reader SET work_mem = '7MB';
        ALTER ROLE app_reader PASSWORD 'secret-4711';
        COMMENT ON ROLE app_reader IS 'a role';
        GRANT SET ON PARAMETER log_statement TO app_reader;
        """#

    static let schema = #"""
        CREATE EXTENSION citext;
        CREATE EXTENSION hstore SCHEMA public;
        CREATE EXTENSION ltree;
        CREATE EXTENSION pg_trgm;
        CREATE EXTENSION postgres_fdw;
        CREATE EXTENSION file_fdw;

        CREATE SCHEMA early;
        CREATE FUNCTION early.difference(a numeric, b numeric) RETURNS double precision LANGUAGE sql IMMUTABLE AS 'select (a - b)::float8';
        CREATE SCHEMA app AUTHORIZATION app_owner;
        CREATE SCHEMA "Odd ""schema";
        COMMENT ON SCHEMA app IS 'the application';
        GRANT USAGE ON SCHEMA app TO app_reader;
        GRANT CREATE ON SCHEMA public TO app_owner;

        CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok', 'happy');
        ALTER TYPE app.mood ADD VALUE 'meh' BEFORE 'it''s ok';
        COMMIT;
        CREATE TYPE app.address AS (street text COLLATE "C", zip varchar(10), at point);
        CREATE TYPE app.nested AS (a app.address, moods app.mood[]);
        CREATE TYPE app.span AS RANGE (subtype = numeric, subtype_diff = early.difference);
        CREATE DOMAIN app.percent AS numeric(5, 2) DEFAULT 0 NOT NULL CHECK (VALUE >= 0 AND VALUE BETWEEN -1 AND 100);
        CREATE DOMAIN app.code AS char(4) CHECK (VALUE IN ('AAAA', 'BBBB'));
        COMMENT ON TYPE app.mood IS 'how it goes';
        COMMENT ON CONSTRAINT percent_check ON DOMAIN app.percent IS 'sane';
        REVOKE USAGE ON TYPE app.mood FROM PUBLIC;
        GRANT USAGE ON TYPE app.mood TO app_reader;
        CREATE COLLATION app.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

        CREATE FUNCTION app.add(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
          AS 'select a + b';
        CREATE FUNCTION app.standard(a integer) RETURNS integer LANGUAGE sql IMMUTABLE
          BEGIN ATOMIC SELECT CASE WHEN a BETWEEN 1 AND 5 AND a <> 3 THEN 1 ELSE 0 END; END;
        CREATE FUNCTION app.returns_table(VARIADIC names text[]) RETURNS TABLE (name text, len integer) LANGUAGE plpgsql
          SECURITY DEFINER SET search_path = app, pg_temp SET work_mem = '1MB' COST 50 ROWS 10 AS
          $body$ BEGIN RETURN QUERY SELECT n, length(n) FROM unnest(names) n WHERE n IN ('a', 'b'); END $body$;
        CREATE PROCEDURE app.noop(INOUT x integer) LANGUAGE plpgsql AS $$ BEGIN x := x; END $$;
        CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', PARALLEL = SAFE, COMBINEFUNC = int4pl);
        COMMENT ON FUNCTION app.add(integer, integer) IS 'adds';
        COMMENT ON AGGREGATE app.total(integer) IS 'sums';
        REVOKE EXECUTE ON FUNCTION app.add(integer, integer) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION app.add(integer, integer) TO app_reader WITH GRANT OPTION;
        CREATE OPERATOR app.<+> (FUNCTION = app.add, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR(app.<+>));
        CREATE CAST (app.address AS text) WITH INOUT AS ASSIGNMENT;
        CREATE TEXT SEARCH DICTIONARY app.plain (TEMPLATE = pg_catalog.simple, STOPWORDS = 'english');
        CREATE TEXT SEARCH CONFIGURATION app.search (COPY = pg_catalog.english);
        ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR asciiword WITH app.plain;

        CREATE TEXT SEARCH PARSER app.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
        CREATE TEXT SEARCH TEMPLATE app.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
        CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler;
        CREATE CONVERSION app.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
        CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
        CREATE OPERATOR FAMILY app.family USING btree;
        CREATE OPERATOR CLASS app.class FOR TYPE app.address USING btree FAMILY app.family AS STORAGE app.address;
        CREATE AGGREGATE app.writing(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', FINALFUNC = int4abs, FINALFUNC_MODIFY = READ_WRITE);
        ALTER FUNCTION app.touch() DEPENDS ON EXTENSION ltree;
        GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO app_reader;
        REVOKE EXECUTE ON FUNCTION public.nlevel(ltree) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION public.nlevel(ltree) TO app_reader;
        REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;

        CREATE SEQUENCE app.plain_seq START 5 INCREMENT BY 3 MINVALUE 2 MAXVALUE 1000 CACHE 4 CYCLE;
        SELECT nextval('app.plain_seq'), nextval('app.plain_seq');
        CREATE SEQUENCE app.down_seq INCREMENT -2 START -1;
        SELECT nextval('app.down_seq'), nextval('app.down_seq');
        CREATE SEQUENCE app.untouched;
        CREATE SEQUENCE app.set_back; SELECT setval('app.set_back', 42, false);
        COMMENT ON SEQUENCE app.plain_seq IS 'plain';
        GRANT USAGE ON SEQUENCE app.plain_seq TO app_reader;

        CREATE TABLE app.people (
          id bigint GENERATED ALWAYS AS IDENTITY (START 10) PRIMARY KEY,
          gone integer,
          email citext NOT NULL UNIQUE,
          name varchar(40) NOT NULL DEFAULT 'nobody',
          mood app.mood DEFAULT 'happy',
          share app.percent,
          code app.code,
          home app.address,
          extra app.nested,
          tags text[] NOT NULL DEFAULT '{}',
          attributes hstore,
          path ltree,
          body jsonb DEFAULT '{"a": 1}',
          loose text COLLATE app.loose,
          sorted text COLLATE "C",
          state varchar(10) CHECK (state IN ('new', 'old')) DEFAULT 'new',
          price money,
          weight double precision DEFAULT -1.5,
          during tstzrange,
          touched timestamptz DEFAULT now(),
          initials text GENERATED ALWAYS AS (CASE WHEN name IN ('a', 'b') THEN 'x' ELSE upper(left(name::text, 1)) END) STORED,
          CONSTRAINT weights CHECK (weight BETWEEN -100 AND 100 AND (id > 0 OR (name <> '' AND code IS NOT NULL))),
          CONSTRAINT "odd ""check" CHECK (name <> E'back\\slash and ''quote'' (AND) paren'),
          EXCLUDE USING gist (during WITH &&)
        ) WITH (fillfactor = 80, toast.autovacuum_enabled = false);
        ALTER TABLE app.people DROP COLUMN gone;
        ALTER TABLE app.people ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN body SET COMPRESSION pglz,
          ALTER COLUMN name SET STATISTICS 300, ALTER COLUMN name SET (n_distinct = -0.5);
        ALTER TABLE app.people OWNER TO app_owner;
        CREATE INDEX people_name ON app.people (lower(name::text) text_pattern_ops DESC NULLS LAST) INCLUDE (id) WHERE state IN ('new', 'old') AND weight BETWEEN 0 AND 5;
        CREATE INDEX people_trgm ON app.people USING gin (name gin_trgm_ops);
        CREATE UNIQUE INDEX "People Odd" ON app.people (code, (name || 'x'), id) NULLS NOT DISTINCT;
        ALTER TABLE app.people CLUSTER ON people_email_key;
        ALTER TABLE app.people REPLICA IDENTITY USING INDEX people_email_key;
        CREATE STATISTICS app.people_stats (dependencies, mcv) ON name, state, (weight * 2) FROM app.people;
        CREATE STATISTICS app.cases ON (CASE WHEN state IN ('new', 'old') THEN 1 END) FROM app.people;
        ALTER STATISTICS app.people_stats SET STATISTICS 55;
        CREATE TRIGGER touch BEFORE UPDATE OF name ON app.people FOR EACH ROW
          WHEN (OLD.name IS DISTINCT FROM NEW.name AND NEW.state IN ('new', 'old')) EXECUTE FUNCTION app.touch();
        CREATE CONSTRAINT TRIGGER later AFTER INSERT ON app.people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.touch();
        ALTER TABLE app.people DISABLE TRIGGER touch;
        ALTER TABLE app.people ENABLE ROW LEVEL SECURITY;
        ALTER TABLE app.people FORCE ROW LEVEL SECURITY;
        CREATE POLICY readers ON app.people AS RESTRICTIVE FOR SELECT TO app_reader, "Odd Role" USING (state IN ('new', 'old') AND id BETWEEN 1 AND 9);
        CREATE POLICY writers ON app.people FOR INSERT WITH CHECK (name <> '');
        CREATE RULE guard AS ON DELETE TO app.people WHERE OLD.id BETWEEN 1 AND 5 AND OLD.state IN ('old', 'new') DO INSTEAD NOTHING;
        GRANT SELECT, UPDATE (name, email) ON app.people TO app_reader;
        GRANT ALL ON app.people TO "Odd Role" WITH GRANT OPTION;
        REVOKE TRUNCATE ON app.people FROM app_owner;
        COMMENT ON TABLE app.people IS E'two\nlines';
        COMMENT ON COLUMN app.people.name IS 'a name';
        COMMENT ON INDEX app.people_name IS 'index';
        COMMENT ON CONSTRAINT weights ON app.people IS 'constraint';
        COMMENT ON TRIGGER touch ON app.people IS 'trigger';
        COMMENT ON POLICY readers ON app.people IS 'policy';
        COMMENT ON RULE guard ON app.people IS 'rule';
        COMMENT ON STATISTICS app.people_stats IS 'statistics';
        COMMENT ON EXTENSION citext IS 'another comment than its own';

        CREATE TABLE app.orders (
          id serial PRIMARY KEY,
          person bigint REFERENCES app.people ON DELETE SET NULL DEFERRABLE,
          amount numeric(12, 2) DEFAULT 0 NOT NULL,
          self integer REFERENCES app.orders
        );
        ALTER TABLE app.orders ADD CONSTRAINT unchecked CHECK (amount < 1000000) NOT VALID;
        ALTER TABLE app.orders REPLICA IDENTITY FULL;

        CREATE TABLE app.events (at timestamptz NOT NULL, kind text, person bigint REFERENCES app.people) PARTITION BY RANGE (at);
        CREATE TABLE app.events_2024 PARTITION OF app.events FOR VALUES FROM ('2024-01-01+05:30') TO ('2025-01-01+05:30') WITH (fillfactor = 70);
        CREATE TABLE app.events_rest PARTITION OF app.events DEFAULT PARTITION BY LIST (kind);
        CREATE TABLE app.events_x PARTITION OF app.events_rest FOR VALUES IN ('x', NULL);
        CREATE TABLE app.attached (kind text, at timestamptz NOT NULL, person bigint, CONSTRAINT mine FOREIGN KEY (person) REFERENCES app.people);
        ALTER TABLE app.events_rest ATTACH PARTITION app.attached DEFAULT;
        CREATE INDEX events_kind ON app.events (kind);
        CREATE TRIGGER touch_event BEFORE INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION app.touch();
        CREATE TABLE app.hashed (id integer, t text) PARTITION BY HASH (id);
        CREATE TABLE app.hashed_0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE app.hashed_1 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE app.keyed (at timestamptz PRIMARY KEY) PARTITION BY RANGE (at);
        CREATE TABLE app.keyed_2024 PARTITION OF app.keyed FOR VALUES FROM ('2024-01-01+00') TO ('2025-01-01+00');
        CREATE TABLE app.refers (at timestamptz REFERENCES app.keyed);

        CREATE TABLE app.parent (a integer NOT NULL, c integer CHECK (c > 0));
        CREATE TABLE app.child (b integer DEFAULT 7) INHERITS (app.parent);
        ALTER TABLE app.parent ADD COLUMN d text DEFAULT 'late';
        ALTER TABLE app.child ALTER COLUMN d SET DEFAULT 'later';
        CREATE UNLOGGED TABLE app.cache (k text PRIMARY KEY, v bytea);
        CREATE TABLE app.typed OF app.address (PRIMARY KEY (zip));
        CREATE TABLE "Odd ""schema"."Ta""b.le" ("Co""l, umn" integer, "SELECT" text, "naïve" text);
        COMMENT ON COLUMN "Odd ""schema"."Ta""b.le"."Co""l, umn" IS 'odd';
        CREATE TABLE app.nothing ();
        CREATE TEMPORARY TABLE temporary (a integer);

        CREATE VIEW app.v_simple AS SELECT * FROM app.people;
        CREATE VIEW app.v_drift WITH (security_barrier, security_invoker = true) AS
          SELECT p.id, p.name, count(*) FILTER (WHERE o.amount BETWEEN 1 AND 10 AND o.id <> 3) AS n,
            row_number() OVER (PARTITION BY p.state ORDER BY p.id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS rn,
            CASE WHEN p.state IN ('new', 'old') AND p.weight NOT BETWEEN 1 AND 2 OR p.name LIKE 'a%' THEN 1 ELSE 2 END AS c,
            (p.home).street, p.tags[1:2], p.body -> 'a' AS a, p.name IN ('x'), p.name NOT IN ('x', 'y') AS ni,
            (p.name, p.state) = ('a', 'b') AS r, coalesce(p.weight, 1) BETWEEN SYMMETRIC 3 AND 1 AS s, p.id IN (1, 2, 3) AS i,
            p.name = ANY (ARRAY['q', 'r']) AS q, p.name::text = ANY (ARRAY['q', p.name]) AS q2, extract(year FROM p.touched) AS y,
            p.touched AT TIME ZONE 'Asia/Kolkata' AS tz, p.code IN ('AAAA', 'BBBB') AS cc, p.price > '1.00'::money AS expensive,
            now() - interval '1 day 2 hours' < p.touched AS fresh, p.weight IN (1, 2.5) AS wi, p.mood IN ('sad', 'happy') AS mi
          FROM app.people p LEFT JOIN app.orders o ON o.person = p.id AND o.amount BETWEEN 1 AND 5
            LEFT JOIN LATERAL (SELECT max(e.at) AS at FROM app.events e WHERE e.person = p.id) e ON true
          WHERE p.id BETWEEN 1 AND 1000 AND p.name <> '' AND (p.state IN ('new', 'old') OR p.id BETWEEN 5 AND 6 OR false)
            AND EXISTS (SELECT FROM app.orders o2 WHERE o2.id = p.id AND o2.amount BETWEEN 1 AND 2)
          GROUP BY p.id ORDER BY p.name COLLATE "C" DESC NULLS LAST LIMIT 10;
        CREATE VIEW app.v_using AS SELECT * FROM app.orders o JOIN app.people p USING (id) NATURAL JOIN app.refers;
        CREATE VIEW app.v_union AS SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y' EXCEPT (SELECT 3, 'z' INTERSECT SELECT 4, 'w') ORDER BY 1;
        CREATE RECURSIVE VIEW app.v_recursive (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM v_recursive WHERE n < 10;
        CREATE VIEW app.v_check AS SELECT id, amount FROM app.orders WHERE amount > 0 WITH LOCAL CHECK OPTION;
        CREATE VIEW app.v_grouping AS SELECT kind, person, grouping(kind), sum(1) FROM app.events GROUP BY ROLLUP (kind), person;
        CREATE VIEW app.v_misc AS SELECT t.a, x.y FROM (VALUES (1, 'a'), (2, 'b')) t (a, b), unnest(ARRAY[1, 2], ARRAY['p', 'q']) WITH ORDINALITY x (y, z, o)
          WHERE t.b = ANY (SELECT name FROM app.people) AND (t.a, t.b) IN (SELECT -1, 'a') AND EXISTS (SELECT NULL, 'x'::varchar(3), '1 day'::interval, timestamp '2020-01-01') AND t.b ~ '^a' AND t.b SIMILAR TO 'a%' AND t.b ILIKE ALL (ARRAY['a', 'b']);
        ALTER VIEW app.v_check ALTER COLUMN amount SET DEFAULT 5;
        CREATE FUNCTION app.on_view() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER instead INSTEAD OF INSERT ON app.v_simple FOR EACH ROW EXECUTE FUNCTION app.on_view();
        COMMENT ON VIEW app.v_simple IS 'a view';
        COMMENT ON COLUMN app.v_simple.id IS 'column of a view';
        GRANT SELECT ON app.v_simple TO PUBLIC;
        ALTER VIEW app.v_simple OWNER TO app_owner;
        CREATE MATERIALIZED VIEW app.m_filled AS SELECT id, count(*) FROM app.orders WHERE amount BETWEEN 1 AND 2 AND id > 0 GROUP BY id;
        CREATE UNIQUE INDEX m_filled_id ON app.m_filled (id);
        CREATE MATERIALIZED VIEW app.m_empty AS SELECT 1 AS one WITH NO DATA;
        CREATE MATERIALIZED VIEW app.m_other USING other_heap AS SELECT 1 AS one, 'x'::text AS t;
        ALTER MATERIALIZED VIEW app.m_other ALTER t SET STORAGE MAIN, ALTER one SET STATISTICS 7;
        ALTER INDEX app.people_name ALTER COLUMN 1 SET STATISTICS 500;
        COMMENT ON MATERIALIZED VIEW app.m_filled IS 'materialized';

        CREATE FOREIGN DATA WRAPPER bare OPTIONS (note 'secret-4711');
        CREATE SERVER elsewhere TYPE 'pg' VERSION '1' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'secret-4711.example', dbname 'x');
        CREATE USER MAPPING FOR app_reader SERVER elsewhere OPTIONS (user 'u', password 'secret-4711');
        CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'p', password_required 'false');
        CREATE FOREIGN TABLE app.remote (id integer OPTIONS (column_name 'secret-4711') NOT NULL, t text DEFAULT 'x') SERVER elsewhere OPTIONS (table_name 'secret-4711');
        GRANT USAGE ON FOREIGN SERVER elsewhere TO app_reader;
        GRANT USAGE ON FOREIGN DATA WRAPPER bare TO app_owner;
        COMMENT ON SERVER elsewhere IS 'a server';

        CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, delete');
        CREATE PUBLICATION a_few FOR TABLE app.orders (id, amount), app.refers WHERE (at > '2020-01-01+00');
        CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA public;
        CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
        ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO app_reader;
        ALTER DEFAULT PRIVILEGES FOR ROLE app_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT ALL ON SEQUENCES TO app_reader WITH GRANT OPTION;

        INSERT INTO app.people (email, name, home, extra, tags, attributes, path, loose, sorted, price, during, share)
          SELECT 'p' || i || '@example.org', CASE i % 3 WHEN 0 THEN 'a' ELSE 'name ' || i END, ROW('s' || i, i::text, point(i, i / 3.0))::app.address,
            ROW(ROW('x', 'y', NULL)::app.address, '{sad,meh}'::app.mood[])::app.nested, ARRAY['t', NULL, ''], hstore('k', i::text), ('top.n' || i)::ltree, 'L' || i, 's' || i, i * 1.1,
            tstzrange(to_timestamp(i * 100), to_timestamp(i * 100 + 50)), i % 100 FROM generate_series(1, 50) i;
        UPDATE app.people SET name = name || '!' WHERE id % 70 = 0;
        INSERT INTO app.orders (person, amount) SELECT id, id / 3.0 FROM app.people;
        INSERT INTO app.events SELECT '2024-06-01'::timestamptz + i * interval '1 hour', CASE WHEN i % 2 = 0 THEN 'x' END FROM generate_series(1, 50) i;
        INSERT INTO app.events SELECT '2026-06-01'::timestamptz + i * interval '1 hour', CASE i % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'y' END FROM generate_series(1, 50) i;
        INSERT INTO app.hashed SELECT i, 'h' || i FROM generate_series(1, 30) i;
        INSERT INTO app.parent VALUES (1, 1, 'p'); INSERT INTO app.child VALUES (2, 2, 3, 'c');
        INSERT INTO app.cache VALUES ('k', '\x00ff'); INSERT INTO app.typed VALUES ('s', 'z', '(1,2)');
        INSERT INTO "Odd ""schema"."Ta""b.le" VALUES (1, 'a', NULL), (2, '', 'ü');
        INSERT INTO app.nothing DEFAULT VALUES; INSERT INTO app.nothing DEFAULT VALUES;
        REFRESH MATERIALIZED VIEW app.m_filled;
        SELECT lo_from_bytea(5001, 'hello'), lo_from_bytea(5002, decode(repeat('ab', 5000), 'hex')), lo_create(5003);
        SELECT lo_put(5003, 5000, 'after a hole');
        CREATE EVENT TRIGGER on_ddl ON ddl_command_end WHEN TAG IN ('DROP TABLE', 'CREATE TABLE') EXECUTE FUNCTION app.on_ddl();
        COMMENT ON EVENT TRIGGER on_ddl IS 'event trigger';
        """#

    /// What belongs to the database itself.
    static func properties(of database: String) -> String {
        """
        ALTER DATABASE \(database) SET statement_timeout = '1h';
        ALTER DATABASE \(database) SET app.secret = 'secret-4711';
        ALTER ROLE app_reader IN DATABASE \(database) SET search_path = app, public;
        ALTER DATABASE \(database) CONNECTION LIMIT 33;
        COMMENT ON DATABASE \(database) IS 'rich';
        GRANT CONNECT ON DATABASE \(database) TO app_reader;
        REVOKE TEMPORARY ON DATABASE \(database) FROM PUBLIC;
        ALTER DATABASE \(database) OWNER TO app_owner;
        """
    }
}
