// What happens in the lab's database: the rows of the first day, and each day's changes.

enum LabHistory {
    /// Once a session: a hash that stands in for chance, so that every lab of one size has the same rows.
    static let session = #"""
        SET client_min_messages = warning;
        SET timezone = 'UTC';
        SET search_path = public, extensions;
        CREATE FUNCTION pg_temp.pick(thing bigint, what text, choices bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
            $$ SELECT (hashint8extended(thing, hashtextextended(what, 20261)) & 9223372036854775807) % choices $$;
        """#

    /// The rows before the first day. `:rows` is the number of domains.
    static let first = #"""
        INSERT INTO schema_versions SELECT v, 'step ' || v, app_now() - interval '400 days' + v * interval '10 days' FROM generate_series(1, 12) AS v;

        INSERT INTO organisations (name, country, plan, monthly_fee, settings, billing, quiet_hours, created_at)
        SELECT (ARRAY['Nordlicht', 'Bäckerei Öhlund', 'भारत डोमेन', '東京ホスト', 'Acme', 'Œuvre & Fils', 'Σύννεφο', 'O''Brien "Net"'])[1 + i % 8] || ' ' || i,
               (ARRAY['DE', 'SE', 'IN', 'JP', 'US', 'FR', 'GR', 'IE'])[1 + i % 8],
               (ARRAY['free', 'team', 'business'])[1 + pg_temp.pick(i, 'plan', 3)],
               CASE WHEN pg_temp.pick(i, 'plan', 3) > 0 THEN (19.9 * pg_temp.pick(i, 'plan', 3))::numeric::money END,
               jsonb_build_object('theme', (ARRAY['light', 'dark'])[1 + i % 2], 'limits', jsonb_build_array(i, i * 2.50, null), 'motto', CASE WHEN i % 3 = 0 THEN '' END),
               CASE WHEN i % 4 > 0 THEN ROW('Person ' || i, 'Billing' || i || '@Example.org', CASE WHEN i % 5 > 0 THEN '+91' || (7000000000 + i) ELSE '' END)::contact END,
               CASE WHEN i % 3 > 0 THEN int4range(i % 6, 6 + i % 6) WHEN i % 2 = 0 THEN 'empty' END,
               app_now() - interval '300 days' + i * interval '1 hour'
        FROM generate_series(1, greatest(4, :rows / 40)) AS i;

        INSERT INTO users (organisation_id, email, full_name, nickname, password_hash, roles, preferences, credit, last_address, office, device,
                           api_key, session_length, born_on, report_at, report_at_local, active, created_at)
        SELECT o.id, 'User.' || i || '@' || (ARRAY['Example.org', 'example.COM', 'beispiel.de'])[1 + i % 3],
               (ARRAY['Ana', 'Zoë', 'Jürgen', 'अनिल', '陳', 'Ñandú', 'Łukasz', 'Ada'])[1 + i % 8] || ' ' || (ARRAY['Ågren', 'de la Cruz', 'Patel', 'Smith'])[1 + pg_temp.pick(i, 'surname', 4)],
               CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'nick' || i END,
               CASE WHEN i % 11 > 0 THEN sha256(convert_to('password ' || i, 'UTF8')) END,
               CASE i % 4 WHEN 0 THEN '{}' WHEN 1 THEN '{viewer}' WHEN 2 THEN '{viewer,editor}' ELSE ARRAY['owner', NULL, 'with,comma', ''] END,
               CASE WHEN i % 2 = 0 THEN json_build_object('b', i, 'a', '  kept as written  ') END,
               (pg_temp.pick(i, 'credit', 100000)::numeric / 100)::money,
               CASE WHEN i % 5 > 0 THEN inet '10.0.0.0' + i WHEN i % 2 = 0 THEN inet '2001:db8::1' + i END,
               CASE WHEN i % 2 = 0 THEN network(set_masklen(inet '10.20.0.0' + i * 256, 24)) END,
               CASE WHEN i % 3 = 0 THEN ('02:00:00:00:' || lpad(to_hex(i / 256 % 256), 2, '0') || ':' || lpad(to_hex(i % 256), 2, '0'))::macaddr END,
               md5('api key ' || i)::uuid, make_interval(mins => (15 + i % 240)::integer, secs => (i % 7)::double precision / 4),
               CASE WHEN i % 6 > 0 THEN date '1950-01-01' + (i * 37 % 20000)::integer END,
               time '06:00' + i * interval '7 minutes', (time '06:00' + i * interval '7 minutes') AT TIME ZONE interval '05:30', i % 17 > 0,
               app_now() - interval '200 days' + i * interval '7 minutes'
        FROM generate_series(1, greatest(8, :rows / 8)) AS i
        JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS of FROM organisations) o ON o.n = 1 + i % o.of;

        INSERT INTO domains (organisation_id, name, display_name, registered_on, expires_on, auto_renew, risk, risk_band, tags, whois,
                             certificate_sha256, notes, created_at)
        SELECT o.id, (ARRAY['shop', 'mail', 'blog', 'xn--bcher-kva', 'cdn', 'static'])[1 + pg_temp.pick(i, 'word', 6)] || '-' || i || '.' ||
                     (ARRAY['com', 'org', 'de', 'in', 'xn--h2brj9c', 'dev', 'co.uk'])[1 + pg_temp.pick(i, 'tld', 7)],
               CASE i % 5 WHEN 0 THEN 'bücher-' || i WHEN 1 THEN '' WHEN 2 THEN 'डोमेन ' || i || ' 🙂' END,
               day.d, CASE WHEN i % 9 > 0 THEN day.d + (365 * (1 + i % 3))::integer END, i % 3 = 0,
               (pg_temp.pick(i, 'risk', 10001)::numeric / 100), CASE WHEN i % 4 > 0 THEN score_range(i % 50, i % 50 + 12.5, '[)') END,
               (ARRAY['{}', '{production}', '{production,shop}', '{parked}', '{"käse, würzig","with \"quotes\""}'])[1 + pg_temp.pick(i, 'tags', 5)]::text[],
               CASE WHEN i % 6 > 0 THEN jsonb_build_object('registrar', 'Registrar ' || i % 12, 'handles', jsonb_build_array('H' || i, null, i * 1.10),
                                                           'dnssec', i % 2 = 0, 'status', CASE WHEN i % 3 = 0 THEN '' END) END,
               CASE WHEN i % 4 > 0 THEN sha256(int8send(i)) END, CASE i % 7 WHEN 0 THEN '' WHEN 1 THEN E'two\nlines\tand a tab \\ backslash' END,
               app_now() - interval '200 days' + i * interval '1 minute'
        FROM generate_series(1, :rows) AS i
        CROSS JOIN LATERAL (SELECT (app_now() - interval '900 days')::date + pg_temp.pick(i, 'day', 600)::integer AS d) day
        JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS of FROM organisations) o ON o.n = 1 + pg_temp.pick(i, 'owner', o.of);

        INSERT INTO dns_records (domain_id, type, value, address, priority, ttl, wire, first_seen)
        SELECT d.id, t.type, t.value, t.address, t.priority, make_interval(secs => (300 * (1 + d.id % 12))::double precision),
               CASE WHEN d.id % 3 = 0 THEN decode(md5(d.name), 'hex') END, d.created_at
        FROM domains d
        CROSS JOIN LATERAL (VALUES
            ('A'::dns_type, host(inet '198.51.100.0' + d.id % 256), inet '198.51.100.0' + d.id % 256, NULL::smallint),
            ('MX', 'mx' || d.id % 5 || '.example.net', NULL, (10 * (d.id % 3))::smallint),
            ('TXT', CASE WHEN d.id % 4 = 0 THEN '' ELSE 'v=spf1 include:_spf' || d.id % 9 || '.example.net ~all' END, NULL, NULL)
        ) AS t (type, value, address, priority);

        INSERT INTO maintenance_windows
        SELECT id, tstzrange(app_now() + make_interval(hours => (id % 500)::integer), CASE WHEN id % 40 > 0 THEN app_now() + make_interval(hours => (id % 500 + 4)::integer) END),
               CASE WHEN id % 20 = 0 THEN '' ELSE 'planned' END FROM domains WHERE id % 10 = 0;

        INSERT INTO notes (organisation_id, author, body, private, written_at)
        SELECT u.organisation_id, CASE WHEN u.id % 5 > 0 THEN u.id END, 'Note ' || u.id || repeat(' – lang', (u.id % 30)::integer), u.id % 3 > 0, u.created_at FROM users u WHERE u.id % 2 = 0;

        INSERT INTO import_lines SELECT CASE WHEN i % 9 = 0 THEN NULL WHEN i % 5 = 0 THEN '' ELSE 'line ' || i % 40 END, nullif((i % 40)::integer, 3), (app_now() - interval '30 days')::timestamp
        FROM generate_series(1, :rows / 4) AS i;
        INSERT INTO hosts SELECT 'host-' || i, inet '203.0.113.0' + i % 256, (i::bit(12))::varbit(12), point(i * 0.25, -i) FROM generate_series(1, 40) AS i;
        INSERT INTO hosts_eu SELECT 'eu-' || i, inet '2001:db8:1::' + i, NULL, NULL, (ARRAY['DE', 'FR', 'SE'])[1 + i % 3] FROM generate_series(1, 25) AS i;
        INSERT INTO scan_queue SELECT id, app_now() + make_interval(mins => (id % 600)::integer) FROM domains WHERE id % 50 = 0;
        INSERT INTO "Reports 2.0"."Monthly ""Überblick""; -- résumé"
        SELECT i, CASE WHEN i % 3 > 0 THEN 'row ' || i END, (ARRAY[1.0, 1.00, -0.5, 'NaN', 1e30])[1 + i % 5], (ARRAY[0.1, 'Infinity', -1e-300, 'NaN'])[1 + i % 4], ARRAY['a', NULL, '']::text[], '{"up": true}'
        FROM generate_series(1, 24) AS i;

        SELECT lo_from_bytea((500000 + i)::oid, decode(repeat(md5('avatar ' || i), (40 + i * 97 % 200)::integer), 'hex')) FROM generate_series(1, 12) AS i;
        UPDATE users SET avatar = (500000 + id)::oid WHERE id BETWEEN 1 AND 12;
        DO $$
        BEGIN
            FOR number IN 500001..500012 LOOP
                EXECUTE format('ALTER LARGE OBJECT %s OWNER TO domainscope', number);
                EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO domainscope_app', number);
            END LOOP;
        END $$;
        COMMENT ON LARGE OBJECT 500001 IS 'avatar of the first user';
        ANALYZE;
        """#

    /// One day, `:day` by its number from 1: rows come, change and go.
    static let day = #"""
        SELECT ensure_month(app_now()), ensure_month(app_now() - interval '1 day');

        INSERT INTO scans (domain_id, state, started_at, finished_at, score, confidence, ratio, open_ports, result, report, flags)
        SELECT d.id, CASE pg_temp.pick(d.id, 'state :day', 20) WHEN 0 THEN 'failed' WHEN 1 THEN 'timed out' ELSE 'done' END::scan_state,
               s.started, CASE WHEN pg_temp.pick(d.id, 'state :day', 20) <> 1 THEN s.started + make_interval(secs => (pg_temp.pick(d.id, 'took :day', 90000)::double precision / 1000)) END,
               pg_temp.pick(d.id, 'score :day', 1000000)::numeric / 1000, sqrt(d.id::double precision) / 100, (d.id % 97)::real / 7,
               CASE WHEN d.id % 4 > 0 THEN ARRAY[22, 80, 443, NULL, 8000 + (d.id % 90)::integer] END,
               jsonb_build_object('grade', chr(65 + pg_temp.pick(d.id, 'grade :day', 6)::integer), 'took_ms', pg_temp.pick(d.id, 'took :day', 90000), 'headers', jsonb_build_object('server', NULL, 'x', '')),
               CASE WHEN d.id % 25 = 0 THEN xmlelement(name scan, xmlattributes(d.name AS host), 'größer als <', xmlelement(name day, ':day')) END,
               (d.id % 256)::integer::bit(8)
        FROM domains d
        CROSS JOIN LATERAL (SELECT app_now() - make_interval(secs => (60 + pg_temp.pick(d.id, 'when :day', 86000))::double precision) AS started) s
        WHERE pg_temp.pick(d.id, 'scanned :day', 5) = 0 ORDER BY d.id;

        INSERT INTO alerts (id, domain_id, scan_id, scan_started_at, severity, message, evidence, raised_at)
        SELECT md5('alert :day ' || s.domain_id)::uuid, s.domain_id, s.id, s.started_at, (enum_range(NULL::severity))[1 + pg_temp.pick(s.domain_id, 'severity :day', 5)],
               (ARRAY['certificate expires soon', 'SPF record missing', 'port 22 is open – prüfen!', 'पता बदला', ''])[1 + pg_temp.pick(s.domain_id, 'message :day', 5)],
               CASE WHEN s.domain_id % 3 > 0 THEN jsonb_build_object('score', s.score, 'ports', to_jsonb(s.open_ports)) END, s.started_at + interval '1 minute'
        FROM scans s WHERE s.started_at > app_now() - interval '1 day' AND s.state = 'done' AND pg_temp.pick(s.domain_id, 'alert :day', 8) = 0;
        INSERT INTO alerts (id, domain_id, severity, message)
        SELECT md5('manual :day ' || id)::uuid, id, 'low', 'entered by hand' FROM domains WHERE pg_temp.pick(id, 'manual :day', 500) = 0;

        UPDATE alerts a SET acknowledged_at = app_now() - interval '2 hours', acknowledged_by = (SELECT min(u.id) FROM users u WHERE u.active AND u.id > 3 + a.domain_id % 20)
        WHERE acknowledged_at IS NULL AND raised_at < app_now() - interval '1 day' AND pg_temp.pick(domain_id, 'acknowledged :day', 3) = 0;
        UPDATE domains SET risk = least(100, round(risk * 0.9 + pg_temp.pick(id, 'risk :day', 1000)::numeric / 100, 2)),
               tags = CASE WHEN pg_temp.pick(id, 'retag :day', 4) = 0 THEN tags || 'day-:day'::text ELSE tags END
        WHERE pg_temp.pick(id, 'changed :day', 40) = 0;
        UPDATE domains SET whois = whois || jsonb_build_object('checked', app_now()) WHERE whois IS NOT NULL AND pg_temp.pick(id, 'whois :day', 60) = 0;
        UPDATE domains SET expires_on = expires_on + 365 WHERE auto_renew AND expires_on < app_now()::date;
        UPDATE users SET nickname = nullif(nickname || '', ''), last_address = inet '192.0.2.0' + id % 250 WHERE pg_temp.pick(id, 'seen :day', 30) = 0;
        UPDATE users SET active = false WHERE pg_temp.pick(id, 'left :day', 900) = 0;
        UPDATE dns_records SET last_seen = app_now() WHERE pg_temp.pick(domain_id, 'seen :day', 25) = 0;
        DELETE FROM dns_records WHERE type = 'TXT' AND pg_temp.pick(domain_id, 'dropped :day', 200) = 0;
        INSERT INTO dns_records (domain_id, type, value, first_seen)
        SELECT id, 'CAA', '0 issue "ca-:day.example"', app_now() - interval '5 hours' FROM domains WHERE pg_temp.pick(id, 'caa :day', 150) = 0;
        DELETE FROM domains WHERE pg_temp.pick(id, 'gone :day', 1500) = 0 AND id > 10;
        INSERT INTO domains (organisation_id, name, display_name, registered_on, expires_on, risk, tags, whois)
        SELECT 100 + 10 * (i % 4), 'new-:day-' || i || '.example', nullif('', CASE WHEN i % 2 = 0 THEN '' END), app_now()::date, app_now()::date + 365, i * 7, '{new}', '{"registrar": null}'
        FROM generate_series(1, 3) AS i;
        DELETE FROM import_lines WHERE imported_at < (app_now() - interval '20 days')::timestamp;
        INSERT INTO import_lines SELECT CASE WHEN i % 9 > 0 THEN 'line ' || i % 40 END, (i % 40)::integer, app_now()::timestamp FROM generate_series(1, 50 + :rows / 100) AS i;
        INSERT INTO notes (organisation_id, author, body, written_at) SELECT organisation_id, id, 'seen on day :day', app_now() - interval '3 hours' FROM users WHERE pg_temp.pick(id, 'note :day', 60) = 0;
        DELETE FROM notes WHERE pg_temp.pick(id, 'unnoted :day', 200) = 0;
        UPDATE scan_queue SET due_at = due_at + interval '1 day', attempts = CASE WHEN attempts < 5 THEN attempts + 1 END;
        DELETE FROM audit.events WHERE at < app_now() - interval '60 days';
        UPDATE hosts SET location = location + point(0.125, 0) WHERE name = 'host-' || (1 + :day % 40);
        SELECT lo_put((500001 + :day % 11)::oid, 0, convert_to('day :day', 'UTF8'));
        SELECT lo_unlink((500012)::oid) WHERE :day = 20 AND EXISTS (SELECT FROM pg_largeobject_metadata WHERE oid = 500012);
        REFRESH MATERIALIZED VIEW organisation_risk;
        """#
}
