// The files of a backup set's WAL archive, and the ends of base backups that they tell.

public import ArtifactFormats
import Cryptography
public import DrillModel
public import Foundation

/// One file of a WAL archive.
public struct ArchivedWAL: Sendable, Hashable {
    public var name: WALFileName
    public var location: URL
    /// Bytes as stored.
    public var size: Int64
    /// When it was stored, as far as the store tells.
    public var modified: Date
}

extension Catalogue {
    /// All files of the set's WAL archive, by their name; of copies in several stores, the first store's.
    ///
    /// - Throws: ``DrillFailure`` (failed): no store can be read. An archive with nothing in it is no error here.
    public func walFiles() throws(DrillFailure) -> [ArchivedWAL] {
        guard let wal = set.wal else { return [] }
        var files: [WALFileName: ArchivedWAL] = [:]
        var problems: [DrillFailure] = []
        for name in wal.stores {
            guard let store = estate.stores[name] else { continue }
            do {
                for file in try walFiles(in: store) where files[file.name] == nil { files[file.name] = file }
            } catch {
                problems.append(error)
            }
        }
        if files.isEmpty, let problem = problems.first { throw problem }
        return files.values.sorted { $0.name.plain < $1.name.plain }
    }

    /// One store's files of the set's WAL archive, by their name.
    ///
    /// - Throws: ``DrillFailure``: the store can't be read. An archive with nothing in it is no error here.
    public func walFiles(in store: Store) throws(DrillFailure) -> [ArchivedWAL] {
        guard let wal = set.wal else { return [] }
        var files: [WALFileName: ArchivedWAL] = [:]
        for item in try StoreListing(store: store, opened: opened).items(matching: wal.match) where !item.isFolder {
            guard let name = WALFileName(stored: item.location.lastPathComponent), files[name] == nil else { continue }
            files[name] = ArchivedWAL(name: name, location: item.location, size: item.size, modified: item.modified)
        }
        return files.values.sorted { $0.name.plain < $1.name.plain }
    }

    /// The segments that only a `.partial` file is there of: no recovery reads those.
    public func partialSegments() -> Set<WALSegmentName> {
        guard let wal = set.wal else { return [] }
        let items = wal.stores.compactMap { estate.stores[$0] }.flatMap { store in
            (try? StoreListing(store: store, opened: opened).items(matching: wal.match)) ?? []
        }
        return Set(items.filter { !$0.isFolder }.compactMap { WALFileName.partial(stored: $0.location.lastPathComponent) })
    }

    /// When base backups ended, by their first position: the source archives a history file with each.
    func backupEnds() -> [UInt64: Date] {
        guard let files = try? walFiles() else { return knownEnds }
        var ends = knownEnds
        for file in files {
            guard case .backup = file.name, let bytes = SmallFile.read(file.location, decryption: walDecryption),
                let label = BackupLabel(String(decoding: bytes, as: UTF8.self)), let end = label.stopped(in: estate.timeZone)
            else { continue }
            ends[label.start] = end
        }
        return ends
    }
}
