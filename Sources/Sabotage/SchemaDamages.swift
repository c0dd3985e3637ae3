// Damage to the schema: what a restore can lose without a single row missing.

import DrillModel
import PostgresClient

extension Damage {
    static let schemaDamages: [Damage] = [
        Damage(
            "dropped-database", "a database of a cluster is missing", isOfClusters: true,
            .postgres { connection, _ in
                let name = try await connection.value(
                    """
                    SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname NOT IN (current_database(), 'postgres')
                    ORDER BY datname LIMIT 1
                    """)
                guard let name else { return nil }
                try await connection.execute("DROP DATABASE \(SQL.identifier(name))")
                return Harm(Rule("database-missing"), object: name)
            }),
        Damage(
            "dropped-index", "an index is missing",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "index-missing",
                    """
                    SELECT quote_ident(c.relname), format('DROP INDEX %I.%I', n.nspname, c.relname) FROM pg_index i
                    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE \(own) AND NOT i.indisunique AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid)
                    AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid) AND NOT i.indisclustered
                    """)
            }),
        Damage(
            "dropped-grant", "a grant is missing",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "grant-missing",
                    """
                    SELECT quote_ident(c.relname), format('REVOKE ALL ON %I.%I FROM %I', n.nspname, c.relname, r.rolname)
                    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
                    JOIN pg_roles r ON r.oid = a.grantee WHERE \(own) AND c.relkind = 'r' AND a.grantee <> c.relowner
                    """)
            }),
        Damage(
            "changed-function", "the body of a function is changed",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "function-differs",
                    """
                    SELECT quote_ident(p.proname), replace(pg_get_functiondef(p.oid), p.prosrc, p.prosrc || E'\\n-- changed\\n')
                    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
                    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND p.prokind = 'f' AND p.prosrc <> ''
                    AND l.lanname = 'plpgsql'
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
                    """)
            }),
        Damage(
            "dropped-constraint", "a foreign key is missing",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "constraint-missing",
                    """
                    SELECT quote_ident(k.conname), format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname)
                    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE \(own) AND k.contype = 'f' AND k.conparentid = 0 AND c.relkind = 'r'
                    """)
            }),
        Damage(
            "dropped-trigger", "a trigger is missing",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "trigger-missing",
                    """
                    SELECT quote_ident(t.tgname), format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)
                    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE \(own) AND NOT t.tgisinternal AND t.tgparentid = 0
                    """)
            }),
        Damage(
            "changed-default", "a column has lost its default",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "default-missing",
                    """
                    SELECT quote_ident(c.relname) || '.' || quote_ident(a.attname), format('ALTER TABLE %I.%I ALTER %I DROP DEFAULT', n.nspname, c.relname, a.attname)
                    FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
                    WHERE \(own) AND c.relkind = 'r' AND NOT c.relispartition AND a.attgenerated = ''
                    """)
            }),
        Damage(
            "dropped-policy", "a row-level-security policy is missing",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "policy-missing",
                    """
                    SELECT quote_ident(p.polname), format('DROP POLICY %I ON %I.%I', p.polname, n.nspname, c.relname)
                    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \(own)
                    """)
            }),
        Damage(
            "changed-language-right", "a right on what an extension brings is changed",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "grant-extra",
                    """
                    SELECT 'language ' || quote_ident(l.lanname), format('REVOKE USAGE ON LANGUAGE %I FROM PUBLIC', l.lanname)
                    FROM pg_language l JOIN pg_depend e ON e.classid = 'pg_language'::regclass AND e.objid = l.oid AND e.deptype = 'e'
                    WHERE l.lanpltrusted AND l.lanacl IS NULL
                    """)
            }),
        Damage(
            "adopted-table", "a table was made a part of an extension, and no dump holds it any more",
            .postgres { connection, _ in
                // One that nothing else needs: what was gone with it would be more than this damage.
                try await first(
                    connection, rule: "table-missing",
                    """
                    SELECT n.nspname || '.' || c.relname, format('ALTER EXTENSION plpgsql ADD TABLE %I.%I', n.nspname, c.relname)
                    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE \(own) AND c.relkind = 'r' AND NOT c.relispartition AND EXISTS (SELECT FROM pg_extension WHERE extname = 'plpgsql')
                      AND n.nspname || c.relname = quote_ident(n.nspname) || quote_ident(c.relname)
                      AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = c.oid)
                      AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)
                      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                        AND (d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass, 'pg_policy'::regclass)
                          OR d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class s WHERE s.oid = d.objid AND s.relkind = 'S')))
                    """)
            }),
        Damage(
            "extra-enum-label", "an enum has a label too many",
            .postgres { connection, _ in
                try await first(
                    connection, rule: "type-differs",
                    """
                    SELECT quote_ident(t.typname), format('ALTER TYPE %I.%I ADD VALUE ''sabotage''', n.nspname, t.typname)
                    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e'
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
                    """)
            }),
    ]

    /// Objects of the database's own: no system schema, no extension's member.
    private static let own = """
        n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')
        """

    /// Runs the first statement that a query offers: its rows hold an object's name and what damages it.
    private static func first(_ connection: PostgresConnection, rule: String, _ offers: String) async throws -> Harm? {
        let rows = try await connection.query(offers + " ORDER BY 1, 2 LIMIT 1")
        guard let object = rows.first?[0], let statement = rows.first?[1] else { return nil }
        try await connection.execute(statement)
        return Harm(Rule(rule), object: object)
    }
}
