// Where a base backup's write-ahead log is archived.

/// A folder of archived WAL segments, history files and backup history files.
public struct WALArchive: Sendable, Hashable {
    /// The names of the stores that hold it.
    public var stores: [String]
    /// A glob, relative to each store's root: `postgres/wal/*`.
    public var match: String
    public var encryption: Encryption?

    public init(stores: [String], match: String, encryption: Encryption? = nil) {
        self.stores = stores
        self.match = match
        self.encryption = encryption
    }
}
