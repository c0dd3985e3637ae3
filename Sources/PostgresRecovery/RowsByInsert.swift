// Says why the restore of some scripts takes so long: their rows are INSERTs.

import DrillModel

extension Rule {
    static let rowsByInsert = Rule("rows-by-insert")
}

/// Scripts of `pg_dump --inserts` and its kin.
enum RowsByInsert {
    /// Fewer are no matter.
    private static let fewest = 1000

    static func note(on script: DumpScript, object: String) -> [Finding] {
        guard script.inserts >= fewest, script.rows.isEmpty else { return [] }
        return [
            Finding(
                .rowsByInsert, .note, object: object, expected: "rows by COPY", actual: "\(script.inserts) INSERT statements, and no COPY",
                message:
                    "each INSERT of the dump is a transaction of its own: its restore takes many times as long as that of a COPY would",
                hint: """
                    that is part of the RTO: dump without --inserts, --column-inserts and --rows-per-insert; in an emergency \
                    psql --single-transaction spares most of it
                    """)
        ]
    }
}
