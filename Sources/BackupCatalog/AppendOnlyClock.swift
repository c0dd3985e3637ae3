// The moment of an append-only backup, from the times that its server wrote between the commands.

import ArtifactFormats
import DrillModel
import Foundation

/// `#TS:1795974976`, which a server with `aof-timestamp-enabled yes` writes before the first command of each second.
enum AppendOnlyClock {
    /// How far from the end it is looked for, at first and where it isn't there: one command may be large.
    private static let tails = [256 << 10, 32 << 20]

    /// - Returns: nil where none is found, or where only a key or a program opens the artifact.
    static func time(of item: StoredItem) -> Date? {
        guard item.head == nil else { return nil }
        for file in files(of: item) {
            for tail in tails {
                if let time = AppendOnlyText.lastTime(in: ending(of: file, tail)) { return time }
            }
        }
        return nil
    }

    /// The newest first.
    private static func files(of item: StoredItem) -> [URL] {
        guard item.isFolder else {
            // Of a tar, or what is encrypted, the end isn't that of the commands.
            return ending(of: item.location, 2).elementsEqual([0x0d, 0x0a]) ? [item.location] : []
        }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: item.location.path)) ?? []).sorted()
        guard let name = names.first(where: { $0.hasSuffix(AppendOnlyManifest.suffix) }),
            let bytes = try? Data(contentsOf: item.location.appendingPathComponent(name)), let manifest = AppendOnlyManifest(Array(bytes))
        else { return [] }
        return manifest.loaded.reversed().map { item.location.appendingPathComponent($0.name) }
    }

    private static func ending(of file: URL, _ tail: Int) -> [UInt8] {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return [] }
        defer { try? handle.close() }
        guard let size = try? handle.seekToEnd() else { return [] }
        try? handle.seek(toOffset: size > UInt64(tail) ? size - UInt64(tail) : 0)
        return (try? handle.readToEnd()).map { Array($0) } ?? []
    }
}
