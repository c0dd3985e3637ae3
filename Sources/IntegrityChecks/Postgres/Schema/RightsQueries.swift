// Who owns what, who may do what, and what is said of it.

import DrillModel

extension CatalogQuery {
    /// Everything that has an owner or rights: kind, name, owner, access list, and the letter that `acldefault` knows it by.
    private static let owned = """
        SELECT \(Catalog.relationKind("c.relkind")) AS kind, \(Catalog.relationName("c")) AS name, c.relowner AS owner, c.relacl AS acl,
            CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS letter
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
            AND \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_class", "c.oid"))
        UNION ALL SELECT 'function', p.oid::regprocedure::text, p.proowner, p.proacl, 'f'
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
          WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_proc", "p.oid"))
        UNION ALL SELECT 'schema', quote_ident(n.nspname), n.nspowner, n.nspacl, 'n' FROM pg_namespace n
          WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_namespace", "n.oid"))
        UNION ALL SELECT 'type', format('%I.%I', n.nspname, t.typname), t.typowner, t.typacl, 'T'
          FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
          WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_type", "t.oid")) AND t.typtype <> 'm'
            AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
            AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
        UNION ALL SELECT 'database', 'database', d.datdba, d.datacl, 'd' FROM pg_database d WHERE d.datname = current_database()
        UNION ALL SELECT 'language', quote_ident(l.lanname), l.lanowner, l.lanacl, 'l' FROM pg_language l
          WHERE l.lanispl AND \(Catalog.isNoMember("pg_language", "l.oid"))
        UNION ALL SELECT 'foreign', 'wrapper ' || quote_ident(w.fdwname), w.fdwowner, w.fdwacl, 'F' FROM pg_foreign_data_wrapper w
          WHERE \(Catalog.isNoMember("pg_foreign_data_wrapper", "w.oid"))
        UNION ALL SELECT 'foreign', 'server ' || quote_ident(s.srvname), s.srvowner, s.srvacl, 'S' FROM pg_foreign_server s
          WHERE \(Catalog.isNoMember("pg_foreign_server", "s.oid"))
        """

    static let owners = CatalogQuery(.owner) { _ in
        """
        SELECT o.kind || ' ' || o.name AS name, concat_ws(E'\\n', 'of ' || o.kind || ' ' || o.name,
          'owner: ' || (SELECT quote_ident(rolname) FROM pg_roles WHERE oid = o.owner)) AS definition
        FROM (\(owned)
          UNION ALL SELECT 'operator', p.oid::regoperator::text, p.oprowner, NULL, NULL
            FROM pg_operator p JOIN pg_namespace n ON n.oid = p.oprnamespace
            WHERE p.oprcode <> 0 AND \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_operator", "p.oid"))
          UNION ALL SELECT 'collation', format('%I.%I', n.nspname, c.collname), c.collowner, NULL, NULL
            FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_collation", "c.oid"))
          UNION ALL SELECT 'statistics', format('%I.%I', n.nspname, s.stxname), s.stxowner, NULL, NULL
            FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_statistic_ext", "s.oid"))
          UNION ALL SELECT 'text-search', 'configuration ' || format('%I.%I', n.nspname, s.cfgname), s.cfgowner, NULL, NULL
            FROM pg_ts_config s JOIN pg_namespace n ON n.oid = s.cfgnamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_ts_config", "s.oid"))
          UNION ALL SELECT 'text-search', 'dictionary ' || format('%I.%I', n.nspname, s.dictname), s.dictowner, NULL, NULL
            FROM pg_ts_dict s JOIN pg_namespace n ON n.oid = s.dictnamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_ts_dict", "s.oid"))
          UNION ALL SELECT 'operator', 'class ' || format('%I.%I', n.nspname, s.opcname) || ' using ' || quote_ident(m.amname), s.opcowner, NULL, NULL
            FROM pg_opclass s JOIN pg_namespace n ON n.oid = s.opcnamespace JOIN pg_am m ON m.oid = s.opcmethod
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_opclass", "s.oid"))
          UNION ALL SELECT 'operator', 'family ' || format('%I.%I', n.nspname, s.opfname) || ' using ' || quote_ident(m.amname), s.opfowner, NULL, NULL
            FROM pg_opfamily s JOIN pg_namespace n ON n.oid = s.opfnamespace JOIN pg_am m ON m.oid = s.opfmethod
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_opfamily", "s.oid"))
          UNION ALL SELECT 'conversion', format('%I.%I', n.nspname, s.conname), s.conowner, NULL, NULL
            FROM pg_conversion s JOIN pg_namespace n ON n.oid = s.connamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_conversion", "s.oid"))
          UNION ALL SELECT 'event-trigger', quote_ident(t.evtname), t.evtowner, NULL, NULL FROM pg_event_trigger t
            WHERE \(Catalog.isNoMember("pg_event_trigger", "t.oid"))
          UNION ALL SELECT 'publication', quote_ident(p.pubname), p.pubowner, NULL, NULL FROM pg_publication p
            WHERE \(Catalog.isNoMember("pg_publication", "p.oid"))
        ) AS o
        """
    }

    /// One per object and grantee whose rights are not what an object without any GRANT or REVOKE has: whether the server
    /// has written the default down or not makes no difference. All rights at once read `ALL`, since their number grows
    /// with the server's version. Who granted them is left out: a restore may do it in another's name.
    static let grants = CatalogQuery(.grant) { _ in grants(of: owned, usual: "acldefault(o.letter, o.owner)") }

    /// What was granted or revoked on the server's own objects and on those of extensions, which both come with rights of their own:
    /// a dump holds what was changed of them.
    static let changedGrants = CatalogQuery(.grant) { _ in
        grants(of: changed, usual: "coalesce(o.initial, acldefault(o.letter, o.owner))", more: "o.whose,")
    }

    private static func grants(of objects: String, usual: String, more: String = "") -> String {
        """
        SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE coalesce((SELECT quote_ident(rolname) FROM pg_roles WHERE oid = x.grantee), 'a dropped role') END
            || ' on ' || o.kind || ' ' || o.name AS name,
          concat_ws(E'\\n', 'of ' || o.kind || ' ' || o.name, \(more)
            CASE WHEN x.actual IS NULL THEN 'nothing'
              WHEN (SELECT array_agg(p.privilege_type::text ORDER BY p.privilege_type COLLATE "C") FROM aclexplode(acldefault(o.letter, o.owner)) p
                WHERE p.grantee = o.owner) = x.actual THEN 'ALL'
              ELSE array_to_string(x.actual, E'\\n') END) AS definition
        FROM (\(objects)) AS o
          CROSS JOIN LATERAL (
            SELECT coalesce(a.grantee, d.grantee) AS grantee, a.rights AS actual, d.rights AS usual
            FROM (\(rights("o.acl", or: "acldefault(o.letter, o.owner)"))) AS a
              FULL JOIN (\(rights(usual))) AS d USING (grantee)) AS x
        WHERE x.actual IS DISTINCT FROM x.usual
        """
    }

    private static let changed = """
        SELECT q.*, i.initprivs AS initial,
          coalesce((SELECT 'of extension ' || quote_ident(x.extname) FROM pg_depend e JOIN pg_extension x ON x.oid = e.refobjid
            WHERE e.classid = q.class AND e.objid = q.oid AND e.deptype = 'e'), 'of the server') AS whose
        FROM (
          SELECT \(Catalog.relationKind("c.relkind")) AS kind, \(Catalog.relationName("c")) AS name, c.relowner AS owner, c.relacl AS acl,
              CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS letter, 'pg_catalog.pg_class'::regclass AS class, c.oid,
              \(Catalog.isUserSchema("n.nspname")) AS own
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_(toast|temp)'
          UNION ALL SELECT 'function', p.oid::regprocedure::text, p.proowner, p.proacl, 'f', 'pg_catalog.pg_proc'::regclass, p.oid,
              \(Catalog.isUserSchema("n.nspname"))
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
          UNION ALL SELECT 'schema', quote_ident(n.nspname), n.nspowner, n.nspacl, 'n', 'pg_catalog.pg_namespace'::regclass, n.oid,
              \(Catalog.isUserSchema("n.nspname"))
            FROM pg_namespace n WHERE n.nspname !~ '^pg_(toast|temp)'
          UNION ALL SELECT 'type', format('%I.%I', n.nspname, t.typname), t.typowner, t.typacl, 'T', 'pg_catalog.pg_type'::regclass, t.oid,
              \(Catalog.isUserSchema("n.nspname"))
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
          UNION ALL SELECT 'language', quote_ident(l.lanname), l.lanowner, l.lanacl, 'l', 'pg_catalog.pg_language'::regclass, l.oid, l.lanispl
            FROM pg_language l
          UNION ALL SELECT 'foreign', 'wrapper ' || quote_ident(w.fdwname), w.fdwowner, w.fdwacl, 'F',
              'pg_catalog.pg_foreign_data_wrapper'::regclass, w.oid, true FROM pg_foreign_data_wrapper w
        ) AS q LEFT JOIN pg_init_privs i ON i.classoid = q.class AND i.objoid = q.oid AND i.objsubid = 0
        WHERE q.acl IS DISTINCT FROM i.initprivs AND q.acl IS NOT NULL AND (NOT q.own
          OR EXISTS (SELECT FROM pg_depend e WHERE e.classid = q.class AND e.objid = q.oid AND e.deptype = 'e'))
        """

    /// `GRANT SET ON PARAMETER`: of the cluster, as roles are.
    static let parameterGrants = CatalogQuery(.grant) { server in
        guard server.version >= 150000 else { return nothing }
        return """
            SELECT CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END || ' on parameter ' || a.parname AS name,
              concat_ws(E'\\n', 'of parameter ' || a.parname, 'of role ' || quote_ident(r.rolname),
                string_agg(p.privilege_type || CASE WHEN p.is_grantable THEN ' with grant option' ELSE '' END, E'\\n'
                  ORDER BY p.privilege_type COLLATE "C")) AS definition
            FROM pg_parameter_acl a CROSS JOIN LATERAL aclexplode(a.paracl) p LEFT JOIN pg_roles r ON r.oid = p.grantee
            WHERE p.grantee = 0 OR p.grantee IN (\(RoleQueries.relevant(server))) GROUP BY p.grantee, r.rolname, a.parname
            """
    }

    /// An owner's own rights can always be granted onwards, so a grant option of theirs says nothing.
    private static func rights(_ acl: String, or fallback: String? = nil) -> String {
        let list = fallback.map { "coalesce(\(acl), \($0))" } ?? acl
        return """
            SELECT r.grantee, array_agg(r.privilege ORDER BY r.privilege COLLATE "C") AS rights FROM (
              SELECT p.grantee, p.privilege_type || CASE WHEN bool_or(p.is_grantable) AND p.grantee <> o.owner THEN ' with grant option' ELSE '' END
                AS privilege FROM aclexplode(\(list)) p GROUP BY p.grantee, p.privilege_type) AS r
            GROUP BY r.grantee
            """
    }

    static let columnGrants = CatalogQuery(.grant) { _ in
        """
        SELECT CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE coalesce((SELECT quote_ident(rolname) FROM pg_roles WHERE oid = p.grantee), 'a dropped role') END
            || ' on column ' || \(Catalog.relationName("c")) || '.' || quote_ident(a.attname) AS name,
          concat_ws(E'\\n', 'of column ' || \(Catalog.relationName("c")) || '.' || quote_ident(a.attname), \(Catalog.ofRelation("c")),
            string_agg(DISTINCT p.privilege_type || CASE WHEN p.is_grantable THEN ' with grant option' ELSE '' END, E'\\n')) AS definition
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
          CROSS JOIN LATERAL aclexplode(a.attacl) AS p
        WHERE a.attnum > 0 AND NOT a.attisdropped AND \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_class", "c.oid"))
        GROUP BY p.grantee, c.oid, c.relkind, a.attname
        """
    }

    static let defaultPrivileges = CatalogQuery(.grant) { _ in
        """
        SELECT 'default privileges of ' || quote_ident(r.rolname) || ' in ' || coalesce('schema ' || quote_ident(n.nspname), 'all schemas') || ' on '
            || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
              WHEN 'n' THEN 'schemas' ELSE 'large objects' END AS name,
          concat_ws(E'\\n', 'of schema ' || quote_ident(n.nspname), (SELECT string_agg(
            CASE p.grantee WHEN 0 THEN 'PUBLIC' ELSE coalesce((SELECT quote_ident(rolname) FROM pg_roles WHERE oid = p.grantee), 'a dropped role') END
            || ': ' || p.privilege_type || CASE WHEN p.is_grantable THEN ' with grant option' ELSE '' END, E'\\n'
            ORDER BY (SELECT rolname FROM pg_roles WHERE oid = p.grantee) COLLATE "C", p.privilege_type COLLATE "C")
            FROM aclexplode(d.defaclacl) p)) AS definition
        FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
        """
    }

    /// Not on the server's own extensions, whose comments no dump holds; not on large objects, of which there may be millions; and not those whose object is no more:
    /// the server keeps the comment of a subscription that was dropped.
    static let comments = CatalogQuery(.comment) { _ in
        """
        SELECT q.kind || ' ' || q.name AS name, concat_ws(E'\\n', 'of ' || q.kind || ' ' || q.name, q.parent, q.description) AS definition
        FROM (
          SELECT \(Catalog.relationKind("c.relkind")) AS kind, \(Catalog.relationName("c")) AS name, NULL AS parent, d.description
            FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0
              JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_class", "c.oid"))
          UNION ALL SELECT 'column', \(Catalog.relationName("c")) || '.' || quote_ident(a.attname), \(Catalog.ofRelation("c")), d.description
            FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_catalog.pg_class'::regclass
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE d.objsubid > 0 AND \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_class", "c.oid"))
          UNION ALL SELECT 'function', p.oid::regprocedure::text, NULL, d.description
            FROM pg_description d JOIN pg_proc p ON p.oid = d.objoid AND d.classoid = 'pg_catalog.pg_proc'::regclass
              JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_proc", "p.oid"))
          UNION ALL SELECT 'type', format('%I.%I', n.nspname, t.typname), NULL, d.description
            FROM pg_description d JOIN pg_type t ON t.oid = d.objoid AND d.classoid = 'pg_catalog.pg_type'::regclass
              JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_type", "t.oid"))
          UNION ALL SELECT 'schema', quote_ident(n.nspname), NULL, d.description
            FROM pg_description d JOIN pg_namespace n ON n.oid = d.objoid AND d.classoid = 'pg_catalog.pg_namespace'::regclass
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_namespace", "n.oid"))
          UNION ALL SELECT 'constraint', coalesce(\(Catalog.relationName("c")), format_type(k.contypid, NULL)) || '.' || quote_ident(k.conname),
              coalesce(\(Catalog.ofRelation("c")), 'of type ' || format_type(k.contypid, NULL)), d.description
            FROM pg_description d JOIN pg_constraint k ON k.oid = d.objoid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
              LEFT JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = k.connamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_constraint", "k.oid"))
          UNION ALL SELECT 'trigger', \(Catalog.relationName("c")) || '.' || quote_ident(t.tgname), \(Catalog.ofRelation("c")), d.description
            FROM pg_description d JOIN pg_trigger t ON t.oid = d.objoid AND d.classoid = 'pg_catalog.pg_trigger'::regclass
              JOIN pg_class c ON c.oid = t.tgrelid
          UNION ALL SELECT 'policy', \(Catalog.relationName("c")) || '.' || quote_ident(p.polname), \(Catalog.ofRelation("c")), d.description
            FROM pg_description d JOIN pg_policy p ON p.oid = d.objoid AND d.classoid = 'pg_catalog.pg_policy'::regclass
              JOIN pg_class c ON c.oid = p.polrelid
          UNION ALL SELECT 'rule', \(Catalog.relationName("c")) || '.' || quote_ident(w.rulename), \(Catalog.ofRelation("c")), d.description
            FROM pg_description d JOIN pg_rewrite w ON w.oid = d.objoid AND d.classoid = 'pg_catalog.pg_rewrite'::regclass
              JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(Catalog.isUserSchema("n.nspname"))
          UNION ALL SELECT 'extension', quote_ident(x.extname), NULL, d.description
            FROM pg_description d JOIN pg_extension x ON x.oid = d.objoid AND d.classoid = 'pg_catalog.pg_extension'::regclass
            WHERE x.oid >= 16384
          UNION ALL SELECT 'operator', o.oid::regoperator::text, NULL, d.description
            FROM pg_description d JOIN pg_operator o ON o.oid = d.objoid AND d.classoid = 'pg_catalog.pg_operator'::regclass
            WHERE o.oid >= 16384 AND o.oprcode <> 0 AND \(Catalog.isNoMember("pg_operator", "o.oid"))
          UNION ALL SELECT coalesce(w.kind, 'other'), coalesce(w.prefix, i.type || ' ') || i.identity, NULL, d.description
            FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
              LEFT JOIN (VALUES ('event trigger', 'event-trigger', ''), ('statistics object', 'statistics', ''), ('publication', 'publication', ''),
                ('collation', 'collation', ''), ('language', 'language', ''), ('server', 'foreign', 'server '),
                ('foreign-data wrapper', 'foreign', 'wrapper '), ('text search configuration', 'text-search', 'configuration '),
                ('text search dictionary', 'text-search', 'dictionary ')) AS w (type, kind, prefix) ON w.type = i.type
            WHERE i.identity IS NOT NULL AND d.objoid >= 16384 AND d.classoid <> ALL ('{pg_catalog.pg_class,pg_catalog.pg_proc,pg_catalog.pg_type,pg_catalog.pg_namespace,
              pg_catalog.pg_constraint,pg_catalog.pg_trigger,pg_catalog.pg_policy,pg_catalog.pg_rewrite,pg_catalog.pg_extension,
              pg_catalog.pg_operator,
              pg_catalog.pg_largeobject}'::regclass[])
              AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
        ) AS q
        """
    }

    static let databaseComments = CatalogQuery(.comment) { _ in
        """
        SELECT 'database' AS name, concat_ws(E'\\n', 'of database database', s.description) AS definition
        FROM pg_shdescription s JOIN pg_database d ON d.oid = s.objoid
        WHERE s.classoid = 'pg_catalog.pg_database'::regclass AND d.datname = current_database()
        """
    }

    static let roleComments = CatalogQuery(.comment) { server in
        """
        SELECT 'role ' || quote_ident(r.rolname) AS name, concat_ws(E'\\n', 'of role ' || quote_ident(r.rolname), s.description) AS definition
        FROM pg_shdescription s JOIN pg_roles r ON r.oid = s.objoid
        WHERE s.classoid = 'pg_catalog.pg_authid'::regclass AND r.oid IN (\(RoleQueries.relevant(server)))
        """
    }
}
