// Which transactions had ended, as one server saw it at one moment.

/// `xmin:xmax:in-progress,…`, as `txid_current_snapshot()` prints it.
public struct TransactionSnapshot: Sendable, Hashable {
    /// The first that had not begun, or not ended.
    public var next: Int64
    /// Below that, those that had not ended.
    public var running: Set<Int64>

    /// - Returns: nil where it is none.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let next = Int64(parts[1]) else { return nil }
        let running = parts[2].split(separator: ",").map { Int64($0) }
        guard !running.contains(nil) else { return nil }
        self.next = next
        self.running = Set(running.compactMap(\.self))
    }

    /// How many had ended in a later snapshot and not in this one, whether committed or rolled back.
    public func ended(in later: TransactionSnapshot) -> Int64 {
        let finished = running.filter { $0 < later.next && !later.running.contains($0) }.count
        let new = max(0, later.next - next) - Int64(later.running.filter { $0 >= next }.count)
        return Int64(finished) + max(0, new)
    }
}
