// Tables, columns and all that hangs on them.

import DrillModel

extension CatalogQuery {
    private static let isUserRelation =
        "\(Catalog.isUserSchema("n.nspname")) AND c.relpersistence <> 't' AND \(Catalog.isNoMember("pg_class", "c.oid"))"
    private static let relations = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    private static let columnName = "\(Catalog.relationName("c")) || '.' || quote_ident(a.attname)"

    /// The order of the columns stands here and not at the columns, so that a missing one doesn't change all behind it.
    /// A table that inherits gets its columns in another order when it is restored, so it has none.
    static let tables = CatalogQuery(.table) { _ in
        """
        SELECT c.oid::regclass::text AS name, concat_ws(E'\\n',
          CASE c.relkind WHEN 'p' THEN 'partitioned by ' || pg_get_partkeydef(c.oid) ELSE 'table' END,
          CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
          'of type: ' || format_type(nullif(c.reloftype, 0), NULL),
          CASE WHEN NOT c.relispartition THEN (SELECT string_agg('inherits ' || i.inhparent::regclass, E'\\n' ORDER BY i.inhseqno)
            FROM pg_inherits i WHERE i.inhrelid = c.oid) END,
          CASE WHEN c.relispartition OR NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) THEN
            (SELECT string_agg('column: ' || quote_ident(a.attname), E'\\n' ORDER BY a.attnum) FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) END,
          CASE WHEN c.relrowsecurity THEN 'row security' END,
          CASE WHEN c.relforcerowsecurity THEN 'row security forced' END,
          CASE c.relreplident WHEN 'n' THEN 'replica identity nothing' WHEN 'f' THEN 'replica identity full' END,
          'access method: ' || (SELECT amname FROM pg_am WHERE oid = c.relam AND amname <> 'heap'),
          \(Catalog.options("c.reloptions")),
          (SELECT \(Catalog.options("toast.reloptions", prefix: "toast.")) FROM pg_class toast WHERE toast.oid = c.reltoastrelid)) AS definition
        FROM \(relations) WHERE c.relkind IN ('r', 'p') AND \(isUserRelation)
        """
    }

    static let columns = CatalogQuery(.column) { server in
        """
        SELECT \(columnName) AS name, concat_ws(E'\\n', \(Catalog.ofRelation("c")),
          'type: ' || format_type(a.atttypid, a.atttypmod),
          \(collation("a", "attcollation")),
          CASE WHEN a.attnotnull THEN 'not null' END,
          CASE a.attidentity WHEN 'a' THEN 'identity: always' WHEN 'd' THEN 'identity: by default' END,
          CASE a.attgenerated WHEN 's' THEN 'generated: stored as ' WHEN 'v' THEN 'generated: virtual as ' END
            || (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum),
          'storage: ' || CASE WHEN a.attstorage <> t.typstorage THEN
            CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
          \(server.version >= 140000 ? "CASE a.attcompression WHEN 'p' THEN 'compression: pglz' WHEN 'l' THEN 'compression: lz4' END," : "")
          'statistics target: ' || nullif(a.attstattarget, -1),
          \(Catalog.options("a.attoptions")),
          \(Catalog.hashedOptions("a.attfdwoptions", salt: "a.attname"))) AS definition
        FROM \(relations) JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
        WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND \(isUserRelation)
        """
    }

    /// What was set on a column of a materialized view or an index. All else of it follows from the definition.
    static let tunedColumns = CatalogQuery(.column) { server in
        """
        SELECT \(columnName) AS name, concat_ws(E'\\n', \(Catalog.ofRelation("c")), q.tuned) AS definition
        FROM \(relations) JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
          CROSS JOIN LATERAL (SELECT concat_ws(E'\\n',
            CASE WHEN c.relkind = 'm' AND a.attstorage <> t.typstorage THEN 'storage: ' ||
              CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
            \(server.version >= 140000 ? "CASE WHEN c.relkind = 'm' THEN CASE a.attcompression WHEN 'p' THEN 'compression: pglz' WHEN 'l' THEN 'compression: lz4' END END," : "")
            'statistics target: ' || nullif(a.attstattarget, -1), \(Catalog.options("a.attoptions"))) AS tuned) AS q
        WHERE c.relkind IN ('m', 'i', 'I') AND q.tuned <> '' AND a.attnum > 0 AND NOT a.attisdropped AND \(isUserRelation)
          AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
        """
    }

    static let defaults = CatalogQuery(.default) { _ in
        """
        SELECT \(columnName) AS name, concat_ws(E'\\n', 'of column ' || \(columnName), \(Catalog.ofRelation("c")),
          pg_get_expr(d.adbin, d.adrelid)) AS definition
        FROM \(relations) JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE a.attgenerated = '' AND NOT a.attisdropped AND \(isUserRelation)
        """
    }

    static let partitions = CatalogQuery(.partition) { _ in
        """
        SELECT \(Catalog.relationName("c")) AS name, concat_ws(E'\\n', 'of table ' || i.inhparent::regclass,
          pg_get_expr(c.relpartbound, c.oid)) AS definition
        FROM \(relations) JOIN pg_inherits i ON i.inhrelid = c.oid
        WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND \(isUserRelation)
        """
    }

    /// Not the NOT NULL constraints of PostgreSQL 18, which are a column's property here; not constraint triggers, which are
    /// triggers; and not the copies of foreign keys that a partition gets, whose names the server chooses.
    static let constraints = CatalogQuery(.constraint) { _ in
        """
        SELECT \(Catalog.relationName("c")) || '.' || quote_ident(k.conname) AS name, concat_ws(E'\\n', \(Catalog.ofRelation("c")),
          pg_get_constraintdef(k.oid)) AS definition
        FROM \(relations) JOIN pg_constraint k ON k.conrelid = c.oid
        WHERE k.contype NOT IN ('n', 't') AND NOT (k.contype = 'f' AND k.conparentid <> 0) AND \(isUserRelation)
        """
    }

    /// Not the invalid ones, which a dump leaves out.
    static let indexes = CatalogQuery(.index) { _ in
        """
        SELECT c.oid::regclass::text AS name, concat_ws(E'\\n', \(Catalog.ofRelation("r")),
          (SELECT 'of constraint ' || \(Catalog.relationName("r")) || '.' || quote_ident(k.conname) FROM pg_constraint k
            WHERE k.conindid = c.oid AND k.conrelid = r.oid AND k.contype IN ('p', 'u', 'x')),
          pg_get_indexdef(c.oid),
          (SELECT 'part of index ' || i.inhparent::regclass FROM pg_inherits i WHERE i.inhrelid = c.oid),
          CASE WHEN NOT x.indisvalid THEN 'not valid' END,
          CASE WHEN x.indisclustered THEN 'clustered on' END,
          CASE WHEN x.indisreplident THEN 'replica identity' END) AS definition
        FROM \(relations) JOIN pg_index x ON x.indexrelid = c.oid JOIN pg_class r ON r.oid = x.indrelid
        WHERE (x.indisvalid OR c.relkind = 'I') AND x.indisready AND \(isUserRelation) AND \(Catalog.isNoMember("pg_class", "r.oid"))
        """
    }

    static let statistics = CatalogQuery(.statistics) { server in
        """
        SELECT format('%I.%I', n.nspname, s.stxname) AS name, concat_ws(E'\\n', \(Catalog.ofRelation("c")),
          pg_get_statisticsobjdef(s.oid)
          \(server.version >= 130000 ? ", 'statistics target: ' || nullif(s.stxstattarget, -1)" : "")) AS definition
        FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace JOIN pg_class c ON c.oid = s.stxrelid
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_statistic_ext", "s.oid"))
        """
    }

    /// Not the type of an identity column's, which is the column's: `LIKE … INCLUDING IDENTITY` makes the sequence of an integer as a bigint
    /// with an integer's range, and no dump says so.
    static let sequences = CatalogQuery(.sequence) { server in
        let isIdentity = """
            EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
              AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i' AND d.refobjsubid > 0)
            """
        return """
            SELECT c.oid::regclass::text AS name, concat_ws(E'\\n',
              (SELECT concat_ws(E'\\n', 'of column ' || \(Catalog.relationName("r")) || '.' || quote_ident(a.attname), \(Catalog.ofRelation("r")),
                  CASE d.deptype WHEN 'i' THEN 'identity' END)
                FROM pg_depend d JOIN pg_class r ON r.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
                  AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0),
              CASE WHEN NOT \(isIdentity) THEN 'type: ' || format_type(s.seqtypid, NULL) END, 'start: ' || s.seqstart, 'increment: ' || s.seqincrement,
              'range: ' || s.seqmin || ' to ' || s.seqmax, 'cache: ' || s.seqcache, CASE WHEN s.seqcycle THEN 'cycles' END,
              CASE c.relpersistence WHEN 'u' THEN 'unlogged' END) AS definition
            FROM \(relations) JOIN pg_sequence s ON s.seqrelid = c.oid WHERE \(isUserRelation)
            """
    }

    static let views = CatalogQuery(.view) { _ in
        """
        SELECT c.oid::regclass::text AS name, concat_ws(E'\\n', \(Catalog.options("c.reloptions")), pg_get_viewdef(c.oid)) AS definition
        FROM \(relations) WHERE c.relkind = 'v' AND \(isUserRelation)
        """
    }

    /// Whether it is filled counts, not what with: a restore computes it anew.
    static let materializedViews = CatalogQuery(.materializedView) { _ in
        """
        SELECT c.oid::regclass::text AS name, concat_ws(E'\\n', CASE WHEN c.relispopulated THEN 'populated' ELSE 'not populated' END,
          'access method: ' || (SELECT amname FROM pg_am WHERE oid = c.relam AND amname <> 'heap'),
          \(Catalog.options("c.reloptions")),
          (SELECT \(Catalog.options("toast.reloptions", prefix: "toast.")) FROM pg_class toast WHERE toast.oid = c.reltoastrelid),
          pg_get_viewdef(c.oid)) AS definition
        FROM \(relations) WHERE c.relkind = 'm' AND \(isUserRelation)
        """
    }

    static let rules = CatalogQuery(.rule) { _ in
        """
        SELECT \(Catalog.relationName("c")) || '.' || quote_ident(w.rulename) AS name, concat_ws(E'\\n', \(Catalog.ofRelation("c")),
          pg_get_ruledef(w.oid), \(enabled("w.ev_enabled"))) AS definition
        FROM \(relations) JOIN pg_rewrite w ON w.ev_class = c.oid
        WHERE w.rulename <> '_RETURN' AND \(isUserRelation)
        """
    }

    static let policies = CatalogQuery(.policy) { _ in
        """
        SELECT \(Catalog.relationName("c")) || '.' || quote_ident(p.polname) AS name, concat_ws(E'\\n', \(Catalog.ofRelation("c")),
          CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
          'for: ' || CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
          'to: ' || (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE (SELECT quote_ident(rolname) FROM pg_roles WHERE oid = o) END, ', '
            ORDER BY (SELECT rolname FROM pg_roles WHERE oid = o) COLLATE "C") FROM unnest(p.polroles) o),
          'using: ' || pg_get_expr(p.polqual, p.polrelid), 'check: ' || pg_get_expr(p.polwithcheck, p.polrelid)) AS definition
        FROM \(relations) JOIN pg_policy p ON p.polrelid = c.oid WHERE \(isUserRelation)
        """
    }

    /// The copies that a partition gets of its parent's triggers are the parent's affair.
    static let triggers = CatalogQuery(.trigger) { server in
        let isCopy =
            server.version >= 130000
            ? "t.tgparentid <> 0"
            : """
            EXISTS (SELECT FROM pg_inherits i JOIN pg_trigger u ON u.tgrelid = i.inhparent WHERE i.inhrelid = t.tgrelid
              AND u.tgname = t.tgname AND u.tgfoid = t.tgfoid AND c.relispartition)
            """
        return """
            SELECT \(Catalog.relationName("c")) || '.' || quote_ident(t.tgname) AS name, concat_ws(E'\\n', \(Catalog.ofRelation("c")),
              pg_get_triggerdef(t.oid), \(enabled("t.tgenabled"))) AS definition
            FROM \(relations) JOIN pg_trigger t ON t.tgrelid = c.oid
            WHERE NOT t.tgisinternal AND NOT \(isCopy) AND \(isUserRelation)
            """
    }

    /// A partition's copy of a trigger that was switched on or off by itself: until 14 it counts as internal, and so do the triggers of foreign keys ever since.
    static let partitionTriggers = CatalogQuery(.trigger) { server in
        guard server.version >= 130000 else { return nothing }
        return """
            SELECT \(Catalog.relationName("c")) || '.' || quote_ident(t.tgname) AS name, concat_ws(E'\\n', \(Catalog.ofRelation("c")),
              'copy of that of table ' || u.tgrelid::regclass, coalesce(\(enabled("t.tgenabled")), 'enabled')) AS definition
            FROM \(relations) JOIN pg_trigger t ON t.tgrelid = c.oid JOIN pg_trigger u ON u.oid = t.tgparentid
            WHERE t.tgenabled <> u.tgenabled AND \(isUserRelation)
              AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype <> 't')
            """
    }

    static func enabled(_ column: String) -> String {
        "CASE \(column) WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled for replicas' WHEN 'A' THEN 'enabled always' END"
    }
}
