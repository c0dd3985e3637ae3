// Which globals file belongs to which dump, by their names.

import ArtifactFormats
import Foundation

/// Pairs a dump with the globals file that was taken with it.
enum GlobalsPairing {
    /// The globals file of the same moment: the one beside the dump, or else elsewhere in the store, whose name holds the same date.
    ///
    /// A single file without any date in its name belongs to all dumps; one of another day never takes the place of a missing one.
    static func globals(for item: StoredItem, among files: [StoredItem]) -> StoredItem? {
        let stamp = digits(of: item)
        let folder = item.location.deletingLastPathComponent()
        let beside = files.filter { $0.location.deletingLastPathComponent() == folder }
        for candidates in [beside, files] {
            let same = candidates.filter { belongs(digits(of: $0), to: stamp) }
            if let best = same.max(by: { closeness($0, item, stamp) < closeness($1, item, stamp) }) { return best }
        }
        return nil
    }

    /// Names without a number are paired where there is just that one; a date of a day, `20260314`, may be followed by other times.
    private static func belongs(_ own: [UInt8], to stamp: [UInt8]) -> Bool {
        if own == stamp { return true }
        let day = 8
        return own.isEmpty || own.count >= day && stamp.count >= day && own.prefix(day) == stamp.prefix(day)
    }

    /// The nearer in time, and then in name, the better.
    private static func closeness(_ file: StoredItem, _ item: StoredItem, _ stamp: [UInt8]) -> (Int, Int) {
        let time = common(digits(of: file), stamp)
        return (time, common(Array(name(of: file).utf8), Array(name(of: item).utf8)))
    }

    private static func common(_ left: [UInt8], _ right: [UInt8]) -> Int {
        zip(left, right).prefix { $0 == $1 }.count
    }

    /// The date in a name and the digits behind it, `20260314` first; all digits where there is no date.
    private static func digits(of item: StoredItem) -> [UInt8] {
        let name = name(of: item)
        let digits = { (text: Substring) in text.utf8.filter { (0x30...0x39).contains($0) } }
        // A digit before the date, as in `db1-20260314`, must not shift it.
        if let date = name.firstMatch(of: /(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d/) { return digits(name[date.range.lowerBound...]) }
        // A folder per day, `2026-03-14/shop.dump` or `2026/03/14/shop.dump`: the globals file of another one is of another day.
        let folders = item.path.split(separator: "/").dropLast().joined(separator: "/")
        guard let date = folders.firstMatch(of: /(?:19|20)\d\d[-_.\/]?[01]\d[-_.\/]?[0-3]\d/) else {
            // Of a week's rotation the weekday is all the date that there is.
            let day = CalendarWord.first(in: name).map { Array(name[$0.range].lowercased().utf8.prefix(3)) }
            return day ?? digits(name[...])
        }
        return digits(folders[date.range.lowerBound...])
    }

    /// Without the endings that tell how a file is packed: some of them hold a digit.
    private static func name(of item: StoredItem) -> String {
        let packing = [".enc", ".age", ".gpg", ".pgp", ".asc", ".cms", ".p7m", ".gz", ".bz2", ".xz", ".zst", ".lz4", ".zstd"]
        var name = item.location.lastPathComponent
        while let ending = packing.first(where: name.hasSuffix) { name = String(name.dropLast(ending.count)) }
        return name
    }
}
