// An archive of the write-ahead log read to its end without a server: each file opened, each record's checksum asked.

public import ArtifactFormats
public import Cryptography
public import DrillModel
public import Foundation
import OutsideTools
import PostgresRecovery
public import ScratchHost

/// Reads one store's archive inside a scratch host, a stretch of segments at a time.
public struct WALReading: Sendable {
    /// Bytes of opened segments that may lie in the scratch folder at once.
    private static let stretch: UInt64 = 256 << 20

    private let host: ScratchHost
    private let folder: URL
    private let encryption: ArtifactStream.Encryption?
    private let installed: [PostgresBinaries]

    /// - Parameter folder: A private folder of the host's; what is opened lies there while it is read.
    public init(host: ScratchHost, folder: URL, encryption: ArtifactStream.Encryption?) {
        self.host = host
        self.folder = folder
        self.encryption = encryption
        installed = PostgresBinaries.installed()
    }

    /// What came of it.
    public struct Outcome: Sendable {
        /// What is wrong with the archive.
        public var findings: [Finding] = []
        /// What could not be asked here.
        public var errors: [Finding] = []
        /// Files that were opened.
        public var read = 0
    }

    /// One opened segment.
    private struct Segment {
        var name: WALSegmentName
        var header: WALSegmentHeader
        var location: URL
        var number: UInt64 { name.number(size: UInt64(header.segmentSize)) }
    }

    /// - Parameters:
    ///   - files: One store's, in any order.
    ///   - bring: Called before a file is opened, for one that lies elsewhere.
    ///   - release: Called once it is needed no more.
    /// - Throws: `CancellationError`.
    public func read(
        _ files: [WALFileName: URL], bring: (WALFileName) async throws -> Void, release: (WALFileName) async -> Void
    ) async throws -> Outcome {
        var outcome = Outcome()
        var stretch: [Segment] = []
        var cluster: UInt64?
        let newest = Self.newest(files.keys)
        for (name, location) in files.sorted(by: { $0.key.plain < $1.key.plain }) {
            try Task.checkCancellation()
            do {
                try await bring(name)
                let file = StoredFile(location: location, encryption: encryption)
                if let segment = try await open(file, name, cluster, &outcome) {
                    cluster = cluster ?? segment.header.systemIdentifier
                    let follows = stretch.last.map { $0.name.timeline == segment.name.timeline && $0.number + 1 == segment.number } ?? true
                    if !follows { try await judge(&stretch, newest, &outcome) }
                    stretch.append(segment)
                    // A record may go on in the next segment: the last one is read with those that follow, too.
                    if UInt64(segment.header.segmentSize) * UInt64(stretch.count) >= Self.stretch, stretch.count > 1 {
                        try await judge(&stretch, newest, &outcome, keepsLast: true)
                    }
                }
            } catch let failure as DrillFailure {
                if failure.verdict == .failed { outcome.findings.append(failure.finding) } else { outcome.errors.append(failure.finding) }
            }
            outcome.read += 1
            await release(name)
        }
        try await judge(&stretch, newest, &outcome)
        return outcome
    }

    /// Decrypts and decompresses a file to its end.
    ///
    /// - Returns: nil where it is no segment, or none that could be read as one.
    private func open(
        _ file: StoredFile, _ name: WALFileName, _ cluster: UInt64?, _ outcome: inout Outcome
    ) async throws -> Segment? {
        let target = folder.appendingPathComponent(name.plain)
        do {
            let sink = try SegmentSink(target)
            try await file.read(on: host) { try sink.take($0) }
            guard case .segment(let segment) = name else {
                defer { try? FileManager.default.removeItem(at: target) }
                if case .history(let timeline) = name { try history(timeline, target) }
                return nil
            }
            // Its own header says how large it should be and of which version it is; its name says the rest.
            let header = WALSegmentHeader(sink.head)
            let check = SegmentCheck(
                systemIdentifier: cluster ?? header?.systemIdentifier ?? 0, segmentSize: header.map { UInt64($0.segmentSize) } ?? sink.size,
                major: nil)
            if let finding = check.problem(segment, head: sink.head, size: sink.size) {
                outcome.findings.append(finding)
            } else if let header {
                try sink.give(to: host)
                return Segment(name: segment, header: header, location: target)
            }
        } catch {
            try? FileManager.default.removeItem(at: target)
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            if let failure = error as? DrillFailure { throw failure }
            throw BaseBackup.failure(of: error, object: name.plain, damaged: .walSegmentDamaged)
        }
        try? FileManager.default.removeItem(at: target)
        return nil
    }

    private func history(_ timeline: UInt32, _ file: URL) throws {
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        guard TimelineHistory(timeline: timeline, text: text) == nil else { return }
        throw DrillFailure.broken(
            .walTimeline, WALFileName.history(timeline).plain, expected: "a timeline's ancestors", actual: "something else",
            "the history file can't be read", hint: "fetch another copy of it")
    }

    // MARK: Records

    /// Has every record of a stretch read, and removes the segments.
    private func judge(
        _ stretch: inout [Segment], _ newest: Set<WALSegmentName>, _ outcome: inout Outcome, keepsLast: Bool = false
    ) async throws {
        defer {
            for segment in stretch.dropLast(keepsLast ? 1 : 0) { try? FileManager.default.removeItem(at: segment.location) }
            stretch = keepsLast ? stretch.suffix(1) : []
        }
        guard let first = stretch.first else { return }
        guard let binaries = installed.first(where: { WALSegmentHeader.magic(ofMajor: $0.major) == first.header.magic }) else {
            if !outcome.errors.contains(where: { $0.rule == .postgresMissing }) { outcome.errors.append(missing(for: first)) }
            return
        }
        var rest = stretch[...]
        // What stands behind a damaged record can't be told; what the next segments hold can.
        while let start = rest.first, let end = rest.last {
            guard let (index, finding) = try await problem(from: start, to: end, of: rest, newest, binaries, &outcome) else { return }
            if !outcome.findings.contains(where: { $0.object == finding.object }) { outcome.findings.append(finding) }
            rest = rest[(index + 1)...]
        }
    }

    /// - Returns: What is wrong, and in which segment; nil where nothing is, or where it couldn't be asked.
    private func problem(
        from start: Segment, to end: Segment, of stretch: ArraySlice<Segment>, _ newest: Set<WALSegmentName>, _ binaries: PostgresBinaries,
        _ outcome: inout Outcome
    ) async throws -> (Int, Finding)? {
        let log = folder.appendingPathComponent("pg_waldump.log")
        try? FileManager.default.removeItem(at: log)
        let program = PgWaldump(program: binaries.path("pg_waldump"))
        let result: ToolResult
        do {
            result = try await host.run(
                program.check(from: start.name.text, to: end.name.text, timeline: start.name.timeline, in: folder), errors: log)
        } catch let error as ScratchError {
            throw DrillFailure.error(Finding(.scratchUnusable, object: "pg_waldump", message: error.message, hint: error.hint))
        }
        let position: UInt64
        let findsNoRecord: Bool
        switch PgWaldump.reading(result, words: UnlinkedFile.data(log).map { String(decoding: $0, as: UTF8.self) } ?? "") {
        case .whole: return nil
        case .broken(let place, let nothing): (position, findsNoRecord) = (place, nothing)
        case .ended(let place):
            // Of the archive's newest segment only the beginning may have been written: nothing of its own stands behind that then.
            let size = UInt64(start.header.segmentSize)
            if let last = stretch.last, last.number == place / size, newest.contains(last.name),
                let pages = SegmentPages(last.location, size: size), pages.recordBehind(place) == nil
            {
                return nil
            }
            (position, findsNoRecord) = (place, false)
        case .unread(let ending):
            outcome.errors.append(
                Finding(
                    .walUnread, object: "pg_waldump", expected: "every record read", actual: "it ended with \(ending)",
                    message: "pg_waldump could not read the segments from \(start.name.text) on",
                    hint: "run again with --scratch on another disk, and try pg_waldump by hand"))
            return nil
        }
        let number = position / UInt64(start.header.segmentSize)
        let index = stretch.firstIndex { $0.number == number } ?? stretch.startIndex
        // A record that is longer than a segment has no beginning in it.
        if index == stretch.startIndex, findsNoRecord, Self.goesOn(stretch[index]) {
            return stretch.count > 1 ? try await problemBehind(stretch.dropFirst(), end, newest, binaries, &outcome) : nil
        }
        return (
            index,
            Finding(
                .walSegmentDamaged, object: stretch[index].name.text, expected: "records that match their checksums",
                actual: "none that does at \(WALPosition.text(position))", message: "the write-ahead log in the segment is damaged",
                hint: "fetch another copy of this segment; nothing behind it can be recovered without it")
        )
    }

    private func problemBehind(
        _ stretch: ArraySlice<Segment>, _ end: Segment, _ newest: Set<WALSegmentName>, _ binaries: PostgresBinaries,
        _ outcome: inout Outcome
    ) async throws -> (Int, Finding)? {
        guard let start = stretch.first else { return nil }
        return try await problem(from: start, to: end, of: stretch, newest, binaries, &outcome)
    }

    /// The last segment of each timeline.
    private static func newest(_ files: some Sequence<WALFileName>) -> Set<WALSegmentName> {
        var last: [UInt32: WALSegmentName] = [:]
        for case .segment(let segment) in files {
            if let other = last[segment.timeline], (other.log, other.part) > (segment.log, segment.part) { continue }
            last[segment.timeline] = segment
        }
        return Set(last.values)
    }

    /// Whether nothing begins in a segment: what it begins with fills all of it.
    private static func goesOn(_ segment: Segment) -> Bool {
        guard let handle = try? FileHandle(forReadingFrom: segment.location), let head = try? handle.read(upToCount: 20), head.count == 20
        else { return false }
        try? handle.close()
        let remaining = (16..<20).reduce(UInt64(0)) { $0 | UInt64(head[head.startIndex + $1]) << (8 * UInt64($1 - 16)) }
        // Each page has a header of its own, of 24 bytes.
        let pages = UInt64(segment.header.segmentSize) / UInt64(max(1, segment.header.pageSize))
        return remaining + pages * 24 + 16 >= UInt64(segment.header.segmentSize)
    }

    private func missing(for segment: Segment) -> Finding {
        let major = (13...19).first { WALSegmentHeader.magic(ofMajor: $0) == segment.header.magic }
        let words = major.map(String.init) ?? "of an unknown version"
        return Finding(
            .postgresMissing, object: "pg_waldump \(words)", expected: "the programs of postgres \(words)", actual: "none",
            message: "the records of the write-ahead log are read by their own version's pg_waldump, and this machine has none",
            hint: "apt-get install postgresql-\(major.map(String.init) ?? "N"), or name its bin folder in MUSTER_PG_BIN")
    }
}
