// The first bytes of a stored file, for those who only look.

import ArtifactFormats
import Cryptography
import Foundation

enum FirstBytes {
    /// As many as always suffice to tell a format; none where the file can't be read.
    static func of(_ file: URL) -> [UInt8] {
        (try? ArtifactStream.head(of: file, count: ArtifactFormat.bytesNeeded)) ?? []
    }
}
