// The first bytes of a stored file, for those who only look.

import ArtifactFormats
import Foundation

enum FirstBytes {
    /// As many as always suffice to tell a format; none where the file can't be read.
    static func of(_ file: URL) -> [UInt8] {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return [] }
        defer { try? handle.close() }
        return Array((try? handle.read(upToCount: ArtifactFormat.bytesNeeded)) ?? Data())
    }
}
