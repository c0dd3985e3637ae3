// Feeds a recovering server with segments: fetched, decrypted and decompressed ahead of it, so that replay never waits.

import ArtifactFormats
import Cryptography
import DrillModel
import Foundation
import Glibc
import ScratchHost
import Synchronization

/// The parent's half of Muster's own restore_command.
///
/// The server's half is a few lines of shell: it moves a file that is ready, or asks for it and waits. Nothing secret ever stands on its
/// command line or in its environment: keys stay in this process.
final class WALFeeder: Sendable {
    /// How many segments may lie ready: enough to keep the server busy, little enough for any scratch disk.
    static let ahead = 8

    private struct State {
        /// Next in the row.
        var cursor = 0
        var fetching: Set<String> = []
        var ready: Set<String> = []
        var delivered = 0
        var waits = 0
        var findings: [Finding] = []
        var machine: DrillFailure?
        /// What the server asked for and the archive doesn't hold.
        var absent: Set<WALSegmentName> = []
        /// The newest history file that the server was given.
        var newestHistory: UInt32?
        /// How often the server asked for each file, and which file began at each position: of a declared command alone.
        var asked: [String: Int] = [:]
        var begun: [UInt64: String] = [:]
    }
    /// What the server's half sees.
    private struct Shared {
        var ready, asked, none, whole: SharedFolder
    }
    /// A server asks for a file a few times at the most; and nobody has switched over this often since the base backup.
    private static let mostAsked = 50
    private static let mostHistories = 200
    private let host: ScratchHost
    private let folder: URL
    /// Where files are brought to, out of reach of the server and of what it may run.
    private let parts: URL
    /// Held open from the first instant on; nil before ``prepare()``.
    private let shared = Mutex<Shared?>(nil)
    private let files: [String: StoredFile]
    private let tool: WALFetch?
    private let row: [String]
    private let places: [String: Int]
    private let check: SegmentCheck
    private let state = Mutex(State())

    /// - Parameters:
    ///   - folder: Made here; inside a private folder of the host's, on the data folder's disk, so that handing over is a rename.
    ///   - files: All that the archive holds, by the name that the server asks for.
    ///   - tool: Where only another tool can read the archive: then nothing is known of what isn't in the row.
    ///   - row: The segments in the order that the server is expected to ask for them.
    init(
        host: ScratchHost, folder: URL, files: [String: StoredFile], tool: WALFetch? = nil, row: [String], check: SegmentCheck
    ) {
        self.host = host
        self.folder = folder
        self.files = files
        self.tool = tool
        self.row = row
        self.check = check
        parts = host.folder.ownPlace("wal-\(folder.deletingLastPathComponent().lastPathComponent)")
        places = Dictionary(row.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    deinit {
        try? FileManager.default.removeItem(at: parts)
    }

    private static let unusable = StoredFileProblem(
        .machine, "the spool folder can't be made", hint: "check the scratch folder's disk and permissions")

    /// Segments handed to the server.
    var delivered: Int { state.withLock { $0.delivered } }
    /// How often the server asked for a segment that wasn't ready yet.
    var waits: Int { state.withLock { $0.waits } }
    /// Segments that turned out damaged when they were needed.
    var findings: [Finding] { state.withLock { $0.findings } }
    /// What the server asked for and the archive doesn't hold.
    var absent: Set<WALSegmentName> { state.withLock { $0.absent } }
    /// Whether a declared command gave the segment that begins there, of whatever timeline.
    func gave(_ address: UInt64) -> Bool { state.withLock { $0.begun[address] != nil } }
    /// The newest timeline whose history the server was given.
    var newestHistory: UInt32? { state.withLock { $0.newestHistory } }
    /// What kept this machine from fetching one.
    var machineFailure: DrillFailure? { state.withLock { $0.machine } }

    /// Makes the folders and the server's half.
    ///
    /// - Returns: The restore_command.
    func prepare() throws -> String {
        do throws(ScratchError) {
            try host.folder.makeOwnPlace(parts)
            let whole = try SharedFolder(making: folder, on: host)
            func inside(_ name: String) throws(ScratchError) -> SharedFolder {
                try SharedFolder(making: folder.appendingPathComponent(name), on: host)
            }
            let made = Shared(ready: try inside("ready"), asked: try inside("asked"), none: try inside("none"), whole: whole)
            shared.withLock { $0 = made }
        } catch {
            throw Self.unusable
        }
        let script = folder.appendingPathComponent("wal-fetch")
        let file = try ScratchFile(script)
        try Array(Self.script.utf8).withUnsafeBytes { try file.write($0) }
        try file.give(to: host)
        // The scratch folder's path is Muster's own, but somebody may have chosen a root with a blank or a percent sign in it.
        let path = script.path.replacingOccurrences(of: "'", with: "'\\''").replacingOccurrences(of: "%", with: "%%")
        return "/bin/sh '\(path)' %f %p"
    }

    /// Exit 1 means "not in the archive", which ends recovery in order; 200 is an error that the server stops at.
    private static let script = """
        # Hands one file of the archive to the recovering server: moves it where it is ready, asks for it and waits where not.
        here=${0%/*}
        if [ ! -e "$here/ready/$1" ]; then
            : > "$here/asked/$1" || exit 200
            while [ ! -e "$here/ready/$1" ]; do
                [ -e "$here/none/$1" ] && exit 1
                [ -e "$here/closed" ] && exit 200
                sleep 0.005
            done
        fi
        exec mv "$here/ready/$1" "$2"

        """

    /// Feeds until the task is cancelled.
    func run() async {
        guard let shared = shared.withLock({ $0 }) else { return }
        await withDiscardingTaskGroup { group in
            let lanes = max(2, ProcessInfo.processInfo.activeProcessorCount)
            while !Task.isCancelled {
                for name in takeWork(shared, lanes: lanes) { group.addTask { await self.fetch(name, shared) } }
                try? await Task.sleep(for: .milliseconds(3))
            }
            group.cancelAll()
        }
        // Whoever still waits must not wait for ever.
        shared.whole.mark("closed")
    }

    /// Looks at what was taken and asked, and chooses what to fetch next.
    private func takeWork(_ shared: Shared, lanes: Int) -> [String] {
        let asked = shared.asked.names()
        return state.withLock { state in
            let taken = state.ready.filter { !shared.ready.has($0) }
            state.ready.subtract(taken)
            state.delivered += taken.count
            var work: [String] = []
            for name in asked {
                shared.asked.remove(name)
                guard files[name] != nil || tool != nil else {
                    if let segment = WALSegmentName(name) { state.absent.insert(segment) }
                    shared.none.mark(name)
                    continue
                }
                state.waits += 1
                if let tool, tool.isDeclared {
                    state.asked[name, default: 0] += 1
                    if state.asked[name, default: 0] > Self.mostAsked {
                        state.machine = state.machine ?? tool.confused(name, "asked for it \(Self.mostAsked) times, and no end")
                        shared.none.mark(name)
                        continue
                    }
                }
                // What lies before it in the row was passed over and would block the window.
                if let place = places[name] {
                    let passed = state.ready.filter { places[$0].map { $0 < place } ?? false }
                    for old in passed { shared.ready.remove(old) }
                    state.ready.subtract(passed)
                    state.cursor = max(state.cursor, place + 1)
                }
                if !state.fetching.contains(name), !state.ready.contains(name) { work.append(name) }
            }
            state.fetching.formUnion(work)
            while state.cursor < row.count, state.fetching.count < lanes, state.fetching.count + state.ready.count < Self.ahead {
                let name = row[state.cursor]
                state.cursor += 1
                guard !state.fetching.contains(name), !state.ready.contains(name) else { continue }
                state.fetching.insert(name)
                work.append(name)
            }
            return work
        }
    }

    private func fetch(_ name: String, _ shared: Shared) async {
        let part = parts.appendingPathComponent(name)
        do {
            if let finding = try await bring(name, to: part) { return refuse(name, finding, shared) }
            // Told before it can be taken, so that nobody mistakes it for one that was never there.
            state.withLock { state in
                state.fetching.remove(name)
                state.ready.insert(name)
                shared.ready.take(part, as: name)
            }
        } catch is CancellationError {
            return
        } catch is NotArchived {
            unlink(part.path)
            state.withLock { state in
                state.fetching.remove(name)
                if let segment = WALSegmentName(name) { state.absent.insert(segment) }
            }
            shared.none.mark(name)
        } catch {
            // Whatever a fetch ahead throws once nobody wants it any more, it was the cancellation.
            if Task.isCancelled { return }
            let failure = BaseBackup.failure(of: error, object: name, damaged: .walSegmentDamaged)
            if failure.verdict == .error {
                // Not the archive's fault, and so none of its findings.
                state.withLock { $0.machine = $0.machine ?? failure }
                refuse(name, nil, shared)
            } else {
                refuse(name, failure.finding, shared)
            }
        }
    }

    private struct NotArchived: Error {}

    /// - Returns: What is wrong with it; nil where nothing is.
    private func bring(_ name: String, to part: URL) async throws -> Finding? {
        if let file = files[name] {
            let sink = try SegmentSink(part)
            try await file.read(on: host) { try sink.take($0) }
            if case .history(let timeline) = WALFileName(stored: name), TimelineHistory(timeline: timeline, text: text(part)) == nil {
                return LostTimeline.unreadable(name, isEmpty: sink.size == 0)
            }
            if let segment = WALSegmentName(name), let finding = check.problem(segment, head: sink.head, size: sink.size) {
                return finding
            }
            try sink.give(to: host)
            return nil
        }
        guard let tool, try await tool.fetch(name, to: part, on: host) else { throw NotArchived() }
        guard let handle = try? FileHandle(forReadingFrom: part), let size = try? handle.seekToEnd() else { throw NotArchived() }
        defer { try? handle.close() }
        try handle.seek(toOffset: 0)
        let head = Array(try handle.read(upToCount: WALSegmentHeader.size) ?? Data())
        if case .history(let timeline) = WALFileName(stored: name) {
            guard TimelineHistory(timeline: timeline, text: text(part)) != nil else {
                // Whatever it is, a declared command that gives it says of no timeline where it began.
                if tool.isDeclared { throw NotArchived() }
                return LostTimeline.unreadable(name, isEmpty: size == 0)
            }
            try took(timeline, from: tool)
        }
        if let segment = WALSegmentName(name) {
            if tool.isDeclared, let header = WALSegmentHeader(head) { try note(name, beginsAt: header.address, tool) }
            if let finding = check.problem(segment, head: head, size: size) { return finding }
        }
        try host.folder.own(part)
        chmod(part.path, 0o600)
        return nil
    }

    /// One that gives one segment for another's name would have the archive called damaged.
    private func note(_ name: String, beginsAt address: UInt64, _ tool: WALFetch) throws {
        let earlier = state.withLock { state in
            defer { state.begun[address] = state.begun[address] ?? name }
            return state.begun[address]
        }
        // Two timelines share the segment in which one was left for the other.
        if let earlier, earlier.suffix(16) != name.suffix(16) { throw tool.confused(name, "the segment that it gave for \(earlier)") }
    }

    private func took(_ timeline: UInt32, from tool: WALFetch) throws {
        let isEndless = state.withLock { state in
            state.newestHistory = max(state.newestHistory ?? 0, timeline)
            return tool.isDeclared && timeline > check.timeline &+ UInt32(Self.mostHistories)
        }
        if isEndless {
            throw tool.confused(WALFileName.history(timeline).plain, "more than \(Self.mostHistories) history files")
        }
    }

    private func text(_ file: URL) -> String { String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self) }

    // MARK: Behind the end

    /// Brings a file once more, for a look at it.
    ///
    /// - Returns: nil where the archive doesn't hold it, or holds none that could be looked at, which has a finding.
    func again(_ name: String) async throws -> URL? {
        guard files[name] != nil || tool != nil else { return nil }
        let part = parts.appendingPathComponent("again-\(name)")
        do {
            guard try await bring(name, to: part) == nil else { return nil }
            return part
        } catch is NotArchived {
            return nil
        } catch let problem as StoredFileProblem where problem.kind != .machine && problem.kind != .cancelled {
            return nil
        }
    }

    /// Asks the tool for files that no server asked for, several at once.
    ///
    /// - Returns: Those that are there.
    func probe(_ names: [String]) async throws -> [String] {
        guard let tool else { return [] }
        return try await withThrowingTaskGroup(of: String?.self) { group in
            var found: [String] = []
            for name in names {
                group.addTask { [host, parts] in
                    let part = parts.appendingPathComponent(name)
                    defer { unlink(part.path) }
                    guard try await tool.fetch(name, to: part, on: host) else { return nil }
                    switch WALFileName(stored: name) {
                    case .history(let timeline): return TimelineHistory(timeline: timeline, text: self.text(part)) == nil ? nil : name
                    case .segment:
                        // What isn't even the beginning of this one is no sign of an archive that goes on.
                        let head = (try? FileHandle(forReadingFrom: part).read(upToCount: WALSegmentHeader.size)).flatMap { $0 } ?? Data()
                        guard let segment = WALSegmentName(name), self.check.problem(segment, head: Array(head), size: nil) == nil else {
                            return nil
                        }
                        return name
                    default: return nil
                    }
                }
            }
            for try await name in group { if let name { found.append(name) } }
            return found.sorted()
        }
    }

    /// The server hears "not there" and recovers up to it: how far it came is worth knowing.
    private func refuse(_ name: String, _ finding: Finding?, _ shared: Shared) {
        unlink(parts.appendingPathComponent(name).path)
        state.withLock { state in
            state.fetching.remove(name)
            if let finding, !state.findings.contains(where: { $0.object == finding.object }) { state.findings.append(finding) }
        }
        shared.none.mark(name)
    }
}
