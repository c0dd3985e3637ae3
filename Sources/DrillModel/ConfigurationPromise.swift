// What must be in a backup of configuration, and what it is compared with.

/// The promises of one series of `.env` backups. Names of keys only: a value never stands here.
public struct ConfigurationPromise: Sendable, Hashable {
    /// The keys that must be there, each with a value. Empty: nothing promised.
    public var required: [String]
    /// Where the configuration that production runs with is; nil: there is none to compare with. Never an environment variable.
    public var live: KeyReference?
    /// The keys, as names or globs, that may differ from the live ones, or be there on one side alone.
    public var mayDiffer: [String]

    public init(required: [String] = [], live: KeyReference? = nil, mayDiffer: [String] = []) {
        self.required = required
        self.live = live
        self.mayDiffer = mayDiffer
    }
}
