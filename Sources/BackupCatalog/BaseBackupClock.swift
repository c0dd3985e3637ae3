// The moment that a base backup ended.

import ArtifactFormats
import Cryptography
import DrillModel
import Foundation

/// Reads a base backup's time from the best place that has it.
struct BaseBackupClock: Sendable {
    var decryption: ArtifactStream.Encryption?
    /// From the archive's backup history files, by the backup's first position.
    var ends: [UInt64: Date]
    var timeZone: TimeZone

    /// - Returns: nil where neither a history file nor a readable manifest tells; retrieving says what is wrong with it.
    func end(of item: StoredItem) -> (Date, RecoveryPoint.TimeSource)? {
        guard let manifest = manifest(of: item) else { return nil }
        for range in manifest.ranges {
            if let end = ends[range.start] { return (end, .backupHistory) }
        }
        return manifest.newest.map { ($0, .backupManifest) }
    }

    private func manifest(of item: StoredItem) -> BackupManifest? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: item.location.path)) ?? []
        guard let name = names.first(where: { $0 == "backup_manifest" || $0 == "backup_manifest.enc" }),
            let bytes = SmallFile.read(item.location.appendingPathComponent(name), decryption: name.hasSuffix(".enc") ? decryption : nil)
        else { return nil }
        return try? BackupManifest(Data(bytes))
    }
}

/// A stored file that fits into memory.
enum SmallFile {
    /// A manifest has about 200 bytes for each file of a cluster.
    private static let most = 256 << 20

    /// Its content, decrypted; nil where it can't be had. Damage is told by whoever needs the file.
    static func read(_ location: URL, decryption: ArtifactStream.Encryption?) -> [UInt8]? {
        // One byte more than will do shows that it is too large.
        guard let stored = try? ArtifactStream.head(of: location, count: most + 1), stored.count <= most else { return nil }
        guard let decryption else { return stored }
        guard let decryptor = try? decryption.decryptor(), let body = try? decryptor.update(stored),
            let tail = try? decryptor.finish()
        else { return nil }
        return body + tail
    }
}
