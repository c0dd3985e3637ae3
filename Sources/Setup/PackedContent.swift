// What lies in a tar or below a compression, by its first bytes: names tell too little of those.

import ArtifactFormats
import Cryptography
import DrillModel
import Foundation
import OutsideTools
import ScratchHost

/// Told by the first members and the first bytes of the content.
enum PackedContent: Sendable, Hashable {
    case backup(BackupSet.Kind)
    case globals
    /// Nothing that is drilled as it lies there: what it is, and what to do.
    case other(String)
    /// Encrypted below: by the estate file's word.
    case encryptedInside(String)

    private static let looked = 256 << 10
    private static let mostLayers = 3

    /// - Returns: nil where it can't be told.
    static func look(at file: URL, on host: ScratchHost) async -> PackedContent? {
        guard var head = try? ArtifactStream.head(of: file, count: looked), let folder = try? host.folder.privateFolder("packed") else {
            return nil
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        var current = file
        for layer in 0..<mostLayers {
            let format = ArtifactFormat(head: head)
            if format == .tar, let known = tar(in: current) { return known }
            guard let decompressor = Decompressor.of(format) else { return told(head, format) }
            let target = folder.appendingPathComponent("layer-\(layer)")
            guard (try? await host.run(decompressor.beginning(looked), input: current, output: target))?.succeeded == true,
                let below = try? ArtifactStream.head(of: target, count: looked), !below.isEmpty
            else { return nil }
            head = below
            current = target
        }
        return nil
    }

    /// - Parameter head: The first bytes, uncompressed.
    static func told(_ head: [UInt8], _ format: ArtifactFormat) -> PackedContent? {
        switch format {
        case .postgresArchive: .backup(.pgDump)
        case .rdb: .backup(AppendOnlyText.follows(aSnapshotEndingWith: Array(head.suffix(64))) && head.count < looked ? .aof : .rdb)
        case .appendOnly: .backup(.aof)
        case .sql: isGlobals(head) ? .globals : .backup(.pgDump)
        case .gitBundle: .backup(.gitBundle)
        case .tar: tar(head)
        case _ where format.encryption != nil: .encryptedInside(format.encryption ?? "")
        default: nil
        }
    }

    /// A cluster's script begins with its roles: one that goes on with databases is a dump, as far as was looked.
    static func isGlobals(_ head: [UInt8]) -> Bool {
        // A carriage return and a line feed are one letter to Swift.
        let text = String(decoding: head.filter { $0 != 0x0d }, as: UTF8.self)
        return text.contains("database cluster dump") && !text.contains("\n\\connect ") && !text.contains("-- PostgreSQL database dump\n")
    }

    private static func tar(_ head: [UInt8]) -> PackedContent? {
        tar { offset, count in
            guard offset < Int64(head.count) else { return [] }
            return Array(head[Int(offset)..<min(head.count, Int(offset) + count)])
        }
    }

    /// Of a file as far as it is there: what lies behind its first member, only its later headers tell.
    private static func tar(in file: URL) -> PackedContent? {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        return tar { offset, count in
            guard (try? handle.seek(toOffset: UInt64(offset))) != nil else { return [] }
            return (try? handle.read(upToCount: count)).map { Array($0) } ?? []
        }
    }

    private static func tar(_ read: (_ offset: Int64, _ count: Int) -> [UInt8]) -> PackedContent? {
        guard let tar = TarMembers(read: read) else { return nil }
        let paths = tar.members.map { $0.name.split(separator: "/").filter { $0 != "." } }
        func has(_ name: String) -> Bool { paths.contains { $0.last.map(String.init) == name } }
        func holds(_ folder: String) -> Bool { paths.contains { $0.contains { $0 == folder } } }
        if has("toc.dat") { return .backup(.pgDump) }
        if has("backup_label"), paths.first?.count == 1 { return .other(baseTar) }
        if has("base.tar") || has("base.tar.gz") || has("backup_manifest") { return .other(packedBase) }
        if has("PG_VERSION") { return .other(dataFolder) }
        if holds("appendonlydir") || paths.contains(where: { $0.last?.hasSuffix(".aof") == true }) { return .backup(.aof) }
        if paths.contains(where: { $0.last?.hasSuffix(".rdb") == true }) { return .backup(.rdb) }
        if paths.contains(where: { $0.suffix(2).elementsEqual(["db", "database.sql.gz"]) }) {
            return .other(bundle("GitLab", "db/database.sql.gz"))
        }
        if has("dump.sql.gz") { return .other(bundle("Discourse", "dump.sql.gz")) }
        let files = tar.members.filter(\.isFile)
        let dumps = files.filter { file in
            StrangeTree.isDump(file.name)
                || [.sql, .postgresArchive].contains(ArtifactFormat(head: read(file.offset, Int(min(file.size, Int64(looked))))))
        }
        if dumps.count > 1 { return .other("\(StrangeTree.several(dumps.map(\.name))): \(StrangeTree.onePerFile)") }
        guard files.count == 1, let only = files.first else { return nil }
        let content = read(only.offset, Int(min(only.size, Int64(looked))))
        return told(content, ArtifactFormat(head: content))
    }

    // MARK: Words

    static let dataFolder =
        "a copy of a data folder, which is no base backup: nothing says which files belong to it; pg_basebackup writes a backup_manifest, "
        + "and its folder is kind base_backup"

    private static let baseTar =
        "a base.tar of pg_basebackup's: keep each backup in a folder of its own, with its backup_manifest beside it (kind base_backup)"

    private static let packedBase = "a base backup that was packed as a whole: keep its folder as it is (kind base_backup)"

    static func bundle(_ product: String, _ dump: String) -> String {
        "a \(product) backup: its dump is \(dump); have a hook unpack that before each drill, as kind pg_dump (docs/setting-up.md)"
    }
}
