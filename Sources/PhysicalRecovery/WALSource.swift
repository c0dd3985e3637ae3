// The archived files of one recovery: listed, held against the base backup, and opened.

public import ArtifactFormats
public import Cryptography
import DrillModel
public import Foundation
public import ScratchHost
import Synchronization

/// An archive of the write-ahead log, as the catalogue lists it.
public struct WALSource: Sendable {
    var files: [WALFileName: StoredFile] = [:]
    /// Reads what no stored file is for; nil: all lies in files.
    var tool: WALFetch?
    /// What the tool's archive is known to hold; nil where nobody can tell.
    private var listed: Set<WALFileName>?

    /// An archive that another tool reads.
    public init(tool: WALFetch) {
        self.tool = tool
        listed = tool.listed
    }

    /// Whether what it holds is known before it is read.
    var isListed: Bool { tool == nil || listed != nil }

    public init(files: [WALFileName: URL], encryption: ArtifactStream.Encryption?) {
        self.files = files.mapValues { StoredFile(location: $0, encryption: encryption) }
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

    /// Every history file.
    ///
    /// - Throws: ``DrillFailure`` where one can't be read.
    func histories(on host: ScratchHost) async throws -> [UInt32: TimelineHistory] {
        var histories: [UInt32: TimelineHistory] = [:]
        for (name, file) in files {
            guard case .history(let timeline) = name else { continue }
            let content = Mutex<[UInt8]>([])
            do {
                try await file.read(on: host) { bytes in content.withLock { $0 += bytes } }
            } catch let error as CancellationError {
                throw error
            } catch {
                throw BaseBackup.failure(of: error, object: name.plain, damaged: .walTimeline)
            }
            guard let history = TimelineHistory(timeline: timeline, text: String(decoding: content.withLock { $0 }, as: UTF8.self)) else {
                throw DrillFailure.broken(
                    .walTimeline, name.plain, expected: "a timeline's ancestors", actual: "something else",
                    "the history file can't be read", hint: "fetch another copy of it")
            }
            histories[timeline] = history
        }
        for case .history(let timeline) in listed ?? [] { histories[timeline] = try await history(timeline, on: host) }
        return histories
    }

    private func history(_ timeline: UInt32, on host: ScratchHost) async throws -> TimelineHistory {
        let name = WALFileName.history(timeline).plain
        do {
            let target = try host.folder.privateFolder("wal-histories").appendingPathComponent(name)
            defer { try? FileManager.default.removeItem(at: target) }
            if try await tool?.fetch(name, to: target, on: host) == true,
                let history = TimelineHistory(timeline: timeline, text: String(decoding: try Data(contentsOf: target), as: UTF8.self))
            {
                return history
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw BaseBackup.failure(of: error, object: name, damaged: .walTimeline)
        }
        throw DrillFailure.broken(
            .walTimeline, name, expected: "a timeline's ancestors", actual: "something else, or nothing",
            "the history file can't be read", hint: "fetch another copy of it")
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
    static func isCompressed(_ head: [UInt8]) -> Bool { decompressors[ArtifactFormat(head: head)] != nil }

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
