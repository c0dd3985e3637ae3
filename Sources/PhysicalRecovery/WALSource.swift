// The archived files of one recovery: listed, held against the base backup, and opened.

public import ArtifactFormats
public import Cryptography
import DrillModel
public import Foundation
import OutsideTools
public import ScratchHost
import Synchronization

/// An archive of the write-ahead log, as the catalogue lists it.
public struct WALSource: Sendable {
    var files: [WALFileName: StoredFile] = [:]
    /// Reads what no stored file is for; nil: all lies in files.
    var tool: WALFetch?
    /// What the tool's archive is known to hold; nil where nobody can tell.
    private var listed: Set<WALFileName>?
    /// Segments that only a `.partial` file is there of.
    let partial: Set<WALSegmentName>

    /// An archive that another tool reads.
    public init(tool: WALFetch) {
        self.tool = tool
        listed = tool.listed
        partial = tool.partial
    }

    /// Whether what it holds is known before it is read.
    var isListed: Bool { tool == nil || listed != nil }

    public init(files: [WALFileName: URL], encryption: ArtifactStream.Encryption?, partial: Set<WALSegmentName> = []) {
        self.partial = partial
        self.files = files.mapValues { StoredFile(location: $0, encryption: encryption) }
    }

    /// Writes every file into a folder, decrypted and unpacked, by the name that the server asks for.
    ///
    /// - Throws: ``DrillFailure``; `CancellationError`.
    public func copyPlain(to folder: URL, on host: ScratchHost) async throws {
        for (name, file) in files {
            do {
                let sink = try SegmentSink(folder.appendingPathComponent(name.plain))
                try await file.read(on: host) { try sink.take($0) }
            } catch let error as CancellationError {
                throw error
            } catch {
                throw BaseBackup.failure(of: error, object: name.plain, damaged: .walSegmentDamaged)
            }
        }
    }

    var segments: Set<WALSegmentName> {
        Set(files.keys.compactMap(Self.segment)).union((listed ?? []).compactMap(Self.segment))
    }

    private static func segment(_ name: WALFileName) -> WALSegmentName? {
        if case .segment(let segment) = name { segment } else { nil }
    }

    var byPlainName: [String: StoredFile] {
        Dictionary(files.map { ($0.key.plain, $0.value) }) { first, _ in first }
    }

    /// Every history file, and what is wrong with those that can't be read: whether that matters, the plan tells.
    ///
    /// - Throws: ``DrillFailure`` (error) where this machine can't read one; `CancellationError`.
    func histories(on host: ScratchHost) async throws -> (readable: [UInt32: TimelineHistory], unreadable: [UInt32: Finding]) {
        var readable: [UInt32: TimelineHistory] = [:]
        var unreadable: [UInt32: Finding] = [:]
        for name in Set(files.keys).union(listed ?? []) {
            guard case .history(let timeline) = name else { continue }
            do {
                readable[timeline] = try await history(timeline, on: host)
            } catch let error as CancellationError {
                throw error
            } catch {
                let failure = BaseBackup.failure(of: error, object: name.plain, damaged: .walTimeline)
                guard failure.verdict == .failed else { throw failure }
                unreadable[timeline] = failure.finding
            }
        }
        return (readable, unreadable)
    }

    private func history(_ timeline: UInt32, on host: ScratchHost) async throws -> TimelineHistory {
        let name = WALFileName.history(timeline)
        let text: String
        if let file = files[name] {
            let content = Mutex<[UInt8]>([])
            try await file.read(on: host) { bytes in content.withLock { $0 += bytes } }
            text = String(decoding: content.withLock { $0 }, as: UTF8.self)
        } else {
            let place = host.folder.ownPlace("wal-histories")
            try host.folder.makeOwnPlace(place)
            let target = place.appendingPathComponent(name.plain)
            defer { try? FileManager.default.removeItem(at: target) }
            text =
                try await tool?.fetch(name.plain, to: target, on: host) == true
                ? String(decoding: Data(contentsOf: target), as: UTF8.self) : ""
        }
        guard let history = TimelineHistory(timeline: timeline, text: text) else {
            throw DrillFailure.failed(LostTimeline.unreadable(name.plain, isEmpty: text.isEmpty))
        }
        return history
    }

    /// Looks at size and header of each segment that can be looked at without unpacking it, on all cores.
    ///
    /// - Returns: What is wrong, and how many compressed segments were left for later: those are looked at as they are fetched.
    func checkHeads(_ segments: [WALSegmentName], _ check: SegmentCheck) async throws -> (findings: [Finding], left: Int) {
        let results = Mutex((findings: [(Int, Finding)](), left: 0))
        try await BlockingQueue.forEach(segments.count) { index, _ in
            let outcome = look(at: segments[index], check)
            results.withLock { results in
                switch outcome {
                case .left: results.left += 1
                case .bad(let finding): results.findings.append((index, finding))
                case .good: break
                }
            }
        }
        return results.withLock { ($0.findings.sorted { $0.0 < $1.0 }.map(\.1), $0.left) }
    }

    private enum Look { case good, bad(Finding), left }

    private func look(at name: WALSegmentName, _ check: SegmentCheck) -> Look {
        guard let file = files[.segment(name)] else { return tool == nil ? .good : .left }
        do {
            let head = try file.head()
            if StoredFile.isCompressed(head) { return .left }
            let size = file.plainSize
            // What only reading it to its end tells is looked at as it is fetched.
            return check.problem(name, head: head, size: size).map(Look.bad) ?? (size == nil ? .left : .good)
        } catch {
            return .bad(BaseBackup.failure(of: error, object: name.text, damaged: .walSegmentDamaged).finding)
        }
    }
}

extension StoredFile {
    static func isCompressed(_ head: [UInt8]) -> Bool { Decompressor.of(ArtifactFormat(head: head)) != nil }

    /// Of a file that isn't compressed; nil where its stored size doesn't tell, as a CMS envelope's doesn't. Padding hides up to 16 bytes, so an
    /// encrypted file's size is exact only as segments go: they are a multiple of the block.
    var plainSize: UInt64? {
        guard let stored = (try? location.resourceValues(forKeys: [.fileSizeKey]).fileSize).map(UInt64.init) else { return nil }
        guard let encryption else { return stored }
        guard encryption.format == .openssl else { return nil }
        // Header, and a last block of nothing but padding.
        return stored >= 32 ? stored - 32 : 0
    }
}

extension WALSource {
    /// When base backups had ended, by their first position: the source archives a history file with each.
    ///
    /// - Parameter home: The zone whose abbreviation may stand in them.
    public func backupEnds(on host: ScratchHost, home: TimeZone) async -> [UInt64: Date] {
        var ends: [UInt64: Date] = [:]
        for (name, file) in files {
            guard case .backup = name else { continue }
            let content = Mutex<[UInt8]>([])
            // One that can't be read costs nothing but its better time.
            guard (try? await file.read(on: host) { bytes in content.withLock { $0 += bytes.prefix(1 << 16) } }) != nil,
                let label = BackupLabel(String(decoding: content.withLock { $0 }, as: UTF8.self)), let end = label.stopped(in: home)
            else { continue }
            ends[label.start] = end
        }
        return ends
    }
}
