// How long backups are promised to be kept.

/// A promise of how many backups of each kind are there, and that no others are.
///
/// The finest tier keeps everything of its time; beyond it, each coarser tier keeps one backup of each of its periods.
public struct Retention: Sendable, Hashable {
    /// A length of the calendar of which one backup is kept.
    public enum Tier: String, Sendable, Hashable, Codable, CaseIterable {
        case daily, weekly, monthly, yearly
    }
    /// How many periods back there must be a backup; the period that has not ended yet is not counted. At least one tier; each count is
    /// 1 or more.
    public var counts: [Tier: Int]

    public init(_ counts: [Tier: Int]) {
        self.counts = counts
    }

    /// The promised tiers, the finest first.
    public var tiers: [Tier] { Tier.allCases.filter { counts[$0] != nil } }
}
