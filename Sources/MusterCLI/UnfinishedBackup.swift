// A backup that a killed seal has begun to write into a store, and how `muster clean` removes it.

import Foundation
import ScratchHost

/// Written down before the first byte: what is half written could be taken for a backup.
struct UnfinishedBackup: ScratchPromise {
    static let fileName = ".muster-unfinished.json"

    /// As they are to be called; unfinished, they have another name.
    var files: [URL]

    func remove() {
        for file in files { try? FileManager.default.removeItem(at: file.appendingPathExtension("partial")) }
    }
}
