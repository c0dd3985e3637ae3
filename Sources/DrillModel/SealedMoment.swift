// A moment of a source's life, sealed: what a physical backup must hold that is rolled forward to it.

extension Seal {
    /// Where a sealed moment lies in the write-ahead log.
    public struct Moment: Sendable, Hashable, Codable {
        /// Which transactions the fingerprints saw, as `pg_current_snapshot()` has it: full transaction numbers, with their epoch.
        public struct Snapshot: Sendable, Hashable, Codable {
            /// All before it had ended.
            public var xmin: UInt64
            /// None from it on had ended.
            public var xmax: UInt64
            /// Of those in between, the ones that had not.
            public var running: [UInt64]
            /// Transactions whose commit waited for a synchronous standby when ``Moment/before`` was read, and that for as long as one likes: it
            /// stands in the log before anybody sees it. nil: the source doesn't tell who waits.
            public var waiting: [UInt64]?

            public init(xmin: UInt64, xmax: UInt64, running: [UInt64], waiting: [UInt64]? = []) {
                self.xmin = xmin
                self.xmax = xmax
                self.running = running
                self.waiting = waiting
            }

            /// Reads `741:745:741,743`; nil where it is none.
            public init?(_ text: String) {
                let parts = text.split(separator: ":", omittingEmptySubsequences: false)
                guard parts.count == 3, let xmin = UInt64(parts[0]), let xmax = UInt64(parts[1]) else { return nil }
                let running = parts[2].split(separator: ",").map { UInt64($0) }
                guard running.allSatisfy({ $0 != nil }) else { return nil }
                self.init(xmin: xmin, xmax: xmax, running: running.compactMap { $0 })
            }
        }
        public var timeline: UInt32
        /// The write-ahead log's end shortly before the snapshot was taken, when sequences were first read, which stand outside of every
        /// snapshot: `0/16B3748`. Of a standby, as ``after``.
        public var before: String
        /// The same right after it: every commit that it saw stands before. Of a standby, where its replay stood still.
        public var after: String
        /// nil: the source was a standby that stood still, so that the moment is ``after`` itself.
        public var snapshot: Snapshot?
        /// Unlogged tables, as `schema.table`: sealed as empty, which they are after every recovery.
        public var unlogged: [String]

        public init(timeline: UInt32, before: String, after: String, snapshot: Snapshot?, unlogged: [String] = []) {
            self.timeline = timeline
            self.before = before
            self.after = after
            self.snapshot = snapshot
            self.unlogged = unlogged
        }
    }

    /// That of a sealed moment. A Muster that doesn't know moments would look for an artifact.
    public static let momentVersion = 3

    /// What a moment's file is called behind its name.
    public static let momentSuffix = ".moment.json"

    /// Makes it a seal of a moment, which no artifact belongs to.
    public mutating func hold(_ moment: Moment) {
        version = Self.momentVersion
        self.moment = moment
    }
}

extension Seal.Moment.Snapshot {
    /// Whether a commit by that transaction number, as the write-ahead log has it without its epoch, was seen.
    public func saw(_ transaction: UInt32) -> Bool {
        let full = full(transaction)
        return full < xmin || full < xmax && !running.contains(full)
    }

    /// The full number of a transaction of the log around the snapshot: none of them is two thousand million older or younger.
    public func full(_ transaction: UInt32) -> UInt64 {
        let distance = Int64(Int32(truncatingIfNeeded: Int64(transaction) - Int64(truncatingIfNeeded: xmax & 0xffff_ffff)))
        return UInt64(max(0, Int64(xmax) + distance))
    }
}

extension BackupSet {
    /// Where the sealed moments of a physical backup lie, relative to the root of each of ``momentStores``.
    public var momentMatch: String { (moments ?? "moments/\(service)/\(name)/*") + Seal.momentSuffix }

    /// The stores of the write-ahead log, since a moment is of no use without it.
    public var momentStores: [String] { wal?.stores ?? stores }
}
