// The moment that a backup of configuration or code stands for: neither a `.env` file nor a bundle has a time inside.

import DrillModel
import Foundation
import Glibc

/// Reads it from the artifact's name, or from a mirror's FETCH_HEAD.
struct FileBackupTime: Sendable {
    /// For a name without a zone.
    var timeZone: TimeZone

    func time(of item: StoredItem, kind: BackupSet.Kind) -> (Date, RecoveryPoint.TimeSource) {
        if kind == .gitMirror {
            // Git writes it anew at each fetch, whether anything came or not. A mirror that is pushed to has none.
            if item.isFolder, let fetched = Self.modified(item.location.appendingPathComponent("FETCH_HEAD")) {
                return (fetched, .lastFetch)
            }
            return (item.modified, .modificationTime)
        }
        // A file can't have been written before the time in its name, but for clocks that differ.
        if let named = Self.instant(in: item.location.lastPathComponent, timeZone), named < item.modified.addingTimeInterval(3600) {
            return (named, .name)
        }
        return (item.modified, .modificationTime)
    }

    private static func modified(_ file: URL) -> Date? {
        var info = stat()
        guard stat(file.path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        return Date(timeIntervalSince1970: TimeInterval(info.st_mtim.tv_sec))
    }

    /// `app-20261123T020000+0530.env.enc`, `app_2026-11-23_02-00.bundle`; nil where a name has no date with hours and minutes.
    static func instant(in name: String, _ zone: TimeZone) -> Date? {
        let day = /(?:^|[^0-9])([0-9]{4})-?([0-9]{2})-?([0-9]{2})[T_.\-]?([0-9]{2})[.:\-]?([0-9]{2})(.*)$/
        let rest = /^(?:[.:\-]?([0-9]{2}))?(Z|[+\-][0-9]{2}:?[0-9]{2})?(?:[^0-9].*)?$/
        guard let match = name.firstMatch(of: day)?.output, let tail = match.6.wholeMatch(of: rest)?.output else { return nil }
        var parts = DateComponents()
        parts.year = Int(match.1)
        parts.month = Int(match.2)
        parts.day = Int(match.3)
        parts.hour = Int(match.4)
        parts.minute = Int(match.5)
        parts.second = tail.1.flatMap { Int($0) } ?? 0
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = tail.2.flatMap(offset) ?? zone
        // A calendar takes the 40th of a month without a word.
        guard let date = calendar.date(from: parts) else { return nil }
        let read = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        func fields(_ parts: DateComponents) -> [Int?] {
            [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second]
        }
        return fields(read) == fields(parts) ? date : nil
    }

    private static func offset(_ text: Substring) -> TimeZone? {
        guard text != "Z" else { return .gmt }
        let digits = text.dropFirst().filter(\.isNumber)
        guard let hours = Int(digits.prefix(2)), let minutes = Int(digits.suffix(2)) else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return TimeZone(secondsFromGMT: text.hasPrefix("-") ? -seconds : seconds)
    }
}
