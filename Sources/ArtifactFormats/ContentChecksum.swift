// Whether a compressed file carries a checksum of what was compressed, by its first bytes.

extension ArtifactFormat {
    /// False for what is not compressed, or compressed without one: a changed byte then unpacks to something else, and nobody notices.
    ///
    /// The flags are those of RFC 8878 (zstd), of LZ4's frame description and of the .xz file format; gzip and bzip2 always have one.
    ///
    /// - Parameter head: At least the first eight bytes.
    public static func hasContentChecksum(_ head: [UInt8]) -> Bool {
        switch ArtifactFormat(head: head) {
        case .gzip, .bzip2: true
        case .zstd, .lz4: head.count > 4 && head[4] & 0b100 != 0
        case .xz: head.count > 7 && head[7] & 0x0f != 0
        default: false
        }
    }
}
