// Types and collations.

import DrillModel

extension CatalogQuery {
    private static let from = """
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_type", "t.oid"))
        """
    private static let name = "format('%I.%I', n.nspname, t.typname) AS name"

    /// A collation that is not the type's own default.
    static func collation(_ alias: String, _ column: String) -> String {
        """
        (SELECT 'collation: ' || format('%I.%I', cn.nspname, co.collname) FROM pg_collation co
          JOIN pg_namespace cn ON cn.oid = co.collnamespace JOIN pg_type ct ON ct.oid = \(alias).\(column == "attcollation" ? "atttypid" : "typbasetype")
         WHERE co.oid = \(alias).\(column) AND co.oid <> ct.typcollation)
        """
    }

    static let enums = CatalogQuery(.type) { _ in
        """
        SELECT \(name), concat_ws(E'\\n', 'enum', (SELECT string_agg('label: ' || quote_literal(enumlabel), E'\\n' ORDER BY enumsortorder)
          FROM pg_enum WHERE enumtypid = t.oid)) AS definition
        \(from) AND t.typtype = 'e'
        """
    }

    static let domains = CatalogQuery(.type) { _ in
        """
        SELECT \(name), concat_ws(E'\\n', 'domain over ' || format_type(t.typbasetype, t.typtypmod),
          CASE WHEN t.typnotnull THEN 'not null' END,
          'default: ' || coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault),
          \(collation("t", "typcollation")),
          (SELECT string_agg('constraint ' || quote_ident(conname) || ': ' || pg_get_constraintdef(oid), E'\\n' ORDER BY conname COLLATE "C")
            FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')) AS definition
        \(from) AND t.typtype = 'd'
        """
    }

    static let composites = CatalogQuery(.type) { _ in
        """
        SELECT \(name), concat_ws(E'\\n', 'composite', (SELECT string_agg(concat_ws(' ', quote_ident(a.attname) || ':',
            format_type(a.atttypid, a.atttypmod), \(collation("a", "attcollation"))), E'\\n' ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)) AS definition
        \(from) AND t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
        """
    }

    static let ranges = CatalogQuery(.type) { server in
        """
        SELECT \(name), concat_ws(E'\\n', 'range over ' || format_type(r.rngsubtype, NULL),
          'collation: ' || (SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_collation co
            JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = r.rngcollation),
          'operator class: ' || (SELECT format('%I.%I', cn.nspname, o.opcname) FROM pg_opclass o
            JOIN pg_namespace cn ON cn.oid = o.opcnamespace WHERE o.oid = r.rngsubopc),
          'canonical: ' || nullif(r.rngcanonical, 0)::regprocedure, 'difference: ' || nullif(r.rngsubdiff, 0)::regprocedure
          \(server.version >= 140000 ? ", 'multirange: ' || format_type(r.rngmultitypid, NULL)" : "")) AS definition
        FROM pg_range r JOIN pg_type t ON t.oid = r.rngtypid JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_type", "t.oid"))
        """
    }

    /// Types with input and output functions of their own; not the arrays that come with other types.
    static let baseTypes = CatalogQuery(.type) { _ in
        """
        SELECT \(name), concat_ws(E'\\n', CASE WHEN t.typisdefined THEN 'base type' ELSE 'shell' END,
          'input: ' || nullif(t.typinput, 0)::oid::regprocedure, 'output: ' || nullif(t.typoutput, 0)::oid::regprocedure,
          'length: ' || t.typlen, 'alignment: ' || t.typalign::text, 'storage: ' || t.typstorage::text, CASE WHEN t.typbyval THEN 'by value' END,
          'category: ' || t.typcategory::text, 'delimiter: ' || t.typdelim::text, 'default: ' || t.typdefault,
          'element: ' || format_type(nullif(t.typelem, 0), NULL)) AS definition
        \(from) AND (t.typtype = 'b' OR NOT t.typisdefined) AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
        """
    }

    static let collations = CatalogQuery(.collation) { server in
        let locale = server.version >= 170000 ? "colllocale" : server.version >= 150000 ? "colliculocale" : "NULL"
        return """
            SELECT format('%I.%I', n.nspname, collname) AS name, concat_ws(E'\\n', 'provider: ' || collprovider::text, 'collate: ' || collcollate,
              'ctype: ' || collctype, 'locale: ' || \(locale), CASE WHEN NOT collisdeterministic THEN 'not deterministic' END) AS definition
            FROM pg_collation c JOIN pg_namespace n ON n.oid = collnamespace
            WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_collation", "c.oid"))
            """
    }
}
