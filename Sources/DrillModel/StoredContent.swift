// What a look at a stored artifact tells without its key.

/// A stored artifact as anybody sees it who finds it: its first bytes, how random they are, and who may read it.
public struct StoredContent: Sendable, Hashable {
    /// What the first bytes say, whatever the name says.
    public enum Kind: Sendable, Hashable {
        case empty
        /// A folder of files.
        case folder
        /// The header of an encrypted format, in words: `an openssl-encrypted file`.
        case encrypted(String)
        /// Something that opens without a key, in words: `a gzip file`.
        case plain(String)
        case unknown
    }
    /// What speaks against its being a backup.
    public enum Doubt: Sendable, Hashable {
        /// It holds nothing, and what shows that.
        case empty(String)
        /// Something that no backup of its kind is, in words.
        case foreign(String)
        /// Encrypted where the estate says plain text, in words.
        case stillEncrypted(String)
    }
    /// An encrypted file that something else was put around.
    public struct Enclosure: Sendable, Hashable {
        /// `an openssl-encrypted file inside a gzip file`.
        public var words: String
        /// The commands that take it off: `gzip -d`.
        public var undo: String

        public init(words: String, undo: String) {
            self.words = words
            self.undo = undo
        }
    }
    public var kind: Kind
    /// What was found below a compression, base64 or a tar, where somebody looked.
    public var enclosure: Enclosure?
    /// nil where nothing does, or nobody looked.
    public var doubt: Doubt?
    /// The estate file's word for the encrypted format; nil where there is none, or nobody looked that closely.
    public var encryption: String?
    /// Whether the encrypted format itself would tell a changed file from the right one.
    public var isAuthenticated: Bool
    /// What an encrypted format's header is followed by, where that is a plain format after all.
    public var plainBehindHeader: String?
    /// Bits for each byte of the sample, 0 to 8; nil where the sample is too small to tell.
    public var entropy: Double?
    /// Bytes that the entropy was taken from.
    public var sampled: Int
    /// The permission bits, such as 0o640; nil where the store has none.
    public var permissions: UInt16?
    /// What the folders above it add to that.
    public var reach: FolderReach
    /// Of a folder of tar files, as pg_basebackup writes it: each file by its name, nil where it can't be read. Empty where nobody
    /// looked into it.
    public var parts: [String: StoredContent?] = [:]

    public init(
        kind: Kind, encryption: String? = nil, isAuthenticated: Bool = false, plainBehindHeader: String? = nil, entropy: Double? = nil,
        sampled: Int = 0, permissions: UInt16?, reach: FolderReach = .open
    ) {
        self.kind = kind
        self.encryption = encryption
        self.isAuthenticated = isAuthenticated
        self.plainBehindHeader = plainBehindHeader
        self.entropy = entropy
        self.sampled = sampled
        self.permissions = permissions
        self.reach = reach
    }
}

/// How an artifact's copy in another store compares with the first one, byte by byte.
public indirect enum CopyComparison: Sendable, Hashable {
    case identical
    /// The digests of the two, lower-case hex, and their sizes.
    case different(sha256: String, size: Int64, firstSHA256: String, firstSize: Int64)
    /// Both are one file, under two names: whatever happens to it happens to both.
    case sameFile
    /// One of the two can't be read to its end, and why.
    case unreadable(String)
    /// This machine could not ask one of the stores.
    case unasked(Finding)
}
