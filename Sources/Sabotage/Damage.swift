// Damage done on purpose to a copy, and the finding that it must cause.

public import DrillModel
public import PostgresClient
public import RedisClient

/// What a damage did, and how a check must notice it.
public struct Harm: Sendable, Hashable {
    /// The rule of the finding that must appear.
    public var rule: Rule
    /// What the finding's object must contain.
    public var object: String
    /// Rules of findings that rightly follow from the same damage.
    public var consequences: Set<Rule>

    public init(_ rule: Rule, object: String, consequences: Set<Rule> = []) {
        self.rule = rule
        self.object = object
        self.consequences = consequences
    }
}

/// One kind of damage.
public struct Damage: Sendable {
    /// How it is done. Each returns nil where a backup holds nothing that could be damaged so.
    public enum Means: Sendable {
        /// In a restored copy of the database, which is dumped again afterwards.
        case postgres(@Sendable (PostgresConnection, PostgresTruth) async throws -> Harm?)
        /// In a loaded copy of the dataset, which is saved again afterwards.
        case redis(@Sendable (RedisConnection) async throws -> Harm?)
        /// In the bytes of a stored file, behind the seal's back.
        case artifact(@Sendable (inout [UInt8]) -> Harm?)
        /// In the bytes of a table's file, in a copy of a physical backup whose server was stopped. Hears the table's name.
        case tableFile(@Sendable (inout [UInt8], String) -> Harm?)
        /// In a copy of the archive that a base backup is rolled forward by.
        case archive(@Sendable (ArchiveCopy) throws -> Harm?)
        /// In what was listed of the whole series: no file is touched.
        case series(@Sendable (inout SeriesTimes) -> Harm?)
        /// In the bytes of the seal.
        case seal(@Sendable (inout [UInt8]) -> Harm?)
        /// In the bytes of the copy before it is sealed: only what they are can give them away.
        case content(@Sendable (inout [UInt8]) -> Harm?)
        /// The same, in a script of pg_dump's of the database.
        case script(@Sendable (inout [UInt8]) -> Harm?)
        /// In what the seal says, signed all the same.
        case sealed(@Sendable (inout Seal) -> Harm?)
    }
    /// Stable; `--damage` names it.
    public var name: String
    /// One line for people.
    public var summary: String
    public var means: Means
    /// It takes a database from several: only a series of whole clusters holds them.
    public var isOfClusters: Bool

    public init(_ name: String, _ summary: String, isOfClusters: Bool = false, _ means: Means) {
        self.isOfClusters = isOfClusters
        self.name = name
        self.summary = summary
        self.means = means
    }

    /// Whether it can be done to a service of this engine.
    public func fits(_ engine: Service.Engine) -> Bool {
        switch means {
        case .postgres, .script, .tableFile, .archive: engine == .postgres
        case .redis: engine == .redis
        case .artifact, .content, .seal, .sealed, .series: engine.holdsData
        }
    }

    /// Every damage that muster knows: a new one is a line here.
    public static let all: [Damage] =
        rowDamages + schemaDamages + redisDamages + fileDamages + storageDamages + archiveDamages + seriesDamages
}
