// A backup that a killed seal has begun to write into a store, and how `muster clean` removes it.

public import Foundation
public import ScratchHost

/// Written down before the first byte: what is half written could be taken for a backup.
public struct UnfinishedBackup: PendingCleanup {
    public static let fileName = ".muster-unfinished.json"

    /// As they are to be called; unfinished, they have another name.
    var files: [URL]

    public init(files: [URL]) {
        self.files = files
    }

    public func remove() {
        for file in files { try? FileManager.default.removeItem(at: file.appendingPathExtension("partial")) }
    }
}
