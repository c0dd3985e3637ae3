// The roles that this database can't do without.

import DrillModel
import PostgresClient

enum RoleQueries {
    /// Roles that own something here or are granted something here. The server's own roles and the superuser that it was
    /// made with are everywhere. And roles that mattered in the source: one that lost its last right is still there.
    static func relevant(_ server: CatalogQuery.Server) -> String {
        let names = server.roles.map(SQL.literal).joined(separator: ", ")
        return """
            SELECT s.refobjid FROM pg_shdepend s JOIN pg_database d ON d.datname = current_database()
            WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.deptype IN ('o', 'a', 'r') AND s.refobjid >= 16384
              AND (s.dbid = d.oid OR (s.dbid = 0 AND s.classid = 'pg_catalog.pg_database'::regclass AND s.objid = d.oid))
            UNION SELECT oid FROM pg_roles WHERE oid >= 16384 AND rolname = ANY (ARRAY[\(names)]::name[])
            """
    }
}

extension CatalogQuery {
    /// Whether a role that logs in has a password at all. A superuser alone may ask that.
    static let rolePasswords = CatalogQuery(.rolePassword) { server in
        guard server.showsPasswords else { return nothing }
        return """
            SELECT quote_ident(rolname) AS name, concat_ws(E'\\n', 'of role ' || quote_ident(rolname),
              CASE WHEN rolpassword IS NULL THEN 'none' ELSE 'a password' END) AS definition
            FROM pg_authid WHERE rolcanlogin AND oid IN (\(RoleQueries.relevant(server)))
            """
    }

    /// Attributes only: a password verifier is never read.
    static let roles = CatalogQuery(.role) { server in
        """
        SELECT quote_ident(rolname) AS name, concat_ws(E'\\n', CASE WHEN rolcanlogin THEN 'login' END, CASE WHEN rolsuper THEN 'superuser' END,
          CASE WHEN NOT rolinherit THEN 'does not inherit' END, CASE WHEN rolcreaterole THEN 'creates roles' END,
          CASE WHEN rolcreatedb THEN 'creates databases' END, CASE WHEN rolreplication THEN 'replication' END,
          CASE WHEN rolbypassrls THEN 'bypasses row security' END, 'connection limit: ' || nullif(rolconnlimit, -1),
          'valid until: ' || rolvaliduntil) AS definition
        FROM pg_roles WHERE oid IN (\(RoleQueries.relevant(server)))
        """
    }

    /// Only between roles that matter here.
    static let roleMemberships = CatalogQuery(.roleMembership) { server in
        """
        SELECT quote_ident(m.rolname) || ' in ' || quote_ident(g.rolname) AS name,
          concat_ws(E'\\n', 'of role ' || quote_ident(m.rolname), 'of role ' || quote_ident(g.rolname),
            CASE WHEN bool_or(a.admin_option) THEN 'with admin option' END
            \(server.version >= 160000 ? ", CASE WHEN NOT bool_or(a.set_option) THEN 'without set option' END" : "")
            \(server.version >= 160000 ? ", CASE WHEN bool_or(a.inherit_option) <> m.rolinherit THEN CASE WHEN m.rolinherit THEN 'without inherit option' ELSE 'with inherit option' END END" : "")) AS definition
        FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
        WHERE a.member IN (\(RoleQueries.relevant(server))) AND (a.roleid IN (\(RoleQueries.relevant(server))) OR a.roleid < 16384)
        GROUP BY m.rolname, m.rolinherit, g.rolname
        """
    }
}
