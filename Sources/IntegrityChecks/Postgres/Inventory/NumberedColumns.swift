// Reads which sequences number which columns, and whether a column holds what its sequence has yet to hand out.

import DrillModel
import PostgresClient

/// A sequence that numbers columns: of a serial or an identity column, or of a default that takes its next value as it is.
struct NumberingSequence: Sendable {
    /// How what it will hand out stands to what a column holds.
    enum Standing: Sendable {
        /// No column holds any of it.
        case free
        /// A column holds some of it, and not the next one.
        case later
        /// A column holds the next one.
        case taken
    }
    var schema: String
    var sequence: String
    /// `public.orders.id`, quoted as in SQL, of those that hold some of it.
    var columns: [String] = []
    var standing = Standing.free
    /// Its last value, or the one before its next where it was never used: what ``SequenceState`` has.
    var value: Int64
    var next: Int128
    /// It stands as CREATE SEQUENCE made it.
    var isPristine: Bool
    var runsDown: Bool
    /// It belongs to an extension that doesn't mark it for dumping: no dump holds where it stands.
    var isNeverDumped: Bool
    /// Quotes as SQL has them: the name in a ``SequenceState``.
    var name: String
}

/// All of a database's, and what says more about them.
struct Numbering: Sendable {
    var sequences: [NumberingSequence] = []
    /// The database subscribes to another one's changes, which don't bring where its sequences stand.
    var isSubscriber = false
    /// Tables and sequences whose files are damaged, and what the server says of them: nothing is known of these.
    var damaged: [(name: String, error: PostgresError)] = []
}

extension PostgresInventory {
    /// Reads each sequence that numbers a column, and asks the column for what the sequence has yet to hand out. Sequences that cycle are left out.
    func numbering() async throws(PostgresError) -> Numbering {
        try await pin()
        // Only the ends of columns are asked for, and an index answers that at once.
        _ = try await connection.query(
            """
            SELECT pg_catalog.set_config('enable_indexscan', 'on', false), pg_catalog.set_config('enable_indexonlyscan', 'on', false)
            """)
        var numbering = Numbering()
        var last: NumberingSequence?
        for row in try await connection.query(Self.pairs) {
            guard let schema = row["schema"], let sequence = row["sequence"], let name = row["name"], let table = row["table"],
                let column = row["column"], let range = Range(row)
            else { continue }
            if last?.name != name {
                last.map { numbering.sequences.append($0) }
                last = nil
                guard
                    let state = try await unlessDamaged(
                        name, &numbering,
                        { () async throws(PostgresError) in try await connection.query("SELECT last_value, is_called FROM \(name)") })?
                        .first,
                    let value = state[0].flatMap(Int64.init), let isCalled = state[1].map({ $0 == "t" })
                else { continue }
                let step = Int128(range.increment)
                let before = isCalled ? value : Int64(clamping: Int128(value) - step)
                last = NumberingSequence(
                    schema: schema, sequence: sequence, value: before, next: isCalled ? Int128(value) + step : Int128(value),
                    isPristine: !isCalled && value == range.start, runsDown: range.increment < 0, isNeverDumped: row["undumped"] == "t",
                    name: name)
            }
            guard var current = last else { continue }
            let next = current.next
            guard
                let standing = try await unlessDamaged(
                    table, &numbering,
                    { () async throws(PostgresError) in try await self.standing(of: next, in: range, table: table, column: column) })
            else { continue }
            if standing != .free { current.columns.append("\(table).\(column)") }
            if standing == .taken || current.standing == .free { current.standing = standing }
            last = current
        }
        last.map { numbering.sequences.append($0) }
        guard !numbering.sequences.isEmpty else { return numbering }
        numbering.isSubscriber =
            try await connection.value(
                """
                SELECT EXISTS (SELECT FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
                """) == "t"
        return numbering
    }

    /// - Returns: nil where the files are damaged, which is noted; the others are asked all the same.
    private func unlessDamaged<Answer>(
        _ name: String, _ numbering: inout Numbering, _ question: () async throws(PostgresError) -> Answer
    ) async throws(PostgresError) -> Answer? {
        do throws(PostgresError) {
            return try await question()
        } catch {
            guard error.isStorageDamage else { throw error }
            if !numbering.damaged.contains(where: { $0.name == name }) { numbering.damaged.append((name, error)) }
            return nil
        }
    }

    private struct Range {
        var increment: Int64
        var start: Int64
        var low: Int64
        var high: Int64

        init?(_ row: PostgresRow) {
            guard let increment = row["increment"].flatMap(Int64.init), let start = row["start"].flatMap(Int64.init),
                let low = row["low"].flatMap(Int64.init), let high = row["high"].flatMap(Int64.init), increment != 0
            else { return nil }
            (self.increment, self.start, self.low, self.high) = (increment, start, low, high)
        }
    }

    /// Only what the sequence can hand out counts: numbers of its range and in its steps.
    private func standing(
        of next: Int128, in range: Range, table: String, column: String
    ) async throws(PostgresError) -> NumberingSequence.Standing {
        // One that is at its end hands out nothing.
        guard next >= Int128(range.low), next <= Int128(range.high) else { return .free }
        let bounds =
            range.increment > 0
            ? "\(column) >= '\(next)'::bigint AND \(column) <= '\(range.high)'::bigint"
            : "\(column) <= '\(next)'::bigint AND \(column) >= '\(range.low)'::bigint"
        let inSteps = range.increment.magnitude == 1 ? "" : " AND (\(column)::numeric - '\(next)') % '\(range.increment)'::numeric = 0"
        let row = try await connection.query(
            """
            SELECT EXISTS (SELECT FROM \(table) WHERE \(bounds)\(inSteps)), EXISTS (SELECT FROM \(table) WHERE \(column) = '\(next)'::bigint)
            """
        ).first
        return row?[1] == "t" ? .taken : row?[0] == "t" ? .later : .free
    }

    /// Sequences and columns of numbers: an identity's, one that a column owns and no other default stands in the way, one that a default is made of.
    /// A partition or a child that shares its parent's is read with that.
    private static let pairs = """
        WITH pair AS (
          SELECT s.seqrelid AS seq, a.attrelid AS rel, a.attnum AS col FROM pg_sequence s
            JOIN pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.seqrelid
              AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE d.deptype = 'i' OR NOT a.atthasdef
          UNION
          SELECT s.seqrelid, f.adrelid, f.adnum FROM pg_sequence s
            JOIN pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = s.seqrelid
              AND d.classid = 'pg_catalog.pg_attrdef'::regclass
            JOIN pg_attrdef f ON f.oid = d.objid
          WHERE pg_get_expr(f.adbin, f.adrelid) = format('nextval(%L::regclass)', s.seqrelid::regclass)
        )
        SELECT sn.nspname AS schema, sc.relname AS sequence, format('%I.%I', sn.nspname, sc.relname) AS name,
          format('%I.%I', n.nspname, c.relname) AS table, quote_ident(a.attname) AS column,
          s.seqincrement AS increment, s.seqstart AS start, s.seqmin AS low, s.seqmax AS high,
          EXISTS (SELECT FROM pg_depend e JOIN pg_extension x ON x.oid = e.refobjid
            WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = sc.oid AND e.deptype = 'e'
              AND NOT coalesce(sc.oid = ANY (x.extconfig), false)) AS undumped
        FROM pair p JOIN pg_sequence s ON s.seqrelid = p.seq JOIN pg_class sc ON sc.oid = p.seq JOIN pg_namespace sn ON sn.oid = sc.relnamespace
          JOIN pg_class c ON c.oid = p.rel JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = p.rel AND a.attnum = p.col JOIN pg_type t ON t.oid = a.atttypid
        WHERE NOT s.seqcycle AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT a.attisdropped
          AND \(Catalog.isUserSchema("n.nspname"))
          AND coalesce(nullif(t.typbasetype, 0), t.oid) IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
          AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pair q ON q.rel = i.inhparent AND q.seq = p.seq WHERE i.inhrelid = p.rel)
        ORDER BY sn.nspname COLLATE "C", sc.relname COLLATE "C", n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum
        """
}
