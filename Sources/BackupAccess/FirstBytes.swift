// The first bytes of a stored file, for those who only look.

import ArtifactFormats
import Cryptography
public import Foundation

public enum FirstBytes {
    /// As many as always suffice to tell a format; none where the file can't be read.
    public static func of(_ file: URL) -> [UInt8] {
        (try? ArtifactStream.head(of: file, count: ArtifactFormat.bytesNeeded)) ?? []
    }

    /// The file's last bytes, as many as tell what a snapshot ends with.
    public static func lastOf(_ file: URL) -> [UInt8] {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return [] }
        defer { try? handle.close() }
        guard let size = try? handle.seekToEnd() else { return [] }
        try? handle.seek(toOffset: size > 64 ? size - 64 : 0)
        return (try? handle.readToEnd()).map { Array($0) } ?? []
    }
}
