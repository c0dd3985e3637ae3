// What is judged: the moments of one series of backups, each with its copies and what was seen of them.

public import DrillModel
public import Foundation

/// One stored artifact, and what a look at it told without its key.
public struct StoredCopy: Sendable, Hashable {
    public var point: RecoveryPoint
    /// nil where nobody looked.
    public var content: StoredContent?
    /// Of its globals file, where the set names one and it is there.
    public var globals: StoredContent?
    /// With the same artifact in the first store that holds it; nil for that one itself, and where nobody compared.
    public var comparison: CopyComparison?

    public init(
        _ point: RecoveryPoint, content: StoredContent? = nil, globals: StoredContent? = nil, comparison: CopyComparison? = nil
    ) {
        self.point = point
        self.content = content
        self.globals = globals
        self.comparison = comparison
    }
}

/// One artifact in all the stores that hold it.
public struct BackupMoment: Sendable, Hashable {
    public var time: Date
    /// By store, in the estate's order; never empty.
    public var copies: [StoredCopy]

    public init(time: Date, copies: [StoredCopy]) {
        self.time = time
        self.copies = copies
    }

    /// The one in the first store that holds it.
    var path: String { copies.first?.point.path ?? "" }
}

/// One series of backups as it lies in its stores.
public struct BackupSeries: Sendable {
    public var set: BackupSet
    public var seals: SealPolicy
    /// The stores that the set names, in its order.
    public var stores: [Store]
    public var timeZone: TimeZone
    /// The instant that is judged for; what is later was left out.
    public var now: Date
    /// The oldest first.
    public var moments: [BackupMoment]
    /// What claims a time that hasn't been yet, whatever instant is judged for; no part of ``moments``.
    public var toCome: [BackupMoment]
    /// What should be looked at of where the seals say that the backups come from.
    public var origins: [Finding] = []
    /// Clocks of two machines may differ by that much.
    private static let clockSkew = 300.0

    /// Puts the copies of one artifact together: those of one relative path.
    ///
    /// - Parameters:
    ///   - clock: What time it really is.
    ///   - copies: In the order of the set's stores.
    public init(
        set: BackupSet, seals: SealPolicy, stores: [Store], timeZone: TimeZone, now: Date, clock: Date, copies: some Sequence<StoredCopy>
    ) {
        self.set = set
        self.seals = seals
        self.stores = stores
        self.timeZone = timeZone
        self.now = now
        var index: [String: Int] = [:]
        var moments: [BackupMoment] = []
        for copy in copies {
            if let known = index[copy.point.path] {
                moments[known].copies.append(copy)
            } else {
                index[copy.point.path] = moments.count
                moments.append(BackupMoment(time: copy.point.time, copies: [copy]))
            }
        }
        // A copy may have lost its seal or its time; the best known time is the artifact's.
        for index in moments.indices {
            let best = moments[index].copies.min { $0.point.timeSource.rank < $1.point.timeSource.rank }
            if let best { moments[index].time = best.point.time }
        }
        moments.sort { ($0.time, $0.path) < ($1.time, $1.path) }
        // A mirror changes in place: what it is now is all that is known of it.
        let isLiving = set.kind == .gitMirror
        toCome = moments.filter { !isLiving && $0.time > clock.addingTimeInterval(Self.clockSkew) }
        // Those that two clocks disagree about by a little are the newest there are.
        let last = clock.timeIntervalSince(now) < Self.clockSkew ? now.addingTimeInterval(Self.clockSkew) : now
        self.moments = isLiving ? moments : moments.filter { $0.time <= last }
    }

    var name: String { "\(set.service)/\(set.name)" }

    /// Every artifact in every store, one after the other: not as an array, of a hundred thousand there would be two then.
    var allCopies: some Sequence<StoredCopy> { moments.lazy.flatMap(\.copies) }

    /// Without the moments of which no copy is a backup.
    public func backups(except broken: BrokenArtifacts) -> BackupSeries {
        var series = self
        series.moments.removeAll { moment in moment.copies.allSatisfy { broken.isNoBackup($0.point) } }
        return series
    }

    /// The date and time of a moment on the estate's clocks.
    func text(_ date: Date) -> String { LocalText.time(date, in: timeZone) }
}

extension RecoveryPoint.TimeSource {
    /// The best first.
    var rank: Int {
        switch self {
        case .seal: 0
        case .archiveHeader, .rdbCreationTime, .appendOnlyTimestamp, .backupHistory, .backupManifest, .pgBackRestInfo, .lastReplayedCommit,
            .lastReplicated,
            .sameAsLive, .primaryPosition:
            1
        case .name, .lastFetch: 2
        case .modificationTime: 3
        }
    }
}
