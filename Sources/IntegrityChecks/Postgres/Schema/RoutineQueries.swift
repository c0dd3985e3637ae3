// Functions, and what is built of them: aggregates, casts, operators, event triggers, text search.

import DrillModel

extension CatalogQuery {
    private static let isUserRoutine = "\(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_proc", "p.oid"))"

    static let functions = CatalogQuery(.function) { _ in
        """
        SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS definition
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind <> 'a' AND \(isUserRoutine)
        """
    }

    static let aggregates = CatalogQuery(.function) { _ in
        let functions = [
            ("transition", "aggtransfn"), ("final", "aggfinalfn"), ("combine", "aggcombinefn"), ("serialize", "aggserialfn"),
            ("deserialize", "aggdeserialfn"), ("moving transition", "aggmtransfn"), ("moving inverse", "aggminvtransfn"),
            ("moving final", "aggmfinalfn"),
        ].map { "'\($0): ' || nullif(a.\($1), 0)::oid::regprocedure" }
        let unmodified = "CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END"
        return """
            SELECT p.oid::regprocedure::text AS name, concat_ws(E'\\n', 'aggregate',
              'kind: ' || nullif(a.aggkind::text, 'n'), 'direct arguments: ' || nullif(a.aggnumdirectargs, 0),
              'arguments: ' || pg_get_function_arguments(p.oid), 'result: ' || pg_get_function_result(p.oid),
              \(functions.joined(separator: ", ")),
              'state: ' || format_type(a.aggtranstype, NULL), 'initial: ' || a.agginitval, 'space: ' || nullif(a.aggtransspace, 0),
              'moving state: ' || format_type(nullif(a.aggmtranstype, 0), NULL), 'moving initial: ' || a.aggminitval,
              'sort operator: ' || nullif(a.aggsortop, 0)::regoperator, 'parallel: ' || p.proparallel::text,
              CASE WHEN a.aggfinalextra THEN 'final extra' END, CASE WHEN a.aggmfinalextra THEN 'moving final extra' END,
              'final modifies: ' || nullif(a.aggfinalmodify::text, \(unmodified)), 'moving final modifies: ' || nullif(a.aggmfinalmodify::text, \(unmodified)),
              'moving space: ' || nullif(a.aggmtransspace, 0)) AS definition
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE \(isUserRoutine)
            """
    }

    static let eventTriggers = CatalogQuery(.eventTrigger) { _ in
        """
        SELECT quote_ident(evtname) AS name, concat_ws(E'\\n', 'on: ' || evtevent, 'function: ' || evtfoid::regprocedure,
          'tags: ' || (SELECT string_agg(g, ', ' ORDER BY g COLLATE "C") FROM unnest(evttags) g), \(enabled("evtenabled"))) AS definition
        FROM pg_event_trigger t WHERE \(Catalog.isNoMember("pg_event_trigger", "t.oid"))
        """
    }

    /// Identifiers below 16384 are the server's own.
    static let casts = CatalogQuery(.cast) { _ in
        """
        SELECT format_type(castsource, NULL) || ' as ' || format_type(casttarget, NULL) AS name, concat_ws(E'\\n',
          CASE castmethod WHEN 'b' THEN 'without function' WHEN 'i' THEN 'with inout' ELSE 'function: ' || castfunc::regprocedure END,
          CASE castcontext WHEN 'a' THEN 'as assignment' WHEN 'i' THEN 'as implicit' ELSE 'explicit' END) AS definition
        FROM pg_cast c WHERE c.oid >= 16384 AND \(Catalog.isNoMember("pg_cast", "c.oid"))
        """
    }

    /// Not the forward declarations that a commutator or negator leaves behind, which no dump holds.
    static let operators = CatalogQuery(.operator) { _ in
        """
        SELECT o.oid::regoperator::text AS name, concat_ws(E'\\n', 'function: ' || nullif(o.oprcode, 0)::oid::regprocedure,
          'result: ' || format_type(nullif(o.oprresult, 0), NULL), 'commutator: ' || nullif(o.oprcom, 0)::regoperator,
          'negator: ' || nullif(o.oprnegate, 0)::regoperator, 'restrict: ' || nullif(o.oprrest, 0)::oid::regprocedure,
          'join: ' || nullif(o.oprjoin, 0)::oid::regprocedure, CASE WHEN o.oprcanhash THEN 'hashes' END,
          CASE WHEN o.oprcanmerge THEN 'merges' END) AS definition
        FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE o.oprcode <> 0 AND \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_operator", "o.oid"))
        """
    }

    static let operatorClasses = CatalogQuery(.operator) { _ in
        """
        SELECT 'class ' || format('%I.%I', n.nspname, o.opcname) || ' using ' || quote_ident(m.amname) AS name, concat_ws(E'\\n',
          'for type: ' || format_type(o.opcintype, NULL), CASE WHEN o.opcdefault THEN 'default' END,
          'stores: ' || format_type(nullif(o.opckeytype, 0), NULL),
          'family: ' || (SELECT format('%I.%I', fn.nspname, f.opfname) FROM pg_opfamily f JOIN pg_namespace fn ON fn.oid = f.opfnamespace
            WHERE f.oid = o.opcfamily)) AS definition
        FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am m ON m.oid = o.opcmethod
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_opclass", "o.oid"))
        """
    }

    static let operatorFamilies = CatalogQuery(.operator) { _ in
        """
        SELECT 'family ' || format('%I.%I', n.nspname, f.opfname) || ' using ' || quote_ident(m.amname) AS name, concat_ws(E'\\n',
          (SELECT string_agg('operator ' || s.amopstrategy || ': ' || s.amopopr::regoperator, E'\\n'
            ORDER BY s.amopstrategy, s.amopopr::regoperator::text COLLATE "C") FROM pg_amop s WHERE s.amopfamily = f.oid),
          (SELECT string_agg('function ' || s.amprocnum || ': ' || s.amproc::oid::regprocedure, E'\\n'
            ORDER BY s.amprocnum, s.amproc::oid::regprocedure::text COLLATE "C") FROM pg_amproc s WHERE s.amprocfamily = f.oid)) AS definition
        FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_opfamily", "f.oid"))
        """
    }

    /// The server keeps a dictionary's options as it printed them when it was made: with all names quoted where `quote_all_identifiers` was on.
    static let textSearch = CatalogQuery(.textSearch) { _ in
        """
        SELECT 'configuration ' || format('%I.%I', n.nspname, c.cfgname) AS name, concat_ws(E'\\n',
          'parser: ' || (SELECT format('%I.%I', pn.nspname, p.prsname) FROM pg_ts_parser p JOIN pg_namespace pn ON pn.oid = p.prsnamespace
            WHERE p.oid = c.cfgparser),
          (SELECT string_agg('token ' || m.maptokentype || ': ' || m.mapdict::regdictionary, E'\\n' ORDER BY m.maptokentype, m.mapseqno)
            FROM pg_ts_config_map m WHERE m.mapcfg = c.oid)) AS definition
        FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_ts_config", "c.oid"))
        UNION ALL
        SELECT 'dictionary ' || format('%I.%I', n.nspname, d.dictname), concat_ws(E'\\n',
          'template: ' || (SELECT format('%I.%I', pn.nspname, p.tmplname) FROM pg_ts_template p JOIN pg_namespace pn ON pn.oid = p.tmplnamespace
            WHERE p.oid = d.dicttemplate), 'options: ' || regexp_replace(d.dictinitoption, '"([a-z_][a-z0-9_]*)" = ', '\\1 = ', 'g'))
        FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_ts_dict", "d.oid"))
        """
    }

    /// Parsers and templates, which are made of functions in C. They have no owner.
    static let textSearchParts = CatalogQuery(.textSearch) { _ in
        """
        SELECT 'parser ' || format('%I.%I', n.nspname, p.prsname) AS name, concat_ws(E'\\n', 'start: ' || p.prsstart::oid::regprocedure,
          'token: ' || p.prstoken::oid::regprocedure, 'end: ' || p.prsend::oid::regprocedure,
          'headline: ' || nullif(p.prsheadline, 0)::oid::regprocedure, 'types: ' || p.prslextype::oid::regprocedure) AS definition
        FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_ts_parser", "p.oid"))
        UNION ALL
        SELECT 'template ' || format('%I.%I', n.nspname, p.tmplname), concat_ws(E'\\n', 'init: ' || nullif(p.tmplinit, 0)::oid::regprocedure,
          'lexize: ' || p.tmpllexize::oid::regprocedure)
        FROM pg_ts_template p JOIN pg_namespace n ON n.oid = p.tmplnamespace
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_ts_template", "p.oid"))
        """
    }

    static let accessMethods = CatalogQuery(.accessMethod) { _ in
        """
        SELECT quote_ident(amname) AS name, concat_ws(E'\\n', CASE amtype WHEN 't' THEN 'for tables' ELSE 'for indexes' END,
          'handler: ' || amhandler::oid::regprocedure) AS definition
        FROM pg_am a WHERE a.oid >= 16384 AND \(Catalog.isNoMember("pg_am", "a.oid"))
        """
    }

    static let conversions = CatalogQuery(.conversion) { _ in
        """
        SELECT format('%I.%I', n.nspname, c.conname) AS name, concat_ws(E'\\n', 'from: ' || pg_encoding_to_char(c.conforencoding),
          'to: ' || pg_encoding_to_char(c.contoencoding), 'function: ' || c.conproc::oid::regprocedure, CASE WHEN c.condefault THEN 'default' END)
          AS definition
        FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace
        WHERE \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_conversion", "c.oid"))
        """
    }

    static let transforms = CatalogQuery(.transform) { _ in
        """
        SELECT 'for ' || format_type(t.trftype, NULL) || ' language ' || quote_ident(l.lanname) AS name, concat_ws(E'\\n',
          'from SQL: ' || nullif(t.trffromsql, 0)::oid::regprocedure, 'to SQL: ' || nullif(t.trftosql, 0)::oid::regprocedure) AS definition
        FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE \(Catalog.isNoMember("pg_transform", "t.oid"))
        """
    }

    /// `ALTER … DEPENDS ON EXTENSION`: dropping the extension drops it.
    static let dependencies = CatalogQuery(.dependency) { _ in
        """
        SELECT o.kind || ' ' || o.name || ' on extension ' || quote_ident(x.extname) AS name, 'of ' || o.kind || ' ' || o.name AS definition
        FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_extension'::regclass
          CROSS JOIN LATERAL (
            SELECT 'function' AS kind, p.oid::regprocedure::text AS name FROM pg_proc p
              WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
            UNION ALL SELECT \(Catalog.relationKind("c.relkind")), \(Catalog.relationName("c")) FROM pg_class c
              WHERE d.classid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objid
            UNION ALL SELECT 'trigger', \(Catalog.relationName("c")) || '.' || quote_ident(t.tgname) FROM pg_trigger t
              JOIN pg_class c ON c.oid = t.tgrelid WHERE d.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = d.objid) AS o
        WHERE d.deptype = 'x'
        """
    }
}
