// What one series of backups is known by while a store is looked through: its glob, and the word of a calendar that it rotates by.

import ArtifactFormats

/// Two series may have one glob: `shop-mon.dump` of a week's rotation, and `shop-2026-11.dump` that is kept beside it.
struct SeriesName: Hashable, Comparable {
    var pattern: String
    var rotation: CalendarWord?

    init(_ pattern: String, rotation: CalendarWord? = nil) {
        self.pattern = pattern
        self.rotation = rotation
    }

    /// That of all days of its week, or of all months; nil where it names none.
    var rotating: SeriesName? {
        guard rotation == nil, let (kind, range) = CalendarWord.first(in: pattern) else { return nil }
        return SeriesName(pattern[..<range.lowerBound] + "*" + pattern[range.upperBound...], rotation: kind)
    }

    static func < (left: SeriesName, right: SeriesName) -> Bool { left.pattern < right.pattern }
}
