// The write-ahead log that belongs to a base backup.

import DrillModel
import Yams

extension ServiceReader {
    /// nil where it can't be read, which has been told.
    func wal(_ entry: Entry, of backup: Fields) -> WALArchive? {
        let title = "\"wal\" of \(backup.title)"
        guard let fields = Fields(file, entry.node, .wal, title: title, place: entry.place) else { return nil }
        // Where nothing else is said, it lies where the base backups do.
        let stores = fields.stated.isDisjoint(with: ["store", "stores"]) ? inherited(from: backup) : storeNames(fields)
        let match = fields.glob("match")
        guard let stores, let match, let encryption = encryption(fields) else { return nil }
        if let format = encryption.scheme?.format, [.age, .gpg, .pgBackRest].contains(format) {
            fields.report(
                "encryption", "format \"\(format.name)\" does not fit \"wal\"",
                hint: "encrypt base backups and write-ahead log with format openssl or cms")
            return nil
        }
        return WALArchive(stores: stores, match: match, encryption: encryption.scheme)
    }

    /// The base backup's own stores; what is wrong with them is told there.
    private func inherited(from backup: Fields) -> [String]? {
        if case .scalar(let scalar)? = backup["store"]?.node { return [scalar.string] }
        guard case .sequence(let sequence)? = backup["stores"]?.node else { return nil }
        return sequence.compactMap(\.scalar?.string)
    }
}
