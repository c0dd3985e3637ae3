// Tells what a file is by its first bytes, never by its name.

/// What the first bytes of a file say it is.
public enum ArtifactFormat: String, Sendable, Hashable, CaseIterable {
    /// `openssl enc` with a salt: still encrypted.
    case opensslEncrypted = "an openssl-encrypted file"
    /// What `openssl enc -a` writes: the same as text.
    case opensslBase64 = "an openssl-encrypted file as base64"
    /// CMS EnvelopedData, DER: whether it was changed, it can't tell.
    case cmsEnveloped = "a CMS envelope"
    /// CMS AuthEnvelopedData, DER.
    case cmsAuthenticated = "an authenticated CMS envelope"
    /// CMS as PEM or S/MIME, which is what `openssl cms` writes without `-outform DER`.
    case cmsText = "a CMS envelope as text"
    /// age, binary or armored.
    case age = "an age-encrypted file"
    /// OpenPGP, binary or armored.
    case gpg = "a PGP-encrypted file"
    /// `pg_dump -Fc`.
    case postgresArchive = "a pg_dump custom archive"
    /// A tar: of `pg_dump -Ft`, of a dump folder, or of an append-only folder.
    case tar = "a tar file"
    case gzip = "a gzip file"
    case zstd = "a zstd file"
    case xz = "an xz file"
    case bzip2 = "a bzip2 file"
    case lz4 = "an lz4 file"
    case zip = "a zip file"
    /// What other packers write, none of which is read.
    case packed = "a packed file (7z, rar, lzip, lzop or compress)"
    /// A snapshot of Redis or Valkey, or an append-only file that opens with one: only its end tells.
    case rdb = "a redis snapshot"
    /// Commands as Redis and Valkey append them: all of an append-only file, or what follows its base.
    case appendOnly = "a redis append-only file"
    /// SQL as text, as `pg_dump -Fp` and `pg_dumpall` write it.
    case sql = "an SQL script"
    /// A script or an archive of pg_dump's, as PowerShell's `>` writes it: of the latter nothing can be had any more.
    case utf16 = "a pg_dump in UTF-16, as PowerShell's > writes it"
    /// What pg_dump says while it works, in front of what it writes: `2>&1` in the job's line.
    case dumpMessages = "pg_dump's own messages"
    /// `git bundle create`.
    case gitBundle = "a git bundle"
    case empty = "an empty file"
    case unknown = "an unknown kind of file"

    /// How many bytes always suffice to tell.
    public static let bytesNeeded = 4096

    /// - Parameter head: The first ``bytesNeeded`` bytes, or all there are.
    public init(head: [UInt8]) {
        func starts(_ text: String) -> Bool { head.starts(with: Array(text.utf8)) }
        func starts(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
        if head.isEmpty {
            self = .empty
        } else if starts("Salted__") {
            self = .opensslEncrypted
        } else if starts("U2FsdGVkX1") {
            // Base64 of that word, as far as what follows doesn't change it.
            self = .opensslBase64
        } else if let encrypted = EncryptedHeader.format(of: head) {
            self = encrypted
        } else if starts("PGDMP") {
            self = .postgresArchive
        } else if starts("REDIS0") || RDBHeader.begins(head) {
            self = .rdb
        } else if AppendOnlyText.begins(head) {
            self = .appendOnly
        } else if starts([0x1f, 0x8b]) {
            self = .gzip
        } else if starts([0x28, 0xb5, 0x2f, 0xfd]) {
            self = .zstd
        } else if starts([0xfd, 0x37, 0x7a, 0x58, 0x5a]) {
            self = .xz
        } else if starts("BZh") {
            self = .bzip2
        } else if starts([0x04, 0x22, 0x4d, 0x18]) {
            self = .lz4
        } else if starts([0x50, 0x4b, 0x03, 0x04]) {
            self = .zip
        } else if Self.packers.contains(where: head.starts) {
            self = .packed
        } else if head.count > 262, Array(head[257..<262]) == Array("ustar".utf8) {
            self = .tar
        } else if starts("# v2 git bundle\n") || starts("# v3 git bundle\n") {
            self = .gitBundle
        } else if Self.looksLikeDump(head) {
            self = .sql
        } else if starts("pg_dump: ") || starts("pg_dumpall: ") {
            self = .dumpMessages
        } else if Self.isDumpInUTF16(head) {
            self = .utf16
        } else {
            self = .unknown
        }
    }

    /// The estate file's word for the format of encryption; nil where there is none.
    public var encryption: String? {
        switch self {
        case .opensslEncrypted, .opensslBase64: "openssl"
        case .cmsEnveloped, .cmsAuthenticated, .cmsText: "cms"
        case .age: "age"
        case .gpg: "gpg"
        default: nil
        }
    }

    /// Whether a changed byte of it is noticed whoever changed it, without a seal.
    public var isAuthenticated: Bool { [.cmsAuthenticated, .age, .gpg].contains(self) }

    /// With its byte order mark, which PowerShell and iconv write.
    private static func isDumpInUTF16(_ head: [UInt8]) -> Bool {
        guard head.starts(with: [0xff, 0xfe]) || head.starts(with: [0xfe, 0xff]) else { return false }
        // Of the letters of both kinds of dump one byte is 0.
        let letters = head.dropFirst(2).filter { $0 != 0 }
        return looksLikeDump(letters) || letters.starts(with: Array("PGDMP".utf8))
    }

    private static let packers: [[UInt8]] = [
        [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], Array("Rar!".utf8), Array("LZIP".utf8), [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a],
        [0x1f, 0x9d],
    ]

    /// Every script of pg_dump and pg_dumpall opens with a comment that says so.
    private static func looksLikeDump(_ head: [UInt8]) -> Bool {
        let text = String(decoding: head.prefix(1024), as: UTF8.self)
        return text.contains("-- PostgreSQL database dump") || text.contains("-- PostgreSQL database cluster dump")
    }
}
