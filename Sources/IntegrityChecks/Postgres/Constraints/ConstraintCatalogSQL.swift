// The catalogue's own words for what rows promise, as queries. Everything is qualified: the inventory's sessions have no search path.

extension ConstraintCatalog {
    /// A table with rows of its own that somebody else than PostgreSQL made.
    private static let isTable = """
        c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND \(Catalog.isUserSchema("n.nspname"))
        """
    /// Named by what only newer servers have, NULL on others.
    private static func flag(_ name: String, of row: String) -> String { "to_jsonb(\(row))->>'\(name)'" }

    /// NOT NULL and CHECK of each table, partitions and inheriting tables by themselves; `condition` is true of a row that breaks it.
    ///
    /// From PostgreSQL 17 on a planner takes `x IS NULL` of a column that is NOT NULL for false without looking; a function it asks of each
    /// row. What calls a function that is not immutable may have been true when the row came, and need not be now.
    static let rowPromises = """
        SELECT format('%I.%I', n.nspname, c.relname) AS relation, pg_catalog.pg_table_size(c.oid) AS bytes, 'n' AS kind,
               a.attname::text AS name, format('pg_catalog.num_nulls(%I) > 0', a.attname) AS condition, a.attnum AS place
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
           AND a.attgenerated <> 'v'
         WHERE \(isTable)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                            WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated)
        UNION ALL
        SELECT format('%I.%I', n.nspname, c.relname), pg_catalog.pg_table_size(c.oid), 'c', k.conname::text,
               CASE WHEN k.conbin::text !~ '(SQLVALUEFUNCTION|NEXTVALUEEXPR|CURRENTOFEXPR)' AND NOT EXISTS (
                      SELECT FROM regexp_matches(k.conbin::text, ':(?:funcid|opfuncid) (\\d+)', 'g') m
                        JOIN pg_catalog.pg_proc p ON p.oid = m[1]::oid WHERE p.provolatile <> 'i')
                    THEN format('(%s) IS FALSE', pg_catalog.pg_get_expr(k.conbin, k.conrelid)) END, 10000
          FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE k.contype = 'c' AND k.convalidated AND coalesce(\(flag("conenforced", of: "k")), 'true') = 'true' AND \(isTable)
         ORDER BY relation, place, name
        """

    /// What the server does where a column is not of the operator's own type; by the type's name, since `character` would be one letter long.
    private static func cast(_ type: String, of column: String) -> String {
        "(SELECT CASE WHEN t.typtype = 'p' OR t.oid = \(column) THEN '' ELSE format('::%I.%I', tn.nspname, t.typname) END "
            + "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace WHERE t.oid = \(type))"
    }

    /// A row whose key has no row in the other table. Of a partitioned table once, for all its partitions.
    static let foreignKeys = """
        SELECT format('%I.%I', n.nspname, c.relname) AS relation, format('%I.%I', pn.nspname, p.relname) AS parent,
               k.conname::text AS name, pg_catalog.pg_table_size(c.oid) AS bytes,
               CASE WHEN coalesce(\(flag("conperiod", of: "k")), 'false') <> 'true'
                     AND bool_and(f.provolatile = 'i' AND NOT EXISTS (
                       SELECT FROM pg_catalog.pg_cast ca JOIN pg_catalog.pg_proc cf ON cf.oid = ca.castfunc
                        WHERE ca.castsource = fa.atttypid AND ca.casttarget = o.oprright AND cf.provolatile <> 'i')) THEN
                 format('%s %I.%I f WHERE (%s) AND NOT EXISTS (SELECT FROM %s %I.%I p WHERE %s)',
                   CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY' END, n.nspname, c.relname,
                   format('pg_catalog.num_nonnulls(%s) %s', string_agg(format('f.%I', fa.attname), ', '),
                     CASE k.confmatchtype WHEN 'f' THEN '> 0' ELSE '= ' || count(*) END),
                   CASE p.relkind WHEN 'p' THEN '' ELSE 'ONLY' END, pn.nspname, p.relname,
                   string_agg(format('p.%I%s OPERATOR(%I.%s) f.%I%s', pa.attname, \(cast("o.oprleft", of: "pa.atttypid")), opn.nspname, o.oprname,
                     fa.attname, \(cast("o.oprright", of: "fa.atttypid"))), ' AND ' ORDER BY u.i))
               END AS source,
               CASE WHEN coalesce(\(flag("conperiod", of: "k")), 'false') = 'true' THEN 'a foreign key by PERIOD'
                    ELSE 'what is equal depends on the time zone' END AS why
          FROM pg_catalog.pg_constraint k
          JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
         CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY u (f, p, op, i)
          JOIN pg_catalog.pg_attribute fa ON fa.attrelid = k.conrelid AND fa.attnum = u.f
          JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = u.p
          JOIN pg_catalog.pg_operator o ON o.oid = u.op JOIN pg_catalog.pg_namespace opn ON opn.oid = o.oprnamespace
          JOIN pg_catalog.pg_proc f ON f.oid = o.oprcode
         WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0 AND c.relpersistence <> 't'
           AND coalesce(\(flag("conenforced", of: "k")), 'true') = 'true' AND \(Catalog.isUserSchema("n.nspname"))
         GROUP BY k.oid, k.conname, k.confmatchtype, c.oid, c.relname, c.relkind, n.nspname, p.relname, p.relkind, pn.nspname, k.*
         ORDER BY relation, name
        """

    /// Rows beyond the first of each key; equality is the type's own, under the index's collation.
    static let uniqueIndexes = """
        SELECT format('%I.%I', n.nspname, c.relname) AS relation, x.relname::text AS name, pg_catalog.pg_table_size(c.oid) AS bytes,
               CASE WHEN bool_and(oc.opcdefault OR oc.opcname ~ '^(text|varchar|bpchar)_pattern_ops$') THEN
                 format('(SELECT count(*) AS n FROM ONLY %I.%I WHERE (%s)%s GROUP BY %s HAVING count(*) > 1) d',
                   n.nspname, c.relname, coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'true'),
                   CASE WHEN coalesce(\(flag("indnullsnotdistinct", of: "i")), 'false') = 'true' THEN ''
                        ELSE format(' AND pg_catalog.num_nulls(%s) = 0',
                          string_agg(format('(%s)', pg_catalog.pg_get_indexdef(i.indexrelid, u.k::int, false)), ', '))
                   END,
                   string_agg(format('(%s)%s', pg_catalog.pg_get_indexdef(i.indexrelid, u.k::int, false),
                     CASE WHEN co.oid IS NULL THEN '' ELSE format(' COLLATE %I.%I', cn.nspname, co.collname) END), ', ' ORDER BY u.k))
               END AS source, 'coalesce(sum(d.n - 1), 0)' AS count, 'an operator class with an equality of its own' AS why
          FROM pg_catalog.pg_index i
          JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am am ON am.oid = x.relam AND am.amname = 'btree'
         CROSS JOIN LATERAL unnest(i.indclass::oid[], i.indcollation::oid[]) WITH ORDINALITY u (op, coll, k)
          JOIN pg_catalog.pg_opclass oc ON oc.oid = u.op
          LEFT JOIN pg_catalog.pg_collation co ON co.oid = u.coll LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
         WHERE i.indisunique AND i.indisvalid AND i.indisready AND i.indislive AND u.k <= i.indnkeyatts AND \(isTable)
         GROUP BY i.indexrelid, i.indrelid, i.indpred, i.*, c.oid, c.relname, n.nspname, x.relname
         ORDER BY relation, name
        """

    /// Pairs of rows that exclude each other.
    static let exclusions = """
        SELECT format('%I.%I', n.nspname, c.relname) AS relation, k.conname::text AS name, pg_catalog.pg_table_size(c.oid) AS bytes,
               format('(%1$s) a JOIN (%1$s) b ON a.row_place < b.row_place AND %2$s',
                 format('SELECT ctid AS row_place, %s FROM ONLY %I.%I WHERE (%s)',
                   string_agg(format('(%s) AS k%s', pg_catalog.pg_get_indexdef(i.indexrelid, u.i::int, false), u.i), ', ' ORDER BY u.i),
                   n.nspname, c.relname, coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'true')),
                 string_agg(format('a.k%1$s OPERATOR(%2$I.%3$s) b.k%1$s', u.i, opn.nspname, o.oprname), ' AND ' ORDER BY u.i)) AS source,
               '' AS why
          FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid
          JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL unnest(k.conexclop) WITH ORDINALITY u (op, i)
          JOIN pg_catalog.pg_operator o ON o.oid = u.op JOIN pg_catalog.pg_namespace opn ON opn.oid = o.oprnamespace
         WHERE k.contype IN ('x', 'p', 'u') AND k.conexclop IS NOT NULL AND \(isTable)
         GROUP BY k.oid, k.conname, i.indexrelid, i.indrelid, i.indpred, c.oid, c.relname, n.nspname
         ORDER BY relation, name
        """

    /// Columns of a type that promises something by itself. The server asks all of a domain's constraints, and those of the domains below it,
    /// where a value of the basic type becomes one of the domain: the first that breaks one ends the question.
    static let domains = """
        WITH RECURSIVE chain AS (
          SELECT t.oid AS domain, t.oid AS type FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
          UNION ALL SELECT chain.domain, t.typbasetype FROM chain JOIN pg_catalog.pg_type t ON t.oid = chain.type WHERE t.typtype = 'd'
        ), promising AS (
          SELECT chain.domain, bool_or(t.typnotnull OR k.oid IS NOT NULL) AS promises,
                 bool_and(k.oid IS NULL OR k.conbin::text !~ '(SQLVALUEFUNCTION|NEXTVALUEEXPR)' AND NOT EXISTS (
                   SELECT FROM regexp_matches(k.conbin::text, ':(?:funcid|opfuncid) (\\d+)', 'g') m
                     JOIN pg_catalog.pg_proc p ON p.oid = m[1]::oid WHERE p.provolatile <> 'i')) AS fixed
            FROM chain JOIN pg_catalog.pg_type t ON t.oid = chain.type AND t.typtype = 'd'
            LEFT JOIN pg_catalog.pg_constraint k ON k.contypid = t.oid AND k.contype = 'c' AND k.convalidated
           GROUP BY chain.domain
        )
        SELECT format('%I.%I', n.nspname, c.relname) AS relation, a.attname::text AS name, pg_catalog.pg_table_size(c.oid) AS bytes,
               CASE WHEN promising.fixed AND a.atttypid = d.oid THEN format('ONLY %I.%I', n.nspname, c.relname) END AS source,
               format('count((%I::%I.%I)::%I.%I)', a.attname, bn.nspname, b.typname, dn.nspname, d.typname) AS count,
               CASE WHEN promising.fixed THEN 'an array of a domain' ELSE 'what its domain says depends on when it is asked' END AS why
          FROM promising JOIN pg_catalog.pg_type d ON d.oid = promising.domain JOIN pg_catalog.pg_namespace dn ON dn.oid = d.typnamespace
          JOIN chain ON chain.domain = d.oid JOIN pg_catalog.pg_type b ON b.oid = chain.type AND b.typtype <> 'd'
          JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
          JOIN pg_catalog.pg_attribute a ON a.atttypid IN (d.oid, d.typarray) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
          JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE promising.promises AND \(isTable)
         ORDER BY relation, name
        """
}
