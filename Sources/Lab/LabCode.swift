// The lab's functions, triggers, views and grants.

enum LabCode {
    /// Run as the owner of the application; ends as the superuser.
    static let sql = #"""
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.updated_at := app_now();
            RETURN NEW;
        END
        $$;

        CREATE FUNCTION audit.record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
        BEGIN
            INSERT INTO audit.events (what, action, old, new)
            VALUES (TG_RELID::regclass, lower(left(TG_OP, 1))::"char",
                    CASE WHEN TG_OP <> 'INSERT' THEN jsonb_build_object('id', OLD.id, 'risk', OLD.risk) END,
                    CASE WHEN TG_OP <> 'DELETE' THEN jsonb_build_object('id', NEW.id, 'risk', NEW.risk) END);
            RETURN NULL;
        END
        $$;

        -- Makes the month that a moment falls into, where it isn't there yet.
        CREATE FUNCTION ensure_month(moment timestamptz) RETURNS text LANGUAGE plpgsql SET timezone = 'UTC' AS $$
        DECLARE
            first timestamptz := date_trunc('month', moment);
            part text := to_char(first, '"scans_"YYYY_MM');
        BEGIN
            IF to_regclass('public.' || part) IS NULL THEN
                EXECUTE format('CREATE TABLE public.%I PARTITION OF public.scans FOR VALUES FROM (%L) TO (%L)',
                               part, first, first + interval '1 month');
                EXECUTE format('CREATE INDEX ON public.%I (score) WHERE state = ''done''', part);
            END IF;
            RETURN part;
        END
        $$;

        CREATE FUNCTION age_of(subject domains, on_day date DEFAULT CURRENT_DATE) RETURNS integer LANGUAGE sql STABLE STRICT PARALLEL SAFE
            RETURN on_day - subject.registered_on;

        CREATE FUNCTION worst(VARIADIC levels severity[]) RETURNS severity LANGUAGE sql IMMUTABLE AS
            $$ SELECT max(level) FROM unnest(levels) AS level $$;

        CREATE FUNCTION search_domains(term text, OUT id bigint, OUT name text, OUT likeness real) RETURNS SETOF record
            LANGUAGE sql STABLE ROWS 20 COST 500 AS $$
            SELECT d.id, d.name::text, extensions.similarity(d.name::text, term)
            FROM domains d WHERE d.name::text OPERATOR(extensions.%) term ORDER BY 3 DESC, 1
        $$;
        CREATE FUNCTION search_domains(term text, organisation integer) RETURNS TABLE (id bigint, name text)
            LANGUAGE plpgsql STABLE AS $$
        BEGIN
            RETURN QUERY SELECT s.id, s.name FROM search_domains(term) s JOIN domains d ON d.id = s.id WHERE d.organisation_id = organisation;
        END
        $$;

        CREATE PROCEDURE forget_alerts(older_than interval DEFAULT '90 days') LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM alerts WHERE acknowledged_at < app_now() - older_than;
        END
        $$;

        CREATE FUNCTION contact_line(contact) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
            $$ SELECT concat_ws(' ', ($1).name, '<' || ($1).email || '>') $$;

        CREATE FUNCTION longer(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS
            $$ SELECT CASE WHEN length($1) >= length($2) OR $2 IS NULL THEN $1 ELSE $2 END $$;
        CREATE AGGREGATE longest(text) (SFUNC = longer, STYPE = text, INITCOND = '');
        COMMENT ON AGGREGATE longest(text) IS 'the first of the longest';

        CREATE FUNCTION same_site(hostname, hostname) RETURNS boolean LANGUAGE sql IMMUTABLE AS
            $$ SELECT regexp_replace($1, '^www\.', '') = regexp_replace($2, '^www\.', '') $$;
        CREATE OPERATOR === (LEFTARG = hostname, RIGHTARG = hostname, FUNCTION = same_site, COMMUTATOR = ===);

        CREATE TRIGGER domains_touch BEFORE UPDATE ON domains FOR EACH ROW WHEN (OLD.risk IS DISTINCT FROM NEW.risk OR OLD.tags IS DISTINCT FROM NEW.tags) EXECUTE FUNCTION touch();
        CREATE TRIGGER users_touch BEFORE UPDATE OF email, full_name, nickname, active ON users FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TRIGGER domains_audit AFTER INSERT OR UPDATE OF risk OR DELETE ON domains FOR EACH ROW EXECUTE FUNCTION audit.record();
        COMMENT ON TRIGGER domains_audit ON domains IS 'risk is what customers ask about';
        -- Switched off one night and never on again: a dump must bring back that it is off.
        CREATE TRIGGER domains_mail AFTER INSERT ON domains FOR EACH STATEMENT EXECUTE FUNCTION touch();
        ALTER TABLE domains DISABLE TRIGGER domains_mail;

        CREATE FUNCTION overview_write() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE domains SET notes = NEW.notes WHERE id = OLD.id;
            RETURN NEW;
        END
        $$;

        CREATE VIEW expiring_domains WITH (security_barrier = true) AS
            SELECT id, name, display_name, expires_on, organisation_id FROM domains
            WHERE NOT auto_renew AND expires_on IS NOT NULL
            WITH LOCAL CHECK OPTION;
        CREATE VIEW domain_overview AS
            SELECT d.id, d.name, o.name AS organisation, d.risk, d.notes,
                   rank() OVER (PARTITION BY d.organisation_id ORDER BY d.risk DESC, d.id) AS place,
                   latest.state, latest.score, coalesce(open.alerts, 0) AS open_alerts
            FROM domains d
            JOIN organisations o ON o.id = d.organisation_id
            LEFT JOIN LATERAL (SELECT s.state, s.score FROM scans s WHERE s.domain_id = d.id ORDER BY s.started_at DESC LIMIT 1) latest ON true
            LEFT JOIN (SELECT a.domain_id, count(*) AS alerts FROM alerts a WHERE a.acknowledged_at IS NULL GROUP BY a.domain_id) open
                   ON open.domain_id = d.id;
        CREATE TRIGGER overview_write INSTEAD OF UPDATE ON domain_overview FOR EACH ROW EXECUTE FUNCTION overview_write();
        CREATE VIEW "Reports 2.0"."Top 10" WITH (security_invoker = true) AS
            SELECT * FROM domain_overview WHERE place <= 10 ORDER BY risk DESC, id;
        COMMENT ON VIEW domain_overview IS 'the start page';

        CREATE MATERIALIZED VIEW organisation_risk AS
            SELECT o.id, o.name, count(d.id) AS domains, round(avg(d.risk), 2) AS mean_risk, max(d.risk) AS top_risk,
                   array_agg(DISTINCT d.tld ORDER BY d.tld) AS tlds
            FROM organisations o LEFT JOIN domains d ON d.organisation_id = o.id GROUP BY o.id
            WITH NO DATA;
        CREATE UNIQUE INDEX organisation_risk_id ON organisation_risk (id);
        COMMENT ON MATERIALIZED VIEW organisation_risk IS 'refreshed each night, before the backup';

        CREATE RULE import_lines_are_kept AS ON UPDATE TO import_lines DO INSTEAD NOTHING;

        GRANT USAGE ON SCHEMA public, audit, "Reports 2.0" TO domainscope_app, domainscope_readonly;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO domainscope_app;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO domainscope_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA public, "Reports 2.0" TO domainscope_readonly;
        REVOKE ALL ON users FROM domainscope_readonly;
        GRANT SELECT (id, organisation_id, full_name, active), REFERENCES (id) ON users TO domainscope_readonly;
        GRANT SELECT ON organisations TO "domainscope analyst" WITH GRANT OPTION;
        GRANT INSERT ON audit.events TO domainscope_app;
        REVOKE EXECUTE ON FUNCTION audit.record() FROM PUBLIC;
        REVOKE EXECUTE ON PROCEDURE forget_alerts(interval) FROM PUBLIC;
        GRANT EXECUTE ON PROCEDURE forget_alerts(interval) TO domainscope_app;
        REVOKE USAGE ON TYPE contact FROM PUBLIC;
        GRANT USAGE ON TYPE contact TO domainscope_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO domainscope_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO domainscope_readonly;
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

        RESET SESSION AUTHORIZATION;
        CREATE CAST (contact AS text) WITH FUNCTION contact_line(contact) AS ASSIGNMENT;
        CREATE PUBLICATION domainscope_changes FOR TABLE domains, alerts WITH (publish = 'insert, update');
        CREATE FUNCTION keep_tables() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_setting('domainscope.may_drop', true) IS DISTINCT FROM 'on' THEN
                RAISE EXCEPTION 'tables are dropped with domainscope.may_drop = on only';
            END IF;
        END
        $$;
        CREATE EVENT TRIGGER keep_tables ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION keep_tables();
        CREATE TABLE schema_versions (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL);
        GRANT SELECT ON schema_versions TO PUBLIC;
        """#
}
