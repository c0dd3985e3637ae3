// What a run has changed outside of its scratch folder, written down there before, for whoever cleans up where the run is killed.

public import Foundation
import Glibc

/// Something that must still be done for a run that is no more. Kept in its scratch folder; never holds a secret.
public protocol PendingCleanup: Codable, Sendable {
    /// Of a kind of its own, since a folder keeps one of each.
    static var fileName: String { get }
}

extension ScratchHost {
    /// Has whoever cleans up after this run, should it be killed, do something. One of a kind at a time: a later one takes its place.
    ///
    /// - Throws: ``ScratchError`` where that can't be written down: nothing may be changed outside then.
    public func register(_ cleanup: some PendingCleanup) throws(ScratchError) {
        do {
            let file = folder.url.appendingPathComponent(type(of: cleanup).fileName)
            try JSONEncoder().encode(cleanup).write(to: file, options: .atomic)
            chmod(file.path, 0o600)
        } catch {
            throw ScratchError(
                .fileSystem, "cannot write into \(folder.url.path)",
                hint: "check free space and permissions, or choose another with --scratch")
        }
    }

    /// It has been done, or somebody was told that it was not.
    public func withdraw(_ cleanup: (some PendingCleanup).Type) {
        try? FileManager.default.removeItem(at: folder.url.appendingPathComponent(cleanup.fileName))
    }
}

extension ScratchHost {
    /// Whether it is still due. A folder that knows of such a thing is not to be removed.
    public func isDue(_ cleanup: (some PendingCleanup).Type) -> Bool {
        FileManager.default.fileExists(atPath: folder.url.appendingPathComponent(cleanup.fileName).path)
    }
}

/// What an abandoned folder wants to have done, in the hands of whoever does it.
public struct ClaimedCleanup<Cleanup: PendingCleanup>: Sendable {
    public var cleanup: Cleanup
    /// The scratch folder.
    public var folder: URL
    private let file: URL
    private let claimed: URL

    init?(_ kind: Cleanup.Type, in folder: URL) {
        self.folder = folder
        file = folder.appendingPathComponent(kind.fileName)
        claimed = folder.appendingPathComponent("\(kind.fileName).\(getpid())")
        guard let cleanup = Self.read(kind, file), rename(file.path, claimed.path) == 0 else { return nil }
        self.cleanup = cleanup
    }

    /// It could not be done: whoever cleans up next tries again, as long as the folder is there.
    public func giveBack() { rename(claimed.path, file.path) }

    fileprivate static func read(_ kind: Cleanup.Type, _ file: URL) -> Cleanup? {
        var info = stat()
        // As of the mark: only what this user wrote.
        guard lstat(file.path, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_uid == geteuid(),
            let data = try? Data(contentsOf: file)
        else { return nil }
        return try? JSONDecoder().decode(kind, from: data)
    }
}

extension ScratchCleaner {
    /// What abandoned folders of this user still want to have done. Each is handed out once, whoever else cleans up at the same time.
    ///
    /// To be done when the folder's processes have ended: what is to be undone may be being done.
    public static func claim<Cleanup: PendingCleanup>(
        _ cleanup: Cleanup.Type, in root: ScratchRoot, kept: Set<URL> = []
    ) -> [ClaimedCleanup<Cleanup>] {
        abandoned(in: root, kept: kept).compactMap { ClaimedCleanup(cleanup, in: $0) }
    }

    /// The same, only to be shown.
    public static func due<Cleanup: PendingCleanup>(_ cleanup: Cleanup.Type, in root: ScratchRoot, kept: Set<URL> = []) -> [Cleanup] {
        abandoned(in: root, kept: kept).compactMap {
            ClaimedCleanup<Cleanup>.read(cleanup, $0.appendingPathComponent(cleanup.fileName))
        }
    }

    private static func abandoned(in root: ScratchRoot, kept: Set<URL>) -> [URL] {
        marked(in: root).compactMap { folder, mark in !mark.isInUse(in: folder) && (!mark.kept || kept.contains(folder)) ? folder : nil }
    }
}
