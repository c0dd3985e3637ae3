// Folders that belong to another tool, by the files that it always makes: named in a line, and never listed file by file.

import Foundation

/// What a folder is, and what to do about it.
enum ForeignStore {
    /// - Parameters:
    ///   - names: What lies in the folder.
    ///   - depth: How far below the store's root it is.
    /// - Returns: nil where nothing shows that it is another tool's.
    static func told(_ names: Set<String>, of folder: URL, depth: Int) -> String? {
        func begins(_ name: String, _ text: String) -> Bool {
            guard let handle = try? FileHandle(forReadingFrom: folder.appendingPathComponent(name)) else { return false }
            defer { try? handle.close() }
            return (try? handle.read(upToCount: 64)).map { String(decoding: $0, as: UTF8.self).hasPrefix(text) } ?? false
        }
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path) }
        if names.isSuperset(of: ["config", "data", "index", "keys", "snapshots"]) { return repository("restic") }
        if names.isSuperset(of: ["config", "data"]), begins("config", "[repository]") { return repository("borg") }
        if names.contains(where: { $0 == "kopia.repository" || $0 == "kopia.repository.f" }) { return repository("kopia") }
        if names.contains(where: { $0.hasPrefix("duplicity-full") }) { return repository("duplicity") }
        if names.contains("base"), names.contains("wals") { return cluster("a Barman server's folder") }
        if names.contains("basebackups_005") { return cluster("a WAL-G folder") }
        if names.contains("PG_VERSION"), names.contains("global"), !names.contains("backup_manifest") { return PackedContent.dataFolder }
        if depth == 0, let own = own(names) { return own }
        if has("db/database.sql.gz") { return PackedContent.bundle("GitLab", "db/database.sql.gz") }
        return nil
    }

    /// What is one artifact as a whole: a store is what lies above it.
    private static func own(_ names: Set<String>) -> String? {
        let plain = names.map { $0.replacing(/\.(?:enc|age|gpg|gz|zst)/, with: "") }
        let what: String
        if names.isSuperset(of: ["backup", "archive"]) {
            what = "a pgBackRest repository"
        } else if plain.contains("backup_manifest") {
            what = "a base backup"
        } else if names.contains(where: { $0.hasSuffix(".aof.manifest") }) {
            what = "append-only files"
        } else {
            return nil
        }
        return "\(what) itself: name the folder above it, whose one backup it is"
    }

    private static func repository(_ tool: String) -> String {
        "a \(tool) repository: have a hook restore its newest into a folder of its own before each drill (docs/setting-up.md)"
    }

    private static func cluster(_ what: String) -> String {
        "\(what): kind command runs its own restore (docs/point-in-time.md)"
    }
}
