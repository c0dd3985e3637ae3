// A timeline's ancestors, as its history file names them.

/// `00000003.history`: where each older timeline was left for the next.
public struct TimelineHistory: Sendable, Hashable {
    public struct Ancestor: Sendable, Hashable {
        public var timeline: UInt32
        /// Where its successor begins.
        public var end: UInt64

        public init(timeline: UInt32, end: UInt64) {
            self.timeline = timeline
            self.end = end
        }
    }
    public var timeline: UInt32
    /// The oldest first.
    public var ancestors: [Ancestor]

    public init(timeline: UInt32, ancestors: [Ancestor] = []) {
        self.timeline = timeline
        self.ancestors = ancestors
    }

    /// - Returns: nil where a line can't be read, and where there is none: every timeline that has a history file has an ancestor.
    public init?(timeline: UInt32, text: String) {
        var ancestors: [Ancestor] = []
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count >= 2, let number = UInt32(first), number < timeline, let end = WALPosition.parse(words[1]) else { return nil }
            ancestors.append(Ancestor(timeline: number, end: end))
        }
        if ancestors.isEmpty { return nil }
        self.init(timeline: timeline, ancestors: ancestors)
    }

    /// Where a timeline of this history begins; nil where it isn't part of it.
    public func begin(of wanted: UInt32) -> UInt64? {
        let chain = ancestors.map(\.timeline) + [timeline]
        guard let index = chain.firstIndex(of: wanted) else { return nil }
        return index == 0 ? 0 : ancestors[index - 1].end
    }
}
