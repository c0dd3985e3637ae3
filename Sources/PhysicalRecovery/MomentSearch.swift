// Where a sealed moment lies in the archived write-ahead log: the position with every commit before it that the seal saw, and every other
// behind it.

public import ArtifactFormats
public import DrillModel
public import Foundation
import OutsideTools
public import ScratchHost

/// Looks for sealed moments in one archive.
///
/// The log's end at the snapshot is no such position: a commit stands in the log before anybody sees it, for as long as its flush takes, or
/// its synchronous standby. So the commits around it are read, and each is asked of the snapshot.
public struct MomentSearch: Sendable {
    /// What a search gives.
    public enum Outcome: Sendable, Hashable {
        /// Recovery that stops before the first record from there on holds what was sealed, and nothing else.
        ///
        /// Nothing of anybody's stands between there and the second position.
        case at(UInt64, upTo: UInt64)
        /// There is none: so many commits are on the wrong side of the best position.
        case interleaved(commits: Int)
        /// The archive doesn't hold that segment.
        case notArchived(WALSegmentName)
    }

    private let host: ScratchHost
    private let folder: URL
    private let wal: WALSource
    private let program: PgWaldump
    private let check: SegmentCheck
    /// Where the base backup's own replay begins: nothing before it can be asked.
    private let beginning: UInt64

    /// - Parameters:
    ///   - folder: A private folder of the host's; segments lie there while they are read.
    ///   - program: The pg_waldump of the cluster's own major version.
    public init(
        host: ScratchHost, folder: URL, wal: WALSource, program: String, systemIdentifier: UInt64, segmentSize: UInt64, major: Int,
        beginning: UInt64
    ) {
        self.host = host
        self.folder = folder
        self.wal = wal
        self.program = PgWaldump(program: program)
        check = SegmentCheck(systemIdentifier: systemIdentifier, segmentSize: segmentSize, major: major)
        self.beginning = beginning
    }

    /// - Throws: ``DrillFailure`` where the log around it can't be read, `CancellationError`.
    public func place(_ moment: Seal.Moment) async throws -> Outcome {
        guard let before = WALPosition.parse(moment.before), let after = WALPosition.parse(moment.after), before <= after,
            before >= check.segmentSize
        else {
            throw DrillFailure.failed(
                Finding(
                    .momentUnusable, object: "\(moment.before) to \(moment.after)", expected: "two positions of a write-ahead log",
                    actual: "something else", message: "the sealed moment doesn't say where it lies", hint: "seal another moment"))
        }
        let size = check.segmentSize
        var end = after
        var names = (before / size...after / size).map { WALSegmentName(timeline: moment.timeline, number: $0, size: size) }
        defer { for name in names { try? FileManager.default.removeItem(at: place(of: name)) } }
        // Right behind a switch nothing stands in the newest segment, and an idle source writes nothing there for hours.
        let isSwitched = after % size <= Self.segmentHeader
        if isSwitched, let newest = names.last, try await !bring(newest) {
            end = after / size * size
            names.removeLast()
            if names.isEmpty { names = [WALSegmentName(timeline: moment.timeline, number: after / size - 1, size: size)] }
        }
        for name in names {
            guard try await bring(name) else { return .notArchived(name) }
        }
        // Some record must follow a position that recovery is to stop at.
        let latest = end == after ? after : try await lastSwitch(in: names[names.count - 1])
        guard let latest else { return .notArchived(WALSegmentName(timeline: moment.timeline, number: after / size, size: size)) }
        // Of a standby that stood still there is nothing to ask.
        guard let snapshot = moment.snapshot else { return .at(latest, upTo: after) }
        var ends: [PgWaldump.TransactionEnd] = []
        if before < end {
            try await transactions(from: before, to: end, moment.timeline) { ends.append($0) }
        }
        ends = try await read(back: snapshot, from: min(before, end), moment.timeline) + ends
        let outcome = Self.judge(ends.filter(\.isCommit), snapshot, before: before)
        guard case .at(let position, _) = outcome, position > latest else { return outcome }
        return .at(latest, upTo: position)
    }

    /// Bytes at the beginning of a segment that no record stands in.
    public static let segmentHeader: UInt64 = 40

    /// - Parameter commits: In the log's order; of those that were seen long before the snapshot not all.
    static func judge(_ commits: [PgWaldump.TransactionEnd], _ snapshot: Seal.Moment.Snapshot, before: UInt64) -> Outcome {
        let firstUnseen = commits.first { !snapshot.saw($0.transaction) }?.position
        let lastSeen = commits.last { snapshot.saw($0.transaction) }?.position
        // As early as can be: some record must follow, and of an idle source little does.
        let earliest = max(lastSeen.map { $0 + 1 } ?? 0, before)
        guard let firstUnseen else { return .at(earliest, upTo: earliest) }
        if lastSeen.map({ $0 < firstUnseen }) ?? true { return .at(min(firstUnseen, earliest), upTo: min(firstUnseen, earliest)) }
        var (unseenBefore, seenBehind) = (0, commits.count { snapshot.saw($0.transaction) })
        var fewest = seenBehind
        for commit in commits {
            if snapshot.saw(commit.transaction) { seenBehind -= 1 } else { unseenBefore += 1 }
            fewest = min(fewest, unseenBefore + seenBehind)
        }
        return .interleaved(commits: fewest)
    }

    // MARK: Reading

    private func place(of name: WALSegmentName) -> URL { folder.appendingPathComponent(name.text) }

    /// Bytes that are read at a time on the way back.
    private static let stretch: UInt64 = 128 << 20
    /// How much of the log may lie between a commit and its being seen where it waits for nothing but its flush: more than what wal_buffers
    /// holds, 16 MB unless somebody sets more, no server keeps unflushed.
    private static let unflushed: UInt64 = 64 << 20

    /// Goes back for commits that the snapshot did not see though they had been written long before: over what may not have been flushed, and
    /// until each that waited for a standby is found; where nobody tells who waited, to where the base backup begins.
    ///
    /// - Returns: In the log's order; of those that were seen, one a stretch.
    private func read(
        back snapshot: Seal.Moment.Snapshot, from before: UInt64, _ timeline: UInt32
    ) async throws -> [PgWaldump.TransactionEnd] {
        let size = check.segmentSize
        let nearest = before > Self.unflushed ? (before - Self.unflushed) / size * size : 0
        var waiting = Set((snapshot.waiting ?? []).filter { !snapshot.saw(UInt32(truncatingIfNeeded: $0)) })
        var ends: [PgWaldump.TransactionEnd] = []
        var end = before
        while end > 0, end > nearest || !waiting.isEmpty || snapshot.waiting == nil {
            let last = (end - 1) / size
            let first = last - min(last, max(Self.stretch / size, 1) - 1)
            // The last record that begins in them may end in the next.
            let reach = min(before, (last + 2) * size)
            let names = (first...(reach - 1) / size).map { WALSegmentName(timeline: timeline, number: $0, size: size) }
            let kept = Set(names.filter { FileManager.default.fileExists(atPath: place(of: $0).path) })
            var start = reach
            for name in names.reversed() {
                // What an older timeline's segments hold had ended before this one began; what lies before the base backup nobody keeps.
                guard name.number(size: size) * size + size > beginning, try await bring(name) else { break }
                start = max(beginning, name.number(size: size) * size)
            }
            defer { for name in names where !kept.contains(name) { try? FileManager.default.removeItem(at: place(of: name)) } }
            guard start < end else { break }
            var seen: PgWaldump.TransactionEnd?
            var unseen: [PgWaldump.TransactionEnd] = []
            try await transactions(
                from: start, to: reach, timeline, mayBeginInside: true
            ) { found in
                guard found.position < end else { return }
                waiting.remove(snapshot.full(found.transaction))
                if snapshot.saw(found.transaction) { seen = found.isCommit ? found : seen } else { unseen.append(found) }
            }
            ends = (unseen + (seen.map { [$0] } ?? [])).sorted { $0.position < $1.position } + ends
            end = start
            if first == 0 || start > first * size { break }
        }
        return ends
    }

    /// Where the record stands that ends a segment before it is full; nil where there is none.
    private func lastSwitch(in segment: WALSegmentName) async throws -> UInt64? {
        let start = segment.number(size: check.segmentSize) * check.segmentSize
        var last: UInt64?
        try await lines(
            .log, from: start, to: start + check.segmentSize, segment.timeline, mayBeginInside: true
        ) { last = PgWaldump.switched(String(decoding: $0, as: UTF8.self)) ?? last }
        return last
    }

    private func transactions(
        from start: UInt64, to end: UInt64, _ timeline: UInt32, mayBeginInside: Bool = false,
        _ hear: (PgWaldump.TransactionEnd) -> Void
    ) async throws {
        try await lines(.transactions, from: start, to: end, timeline, mayBeginInside: mayBeginInside) {
            if let end = PgWaldump.TransactionEnd(bytes: $0) { hear(end) }
        }
    }

    private func lines(
        _ kind: PgWaldump.Records, from start: UInt64, to end: UInt64, _ timeline: UInt32, mayBeginInside: Bool,
        _ hear: (UnsafeRawBufferPointer) -> Void
    ) async throws {
        // Behind a switch pg_waldump takes the bytes of the page before for a record, where it is to end in the next segment's header.
        let end = end % check.segmentSize <= Self.segmentHeader ? end / check.segmentSize * check.segmentSize : end
        guard start < end else { return }
        let output = folder.appendingPathComponent("records")
        let log = folder.appendingPathComponent("pg_waldump.log")
        defer { for file in [output, log] { try? FileManager.default.removeItem(at: file) } }
        let result: ToolResult
        do {
            result = try await host.run(
                program.records(
                    kind, from: WALPosition.text(start), to: WALPosition.text(end), timeline: timeline, in: folder), output: output,
                errors: log)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchUnusable, object: "pg_waldump", message: error.message, hint: error.hint))
        }
        switch PgWaldump.reading(result, words: UnlinkedFile.data(log).map { String(decoding: $0, as: UTF8.self) } ?? "") {
        case .whole: break
        // All of a segment can be the middle of one record.
        case .broken(_, findsNoRecord: true) where mayBeginInside: return
        case .broken(let position, _), .ended(let position):
            throw DrillFailure.broken(
                .walSegmentDamaged, WALPosition.text(position), expected: "records that match their checksums",
                actual: "none that does at \(WALPosition.text(position))", "the write-ahead log around the sealed moment is damaged",
                hint: "fetch another copy of the segment; nothing behind it can be recovered without it")
        case .unread(let ending):
            throw DrillFailure.error(
                Finding(
                    .walUnread, object: "pg_waldump", expected: "every record around the sealed moment", actual: "it ended with \(ending)",
                    message: "pg_waldump could not read the write-ahead log around the sealed moment",
                    hint: "run again with --scratch on another disk, and try pg_waldump by hand"))
        }
        try Self.lines(of: output, hear)
    }

    /// A segment of nothing but small commits makes a text that is larger than itself: it is never held as a whole.
    private static func lines(of file: URL, _ hear: (UnsafeRawBufferPointer) -> Void) throws {
        let handle = try UnlinkedFile.reader(file)
        defer { try? handle.close() }
        var rest = Data()
        while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
            rest += chunk
            let used = rest.withUnsafeBytes { bytes -> Int in
                guard let base = bytes.baseAddress else { return 0 }
                var place = 0
                while let found = memchr(base + place, Int32(UInt8(ascii: "\n")), bytes.count - place) {
                    let next = UnsafeRawPointer(found) - base + 1
                    hear(UnsafeRawBufferPointer(rebasing: bytes[place..<next]))
                    place = next
                }
                return place
            }
            rest = Data(rest[(rest.startIndex + used)...])
        }
    }

    /// - Returns: false where the archive doesn't hold it.
    private func bring(_ name: WALSegmentName) async throws -> Bool {
        let target = place(of: name)
        guard !FileManager.default.fileExists(atPath: target.path) else { return true }
        let plain = WALFileName.segment(name).plain
        do {
            let sink = try SegmentSink(target)
            if let file = wal.files[.segment(name)] {
                try await file.read(on: host) { try sink.take($0) }
            } else if let tool = wal.tool {
                let parts = host.folder.ownPlace("moment-segments")
                try host.folder.makeOwnPlace(parts)
                let part = parts.appendingPathComponent(plain)
                defer { unlink(part.path) }
                guard try await tool.fetch(plain, to: part, on: host) else {
                    try? FileManager.default.removeItem(at: target)
                    return false
                }
                let handle = try UnlinkedFile.reader(part)
                defer { try? handle.close() }
                while let bytes = try handle.read(upToCount: 1 << 20), !bytes.isEmpty { try bytes.withUnsafeBytes { try sink.take($0) } }
            } else {
                try? FileManager.default.removeItem(at: target)
                return false
            }
            if let finding = check.problem(name, head: sink.head, size: sink.size) { throw DrillFailure.failed(finding) }
            try sink.give(to: host)
            return true
        } catch {
            try? FileManager.default.removeItem(at: target)
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            if let failure = error as? DrillFailure { throw failure }
            throw BaseBackup.failure(of: error, object: plain, damaged: .walSegmentDamaged)
        }
    }
}
