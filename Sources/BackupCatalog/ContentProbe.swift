// A look at a stored artifact without its key: first bytes, randomness, permissions.

import ArtifactFormats
import Cryptography
public import DrillModel
public import Foundation
import Glibc

/// Looks at stored files the way somebody would who found them. A few kilobytes of each are read.
public enum ContentProbe {
    static let sampleSize = 4096
    /// Fewer bytes than this show too little of their distribution.
    private static let fewest = 512

    /// - Parameters:
    ///   - walk: One for all files of a store.
    ///   - set: What it is a backup of; nil where that is no matter.
    /// - Returns: nil where it isn't there or can't be read.
    public static func look(at item: URL, _ walk: FolderWalk = FolderWalk(), as set: BackupSet? = nil) -> StoredContent? {
        guard var content = look(into: item, as: set) else { return nil }
        content.reach = walk.reach(item)
        return content
    }

    /// As ``look(at:_:)``, and at each file of a folder of tar files. One that holds a server's files themselves is left as it is.
    public static func look(atBaseBackup item: URL, _ walk: FolderWalk) -> StoredContent? {
        guard var content = look(at: item, walk) else { return nil }
        guard content.kind == .folder else {
            content.doubt = content.kind == .empty ? .empty("0 bytes") : .foreign("a file, where pg_basebackup writes a folder")
            return content
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: item.path) else { return nil }
        guard !names.contains("PG_VERSION") else { return content }
        if !names.contains(where: { BaseBackupFileName.plain($0) == "base.tar" }) {
            content.doubt = names.isEmpty ? .empty("an empty folder") : .foreign("a folder with neither PG_VERSION nor base.tar in it")
        }
        for name in names where BaseBackupFileName.isPart(name) {
            content.parts.updateValue(look(at: item.appendingPathComponent(name), walk), forKey: name)
        }
        return content
    }

    private static func look(into item: URL, as set: BackupSet?) -> StoredContent? {
        let descriptor = open(item.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        let permissions = UInt16(status.st_mode & 0o777)
        if status.st_mode & S_IFMT == S_IFDIR {
            var content = StoredContent(kind: .folder, permissions: permissions)
            if let set, set.encryption == nil { content.doubt = doubt(ofFolder: item, as: set.kind) }
            return content
        }
        guard status.st_mode & S_IFMT == S_IFREG, let head = read(descriptor, at: 0) else { return nil }
        var middle: [UInt8]?
        if let place = Self.middle(of: Int64(status.st_size)) { middle = read(descriptor, at: place) }
        let content = judge(head: head, middle: middle, permissions: permissions)
        return set.map { content.doubted(as: $0, head: head, size: Int64(status.st_size)) } ?? content
    }

    /// What a folder's own table of contents says against it.
    private static func doubt(ofFolder folder: URL, as kind: BackupSet.Kind) -> StoredContent.Doubt? {
        switch kind {
        case .pgDump:
            switch head(of: folder.appendingPathComponent("toc.dat")) {
            case nil: return .foreign("a folder without pg_dump's toc.dat")
            case []: return .empty("a toc.dat of 0 bytes")
            case let head?: return ArtifactFormat(head: head) == .postgresArchive ? nil : .foreign("a toc.dat that is none of pg_dump's")
            }
        case .aof:
            // In a copy of a server's whole folder they lie in one below it.
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            let places = [folder] + names.map { folder.appendingPathComponent($0) }
            let manifests = places.flatMap { place in
                ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []).filter {
                    $0.hasSuffix(AppendOnlyManifest.suffix)
                }
                .map { place.appendingPathComponent($0) }
            }
            guard !manifests.isEmpty else {
                // Redis 2 to 6 have one file and no manifest.
                let isSingle = names.contains { name in
                    name.hasSuffix(".aof") && !name.contains(/\.[0-9]+\.(incr|base)\./)
                        && head(of: folder.appendingPathComponent(name)).map { [.appendOnly, .rdb].contains(ArtifactFormat(head: $0)) }
                            == true
                }
                return isSingle ? nil : .foreign("a folder without a manifest")
            }
            for manifest in manifests {
                guard let data = FileManager.default.contents(atPath: manifest.path) else {
                    return .foreign("a manifest that can't be read")
                }
                if data.isEmpty { return .empty("a manifest of 0 bytes") }
                guard let read = AppendOnlyManifest(Array(data.prefix(1 << 20))), !read.loaded.isEmpty else {
                    return .foreign("a manifest that names no file")
                }
            }
            return nil
        default: return nil
        }
    }

    private static func head(of file: URL) -> [UInt8]? {
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return read(descriptor, at: 0)
    }

    /// Where the second sample begins; nil where the first shows enough. A file may begin with noise and go on in plain text.
    ///
    /// In the second quarter, at a power of two: objects of like sizes are then asked for in one run.
    static func middle(of size: Int64) -> Int64? {
        let half = size / 2
        return half > 2 * Int64(sampleSize) ? 1 << Int64(Int64.bitWidth - 1 - half.leadingZeroBitCount) : nil
    }

    /// What two samples tell.
    static func judge(head: [UInt8], middle: [UInt8]?, permissions: UInt16?) -> StoredContent {
        let format = ArtifactFormat(head: head)
        let kind: StoredContent.Kind =
            switch format {
            case .empty: .empty
            case .unknown: .unknown
            case _ where format.encryption != nil: .encrypted(format.rawValue)
            default: .plain(format.rawValue)
            }
        var behind: String?
        var sample = head
        if case .encrypted = kind {
            sample = EncryptedBody.sample(of: head, format)
            let inner = ArtifactFormat(head: sample)
            if !sample.isEmpty, inner != .unknown, inner.encryption == nil { behind = inner.rawValue }
            if behind == nil, format == .opensslEncrypted, isShortText(sample) { behind = "plain text" }
        }
        if let middle {
            let least = [sample, EncryptedBody.decoded(middle, like: head)].min { Randomness.entropy(of: $0) < Randomness.entropy(of: $1) }
            sample = least ?? sample
        }
        return StoredContent(
            kind: kind, encryption: format.encryption, isAuthenticated: format.isAuthenticated, plainBehindHeader: behind,
            entropy: sample.count >= fewest ? Randomness.entropy(of: sample) : nil, sampled: sample.count,
            permissions: permissions)
    }

    /// The permission bits of a file; nil where it isn't there.
    public static func permissions(of file: URL) -> UInt16? {
        var status = stat()
        return stat(file.path, &status) == 0 ? UInt16(status.st_mode & 0o777) : nil
    }

    private static func read(_ descriptor: Int32, at offset: Int64) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: sampleSize)
        let count = pread(descriptor, &bytes, sampleSize, off_t(offset))
        guard count >= 0 else { return nil }
        bytes.removeLast(sampleSize - count)
        return bytes
    }

    /// Too short for its distribution to tell, and nothing but letters: one in three of random bytes is none of them.
    private static func isShortText(_ bytes: [UInt8]) -> Bool {
        guard (32..<fewest).contains(bytes.count) else { return false }
        let printable = bytes.count { (0x20..<0x7f).contains($0) || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 }
        return printable * 100 >= bytes.count * 95
    }
}
