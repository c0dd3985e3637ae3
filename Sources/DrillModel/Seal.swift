// The truth that a drill compares with: what the source held when the backup was made.

public import Foundation

extension Rule {
    /// A seal is genuine and speaks of another estate, service, backup, database or cluster: what lies beside it is no backup of this one.
    public static let sealNamesOtherSource = Rule("seal-names-other-source")
}

/// A record, signed where it is stored, of what a source held at the instant of a backup.
public struct Seal: Sendable, Hashable, Codable {
    /// What the fingerprints were computed from.
    public enum Truth: String, Sendable, Hashable, Codable, CaseIterable {
        /// The live source, under the same snapshot as the backup.
        case source
        /// A restore of the artifact itself: it proves that the backup doesn't change, not that it ever was right.
        case backup
    }
    public struct Artifact: Sendable, Hashable, Codable {
        /// The file's name; a seal lies beside its artifact.
        public var name: String
        /// Bytes as stored.
        public var size: Int64
        /// Lower-case hex, of the bytes as stored. For a folder: of the sorted lines `sha256  path`.
        public var sha256: String

        public init(name: String, size: Int64, sha256: String) {
            self.name = name
            self.size = size
            self.sha256 = sha256
        }
    }
    /// How a backup was taken from a server in recovery.
    public struct Standby: Sendable, Hashable, Codable {
        /// For how long its replay stood still for the backup.
        public var pausedSeconds: Double
        /// How many bytes of the write-ahead log had come in by the end of that, and waited.
        public var waitingBytes: Int64
        /// Somebody had paused it before, and it was left so.
        public var pausedByOthers: Bool
        /// Unlogged tables, as `schema.table`: no standby has their rows, and so the backup hasn't.
        public var unlogged: [String]

        public init(pausedSeconds: Double, waitingBytes: Int64, pausedByOthers: Bool, unlogged: [String] = []) {
            self.unlogged = unlogged
            self.pausedSeconds = pausedSeconds
            self.waitingBytes = waitingBytes
            self.pausedByOthers = pausedByOthers
        }
    }
    /// The layout of this record.
    public static let currentVersion = 1
    /// That of a seal of a whole cluster. A Muster that knows only the other would compare nothing: it must not take it for one.
    public static let clusterVersion = 2

    public var version: Int
    public var estate: String
    public var service: String
    public var backup: String
    public var truth: Truth
    /// The instant that the backup stands for: the source's clock as the snapshot was taken; of a standby, its primary's clock at the last
    /// thing replayed that tells it.
    public var snapshotTime: Date
    /// How long writing the backup took, in seconds: part of the worst-case RPO.
    public var backupSeconds: Double
    public var artifact: Artifact
    /// The globals file that was taken with it, where there is one.
    public var globals: Artifact?
    /// Where the source was a standby.
    public var standby: Standby?
    public var postgres: PostgresTruth?
    /// In place of ``postgres`` where the backup is of all databases.
    public var cluster: ClusterTruth?
    /// Where it is of a moment, and of no artifact: ``artifact`` is the moment's own file then, without size and digest.
    public var moment: Moment?
    public var redis: RedisTruth?

    public init(
        version: Int = Seal.currentVersion, estate: String, service: String, backup: String, truth: Truth, snapshotTime: Date,
        backupSeconds: Double, artifact: Artifact, globals: Artifact? = nil, standby: Standby? = nil, postgres: PostgresTruth? = nil,
        redis: RedisTruth? = nil
    ) {
        self.version = version
        self.estate = estate
        self.service = service
        self.backup = backup
        self.truth = truth
        self.snapshotTime = snapshotTime
        self.backupSeconds = backupSeconds
        self.artifact = artifact
        self.globals = globals
        self.standby = standby
        self.postgres = postgres
        self.redis = redis
    }
}

/// What a Postgres database held.
public struct PostgresTruth: Sendable, Hashable, Codable {
    public var identity: PostgresIdentity
    /// One per table that holds rows of its own; partitions one by one, partitioned parents not.
    public var tables: [TableFingerprint]
    public var objects: [SchemaObject]
    public var sequences: [SequenceState]
    public var largeObjects: LargeObjectFingerprint
    /// What was asked of the schema, by the number that counts its changes; nil in seals of earlier releases, which is 1.
    public var catalogue: Int?
    /// One per table that belongs to an extension; nil in seals of earlier releases, which hold none of them.
    public var extensionTables: [ExtensionTable]?
    /// What a drill file's sealed queries were answered; nil where none was asked.
    public var answers: [SealedAnswer]?

    public init(
        identity: PostgresIdentity, tables: [TableFingerprint], objects: [SchemaObject], sequences: [SequenceState],
        largeObjects: LargeObjectFingerprint, catalogue: Int? = nil, extensionTables: [ExtensionTable]? = nil
    ) {
        self.catalogue = catalogue
        self.extensionTables = extensionTables
        self.identity = identity
        self.tables = tables
        self.objects = objects
        self.sequences = sequences
        self.largeObjects = largeObjects
    }
}

/// Which database it was.
public struct PostgresIdentity: Sendable, Hashable, Codable {
    public var database: String
    /// As `server_version_num` has it: 150018.
    public var serverVersion: Int
    /// From pg_control; decimal.
    public var systemIdentifier: String
    /// The write-ahead log position at the snapshot: `0/16B3748`.
    public var lsn: String
    public var encoding: String
    public var collate: String
    public var ctype: String
    /// `libc`, `icu` or `builtin`.
    public var localeProvider: String
    /// The ICU or builtin locale, where the provider is not libc.
    public var locale: String?
    /// The role that initdb made: owner of what no dump records an owner for.
    public var bootstrapSuperuser: String
    /// Bytes, from pg_database_size.
    public var size: Int64

    public init(
        database: String, serverVersion: Int, systemIdentifier: String, lsn: String, encoding: String, collate: String, ctype: String,
        localeProvider: String, locale: String?, bootstrapSuperuser: String, size: Int64
    ) {
        self.database = database
        self.serverVersion = serverVersion
        self.systemIdentifier = systemIdentifier
        self.lsn = lsn
        self.encoding = encoding
        self.collate = collate
        self.ctype = ctype
        self.localeProvider = localeProvider
        self.locale = locale
        self.bootstrapSuperuser = bootstrapSuperuser
        self.size = size
    }
}

/// Row count and order-independent content hash of one table.
public struct TableFingerprint: Sendable, Hashable, Codable {
    public var schema: String
    public var table: String
    public var rows: Int64
    /// Sum of the mixed row hashes, decimal. docs/fingerprints.md defines it.
    public var hash: String
    /// Bytes of the main relation, for progress and nothing else.
    public var bytes: Int64

    public init(schema: String, table: String, rows: Int64, hash: String, bytes: Int64) {
        self.schema = schema
        self.table = table
        self.rows = rows
        self.hash = hash
        self.bytes = bytes
    }

    /// `schema.table`, unquoted, for people.
    public var name: String { "\(schema).\(table)" }
}

/// A table that `CREATE EXTENSION` makes. A dump holds of its rows those that the extension marks (`pg_extension_config_dump`), and no others.
public struct ExtensionTable: Sendable, Hashable, Codable {
    /// Count and content hash, as of ``TableFingerprint``.
    public struct Rows: Sendable, Hashable, Codable {
        public var count: Int64
        public var hash: String

        public init(count: Int64, hash: String) {
            self.count = count
            self.hash = hash
        }
    }
    public var `extension`: String
    /// The extension's.
    public var version: String
    public var schema: String
    public var table: String
    /// The rows that a dump carries; nil where none are marked.
    public var dumped: Rows?
    /// The other rows; nil where whoever asked may not read them.
    public var rest: Rows?

    public init(extension: String, version: String, schema: String, table: String, dumped: Rows? = nil, rest: Rows? = nil) {
        self.extension = `extension`
        self.version = version
        self.schema = schema
        self.table = table
        self.dumped = dumped
        self.rest = rest
    }

    /// `schema.table`, unquoted, for people.
    public var name: String { "\(schema).\(table)" }
}

/// One object of a schema, with a definition that two databases can be compared by.
public struct SchemaObject: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case database, schema, `extension`, type, table, column, `default`, constraint, index, view
        case materializedView = "materialized-view"
        case function, trigger, policy, sequence, partition, statistics
        case eventTrigger = "event-trigger"
        case publication, cast, `operator`, foreign, comment, owner, grant, setting, role
        case rule, collation, language
        case textSearch = "text-search"
        case roleMembership = "role-membership"
        case accessMethod = "access-method"
        case conversion, transform, dependency
        case rolePassword = "role-password"
    }
    public var kind: Kind
    /// Unique within its kind: `public.domains`, `public.domains.name`, `public.touch(integer)`.
    public var name: String
    /// Everything that must be equal, one property a line. Never holds a password or a connection string.
    public var definition: String

    public init(kind: Kind, name: String, definition: String) {
        self.kind = kind
        self.name = name
        self.definition = definition
    }
}

/// How far a sequence had run. Sequences stand outside of snapshots, so the truth is a range: read before and after the backup.
public struct SequenceState: Sendable, Hashable, Codable {
    public var name: String
    /// The value as the backup began, and as it had ended.
    public var low: Int64
    public var high: Int64

    public init(name: String, low: Int64, high: Int64) {
        self.name = name
        self.low = low
        self.high = high
    }
}

/// Count and content hash over all large objects.
public struct LargeObjectFingerprint: Sendable, Hashable, Codable {
    public var count: Int64
    public var hash: String

    public init(count: Int64, hash: String) {
        self.count = count
        self.hash = hash
    }
}

/// What a Redis dataset held.
public struct RedisTruth: Sendable, Hashable, Codable {
    public var serverVersion: String
    /// `DEBUG DIGEST` of the whole dataset, keys that have since expired included; lower-case hex.
    public var digest: String
    /// One per database that holds keys, by index.
    public var databases: [RedisDatabaseFingerprint]
    /// By name; nil in seals that were made before these were looked at.
    public var functions: [RedisLibrary]?

    public init(
        serverVersion: String, digest: String, databases: [RedisDatabaseFingerprint], functions: [RedisLibrary]? = nil
    ) {
        self.serverVersion = serverVersion
        self.digest = digest
        self.databases = databases
        self.functions = functions
    }
}

/// One library of functions, as `FUNCTION LOAD` made it.
public struct RedisLibrary: Sendable, Hashable, Codable {
    public var name: String
    /// SHA-256 over its engine's name in upper case, a zero byte and its code; lower-case hex.
    public var sha256: String

    public init(name: String, sha256: String) {
        self.name = name
        self.sha256 = sha256
    }
}

/// What one numbered Redis database held.
public struct RedisDatabaseFingerprint: Sendable, Hashable, Codable {
    public var index: Int
    /// All keys, those past their time included.
    public var keys: Int64
    /// Keys that carry a time to live.
    public var expiring: Int64
    /// Of the keys without a time to live: these never vanish by themselves, so a drill of any later day can compare them.
    public var prefixes: [RedisPrefixFingerprint]

    public init(index: Int, keys: Int64, expiring: Int64, prefixes: [RedisPrefixFingerprint]) {
        self.index = index
        self.keys = keys
        self.expiring = expiring
        self.prefixes = prefixes
    }
}

/// The keys of one prefix and one type.
public struct RedisPrefixFingerprint: Sendable, Hashable, Codable {
    /// What stands before the first `:`; empty for keys without one; `*` for all that has no name of its own. docs/seals.md says which.
    public var prefix: String
    /// `string`, `hash`, `list`, `set`, `zset`, `stream` or a module's type.
    public var type: String
    public var keys: Int64
    /// Sum of the key hashes, decimal.
    public var hash: String
    /// Of streams: sum of the hashes over their last IDs, consumers and pending entries, decimal. nil in seals that were made before these were
    /// looked at.
    public var consumption: String?
    /// Of streams: sum of the hashes over how many entries were ever added, and which was the last to be deleted. nil also where the server is
    /// older than Redis 7, which began to count.
    public var additions: String?

    public init(prefix: String, type: String, keys: Int64, hash: String, consumption: String? = nil, additions: String? = nil) {
        self.prefix = prefix
        self.type = type
        self.keys = keys
        self.hash = hash
        self.consumption = consumption
        self.additions = additions
    }
}
