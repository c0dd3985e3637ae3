// The programs that take a compression off: gzip, zstd, xz, bzip2, lz4.

public import ArtifactFormats

/// Reads standard input and writes standard output.
///
/// Every end but 0 is the file's fault, unless the disk is full or the program isn't there.
public struct Decompressor: Sendable, Hashable {
    public var program: String
    /// Debian's, that brings it.
    public var package: String
    public var command: [String]
    /// How names of such files end.
    public var suffixes: [String]

    public static func of(_ format: ArtifactFormat) -> Decompressor? { all[format] }

    public static let all: [ArtifactFormat: Decompressor] = [
        .gzip: Decompressor(program: "gzip", package: "gzip", command: ["gzip", "-dc"], suffixes: [".gz", ".tgz"]),
        // As wide a window as zstd can write: its own default refuses what `zstd --long` made.
        .zstd: Decompressor(program: "zstd", package: "zstd", command: ["zstd", "-dcq", "--long=31"], suffixes: [".zst", ".zstd"]),
        .xz: Decompressor(program: "xz", package: "xz-utils", command: ["xz", "-dc"], suffixes: [".xz"]),
        .bzip2: Decompressor(program: "bzip2", package: "bzip2", command: ["bzip2", "-dc"], suffixes: [".bz2"]),
        .lz4: Decompressor(program: "lz4", package: "lz4", command: ["lz4", "-dcq"], suffixes: [".lz4"]),
    ]

    /// The command, broken off after so many bytes of its output: it succeeds however it ends.
    public func beginning(_ count: Int) -> [String] { ["sh", "-c", "\"$@\" | head -c \(count)", "sh"] + command }

    /// Whether one of them, or tar, says that its input ends too soon, and not that it is damaged.
    public static func saysCut(_ words: String) -> Bool {
        [
            "nexpected end", "nexpected EOF", "premature", "ends unexpectedly", "Unfinished stream", "not stopped at a record boundary",
        ].contains(where: words.contains)
    }
}
