// How far a base backup is rolled forward.

public import Foundation

/// Where recovery is to stop.
public struct RecoveryTarget: Sendable, Hashable, CustomStringConvertible {
    public enum Goal: Sendable, Hashable {
        /// The end of the archived write-ahead log.
        case end
        case time(Date)
        /// A position in the write-ahead log.
        case lsn(UInt64)
        /// A restore point that the source set with pg_create_restore_point.
        case name(String)
        /// A transaction.
        case xid(UInt64)
        /// The newest sealed moment that the archive covers, and everything in it is compared.
        case moment
    }
    public enum Timeline: Sendable, Hashable {
        /// The newest that the archive holds.
        case latest
        /// The one that the base backup was taken on.
        case current
        case number(UInt32)
    }
    public var goal: Goal
    /// Whether what lies exactly at the target comes back too.
    public var inclusive: Bool
    public var timeline: Timeline

    public init(_ goal: Goal, inclusive: Bool = true, timeline: Timeline = .latest) {
        self.goal = goal
        self.inclusive = inclusive
        self.timeline = timeline
    }

    public var description: String {
        switch goal {
        case .end: "the end of the write-ahead log"
        case .time(let date): "time \(Self.text(date))"
        case .lsn(let lsn): "LSN \(Self.text(lsn: lsn))"
        case .name(let name): "restore point \(name)"
        case .xid(let xid): "transaction \(xid)"
        case .moment: "a sealed moment"
        }
    }

    /// `0/16B3748`
    public static func text(lsn: UInt64) -> String {
        String(lsn >> 32, radix: 16, uppercase: true) + "/" + String(lsn & 0xffff_ffff, radix: 16, uppercase: true)
    }

    /// Reads `0/16B3748`; nil where it is no position.
    public static func lsn(_ text: some StringProtocol) -> UInt64? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let high = UInt32(parts[0], radix: 16), let low = UInt32(parts[1], radix: 16) else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    /// In UTC, to the microsecond, as Postgres reads it: `2026-11-23 06:20:00.000000+00`.
    public static func text(_ date: Date) -> String {
        let microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded())
        let seconds = Double(microseconds / 1_000_000)
        let fraction = String(microseconds % 1_000_000)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: seconds))
        func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        return "\(parts.year ?? 1970)-\(two(parts.month))-\(two(parts.day)) \(two(parts.hour)):\(two(parts.minute)):\(two(parts.second))"
            + "." + String(repeating: "0", count: 6 - fraction.count) + fraction + "+00"
    }
}
