// The estate: services, stores, keys and how each service is backed up.

public import Foundation

/// The services that must survive, with their stores, keys and backups. Read from an estate file.
public struct Estate: Sendable, Hashable {
    public var name: String
    /// Schedules and reports speak in this zone.
    public var timeZone: TimeZone
    public var stores: [String: Store]
    public var keys: [String: KeyReference]
    public var services: [String: Service]
    public var applications: [String: Application]
    /// How a zone is cut off for a drill that loses it, by the zone's name.
    public var zones: [String: Outage.Commands]
    public var seals: SealPolicy
    /// Other names that the seals of its backups may carry: former ones.
    public var sealedAs: [String] = []
    /// How its runs are recorded in a ledger; nil where they aren't.
    public var evidence: EvidencePolicy?
    /// Who is told how its runs ended, by name.
    public var notify: [NotifyChannel] = []
    /// Promises that Muster can't ask, by name, each with what is asked by hand instead. They are reported as skipped.
    public var byHand: [String: String]
    /// The file it came from; relative paths inside it start at its folder.
    public var file: URL

    public init(
        name: String, timeZone: TimeZone, stores: [String: Store], keys: [String: KeyReference], services: [String: Service],
        applications: [String: Application] = [:], zones: [String: Outage.Commands] = [:], seals: SealPolicy,
        byHand: [String: String] = [:], file: URL
    ) {
        self.name = name
        self.timeZone = timeZone
        self.stores = stores
        self.keys = keys
        self.services = services
        self.applications = applications
        self.zones = zones
        self.seals = seals
        self.byHand = byHand
        self.file = file
    }
}

/// A place where backups lie.
public struct Store: Sendable, Hashable {
    public enum Location: Sendable, Hashable {
        case folder(URL)
        case remote(RemoteStore)
    }
    public var name: String
    public var location: Location
    /// The failure domain that it shares with others of the same name.
    public var zone: String?

    public init(name: String, location: Location, zone: String?) {
        self.name = name
        self.location = location
        self.zone = zone
    }

    /// nil where it is on another machine.
    public var folder: URL? {
        if case .folder(let url) = location { url } else { nil }
    }

    public var remote: RemoteStore? {
        if case .remote(let remote) = location { remote } else { nil }
    }
}

/// Where a secret is to be found. The secret itself never stands in a file of Muster's.
public enum KeyReference: Sendable, Hashable {
    /// The whole file, without a final line break.
    case file(URL)
    case environment(String)
    /// A command whose standard output is the secret, without a final line break.
    case command([String])
}

/// How far seals are trusted, and whether a backup may lack one.
public struct SealPolicy: Sendable, Hashable {
    /// Ed25519 public keys, PEM. A seal signed by any other key doesn't hold.
    public var trustedKeys: [URL]
    /// An unsealed backup fails instead of skipping the checks that need a seal.
    public var required: Bool
    /// The Ed25519 private key that `muster seal` signs with.
    public var signingKey: KeyReference?

    public init(trustedKeys: [URL] = [], required: Bool = false, signingKey: KeyReference? = nil) {
        self.trustedKeys = trustedKeys
        self.required = required
        self.signingKey = signingKey
    }
}

/// With which keys the runs of an estate are recorded in a ledger, and verified.
public struct EvidencePolicy: Sendable, Hashable {
    /// The Ed25519 private key that entries are signed with.
    public var signingKey: KeyReference
    /// Ed25519 public keys, PEM. An entry signed by any other key doesn't hold.
    public var trustedKeys: [URL]

    public init(signingKey: KeyReference, trustedKeys: [URL]) {
        self.signingKey = signingKey
        self.trustedKeys = trustedKeys
    }
}

/// One thing that must come back.
public struct Service: Sendable, Hashable {
    public enum Engine: String, Sendable, Hashable, Codable, CaseIterable {
        case postgres, redis
        /// A `.env` file.
        case configuration
        /// A git repository.
        case code
    }
    public var name: String
    public var engine: Engine
    /// How `muster seal` reaches the source. A drill asks it for one thing alone: how far it is ahead of its standby or replica.
    public var source: SourceConnection?
    /// Of Postgres alone.
    public var standby: Standby?
    /// Of Redis alone.
    public var replica: Standby?
    /// Of Postgres alone: a hot standby that an application of a drill may be connected to, which reads in it.
    public var living: SourceConnection?
    /// Of Postgres alone: what the scratch servers of its dumps load and are set to.
    public var needs: ServerNeeds
    /// Of Redis alone: the folder of the server's programs to restore with; nil: what the machine has.
    public var binaries: URL?
    /// Of Redis alone: what the server must load to read the data.
    public var modules: [ServerModule]
    /// Other names that the seals of its backups may carry: former ones.
    public var sealedAs: [String] = []
    /// Of Postgres alone: the names that the sealed database may have; empty: the source's, or what the series' seals agree on.
    public var databases: [String] = []
    /// Of Postgres alone: the clusters that it may lie in, by system identifier; empty: what the series' seals agree on.
    public var systemIdentifiers: [String] = []
    public var backups: [String: BackupSet]
    /// What a disaster at the worst moment may cost, all backups of the service together; nil: nothing promised.
    public var worstCaseTarget: Duration?

    public init(
        name: String, engine: Engine, source: SourceConnection?, backups: [String: BackupSet], worstCaseTarget: Duration? = nil,
        standby: Standby? = nil, replica: Standby? = nil, living: SourceConnection? = nil, needs: ServerNeeds = ServerNeeds(),
        binaries: URL? = nil, modules: [ServerModule] = []
    ) {
        self.name = name
        self.binaries = binaries
        self.modules = modules
        self.engine = engine
        self.source = source
        self.standby = standby
        self.replica = replica
        self.living = living
        self.needs = needs
        self.backups = backups
        self.worstCaseTarget = worstCaseTarget
    }
}

/// A module that a server loads as it starts.
public struct ServerModule: Sendable, Hashable, Codable {
    /// Of its shared library.
    public var path: String
    public var arguments: [String]

    public init(path: String, arguments: [String] = []) {
        self.path = path
        self.arguments = arguments
    }
}

/// How a live source is reached, without its secret.
public struct SourceConnection: Sendable, Hashable {
    /// A host name, or an absolute path: for Postgres of the folder that holds the Unix socket, for Redis of the socket itself.
    public var host: String
    public var port: Int?
    public var database: String?
    public var user: String?
    public var password: KeyReference?
    /// Where it stands; nil: nobody says.
    public var zone: String?

    public init(host: String, port: Int?, database: String?, user: String?, password: KeyReference?, zone: String? = nil) {
        self.zone = zone
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
    }
}

/// One series of backups of one service.
public struct BackupSet: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Any format that pg_dump writes, whole or as a tar of its folder, plain or compressed.
        case pgDump = "pg_dump"
        /// A folder that pg_basebackup wrote: the files themselves, or its tar files; with a backup_manifest.
        case baseBackup = "base_backup"
        /// A pgBackRest repository: each of its backups, full, differential or incremental, is a recovery point.
        case pgBackRest = "pgbackrest"
        /// What another tool made, and restores by a declared command.
        case command
        /// A Redis snapshot file.
        case rdb
        /// A Redis append-only folder of several parts, or a tar of it.
        case aof
        /// A `.env` file: lines of `KEY=value`.
        case env
        /// A file of `git bundle create … --all`.
        case gitBundle = "git_bundle"
        /// A folder of `git clone --mirror`: one recovery point, which changes in place.
        case gitMirror = "git_mirror"
    }
    public var name: String
    public var service: String
    public var kind: Kind
    /// The names of the stores that hold it.
    public var stores: [String]
    /// A glob, relative to each store's root: `postgres/daily/*.dump.enc`.
    public var match: String
    public var encryption: Encryption?
    /// A glob for the `pg_dumpall --globals-only` file that lies beside each artifact, under the same encryption.
    public var globals: String?
    /// `muster seal` backs up all databases of the source, as pg_dumpall does; of kind ``Kind/pgDump`` alone.
    public var isCluster = false
    /// Where the write-ahead log that follows a base backup lies; nil: only what the base backup itself holds.
    public var wal: WALArchive?
    /// The stanza of a pgBackRest repository.
    public var stanza: String?
    /// How another tool restores an artifact; of kind ``Kind/command`` alone.
    public var restore: RestoreCommand?
    /// Of kind ``Kind/env`` alone.
    public var configuration: ConfigurationPromise?
    /// Of kinds ``Kind/gitBundle`` and ``Kind/gitMirror`` alone.
    public var code: CodePromise?
    /// When it is promised to be made; nil: nothing promised.
    public var schedule: Schedule?
    /// How long it is promised to be kept; nil: nothing promised.
    public var retention: Retention?
    /// Other names that its seals may carry: former ones, and those of series whose backups are copied into this one.
    public var sealedAs: [String] = []
    /// A glob for sealed moments without their ending, relative to the root of each of ``momentStores``; nil: by the set's name.
    public var moments: String?

    public init(
        name: String, service: String, kind: Kind, stores: [String], match: String, encryption: Encryption? = nil, globals: String? = nil,
        wal: WALArchive? = nil, stanza: String? = nil, restore: RestoreCommand? = nil,
        configuration: ConfigurationPromise? = nil, code: CodePromise? = nil, schedule: Schedule? = nil, retention: Retention? = nil
    ) {
        self.name = name
        self.service = service
        self.kind = kind
        self.stores = stores
        self.match = match
        self.encryption = encryption
        self.globals = globals
        self.wal = wal
        self.stanza = stanza
        self.restore = restore
        self.configuration = configuration
        self.code = code
        self.schedule = schedule
        self.retention = retention
    }
}

extension BackupSet {
    /// Whether a write-ahead log can be replayed on top of it, and so a target be reached.
    public var hasWAL: Bool { wal != nil || kind == .pgBackRest || restore?.fetchWAL != nil }

    /// Whether it is a whole cluster's files, and not what a tool dumped of it.
    public var isPhysical: Bool { [.baseBackup, .pgBackRest, .command].contains(kind) }
}

/// How an artifact is encrypted.
public struct Encryption: Sendable, Hashable {
    /// How `openssl enc` makes a key of a passphrase, by the estate file's words.
    public enum Derivation: String, Sendable, Hashable, CaseIterable {
        case pbkdf2
        /// One round of the digest: the program's default without `-pbkdf2`.
        case evpBytesToKey = "evp-bytes-to-key"
    }
    public enum Format: Sendable, Hashable {
        /// What `openssl enc -aes-256-cbc -pbkdf2 -iter N -md DIGEST` writes, or without `-pbkdf2` and `-iter`, of the other derivation.
        case opensslEnc(iterations: Int, digest: String, derivation: Derivation = .pbkdf2)
        /// pgBackRest's own, aes-256-cbc; the key is the repository's cipher pass.
        case pgBackRest
        /// What `openssl cms -encrypt -binary -outform DER` writes; the key is the recipient's private key.
        case cms
        /// What `age` writes for a recipient; the key is the identity.
        case age
        /// What `gpg` writes; the key is an exported private key, or a passphrase.
        case gpg

        /// The estate file's word for it.
        public var name: String {
            switch self {
            case .opensslEnc: "openssl"
            case .pgBackRest: "pgbackrest"
            case .cms: "cms"
            case .age: "age"
            case .gpg: "gpg"
            }
        }

        /// The word for what its files look like.
        public var storedName: String { self == .pgBackRest ? "openssl" : name }

        /// In words: `an openssl-encrypted file`.
        public var words: String {
            switch self {
            case .opensslEnc, .pgBackRest: "an openssl-encrypted file"
            case .cms: "a CMS envelope"
            case .age: "an age-encrypted file"
            case .gpg: "a PGP-encrypted file"
            }
        }
    }
    public var format: Format
    /// The name of the estate's key.
    public var key: String

    public init(format: Format, key: String) {
        self.format = format
        self.key = key
    }
}

extension Estate {
    /// All series of backups, by service and name.
    public var allSets: [BackupSet] {
        services.values.sorted { $0.name < $1.name }.flatMap { service in service.backups.values.sorted { $0.name < $1.name } }
    }

    /// Whether anything of it lies where only rclone reaches.
    public var hasRemoteStores: Bool { stores.values.contains { $0.remote != nil } }

    /// Whether anything of a set does.
    public func isRemote(_ set: BackupSet) -> Bool { set.stores.contains { stores[$0]?.remote != nil } }
}
