// Whether bytes that were decrypted on trial begin as a backup does: strictly, since nearly all of them are noise.

/// As ``ArtifactFormat``, for whoever asks of many noises: of a billion, fewer than one passes.
public enum KnownBeginning {
    /// So many bytes of a file's content, or all of a shorter one, are enough.
    public static let wanted = 48

    public static func holds(_ head: [UInt8]) -> Bool {
        guard head.count >= 16 else { return false }
        switch ArtifactFormat(head: head) {
        case .postgresArchive, .rdb, .appendOnly, .xz, .gitBundle: return true
        case .gzip: return isGzip(head)
        // A reserved bit of the frame's own header.
        case .zstd: return head[4] & 0x08 == 0
        // Version 1 of the frame, and two reserved bits.
        case .lz4: return head[4] & 0xc2 == 0x40 && head[5] & 0x8f == 0
        case .bzip2: return head[4..<10].elementsEqual([0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
        default: return isText(head.prefix(wanted)) || isTarName(head.prefix(wanted)) || isSegment(head)
        }
    }

    /// Deflate, no reserved flag, and the levels and systems that there are.
    private static func isGzip(_ head: [UInt8]) -> Bool {
        head[2] == 8 && head[3] & 0xe0 == 0 && [0, 2, 4].contains(head[8]) && (head[9] <= 13 || head[9] == 255)
    }

    /// SQL, a `.env` file, a manifest in JSON. The last block of a short file may end in padding.
    private static func isText(_ head: ArraySlice<UInt8>) -> Bool {
        let text = head.prefix { (0x20..<0x7f).contains($0) || [0x09, 0x0a, 0x0d].contains($0) }
        return text.count >= 24 && (text.count == head.count || head.count < wanted && head.count - text.count <= 16)
    }

    /// A tar begins with a name in a field of 100 bytes, the rest of which is zero.
    private static func isTarName(_ head: ArraySlice<UInt8>) -> Bool {
        let name = head.prefix { (0x20..<0x7f).contains($0) }
        return head.count == wanted && !name.isEmpty && head.dropFirst(name.count).allSatisfy { $0 == 0 }
    }

    private static func isSegment(_ head: [UInt8]) -> Bool {
        guard let header = WALSegmentHeader(head), header.pageSize == 8192 else { return false }
        return header.segmentSize.nonzeroBitCount == 1 && header.segmentSize >= 1 << 20
    }
}
