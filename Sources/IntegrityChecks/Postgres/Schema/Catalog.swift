// Pieces of SQL that the catalogue's queries share.

import DrillModel

/// SQL fragments over the system catalogue. All are read with an empty search path, so names come out in full.
enum Catalog {
    /// Not the server's own schemas, and not those of other sessions' temporary tables.
    static func isUserSchema(_ column: String) -> String {
        "(\(column) <> ALL ('{pg_catalog,information_schema}') AND \(column) !~ '^pg_(toast|temp)')"
    }

    /// Not made by an extension: those come back with `CREATE EXTENSION`, in that extension's version.
    static func isNoMember(_ catalog: String, _ oid: String) -> String {
        """
        NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_catalog.\(catalog)'::regclass AND e.objid = \(oid) AND e.deptype = 'e')
        """
    }

    /// The word of ``SchemaObject/Kind`` for a relation.
    static func relationKind(_ relkind: String) -> String {
        """
        CASE \(relkind) WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized-view'
          WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'type' END
        """
    }

    /// The line that ties an object to the one that it can't exist without: `of table public.domains`.
    static func ofRelation(_ alias: String) -> String {
        "'of ' || \(relationKind("\(alias).relkind")) || ' ' || \(relationName(alias))"
    }

    /// A relation's name, as it stands in ``SchemaObject/name``.
    static func relationName(_ alias: String) -> String {
        "(CASE \(alias).relkind WHEN 'f' THEN 'table ' ELSE '' END || \(alias).oid::regclass)"
    }

    /// Options that may hold a password or an address: names in clear, values as a hash that is salted with the object's name.
    static func hashedOptions(_ options: String, salt: String) -> String {
        """
        (SELECT string_agg('option ' || option_name || ': hash ' || \(hashed("option_value", salt: salt)), E'\\n' ORDER BY option_name COLLATE "C")
         FROM pg_options_to_table(\(options)))
        """
    }

    static func hashed(_ value: String, salt: String) -> String {
        "left(encode(sha256(convert_to(\(salt) || '/' || \(value), 'UTF8')), 'hex'), 16)"
    }

    /// Options of a relation or a column, one a line, in a stable order, without the server's own: each copy has others.
    static func options(_ options: String, prefix: String = "") -> String {
        let own = ServersOwnOption.all.sorted().joined(separator: "|")
        return
            "(SELECT string_agg('option \(prefix)' || o, E'\\n' ORDER BY o COLLATE \"C\") FROM unnest(\(options)) o WHERE o !~ '^(\(own))=')"
    }
}

extension CatalogQuery {
    /// For servers that know nothing of the kind.
    static let nothing = "SELECT NULL AS name, NULL AS definition WHERE false"
}
