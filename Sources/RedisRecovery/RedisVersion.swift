// Which server, of two projects that were one: what a file says of its writer, and what a program says of itself.

public import ArtifactFormats

/// A version as both projects count it. Each of its first two numbers may bring a new file format.
public struct RedisVersion: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    public enum Flavour: String, Sendable, Hashable, Codable {
        case redis, valkey
    }
    public var flavour: Flavour
    public var major: Int
    public var minor: Int
    public var patch: Int

    public init(_ flavour: Flavour, _ major: Int, _ minor: Int = 0, _ patch: Int = 0) {
        self.flavour = flavour
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// - Parameter text: `9.1.2`, or with words behind it.
    /// - Returns: nil where it doesn't begin with a number.
    public init?(_ flavour: Flavour, _ text: some StringProtocol) {
        let numbers = text.prefix { $0.isNumber || $0 == "." }.split(separator: ".").map { Int($0) ?? 0 }
        guard let major = numbers.first else { return nil }
        self.init(flavour, major, numbers.count > 1 ? numbers[1] : 0, numbers.count > 2 ? numbers[2] : 0)
    }

    /// `7.4.1`, or `valkey 9.1.2`, as a seal has it.
    public init?(sealed text: String) {
        let isValkey = text.hasPrefix("valkey ")
        self.init(isValkey ? .valkey : .redis, isValkey ? text.dropFirst("valkey ".count) : text[...])
    }

    /// `9.1.2`
    public var number: String { "\(major).\(minor).\(patch)" }

    public var description: String { "\(flavour.rawValue) \(number)" }

    /// Only versions of one project have an order that means something; across projects it is merely stable.
    public static func < (left: RedisVersion, right: RedisVersion) -> Bool {
        (left.flavour.rawValue, left.major, left.minor, left.patch) < (right.flavour.rawValue, right.major, right.minor, right.patch)
    }

    func isSameRelease(as other: RedisVersion) -> Bool {
        flavour == other.flavour && major == other.major && minor == other.minor
    }

    /// Whether it is of a release whose formats are known here: nothing is said of later ones, nor of what goes by a number of its own.
    var isKnown: Bool {
        switch flavour {
        case .valkey: (major, minor) <= (9, 1)
        case .redis:
            [(3, 2), (4, 0), (5, 0), (6, 0), (6, 2), (7, 0), (7, 2), (7, 4), (8, 0), (8, 2), (8, 4), (8, 6)].contains {
                $0 == (major, minor)
            }
        }
    }

    /// The newest RDB version that it is known to read, whoever wrote the file; a newer release of the writer's own project always does.
    ///
    /// Valkey refuses 12 to 79, which only Redis writes.
    func reads(rdb version: Int) -> Bool {
        switch flavour {
        case .valkey: major >= 9 ? version <= 11 || version == 80 : version <= 11
        case .redis:
            switch (major, minor) {
            case (..<3, _), (3, ..<2): version <= 6
            case (3, _): version <= 7
            case (4, _): version <= 8
            case (5...6, _): version <= 9
            case (7, ..<2): version <= 10
            case (7, ..<4): version <= 11
            case (7, _), (8, ..<6): version <= 12
            default: version <= 13
            }
        }
    }
}

/// What a backup says of the server that wrote it.
public struct RedisOrigin: Sendable, Hashable {
    /// nil where it doesn't say: an append-only file without a snapshot before its commands never does.
    public var version: RedisVersion?
    /// The RDB format's version; nil where there is no snapshot in it.
    public var rdb: Int?
    /// In a form that no server before Redis 7 reads: a folder with a manifest, or with times between the commands.
    public var needsSeven: Bool

    public init(version: RedisVersion? = nil, rdb: Int? = nil, needsSeven: Bool = false) {
        self.version = version
        self.rdb = rdb
        self.needsSeven = needsSeven
    }

    public init(_ header: RDBHeader?, needsSeven: Bool = false) {
        let flavour: RedisVersion.Flavour? = header?.isValkey.map { $0 ? .valkey : .redis }
        version = flavour.flatMap { flavour in header?.serverVersion.flatMap { RedisVersion(flavour, $0) } }
        // Its magic alone says whose it is, where the field that names the version can't be read.
        if version == nil, header?.isValkey == true { version = RedisVersion(.valkey, 9) }
        rdb = header?.formatVersion
        self.needsSeven = needsSeven
    }

    /// `valkey 9.1.2 (RDB 80)`.
    var words: String {
        let format = rdb.map { "RDB \($0)" }
        guard let version, !isOlderThanItsForm else { return needsSeven ? "redis 7 or newer" : format ?? "redis" }
        return version.description + (format.map { " (\($0))" } ?? "")
    }

    /// The oldest that is known to read it; nil where nothing is said.
    var oldestReader: RedisVersion? { isOlderThanItsForm || (version == nil && needsSeven) ? RedisVersion(.redis, 7) : version }

    /// Commands of a newer server follow the snapshot of an older one.
    private var isOlderThanItsForm: Bool { needsSeven && (version.map { $0 < RedisVersion(.redis, 7) } ?? false) }

    /// No server of the release that it names wrote this format: its first bytes were changed, or another project's server goes by that
    /// release's name.
    var contradictsItself: Bool {
        guard let version, let rdb, version.isKnown else { return false }
        // The field that names the release came with 7.
        return rdb < 7 || !version.reads(rdb: rdb)
    }

    func isRead(by reader: RedisVersion) -> Bool {
        if needsSeven, reader < RedisVersion(.redis, 7) { return false }
        if let rdb, contradictsItself { return reader.reads(rdb: rdb) }
        return isReadAsItSays(by: reader)
    }

    /// Where the file's own word is all there is.
    func isReadAsItSays(by reader: RedisVersion) -> Bool {
        if needsSeven, reader < RedisVersion(.redis, 7) { return false }
        if let version, version.flavour == reader.flavour, (reader.major, reader.minor) >= (version.major, version.minor) { return true }
        guard let rdb else { return true }
        return reader.reads(rdb: rdb)
    }
}
