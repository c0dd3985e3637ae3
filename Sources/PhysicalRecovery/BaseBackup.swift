// A base backup as it is stored: which form it has, its manifest and its label.

public import ArtifactFormats
public import Cryptography
public import DrillModel
public import Foundation
import ScratchHost

/// One base backup in a store.
public struct BaseBackup: Sendable {
    /// What pg_basebackup wrote.
    enum Form: Sendable {
        /// The files themselves.
        case folder
        /// `base.tar` and its kin, by what they hold.
        case tars([Tar])
    }
    struct Tar: Sendable {
        var location: URL
        /// Where its content belongs below the data folder, as the manifest names it: empty, `pg_wal/` or `pg_tblspc/16384/`.
        var prefix: String
    }

    let location: URL
    let name: String
    let form: Form
    let encryption: ArtifactStream.Encryption?
    /// The stored manifest; nil where there is none.
    let manifestFile: URL?

    /// - Parameter name: For messages: its path in the store.
    /// - Throws: ``DrillFailure`` (failed): there is no base backup.
    public init(at location: URL, name: String, encryption: ArtifactStream.Encryption?) throws(DrillFailure) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: location.path)) ?? []
        func stored(_ plain: String) -> URL? {
            names.first { BaseBackupFileName.plain($0) == plain }.map { location.appendingPathComponent($0) }
        }
        manifestFile = stored("backup_manifest")
        if let base = stored("base.tar") {
            var tars = [Tar(location: base, prefix: "")]
            if let wal = stored("pg_wal.tar") { tars.append(Tar(location: wal, prefix: "pg_wal/")) }
            for other in names.sorted() {
                let plain = BaseBackupFileName.plain(other)
                guard plain.hasSuffix(".tar"), let number = UInt32(plain.dropLast(4)) else { continue }
                tars.append(Tar(location: location.appendingPathComponent(other), prefix: "pg_tblspc/\(number)/"))
            }
            form = .tars(tars)
        } else if names.contains("PG_VERSION"), names.contains("global") {
            if let encryption {
                throw .broken(
                    Rule("artifact-not-encrypted"), name, expected: "tar files encrypted with \(encryption.format.rawValue)",
                    actual: "a folder of plain files",
                    "the estate says that this base backup is encrypted, and it is a folder of plain files",
                    hint: "mend the backup job, remove the plain copy from the store, and treat its content as disclosed")
            }
            form = .folder
        } else if names.isEmpty, let head = try? ArtifactStream.head(of: location, count: 1), !head.isEmpty {
            throw .broken(
                Rule("artifact-unknown-kind"), name, expected: "a folder of pg_basebackup's, with its backup_manifest",
                actual: "a file", "a base backup is a folder, and this is a file",
                hint:
                    "a tar of a data folder is no base backup, since nothing says which files belong to it: take one with pg_basebackup, and "
                    + "keep its folder, or base.tar and backup_manifest in one")
        } else {
            throw .broken(
                Rule("artifact-unknown-kind"), name, expected: "a folder of pg_basebackup's, or its tar files",
                actual: names.isEmpty ? "an empty folder, or no folder" : "something else", "there is no base backup in it",
                hint: "match must name the folder that holds PG_VERSION, or base.tar")
        }
        self.location = location
        self.name = name
        self.encryption = encryption
    }

    /// Its manifest, verified against its own checksum.
    ///
    /// - Throws: ``DrillFailure`` (failed): there is none, or it is damaged.
    public func manifest() async throws(DrillFailure) -> BackupManifest {
        guard let manifestFile else {
            throw .broken(
                .manifestMissing, name, expected: "a backup_manifest", actual: "none",
                "the base backup has no manifest, so nothing says which files belong to it",
                hint: "store backup_manifest with it, and don't take base backups with --no-manifest")
        }
        let file = StoredFile(location: manifestFile, encryption: encryption)
        let content: [UInt8]
        do {
            content = try await BlockingQueue.run { flag in
                var bytes: [UInt8] = []
                try file.decrypted(flag) { bytes += $0 }
                return bytes
            }
        } catch {
            throw Self.failure(of: error, object: "\(name)/\(manifestFile.lastPathComponent)", damaged: .manifestDamaged)
        }
        guard let manifest = try? BackupManifest(Data(content)),
            (try? SHA256Stream.digest(Array(content.prefix(manifest.checksummedBytes)))) == manifest.statedChecksum
        else {
            throw .broken(
                .manifestDamaged, name, expected: "a manifest that matches its own checksum", actual: "another content",
                "the base backup's manifest is damaged or was changed",
                hint: "fetch another copy; every other file could be whole, but nothing proves it any more")
        }
        return manifest
    }

    /// What a stored file's problem means for the backup.
    static func failure(of error: any Error, object: String, damaged: Rule) -> DrillFailure {
        if let failure = error as? DrillFailure { return failure }
        guard let problem = error as? StoredFileProblem else {
            return .error(
                Finding(
                    .scratchUnusable, object: object, message: (error as? TarProblem)?.message ?? "it could not be read to its end",
                    hint: "run again with --keep, and look at the scratch folder"))
        }
        let rule: Rule =
            switch problem.kind {
            case .unreadable: Rule("artifact-unreadable")
            case .encryption: Rule("artifact-not-encrypted")
            case .undecryptable: Rule("decryption-failed")
            case .damaged: damaged
            case .machine, .cancelled: .scratchUnusable
            }
        let finding = Finding(rule, object: object, message: problem.message, hint: problem.hint)
        return problem.kind == .machine ? .error(finding) : .failed(finding)
    }
}
