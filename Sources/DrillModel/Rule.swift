// The stable names of findings. Each check declares its own rules beside its code, in an extension of this type.

/// The stable name of a kind of finding, such as `rows-differ`. Scripts match on it, so a name never changes its meaning.
public struct Rule: Sendable, Hashable, Codable, CustomStringConvertible {
    public let name: String

    public init(_ name: String) {
        self.name = name
    }

    public init(from decoder: any Decoder) throws {
        name = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    public var description: String { name }
}

/// What may go wrong in more than one module.
extension Rule {
    /// A scratch server did not come up, or ended by itself.
    public static let scratchServerFailed = Rule("scratch-server-failed")
    /// The disk that holds the scratch folder is full.
    public static let scratchDiskFull = Rule("scratch-disk-full")
    /// The scratch folder can't be used otherwise.
    public static let scratchUnusable = Rule("scratch-unusable")
    /// The artifact lies in an archive tier of its store, which takes hours to fetch from.
    public static let artifactArchived = Rule("artifact-archived")
    /// The store lists the artifact, and doesn't let it be read.
    public static let artifactAccessDenied = Rule("artifact-access-denied")
}
