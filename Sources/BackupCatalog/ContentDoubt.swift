// What the first bytes of an artifact say against its being a backup of its kind at all.

import ArtifactFormats
import DrillModel

extension StoredContent {
    /// With what speaks against it, for a set's kind.
    ///
    /// - Parameters:
    ///   - head: The first bytes; all there are where the file has no more than ``ContentProbe/sampleSize``.
    ///   - size: Of the whole file, in bytes.
    func doubted(as set: BackupSet, head: [UInt8], size: Int64) -> StoredContent {
        var content = self
        content.doubt = Self.doubt(of: ArtifactFormat(head: head), head: head, size: size, as: set)
        return content
    }

    /// No dump and no snapshot comes compressed to so few bytes; commands that were appended may. xz needs 32 for nothing.
    private static func fewest(_ kind: BackupSet.Kind) -> Int { kind == .aof ? 33 : 64 }

    private static func doubt(of format: ArtifactFormat, head: [UInt8], size: Int64, as set: BackupSet) -> Doubt? {
        if format == .empty { return .empty("0 bytes") }
        guard [.pgDump, .rdb, .aof].contains(set.kind) else {
            return set.kind == .gitBundle && set.encryption == nil && format != .gitBundle && !compressed.contains(format)
                ? .foreign(format.rawValue) : nil
        }
        let isWhole = size <= Int64(head.count)
        if isWhole, let body = body(of: format, head), body < fewest(set.kind) {
            return .empty("\(size) bytes of \(format.rawValue): nothing can be in it")
        }
        guard set.encryption == nil else { return nil }
        if format.encryption != nil { return .stillEncrypted(format.rawValue) }
        return kinds(set.kind).contains(format) ? nil : .foreign(format.rawValue)
    }

    /// How many bytes of content such a file can hold at the most; nil where its header isn't told apart from it.
    private static func body(of format: ArtifactFormat, _ bytes: [UInt8]) -> Int? {
        switch format {
        case _ where compressed.contains(format): bytes.count
        case .opensslEncrypted, .opensslBase64: EncryptedBody.sample(of: bytes, format).count
        // The nonce or the last block, and the tag.
        case .age: EncryptedBody.sample(of: bytes, format).count - 32
        default: nil
        }
    }

    private static let compressed: Set<ArtifactFormat> = [.gzip, .zstd, .xz, .bzip2, .lz4]

    private static func kinds(_ kind: BackupSet.Kind) -> Set<ArtifactFormat> {
        switch kind {
        case .pgDump: compressed.union([.postgresArchive, .sql, .tar])
        case .rdb: compressed.union([.rdb, .tar])
        default: compressed.union([.appendOnly, .rdb, .tar])
        }
    }
}
