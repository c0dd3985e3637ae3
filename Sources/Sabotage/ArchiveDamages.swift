// Damage to an archive of the write-ahead log: each leaves a server that comes up, and says nothing of what it didn't replay.

public import Foundation
import DrillModel

/// A copy of an archive, with its files decrypted and unpacked.
public struct ArchiveCopy: Sendable {
    public var folder: URL
    /// From the base backup's start on, in the order of replay.
    public var segments: [String]

    public init(folder: URL, segments: [String]) {
        self.folder = folder
        self.segments = segments
    }

    /// One that is read after the base backup's own and has others behind it.
    fileprivate var middle: String? { segments.count >= 4 ? segments[segments.count - 2] : nil }

    fileprivate func change(_ name: String, _ body: (inout Data) -> Void) throws {
        let file = folder.appendingPathComponent(name)
        var bytes = try Data(contentsOf: file)
        body(&bytes)
        try bytes.write(to: file)
    }
}

extension Damage {
    /// In the checksum of a segment's first record, behind the header of the page: no byte that a record is padded with.
    private static let inside = 60

    static let archiveDamages: [Damage] = [
        Damage(
            "flipped-wal-record", "one bit of a record in the write-ahead log is flipped",
            .archive { archive in
                guard let name = archive.middle else { return nil }
                try archive.change(name) { $0[inside] ^= 1 }
                return Harm(Rule("recovery-ended-early"), object: name)
            }),
        Damage(
            "zeroed-wal-tail", "a segment of the write-ahead log holds zeros behind its beginning",
            .archive { archive in
                guard let name = archive.middle else { return nil }
                try archive.change(name) { $0.replaceSubrange(inside..<$0.count, with: Data(count: $0.count - inside)) }
                return Harm(Rule("recovery-ended-early"), object: name)
            }),
        Damage(
            "missing-segment", "a segment in the middle of the archive is gone",
            .archive { archive in
                guard let name = archive.middle else { return nil }
                try FileManager.default.removeItem(at: archive.folder.appendingPathComponent(name))
                return Harm(Rule("wal-gap"), object: name)
            }),
        Damage(
            "missing-history", "a segment of a newer timeline is there, and its history file isn't",
            .archive { archive in
                guard let newest = archive.segments.last, let timeline = UInt32(newest.prefix(8), radix: 16) else { return nil }
                let next = String(timeline + 1, radix: 16, uppercase: true)
                let number = String(repeating: "0", count: 8 - next.count) + next
                try FileManager.default.copyItem(
                    at: archive.folder.appendingPathComponent(newest),
                    to: archive.folder.appendingPathComponent(number + newest.dropFirst(8)))
                return Harm(Rule("wal-timeline-broken"), object: "\(number).history")
            }),
        Damage(
            "emptied-archive", "nothing has been archived since the base backup began",
            .archive { archive in
                guard let first = archive.segments.first else { return nil }
                for name in archive.segments { try FileManager.default.removeItem(at: archive.folder.appendingPathComponent(name)) }
                return Harm(Rule("wal-missing"), object: first)
            }),
    ]
}
