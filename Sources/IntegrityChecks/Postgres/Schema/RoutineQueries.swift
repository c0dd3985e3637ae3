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
        return """
            SELECT p.oid::regprocedure::text AS name, concat_ws(E'\\n', 'aggregate',
              'kind: ' || nullif(a.aggkind::text, 'n'), 'direct arguments: ' || nullif(a.aggnumdirectargs, 0),
              'arguments: ' || pg_get_function_arguments(p.oid), 'result: ' || pg_get_function_result(p.oid),
              \(functions.joined(separator: ", ")),
              'state: ' || format_type(a.aggtranstype, NULL), 'initial: ' || a.agginitval, 'space: ' || nullif(a.aggtransspace, 0),
              'moving state: ' || format_type(nullif(a.aggmtranstype, 0), NULL), 'moving initial: ' || a.aggminitval,
              'sort operator: ' || nullif(a.aggsortop, 0)::regoperator, 'parallel: ' || p.proparallel::text) AS definition
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
}
