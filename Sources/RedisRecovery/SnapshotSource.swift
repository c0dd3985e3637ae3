// Where the snapshot of an artifact is: the file itself, or the one in a copy of a data folder, as a tar of a docker volume is.

import ArtifactFormats
public import Foundation

/// The snapshot inside an artifact.
public enum SnapshotSource: Sendable, Hashable {
    case file(URL)
    /// In words what there is in place of one.
    case none(String)
    /// A server with such a folder would load these, and not the snapshot beside them.
    case appendOnlyFiles

    /// - Parameter isSnapshot: Whether the artifact is a file that begins as a snapshot does.
    public init(_ artifact: URL, isSnapshot: Bool) {
        if isSnapshot {
            self = .file(artifact)
            return
        }
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: artifact.path, isDirectory: &isFolder)
        guard isFolder.boolValue else {
            self = .none("a file without a snapshot's first bytes")
            return
        }
        func content(of folder: URL) -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted() }
        let names = content(of: artifact)
        // Also where their manifest is lost: what was written since the snapshot is in them.
        let all = names + names.flatMap { content(of: artifact.appendingPathComponent($0, isDirectory: true)) }
        if all.contains(where: AppendOnlySource.isPart) || AppendOnlySource(artifact, isFolder: true) != nil {
            self = .appendOnlyFiles
            return
        }
        // A server that was saving when the folder was copied leaves half of the next one under such a name.
        let whole = names.filter { $0.hasSuffix(".rdb") && !$0.hasPrefix("temp-") }.map { artifact.appendingPathComponent($0) }
            .filter { RDBHeader(AppendOnlySource.head(of: $0)) != nil }
        self = whole.count == 1 ? .file(whole[0]) : .none(whole.isEmpty ? "a folder without a snapshot" : "a folder with several snapshots")
    }
}
