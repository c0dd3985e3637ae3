// What lies in a store, by pattern: in a folder, or in what was listed of a remote store.

public import DrillModel
import Foundation
import Glibc

extension Rule {
    static let storeMissing = Rule("store-missing")
    public static let storeUnreadable = Rule("store-unreadable")
}

/// One thing that a pattern matched.
struct StoredItem: Sendable, Hashable {
    /// Relative to the store's root.
    var path: String
    var location: URL
    var isFolder: Bool
    /// Bytes; of a folder, of all files in it.
    var size: Int64
    var modified: Date
    /// Of a remote object, its first bytes, where they have been read.
    var head: [UInt8]?
    /// Of a remote object, the archive tier that it has to be restored from first.
    var archive: String?
    /// What stands between this machine and it, and its seal, as far as that is known.
    var obstacle: DrillFailure?
    var sealObstacle: DrillFailure?
}

/// Lists one store.
struct StoreListing: Sendable {
    var store: Store
    var opened = OpenedStores()

    /// Everything below the root whose relative path matches a glob; `*` doesn't cross a slash.
    ///
    /// A folder that matches is one item, and is not looked into. Seals and hidden files never match.
    /// - Throws: ``DrillFailure`` (failed): the store isn't there or can't be read. A store that can't be reached holds no backup
    ///   for anybody who needs one.
    func items(matching pattern: String) throws(DrillFailure) -> [StoredItem] { try listed(matching: pattern).items }

    /// As ``items(matching:)``, and what matches under a name that can't be used.
    func listed(matching pattern: String) throws(DrillFailure) -> (items: [StoredItem], passedOver: [PassedOver]) {
        if let snapshot = try opened.snapshot(of: store) {
            return (snapshot.items(matching: pattern), snapshot.passedOver(matching: pattern, in: store.name))
        }
        guard let root = store.folder else { return ([], []) }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root.path, isDirectory: &isFolder), isFolder.boolValue else {
            if StoredAccess.isRefused(root.path) { throw .error(.accessDenied("store \(store.name)", root)) }
            throw .failed(
                Finding(
                    .storeMissing, object: "store \(store.name)", expected: "a folder", actual: "nothing there",
                    message: "the store \(root.path) doesn't exist", hint: "mount it, or mend its path in the estate file"))
        }
        var found = (items: [StoredItem](), passedOver: [PassedOver]())
        let parts = pattern.split(separator: "/").map(String.init)
        if !parts.isEmpty { try walk(root, relative: "", depth: 0, parts: parts, into: &found) }
        return (found.items.sorted { $0.path < $1.path }, found.passedOver.sorted { $0.path < $1.path })
    }

    /// Descends only where the pattern's next part matches, so that a large store isn't walked for one folder's sake.
    private func walk(
        _ folder: URL, relative: String, depth: Int, parts: [String], into found: inout (items: [StoredItem], passedOver: [PassedOver])
    ) throws(DrillFailure) {
        // Names may be told where what they name may not be looked at.
        if StoredAccess.isRefused(folder.path, R_OK | X_OK) { throw .error(.accessDenied("store \(store.name)", folder)) }
        guard let names = Self.names(in: folder.path) else {
            throw .failed(
                Finding(
                    .storeUnreadable, object: "store \(store.name)", expected: "a readable folder", actual: "no access",
                    message: "\(folder.path) can't be read", hint: "check its permissions for this user"))
        }
        let parent = folder.path
        for bytes in names {
            guard let name = String(validating: bytes, as: UTF8.self) else {
                if let passed = passedOver(bytes, in: parent, relative: relative, depth: depth, parts: parts) {
                    found.passedOver.append(passed)
                }
                continue
            }
            guard fnmatch(parts[depth], name, FNM_PERIOD) == 0, !name.hasSuffix(".seal.json") else { continue }
            let path = relative.isEmpty ? name : "\(relative)/\(name)"
            var info = stat()
            let file = "\(parent)/\(name)"
            // What can't be looked at (a link to nowhere, say) is listed all the same: left out, nobody would miss it.
            guard stat(file, &info) == 0 || lstat(file, &info) == 0 else { continue }
            let isFolder = info.st_mode & S_IFMT == S_IFDIR
            // Without the hint, Foundation asks the file system once more for each name.
            let location = folder.appending(path: name, directoryHint: isFolder ? .isDirectory : .notDirectory)
            if depth + 1 < parts.count {
                if isFolder { try walk(location, relative: path, depth: depth + 1, parts: parts, into: &found) }
                continue
            }
            var modified = Date(timeIntervalSince1970: TimeInterval(info.st_mtim.tv_sec))
            var size = Int64(info.st_size)
            if isFolder {
                let content = Self.content(of: location)
                size = content.size
                modified = content.modified ?? modified
            }
            found.items.append(StoredItem(path: path, location: location, isFolder: isFolder, size: size, modified: modified))
        }
    }

    /// The names as the system has them: bytes, which need be no text. nil where the folder can't be read.
    private static func names(in folder: String) -> [[UInt8]]? {
        guard let handle = opendir(folder) else { return nil }
        defer { closedir(handle) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(handle) else { return errno == 0 ? names : nil }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
    }

    /// Neither a URL nor a report can hold such a name; that something is there must be said.
    private func passedOver(_ name: [UInt8], in parent: String, relative: String, depth: Int, parts: [String]) -> PassedOver? {
        let text = name.map { CChar(bitPattern: $0) } + [0]
        guard fnmatch(parts[depth], text, FNM_PERIOD) == 0, !name.reversed().starts(with: ".seal.json".utf8.reversed()) else { return nil }
        var info = stat()
        let file = parent.utf8.map { CChar(bitPattern: $0) } + [CChar(bitPattern: UInt8(ascii: "/"))] + text
        let isThere = lstat(file, &info) == 0
        // What lies below another kind of thing can't match.
        if isThere, depth + 1 < parts.count, ![S_IFDIR, S_IFLNK].contains(info.st_mode & S_IFMT) { return nil }
        let shown = PassedOver.shown(name)
        return PassedOver(
            store: store.name, path: relative.isEmpty ? shown : "\(relative)/\(shown)",
            modified: isThere ? Date(timeIntervalSince1970: TimeInterval(info.st_mtim.tv_sec)) : nil, reason: "the name is not UTF-8")
    }

    /// A folder's own time tells of names that came and went; its content is as old as the file that was written last.
    private static func content(of folder: URL) -> (size: Int64, modified: Date?) {
        guard let walk = FileManager.default.enumerator(atPath: folder.path) else { return (0, nil) }
        var size: Int64 = 0
        var newest: Int?
        while let path = walk.nextObject() as? String {
            var info = stat()
            guard lstat(folder.path + "/" + path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { continue }
            size += Int64(info.st_size)
            newest = max(newest ?? .min, info.st_mtim.tv_sec)
        }
        return (size, newest.map { Date(timeIntervalSince1970: TimeInterval($0)) })
    }
}
