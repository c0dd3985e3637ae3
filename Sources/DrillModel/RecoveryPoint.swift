// A moment that the estate can be brought back to, and the artifact that it takes.

public import Foundation

/// One moment that a service can be brought back to.
public struct RecoveryPoint: Sendable, Hashable {
    /// Where the moment was read from, best first.
    public enum TimeSource: String, Sendable, Hashable, Codable, CaseIterable {
        case seal
        /// The last transaction that recovery replayed, in the server's own words.
        case lastReplayedCommit = "last-replayed-commit"
        /// The newest of what a replica is known to have had of its primary.
        case lastReplicated = "last-replicated"
        case archiveHeader = "archive-header"
        /// The end of a base backup, from the history file that the source archived with it.
        case backupHistory = "backup-history"
        /// The newest time in a base backup's manifest: its end or shortly before.
        case backupManifest = "backup-manifest"
        /// A pgBackRest backup's end, as the repository's own catalogue has it.
        case pgBackRestInfo = "pgbackrest-info"
        case rdbCreationTime = "rdb-ctime"
        /// The last time that an append-only file names, which a server with `aof-timestamp-enabled` writes.
        case appendOnlyTimestamp = "aof-timestamp"
        /// The instant that the backup job wrote into the artifact's name.
        case name
        /// When a git mirror was fetched into last: git writes its FETCH_HEAD anew each time.
        case lastFetch = "last-fetch"
        /// The incident itself: what came back is what production runs, so nothing is lost.
        case sameAsLive = "same-as-live"
        /// How far a lost primary had come when it was asked right before its loss: all of that came back.
        case primaryPosition = "primary-position"
        /// The last resort, and said so: copying a file can change it.
        case modificationTime = "mtime"
    }
    /// What is known of its seal.
    ///
    /// Indirect: a seal is large, and most points of a large store have none.
    public indirect enum SealState: Sendable, Hashable {
        case valid(Seal)
        case missing
        /// There is one, and it doesn't hold: why, and the mend.
        case broken(Finding)
        /// There is one, and this machine can't read it now: nothing is known of it.
        case unread(Finding)

        /// The seal, where it holds.
        public var seal: Seal? {
            if case .valid(let seal) = self { seal } else { nil }
        }
    }
    public var service: String
    public var backup: String
    /// The store it was found in, and that store's zone.
    public var store: String
    public var zone: String?
    /// Relative to the store's root.
    public var path: String
    public var location: URL
    /// The globals file beside it, where the backup set names one.
    public var globals: URL?
    /// Bytes; of a folder, of all the files in it.
    public var size: Int64
    /// The moment that its content stands for.
    public var time: Date
    public var timeSource: TimeSource
    /// What ``time`` was read as, before an incident in its own second made it that one's: by then it had ended for sure.
    public private(set) var endedBy: Date
    public var sealState: SealState
    /// What is known to stand between this machine and the artifact, without having fetched it; nil: nothing.
    public var obstacle: DrillFailure?
    /// The write-ahead log's position at which a physical backup is consistent, where the tool that made it says so.
    public var end: UInt64?

    public init(
        service: String, backup: String, store: String, zone: String?, path: String, location: URL, globals: URL? = nil, size: Int64,
        time: Date, timeSource: TimeSource, sealState: SealState, obstacle: DrillFailure? = nil, end: UInt64? = nil
    ) {
        self.service = service
        self.backup = backup
        self.store = store
        self.zone = zone
        self.path = path
        self.location = location
        self.globals = globals
        self.size = size
        self.time = time
        self.timeSource = timeSource
        endedBy = time
        self.sealState = sealState
        self.obstacle = obstacle
        self.end = end
    }
}

extension RecoveryPoint {
    /// Whether it has to be restored in its store, for hours, before anybody can fetch it.
    public var isArchived: Bool { obstacle?.finding.rule == .artifactArchived }

    /// Whole seconds that are cut off where they are written: ``time`` is the next one then, by which it had ended for sure.
    private var precision: TimeInterval { [.pgBackRestInfo, .backupHistory].contains(timeSource) ? 1 : 0 }

    /// What it is for an incident of that instant: nil where it is younger. One that ended in the incident's own second is not.
    public func counted(by incident: Date) -> RecoveryPoint? {
        guard time.addingTimeInterval(-precision) <= incident else { return nil }
        var point = self
        point.time = min(time, incident)
        return point
    }
}
