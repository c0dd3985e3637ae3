// The lab's roles, schemas, extensions and types, as the SQL that makes them.

enum LabTypes {
    /// Run on the maintenance database, by the superuser.
    static let roles = #"""
        CREATE ROLE domainscope LOGIN;
        CREATE ROLE domainscope_app LOGIN CONNECTION LIMIT 40;
        CREATE ROLE domainscope_readonly NOLOGIN;
        CREATE ROLE "domainscope analyst" LOGIN IN ROLE domainscope_readonly VALID UNTIL '2099-12-31 00:00:00+00';
        GRANT pg_read_all_stats TO domainscope_readonly;
        GRANT domainscope_readonly TO domainscope_app WITH ADMIN OPTION;
        ALTER ROLE domainscope_app SET statement_timeout = '30s';
        ALTER ROLE domainscope_readonly SET default_transaction_read_only = 'on';
        COMMENT ON ROLE domainscope IS 'owns every object of the application';
        """#

    /// Run in the new database. From its middle on it speaks as the owner of the application.
    static let types = #"""
        ALTER DATABASE domainscope SET search_path = public, extensions;
        ALTER DATABASE domainscope SET timezone = 'Asia/Kolkata';
        ALTER ROLE domainscope_app IN DATABASE domainscope SET lock_timeout = '5s';
        COMMENT ON DATABASE domainscope IS 'DomainScope: what our customers'' domains look like from outside';
        REVOKE CONNECT ON DATABASE domainscope FROM PUBLIC;
        GRANT CONNECT ON DATABASE domainscope TO domainscope_app, domainscope_readonly;

        CREATE SCHEMA extensions;
        CREATE EXTENSION pg_trgm SCHEMA extensions;
        CREATE EXTENSION citext SCHEMA extensions;
        CREATE EXTENSION btree_gist SCHEMA extensions;
        GRANT USAGE ON SCHEMA extensions TO PUBLIC;
        SET search_path = public, extensions;
        GRANT CREATE, USAGE ON SCHEMA public TO domainscope;
        ALTER SCHEMA extensions OWNER TO domainscope;
        SET SESSION AUTHORIZATION domainscope;
        CREATE SCHEMA audit;
        CREATE SCHEMA "Reports 2.0";
        COMMENT ON SCHEMA audit IS 'who changed what';
        COMMENT ON SCHEMA "Reports 2.0" IS 'the second generation; the first is gone';

        CREATE TYPE dns_type AS ENUM ('A', 'AAAA', 'CNAME', 'MX', 'TXT', 'NS', 'SOA');
        ALTER TYPE dns_type ADD VALUE 'CAA' BEFORE 'SOA';
        CREATE TYPE severity AS ENUM ('info', 'low', 'medium', 'high', 'critical');
        CREATE TYPE scan_state AS ENUM ('queued', 'running', 'done', 'failed', 'timed out');
        CREATE TYPE contact AS (name text, email citext, phone text);
        CREATE TYPE score_range AS RANGE (subtype = numeric);
        CREATE DOMAIN hostname AS text
            CONSTRAINT hostname_shape CHECK (VALUE ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' AND length(VALUE) <= 253);
        CREATE DOMAIN percentage AS numeric(5, 2) DEFAULT 0 NOT NULL CHECK (VALUE BETWEEN 0 AND 100);
        COMMENT ON TYPE severity IS 'orders alerts; new values go between the old ones';
        COMMENT ON COLUMN contact.phone IS 'E.164, or empty';
        COMMENT ON DOMAIN hostname IS 'in its ASCII form';

        -- The application's clock. Tests set domainscope.now to travel; production leaves it alone.
        CREATE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
            $$ SELECT coalesce(nullif(current_setting('domainscope.now', true), '')::timestamptz, now()) $$;
        COMMENT ON FUNCTION app_now() IS 'the clock that every default and trigger reads';
        """#
}
