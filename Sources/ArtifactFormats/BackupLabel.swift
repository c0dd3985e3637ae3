// What a base backup says of itself: its label, and the history file that the source archives as it ends.

public import Foundation

/// `backup_label`, or a `.backup` file of the archive, which has the end in it too.
public struct BackupLabel: Sendable, Hashable {
    public var start: UInt64
    public var startFile: String
    public var timeline: UInt32
    /// As written: a time and a zone's abbreviation.
    public var startTime: String?
    public var stopTime: String?
    /// Of an incremental backup (PostgreSQL 17 and newer): where the backup that it builds on began.
    public var incrementalFrom: UInt64?

    public init?(_ text: String) {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstRange(of: ": ") else { continue }
            values[String(line[..<colon.lowerBound])] = String(line[colon.upperBound...])
        }
        guard let location = values["START WAL LOCATION"]?.split(separator: " "), location.count >= 3,
            let start = WALPosition.parse(location[0])
        else { return nil }
        self.start = start
        startFile = String(location[2].filter { $0 != ")" })
        // Versions before 11 have no line for it, and the file's name begins with it.
        timeline = values["START TIMELINE"].flatMap { UInt32($0) } ?? UInt32(startFile.prefix(8), radix: 16) ?? 1
        startTime = values["START TIME"]
        stopTime = values["STOP TIME"]
        incrementalFrom = values["INCREMENTAL FROM LSN"].flatMap { WALPosition.parse($0) }
    }

    /// By when the backup had ended; nil where it isn't said, or in a zone that can't be told.
    ///
    /// The source writes whole seconds and cuts the rest off, and a backup that ended within a target's own second may hold what came
    /// after the target: so it is the next whole second.
    public func stopped(in home: TimeZone) -> Date? {
        stopTime.flatMap { ServerClock.date($0, named: home) }?.addingTimeInterval(1)
    }
}
