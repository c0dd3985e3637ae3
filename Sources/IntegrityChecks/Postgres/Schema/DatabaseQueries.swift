// The database itself, and what stands directly in it: schemas, extensions, languages.

import DrillModel

extension CatalogQuery {
    /// Its name is left out: a copy may be restored under another.
    static let database = CatalogQuery(.database) { _ in
        """
        SELECT 'database' AS name, concat_ws(E'\\n',
          'connection limit: ' || CASE datconnlimit WHEN -1 THEN 'none' ELSE datconnlimit::text END,
          CASE WHEN datistemplate THEN 'template' END) AS definition
        FROM pg_database WHERE datname = current_database()
        """
    }

    static let schemas = CatalogQuery(.schema) { _ in
        """
        SELECT quote_ident(nspname) AS name, '' AS definition FROM pg_namespace n
        WHERE \(Catalog.isUserSchema("nspname")) AND \(Catalog.isNoMember("pg_namespace", "n.oid"))
        """
    }

    static let extensions = CatalogQuery(.extension) { _ in
        """
        SELECT quote_ident(extname) AS name, concat_ws(E'\\n', 'version: ' || extversion, 'schema: ' || quote_ident(nspname)) AS definition
        FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
        """
    }

    static let languages = CatalogQuery(.language) { _ in
        """
        SELECT quote_ident(lanname) AS name, concat_ws(E'\\n', CASE WHEN lanpltrusted THEN 'trusted' END,
          'handler: ' || nullif(lanplcallfoid, 0)::regprocedure, 'inline: ' || nullif(laninline, 0)::regprocedure,
          'validator: ' || nullif(lanvalidator, 0)::regprocedure) AS definition
        FROM pg_language l WHERE lanispl AND l.oid >= 16384 AND \(Catalog.isNoMember("pg_language", "l.oid"))
        """
    }

    /// `ALTER DATABASE … SET`, `ALTER ROLE … SET` and both together. Settings of extensions and applications may hold secrets.
    static let settings = CatalogQuery(.setting) { server in
        """
        SELECT CASE WHEN s.setrole = 0 THEN 'database' WHEN s.setdatabase = 0 THEN 'role ' || quote_ident(r.rolname)
            ELSE 'role ' || quote_ident(r.rolname) || ' in database' END || ': ' || p.name AS name,
          concat_ws(E'\\n', CASE WHEN s.setdatabase <> 0 THEN 'of database database' END,
            CASE WHEN s.setrole <> 0 THEN 'of role ' || quote_ident(r.rolname) END,
            CASE WHEN p.name LIKE '%.%' THEN 'hash: ' || \(Catalog.hashed("p.value", salt: "p.name"))
              ELSE 'value: ' || p.value END) AS definition
        FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
          CROSS JOIN LATERAL (SELECT split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
            FROM unnest(s.setconfig) c) p
        WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
          OR (s.setdatabase = 0 AND s.setrole IN (\(RoleQueries.relevant(server))))
        """
    }

    static let publications = CatalogQuery(.publication) { server in
        let tables =
            server.version >= 150000
            ? """
            (SELECT string_agg('\(server.version >= 190000 ? "' || CASE WHEN pr.prexcept THEN 'except ' ELSE '' END || '" : "")table ' || pr.prrelid::regclass
                || coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C") FROM pg_attribute a
                    WHERE a.attrelid = pr.prrelid AND a.attnum = ANY (pr.prattrs)) || ')', '')
                || coalesce(' where ' || pg_get_expr(pr.prqual, pr.prrelid), ''), E'\\n' ORDER BY pr.prrelid::regclass::text COLLATE "C")
              FROM pg_publication_rel pr WHERE pr.prpubid = p.oid),
            (SELECT string_agg('tables of schema ' || pn.pnnspid::regnamespace, E'\\n' ORDER BY pn.pnnspid::regnamespace::text COLLATE "C")
              FROM pg_publication_namespace pn WHERE pn.pnpubid = p.oid)
            """
            : """
            (SELECT string_agg('table ' || pr.prrelid::regclass, E'\\n' ORDER BY pr.prrelid::regclass::text COLLATE "C")
              FROM pg_publication_rel pr WHERE pr.prpubid = p.oid)
            """
        return """
            SELECT quote_ident(pubname) AS name, concat_ws(E'\\n', CASE WHEN puballtables THEN 'all tables' END,
              \(server.version >= 190000 ? "CASE WHEN puballsequences THEN 'all sequences' END," : "")
              'publishes: ' || concat_ws(', ', CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END,
                CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END),
              \(server.version >= 130000 ? "CASE WHEN pubviaroot THEN 'via partition root' END," : "")
              \(server.version >= 180000 ? "CASE pubgencols WHEN 's' THEN 'publishes generated columns: stored' END," : "")
              \(tables)) AS definition
            FROM pg_publication p WHERE \(Catalog.isNoMember("pg_publication", "p.oid"))
            """
    }
}
