// One object of a remote store, and which objects a pattern matches.

import DrillModel
import Foundation
import Glibc

/// What a listing tells of one object.
struct RemoteObject: Sendable, Hashable {
    /// Relative to the store's root.
    var path: String
    /// Bytes.
    var size: Int64
    /// When the store took it.
    var modified: Date
    /// MD5 in lower-case hex, where the store knows it without reading the object.
    var md5: String?

    private struct Line: Decodable {
        var Path: String
        var Size: Int64
        var ModTime: String
        var IsDir: Bool
        var Hashes: [String: String]?
    }

    /// Reads one line of `rclone lsjson`; nil for its brackets and for folders.
    init?(line: some StringProtocol) {
        var text = line.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.hasSuffix(",") { text.removeLast() }
        guard text.hasPrefix("{"), let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)), !line.IsDir, line.Size >= 0
        else { return nil }
        // A name that would lead out of the folder that it is brought into is none of a backup's.
        guard line.Path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ !["", ".", ".."].contains($0) })
        else { return nil }
        path = line.Path
        size = line.Size
        modified = (try? Date(line.ModTime.prefix(19) + "Z", strategy: .iso8601)) ?? .distantPast
        let digest = line.Hashes?["md5"] ?? line.Hashes?["MD5"] ?? ""
        md5 = digest.isEmpty ? nil : digest
    }
}

extension Collection where Element == RemoteObject {
    /// What a glob matches, as it does in a folder: `*` doesn't cross a slash, a folder that matches is one item, hidden names and seals
    /// never match.
    func items(matching pattern: String, root: URL) -> [StoredItem] {
        let parts = pattern.split(separator: "/").map(String.init)
        guard !parts.isEmpty else { return [] }
        var items: [String: StoredItem] = [:]
        for object in self {
            let names = object.path.split(separator: "/")
            guard names.count >= parts.count,
                zip(parts, names).allSatisfy({ fnmatch($0, String($1), FNM_PERIOD) == 0 && !$1.hasSuffix(".seal.json") })
            else { continue }
            let path = names.prefix(parts.count).joined(separator: "/")
            let isFolder = names.count > parts.count
            if var item = items[path] {
                item.size += object.size
                item.modified = Swift.max(item.modified, object.modified)
                items[path] = item
            } else {
                items[path] = StoredItem(
                    path: path, location: root.appending(path: path, directoryHint: isFolder ? .isDirectory : .notDirectory),
                    isFolder: isFolder, size: object.size, modified: object.modified)
            }
        }
        return items.values.sorted { $0.path < $1.path }
    }
}
