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
    /// The store's word for where it keeps the object, such as `STANDARD`; nil where it has none.
    var tier: String?

    /// The tier, where nothing can be read of the object before it has been restored from it.
    var archive: String? { tier.flatMap { ["GLACIER", "DEEP_ARCHIVE", "Archive"].contains($0) ? $0 : nil } }

    /// Reads one line of `rclone lsjson`; nil for its brackets, for folders and for what is an ``UnusableObject``.
    init?(line: some StringProtocol) {
        guard let line = ListedLine(line), line.reason == nil else { return nil }
        path = line.Path
        size = line.Size
        modified = line.modified ?? .distantPast
        let digest = line.Hashes?["md5"] ?? line.Hashes?["MD5"] ?? ""
        md5 = digest.isEmpty ? nil : digest
        tier = line.Tier
    }
}

/// One line of `rclone lsjson`.
private struct ListedLine: Decodable {
    var Path: String
    var Size: Int64
    var ModTime: String
    var IsDir: Bool
    var Hashes: [String: String]?
    var Tier: String?

    /// nil for brackets and folders.
    init?(_ line: some StringProtocol) {
        var text = line.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.hasSuffix(",") { text.removeLast() }
        guard text.hasPrefix("{"), let line = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)), !line.IsDir else { return nil }
        self = line
    }

    var modified: Date? { try? Date(ModTime.prefix(19) + "Z", strategy: .iso8601) }

    /// Why it can't be brought under its own name; nil where it can.
    var reason: String? {
        let parts = Path.split(separator: "/", omittingEmptySubsequences: false)
        if parts.contains(where: { [".", ".."].contains($0) }) { return "a part of the key is . or .., which would lead out of a folder" }
        if parts.contains("") { return "the key has an empty part between two slashes, or begins or ends with one" }
        if Path.contains(where: \.isNewline) { return "the key has a line break in it" }
        // What rclone puts in the place of bytes that are no text: nothing can be asked for by that name.
        if Path.contains("\u{fffd}") { return "the name is not UTF-8" }
        return Size < 0 ? "the store tells no size of it" : nil
    }
}

/// One object whose name can't be used.
struct UnusableObject: Sendable, Hashable {
    var path: String
    var modified: Date?
    var reason: String

    /// Reads one line of `rclone lsjson`; nil where it is no such object.
    init?(line: some StringProtocol) {
        guard let line = ListedLine(line), let reason = line.reason else { return nil }
        (path, modified, self.reason) = (line.Path, line.modified, reason)
    }

    /// Whether a glob would match it without what is wrong with it.
    func matches(_ pattern: String) -> Bool {
        let parts = pattern.split(separator: "/").map(String.init)
        let names = path.split(separator: "/").map(String.init).filter { ![".", ".."].contains($0) }
        return !parts.isEmpty && names.count >= parts.count
            && zip(parts, names).allSatisfy { fnmatch($0, $1, FNM_PERIOD) == 0 && !$1.hasSuffix(".seal.json") }
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
                item.archive = item.archive ?? object.archive
                items[path] = item
            } else {
                items[path] = StoredItem(
                    path: path, location: root.appending(path: path, directoryHint: isFolder ? .isDirectory : .notDirectory),
                    isFolder: isFolder, size: object.size, modified: object.modified, archive: object.archive)
            }
        }
        return items.values.sorted { $0.path < $1.path }
    }
}
