// When backups are promised to be made.

/// A promise of backups at their times, in the estate's time zone.
public struct Schedule: Sendable, Hashable, CustomStringConvertible {
    public enum Interval: Sendable, Hashable {
        case day
        case week(Weekday)
        /// Less than a day. With ``Schedule/at`` it divides a day, and the times are those of the clock on the wall.
        case span(Duration)
    }
    public var interval: Interval
    /// The time on the wall clock that the runs are counted from; nil: at any time, as long as no gap is longer than the interval.
    public var at: TimeOfDay?
    /// How far a backup may be off its time.
    public var tolerance: Duration

    public static let defaultTolerance = Duration.seconds(1800)

    public init(interval: Interval, at: TimeOfDay? = nil, tolerance: Duration = Schedule.defaultTolerance) {
        self.interval = interval
        self.at = at
        self.tolerance = tolerance
    }

    /// `every day at 02:00`.
    public var description: String {
        let interval =
            switch interval {
            case .day: "every day"
            case .week(let weekday): "every \(weekday.rawValue)"
            case .span(let span): "every \(Self.text(span))"
            }
        guard let at else { return interval }
        if case .span = self.interval { return "\(interval), counted from \(at)" }
        return "\(interval) at \(at)"
    }

    private static func text(_ span: Duration) -> String {
        let seconds = span.components.seconds
        let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")]
        return parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
    }
}

/// A time on the wall clock, without a date.
public struct TimeOfDay: Sendable, Hashable, CustomStringConvertible {
    /// 0 to 23.
    public var hour: Int
    /// 0 to 59.
    public var minute: Int

    public init(hour: Int, minute: Int) {
        self.hour = hour
        self.minute = minute
    }

    /// Reads `02:00`; nil where it is no time of a day.
    public init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
        else { return nil }
        self.init(hour: hour, minute: minute)
    }

    /// `02:00`.
    public var description: String { "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)" }
}

/// A day of the week.
public enum Weekday: String, Sendable, Hashable, Codable, CaseIterable {
    case sunday, monday, tuesday, wednesday, thursday, friday, saturday

    /// As calendars count: Sunday is 1.
    public var number: Int { (Self.allCases.firstIndex(of: self) ?? 0) + 1 }
}
