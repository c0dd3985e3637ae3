// Whether an archived file is the segment that its name says, of the cluster that the base backup is of.

import ArtifactFormats
import DrillModel

/// What every segment of one cluster must be.
struct SegmentCheck: Sendable {
    var systemIdentifier: UInt64
    var segmentSize: UInt64
    /// nil where nobody has said.
    var major: Int?
    /// The base backup's.
    var timeline: UInt32 = 1

    /// - Parameters:
    ///   - head: The segment's first bytes.
    ///   - size: Of the whole segment, where it is known.
    /// - Returns: What is wrong; nil where nothing is.
    func problem(_ name: WALSegmentName, head: [UInt8], size: UInt64?) -> Finding? {
        if let size, size != segmentSize {
            return damaged(
                name, "\(segmentSize) bytes", "\(size) bytes",
                size < segmentSize ? "the segment is cut short" : "the segment is longer than a segment is")
        }
        guard let header = WALSegmentHeader(head) else {
            return damaged(name, "the header of a segment", "other bytes", "the file doesn't begin as a WAL segment does")
        }
        guard header.systemIdentifier == systemIdentifier else {
            return Finding(
                .walForeign, object: name.text, expected: "cluster \(systemIdentifier)", actual: "cluster \(header.systemIdentifier)",
                message: "the segment is of another cluster",
                hint: "two servers archive into one folder: give each its own, and take a new base backup")
        }
        let address = name.number(size: segmentSize) * segmentSize
        guard header.address == address, header.timeline <= name.timeline else {
            return damaged(
                name, "position \(WALPosition.text(address))",
                "position \(WALPosition.text(header.address)) of timeline \(header.timeline)",
                "the file holds another segment than its name says")
        }
        guard UInt64(header.segmentSize) == segmentSize else {
            return damaged(
                name, "segments of \(segmentSize) bytes", "\(header.segmentSize)", "the segment is of another size than the cluster's")
        }
        if let major, let magic = WALSegmentHeader.magic(ofMajor: major), header.magic != magic {
            return damaged(
                name, "the page format of PostgreSQL \(major)", "another one", "the segment was written by another major version")
        }
        return nil
    }

    private func damaged(_ name: WALSegmentName, _ expected: String, _ actual: String, _ message: String) -> Finding {
        Finding(
            .walSegmentDamaged, object: name.text, expected: expected, actual: actual, message: message,
            hint: "fetch another copy of this segment; nothing behind it can be recovered without it")
    }
}
