// Foreign data: wrappers, servers, user mappings and tables. What their options hold never leaves the server in clear.

import DrillModel

extension CatalogQuery {
    static let foreignWrappers = CatalogQuery(.foreign) { _ in
        """
        SELECT 'wrapper ' || quote_ident(fdwname) AS name, concat_ws(E'\\n', 'handler: ' || nullif(fdwhandler, 0)::regprocedure,
          'validator: ' || nullif(fdwvalidator, 0)::regprocedure, \(Catalog.hashedOptions("fdwoptions", salt: "fdwname"))) AS definition
        FROM pg_foreign_data_wrapper w WHERE \(Catalog.isNoMember("pg_foreign_data_wrapper", "w.oid"))
        """
    }

    static let foreignServers = CatalogQuery(.foreign) { _ in
        """
        SELECT 'server ' || quote_ident(srvname) AS name, concat_ws(E'\\n', 'wrapper: ' || quote_ident(fdwname), 'type: ' || srvtype,
          'version: ' || srvversion, \(Catalog.hashedOptions("srvoptions", salt: "srvname"))) AS definition
        FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
        WHERE \(Catalog.isNoMember("pg_foreign_server", "s.oid"))
        """
    }

    /// The view shows the options to those who may see them, and lets the others know that there is a mapping.
    static let userMappings = CatalogQuery(.foreign) { _ in
        """
        SELECT 'user mapping of ' || CASE umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(usename) END || ' on server ' || quote_ident(srvname) AS name,
          concat_ws(E'\\n', 'of foreign server ' || quote_ident(srvname), \(Catalog.hashedOptions("umoptions", salt: "usename || srvname"))) AS definition
        FROM pg_user_mappings
        """
    }

    static let foreignTables = CatalogQuery(.foreign) { _ in
        """
        SELECT \(Catalog.relationName("c")) AS name, concat_ws(E'\\n', 'server: ' || quote_ident(srvname),
          \(Catalog.hashedOptions("f.ftoptions", salt: "c.relname"))) AS definition
        FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid JOIN pg_foreign_server s ON s.oid = f.ftserver
        WHERE \(Catalog.isNoMember("pg_class", "c.oid"))
        """
    }
}
