// Reads where each sequence stands.

public import DrillModel
import PostgresClient

extension PostgresInventory {
    private static let perQuery = 100

    /// - Parameter recovered: As they may stand once the log has been replayed: it runs ahead of what was handed out.
    func readSequences(recovered: Bool = false) async throws(PostgresError) -> [SequenceState] {
        let rows = try await connection.query(
            """
            SELECT format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement AS increment, s.seqcache AS cache, s.seqmin AS least,
              s.seqmax AS most, s.seqcycle AS cycles
            FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE \(options.isStandby ? "c.relpersistence = 'p'" : "c.relpersistence <> 't'")
              AND \(Catalog.isUserSchema("n.nspname")) AND \(Catalog.isNoMember("pg_class", "c.oid"))
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """)
        var states: [SequenceState] = []
        for start in stride(from: 0, to: rows.count, by: Self.perQuery) {
            let part = rows[start..<min(start + Self.perQuery, rows.count)]
            let selects = part.map { row in
                let name = row["name"] ?? ""
                // One that was never used, or was set back, stands before its next value. The edge of bigint is not crossed.
                return """
                    SELECT \(SQL.literal(name)), CASE WHEN is_called THEN last_value ELSE
                      greatest(least(last_value::numeric - \(row["increment"] ?? "1"), 9223372036854775807), -9223372036854775808)::bigint
                      END FROM \(name)
                    """
            }
            let found = try await connection.query(selects.joined(separator: "\nUNION ALL\n"))
            for (row, properties) in zip(found, part) {
                guard let name = row[0], let value = row[1].flatMap(Int64.init) else {
                    throw PostgresError(.unsupported, message: "a sequence has no value", hint: "report this as a defect")
                }
                let state = SequenceState(name: name, low: value, high: value)
                states.append(recovered ? Self.logged(state, properties) : state)
            }
        }
        return states
    }

    /// How many values a server logs ahead each time (SEQ_LOG_VALS).
    private static let loggedAhead: Int128 = 32

    private static func logged(_ state: SequenceState, _ properties: PostgresRow) -> SequenceState {
        guard let increment = properties["increment"].flatMap({ Int128($0) }), let cache = properties["cache"].flatMap({ Int128($0) }),
            let least = properties["least"].flatMap({ Int64($0) }), let most = properties["most"].flatMap({ Int64($0) })
        else { return state }
        let farthest = Int128(state.high) + increment * (loggedAhead + cache)
        let isInside = farthest >= Int128(least) && farthest <= Int128(most)
        if !isInside, properties["cycles"] == "t" { return SequenceState(name: state.name, low: least, high: most) }
        let end = Int64(clamping: min(max(farthest, Int128(least)), Int128(most)))
        return SequenceState(name: state.name, low: min(state.low, end), high: max(state.high, end))
    }
}

extension SequenceState {
    /// The range that covers both readings, of a sequence that may also run downwards.
    public func covering(_ other: SequenceState) -> SequenceState {
        SequenceState(name: name, low: min(low, other.low), high: max(high, other.high))
    }
}
