// What a lab is asked to be, and what it then is.

public import Foundation
public import ScratchHost

/// How a lab is made.
public struct LabOptions: Sendable {
    /// Where it goes: a folder that doesn't exist yet, or is empty.
    public var folder: URL
    /// Days of history, one backup each.
    public var days: Int
    /// Domains under watch; the other tables grow with it.
    public var rows: Int
    /// Where the servers live while it is made.
    public var scratch: ScratchRoot
    /// The major version of its Postgres; nil for the oldest here that will do.
    public var postgresMajor: Int?
    /// The newest night's backup is of the last 02:00 in India before this.
    public var now: Date

    public init(
        folder: URL, days: Int = 35, rows: Int = 2000, scratch: ScratchRoot = ScratchRoot(), postgresMajor: Int? = nil, now: Date = Date()
    ) {
        self.folder = folder
        self.days = days
        self.rows = rows
        self.scratch = scratch
        self.postgresMajor = postgresMajor
        self.now = now
    }

    /// The allowed numbers.
    public static let dayRange = 1...400
    public static let rowRange = 40...1_000_000
}

/// A finished lab.
public struct LabEstate: Sendable, Hashable {
    public var folder: URL
    public var estateFile: URL
    /// Ready to be handed to `muster run`, the main one first.
    public var drillFiles: [URL]
    /// The backups, by day, oldest first; dumps and snapshots.
    public var dumps: [URL]
    public var snapshots: [URL]
    /// The dumps of the months before the first day that are kept beside them, oldest first.
    public var monthlies: [URL]
    /// The dumps of the last days that are made every six hours, oldest first.
    public var sixHourly: [URL]
    /// The instant of the newest backup.
    public var newest: Date
}

/// A lab whose servers run.
public struct RunningLab: Sendable, Hashable {
    /// The folder of the sources' sockets: Postgres' on port 5432, and `redis.sock`.
    public var sockets: URL
    /// The same of the standby and the replica.
    public var secondZone: URL
    /// A drill that takes them; nil where this machine can't run it.
    public var drill: URL?
}

/// Where things lie in a lab.
struct LabPlaces: Sendable {
    var folder: URL

    var keys: URL { folder.appending(path: "keys", directoryHint: .isDirectory) }
    var passphrase: URL { keys.appending(path: "backup.key") }
    var signingKey: URL { keys.appending(path: "seal.key") }
    /// What the lab's Redis asks of everybody: it is replicated over TCP.
    var redisPassword: URL { keys.appending(path: "redis.password") }
    var publicKey: URL { keys.appending(path: "seal.pub") }
    var primary: URL { folder.appending(path: "backups/primary", directoryHint: .isDirectory) }
    /// A copy of all that, as another zone would hold it.
    var mirror: URL { folder.appending(path: "backups/dr", directoryHint: .isDirectory) }
    /// What a copy of the application's `.env` file lies in, night by night.
    var configurations: URL { primary.appending(path: "configuration", directoryHint: .isDirectory) }
    /// Bundles of the application's repository; not there where git isn't.
    var bundles: URL { primary.appending(path: "code", directoryHint: .isDirectory) }
    /// The application as production runs it: its `.env` file, and the commit that is deployed.
    var production: URL { folder.appending(path: "app", directoryHint: .isDirectory) }
    var environment: URL { production.appending(path: ".env") }
    var revision: URL { production.appending(path: "REVISION") }
    var dumps: URL { primary.appending(path: "postgres/daily", directoryHint: .isDirectory) }
    var sixHourly: URL { primary.appending(path: "postgres/six-hourly", directoryHint: .isDirectory) }
    var baseBackups: URL { primary.appending(path: "postgres/base", directoryHint: .isDirectory) }
    /// The pgBackRest repository; not there where pgbackrest isn't.
    var repository: URL { primary.appending(path: "postgres/pgbackrest", directoryHint: .isDirectory) }
    /// The second cluster's; not there where no PostgreSQL 17 is.
    var incrementals: URL { primary.appending(path: "measurements/base", directoryHint: .isDirectory) }
    var incrementalWAL: URL { primary.appending(path: "measurements/wal", directoryHint: .isDirectory) }
    var wal: URL { primary.appending(path: "postgres/wal", directoryHint: .isDirectory) }
    var snapshots: URL { primary.appending(path: "redis/rdb", directoryHint: .isDirectory) }
    var appendOnly: URL { primary.appending(path: "redis/aof", directoryHint: .isDirectory) }
    var drills: URL { folder.appending(path: "drills", directoryHint: .isDirectory) }
    /// The application's files, as a drill starts them.
    var application: URL { folder.appending(path: "application", directoryHint: .isDirectory) }
    var estateFile: URL { folder.appending(path: "estate.yaml") }
    var source: URL { folder.appending(path: "source", directoryHint: .isDirectory) }
    var postgresData: URL { source.appending(path: "postgres", directoryHint: .isDirectory) }
    var redisData: URL { source.appending(path: "redis", directoryHint: .isDirectory) }
    /// Made by the first start.
    var standbyData: URL { source.appending(path: "standby", directoryHint: .isDirectory) }
    var replicaData: URL { source.appending(path: "redis-replica", directoryHint: .isDirectory) }
    /// The drills that take the running servers.
    var live: URL { folder.appending(path: "live", directoryHint: .isDirectory) }
    var failoverDrill: URL { live.appending(path: "standby-failover.yaml") }
    var mark: URL { folder.appending(path: LabMark.fileName) }
}
