// Where one opened file of the write-ahead log is written to, and what of it is told from its first bytes and its size.

import ArtifactFormats
import Foundation
import ScratchHost

// @unchecked: the stream that feeds it is sequential, and it is read only once that has ended.
final class SegmentSink: @unchecked Sendable {
    private let file: ScratchFile
    private(set) var head: [UInt8] = []
    private(set) var size: UInt64 = 0

    init(_ url: URL) throws {
        file = try ScratchFile(url)
    }

    func take(_ bytes: UnsafeRawBufferPointer) throws {
        if head.count < WALSegmentHeader.size { head += bytes.prefix(WALSegmentHeader.size - head.count) }
        size += UInt64(bytes.count)
        try file.write(bytes)
    }

    func give(to host: ScratchHost) throws { try file.give(to: host) }
}
