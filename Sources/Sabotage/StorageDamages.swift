// Damage to the files of a physical copy: what a checksum of the backup can't see, since the source had it before.

import DrillModel

extension Damage {
    static let storageDamages: [Damage] = [
        Damage(
            "zeroed-page", "a page of a table is zeros",
            .tableFile { bytes, table in
                guard bytes.count >= pageSize else { return nil }
                bytes.replaceSubrange(0..<pageSize, with: [UInt8](repeating: 0, count: pageSize))
                return lost(table)
            }),
        Damage(
            "emptied-relation", "the file of a table is empty",
            .tableFile { bytes, table in
                bytes = []
                return lost(table)
            }),
    ]

    private static let pageSize = 8192

    /// Rows that are gone may be missed by what counts them, too, and what an index leads to in vain by what follows it.
    private static func lost(_ table: String) -> Harm {
        Harm(Rule("relation-page-lost"), object: table, consequences: [Rule("nothing-restored"), Rule("storage-damaged")])
    }
}
