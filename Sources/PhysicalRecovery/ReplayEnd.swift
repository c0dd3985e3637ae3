// Where replay ended, and whether the write-ahead log goes on behind it.

import ArtifactFormats
import DrillModel
import Foundation
import ScratchHost

/// A server that finds a record which it can't read takes that for the end of the write-ahead log, and comes up: only who knows what else
/// the archive holds can tell damage from an end.
struct ReplayEnd: Sendable {
    /// Where the next record would have begun.
    var position: UInt64
    var segmentSize: UInt64
    /// What the server said of what it found there; empty where it said nothing.
    var words: String
    /// Of the cluster that was recovered.
    var walFolder: URL

    /// - Returns: nil where the log doesn't say how far replay came.
    init?(log: RecoveryLog, dataFolder: URL, segmentSize: UInt64) {
        walFolder = Self.walFolder(of: dataFolder)
        self.segmentSize = segmentSize
        words = log.unreadable ?? ""
        // A server that came up has written down where it left the old timeline.
        if let timeline = log.newTimeline,
            let text = UnlinkedFile.data(walFolder.appendingPathComponent(WALFileName.history(timeline).plain)),
            let left = TimelineHistory(timeline: timeline, text: String(decoding: text, as: UTF8.self))?.ancestors.last?.end
        {
            position = left
            return
        }
        // The log names where the last record began.
        guard let last = log.replayedTo else { return nil }
        position = SegmentPages.newest(holding: last, in: walFolder, size: segmentSize)?.end(ofRecordAt: last) ?? last
    }

    /// A restore may have made it a link to a folder beside the cluster's own; one that leads out of there is followed by nobody.
    private static func walFolder(of data: URL) -> URL {
        let folder = data.appendingPathComponent("pg_wal")
        let real = folder.resolvingSymlinksInPath()
        return real.path.hasPrefix(data.deletingLastPathComponent().resolvingSymlinksInPath().path + "/") ? real : folder
    }

    var number: UInt64 { position / segmentSize }

    /// The segment that replay ended in, or could not begin.
    func segment(of timeline: UInt32) -> WALSegmentName { WALSegmentName(timeline: timeline, number: number, size: segmentSize) }

    // MARK: An archive whose files are known

    /// - Parameters:
    ///   - segments: What the archive holds of the way, in its order.
    ///   - newest: The last of the way, in the archive or inside the base backup.
    ///   - absent: What the server asked for and the archive doesn't hold.
    /// - Returns: nil where replay ended because nothing more is there.
    func finding(segments: [WALSegmentName], newest: WALSegmentName?, absent: Set<WALSegmentName>) -> Finding? {
        guard let newest else { return nil }
        let last = newest.number(size: segmentSize)
        // It is asked for only once all before it has been read: a record that goes on there would be longer than the archive.
        if absent.contains(where: { $0.number(size: segmentSize) > last }) { return nil }
        guard number >= last else {
            let later = segments.filter { $0.number(size: segmentSize) > number }
            let here = segments.first { $0.number(size: segmentSize) == number } ?? segment(of: newest.timeline)
            return early(
                here, behind: "\(Self.count(later)) of the archive \(later.count == 1 ? "was" : "were") not replayed, up to \(newest.text)")
        }
        return damaged(newest)
    }

    /// The newest segment may be filled in part only; what stands behind the end must not be the log's own then.
    ///
    /// - Parameter file: A copy of it; nil: what recovery left of it.
    func damaged(_ newest: WALSegmentName, in file: URL? = nil) -> Finding? {
        let file = file ?? walFolder.appendingPathComponent(newest.text)
        guard number == newest.number(size: segmentSize), let pages = SegmentPages(file, size: segmentSize),
            let next = pages.recordBehind(position)
        else { return nil }
        return early(
            newest, behind: "records stand behind that place in the same segment, the next that can be told at \(WALPosition.text(next))")
    }

    /// Whether replay ended in a segment that the server has thrown away since: one of which it could not read a single record.
    func lacks(_ newest: WALSegmentName) -> Bool {
        number == newest.number(size: segmentSize)
            && !FileManager.default.fileExists(atPath: walFolder.appendingPathComponent(newest.text).path)
    }

    func early(_ segment: WALSegmentName, behind: String) -> Finding {
        Finding(
            .endedEarly, object: segment.text, expected: "replay up to the newest record of the archive",
            actual: "it ended at \(WALPosition.text(position))" + (words.isEmpty ? "" : ": \(words)"),
            message: "a record that can't be read ended the replay before the write-ahead log ends: \(behind)",
            hint:
                "fetch another copy of \(segment.text); without it nothing behind it can be recovered from this base backup, so take a new "
                + "one now. muster inspect --deep tells whether others are damaged")
    }

    private static func count(_ segments: [WALSegmentName]) -> String {
        segments.count == 1 ? "1 later segment" : "\(segments.count) later segments"
    }
}

/// One segment's pages, as far as they tell whether records stand in them.
struct SegmentPages {
    private let bytes: Data
    private let header: WALSegmentHeader
    private let page: Int

    /// - Returns: nil where it isn't there, or is none.
    init?(_ file: URL, size: UInt64) {
        guard let bytes = UnlinkedFile.whole(file, of: Int(size)), bytes.count == Int(size),
            let header = WALSegmentHeader(bytes.prefix(WALSegmentHeader.size)), header.pageSize >= 512,
            header.pageSize.nonzeroBitCount == 1
        else { return nil }
        self.bytes = bytes
        self.header = header
        page = Int(header.pageSize)
    }

    /// The newest timeline's copy of the segment that a position lies in.
    static func newest(holding position: UInt64, in folder: URL, size: UInt64) -> SegmentPages? {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).compactMap(WALSegmentName.init)
        let fitting = names.filter { $0.number(size: size) == position / size }.sorted { $0.timeline > $1.timeline }
        return fitting.lazy.compactMap { SegmentPages(folder.appendingPathComponent($0.text), size: size) }.first
    }

    private func number(_ offset: Int, _ width: Int) -> UInt64 {
        (0..<width).reduce(0) { $0 | UInt64(bytes[bytes.startIndex + offset + $1]) << (8 * UInt64($1)) }
    }

    private func headerSize(_ pageStart: Int) -> Int { pageStart == 0 ? 40 : 24 }

    /// Where a record ends, page headers counted; in a later segment where it goes on there.
    func end(ofRecordAt position: UInt64) -> UInt64? {
        guard position >= header.address, Int(position - header.address) + 4 <= bytes.count else { return nil }
        var offset = Int(position - header.address)
        var rest = (Int(number(offset, 4)) + 7) & ~7
        guard rest >= 24 else { return nil }
        // Behind a switch nothing more stands in its segment.
        if offset % page + 24 <= page, number(offset + 17, 1) == 0, number(offset + 16, 1) & 0xf0 == 0x40 {
            return header.address + UInt64(bytes.count)
        }
        while true {
            let room = page - offset % page
            if rest <= room { return header.address + UInt64(offset + rest) }
            rest -= room
            offset += room
            offset += offset % bytes.count == 0 ? 40 : 24
        }
    }

    /// A record that was written behind a position, recognised by the position of its predecessor: nothing else that can stand there, zeros,
    /// an older segment's pages or the part of a record that isn't whole, points there.
    ///
    /// - Returns: Where it begins; nil where none can be told.
    func recordBehind(_ position: UInt64) -> UInt64? {
        guard position >= header.address, Int(position - header.address) < bytes.count else { return nil }
        let offset = Int(position - header.address)
        let start = offset % page == 0 ? offset + headerSize(offset) : offset
        // On the same page: the one that follows what can't be read.
        let pageEnd = offset - offset % page + page
        if isOwn(offset - offset % page) {
            let before = header.address + UInt64(start)
            for place in stride(from: (start + 8 + 7) & ~7, through: pageEnd - 24, by: 8)
            where number(place + 8, 8) == before && number(place, 4) >= 24 {
                return header.address + UInt64(place)
            }
        }
        // On a later one: the first that begins there.
        for pageStart in stride(from: pageEnd, to: bytes.count, by: page) where isOwn(pageStart) {
            let goesOn = number(pageStart + 2, 2) & 1 == 1 ? (Int(number(pageStart + 16, 4)) + 7) & ~7 : 0
            let first = headerSize(pageStart) + goesOn
            guard first + 24 <= page else { continue }
            let place = pageStart + first
            let before = number(place + 8, 8)
            if number(place, 4) >= 24, before >= position, before < header.address + UInt64(place) { return header.address + UInt64(place) }
        }
        return nil
    }

    /// Whether a page is this segment's, and not what was left of an older one.
    private func isOwn(_ pageStart: Int) -> Bool {
        number(pageStart, 2) == UInt64(header.magic) && number(pageStart + 8, 8) == header.address + UInt64(pageStart)
    }
}
