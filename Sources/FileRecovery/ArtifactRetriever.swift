// Store → scratch folder: fetch, digest, decrypt and unpack one recovery point, and say what is wrong with it.

import ArtifactFormats
public import Cryptography
public import DrillModel
public import Foundation
public import ScratchHost
import Seals

extension Rule {
    public static let artifactUnreadable = Rule("artifact-unreadable")
    public static let globalsDigestDiffers = Rule("globals-digest-differs")
    public static let artifactDigestDiffers = Rule("artifact-digest-differs")
    public static let artifactNotEncrypted = Rule("artifact-not-encrypted")
    public static let encryptionDiffers = Rule("encryption-differs")
    public static let encryptionFormUnsupported = Rule("encryption-form-unsupported")
    public static let artifactStillEncrypted = Rule("artifact-still-encrypted")
    public static let artifactTruncated = Rule("artifact-truncated")
    public static let artifactEmpty = Rule("artifact-empty")
    public static let artifactUnknown = Rule("artifact-unknown-kind")
    public static let decryptionFailed = Rule("decryption-failed")
    static let artifactDamaged = Rule("artifact-damaged")
}

/// Brings recovery points into a scratch folder.
public struct ArtifactRetriever: Sendable {
    /// The secret and format that a backup set declares; nil: it is declared to be stored in plain text.
    public var decryption: ArtifactStream.Encryption?
    public var host: ScratchHost

    public init(host: ScratchHost, decryption: ArtifactStream.Encryption?) {
        self.host = host
        self.decryption = decryption
    }

    /// Fetches one recovery point.
    ///
    /// - Parameters:
    ///   - folder: A private folder of the host's.
    ///   - progress: Bytes read of the artifact so far.
    /// - Throws: ``DrillFailure``: failed where the artifact is broken or isn't what the estate says, error where the scratch disk
    ///   is full or a tool is missing; `CancellationError`.
    public func retrieve(
        _ point: RecoveryPoint, into folder: URL, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> RetrievedArtifact {
        try checkRoom(for: point)
        let isFolder = (try? point.location.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
        if isFolder { return try await copyFolder(point, into: folder, progress: progress) }

        let plain = folder.appendingPathComponent("artifact")
        let stored = try await fetch(point.location, point: point, to: plain, progress: progress)
        if let seal = point.sealState.seal, seal.artifact.sha256 != stored.sha256 {
            throw DrillFailure.failed(digestFinding(point, seal: seal, actual: stored.sha256, size: stored.bytesRead))
        }
        try own(plain)
        var unpacked: RetrievedArtifact
        do {
            unpacked = try await ArtifactUnpacker(host: host, isDecrypted: decryption != nil).unpack(plain, of: point.path, in: folder)
        } catch let failure as DrillFailure where failure.finding.rule == .artifactUnknown {
            // In one of 256 cases noise ends in what looks like padding.
            guard let cause = try await cause(of: point.location, name: point.path, isCut: false) else { throw failure }
            try? FileManager.default.removeItem(at: plain)
            throw cause
        }
        try await fetchGlobals(of: point, into: folder, for: &unpacked)
        unpacked.storedSHA256 = stored.sha256
        unpacked.storedBytes = stored.bytesRead
        unpacked.isAuthenticated =
            (try? readHead(of: point.location, name: point.path)).map { ArtifactFormat(head: $0).isAuthenticated } ?? false
        return unpacked
    }

    /// Fetches one file that is no database's, such as a `.env` file or a git bundle: decrypted, and decompressed where it is compressed.
    ///
    /// - Returns: With whatever format its first bytes tell: judging it is the caller's.
    /// - Throws: as ``retrieve(_:into:progress:)``.
    public func retrieveFile(
        _ point: RecoveryPoint, into folder: URL, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> RetrievedArtifact {
        try checkRoom(for: point)
        let plain = folder.appendingPathComponent("artifact")
        let stored = try await fetch(point.location, point: point, to: plain, progress: progress)
        try own(plain)
        var file = try await ArtifactUnpacker(host: host, isDecrypted: decryption != nil).decompressed(plain, of: point.path, in: folder)
        file.storedSHA256 = stored.sha256
        file.storedBytes = stored.bytesRead
        return file
    }

    /// The roles' own file travels as the artifact does: never read in place, decrypted and unpacked on the scratch disk.
    private func fetchGlobals(of point: RecoveryPoint, into folder: URL, for artifact: inout RetrievedArtifact) async throws {
        guard let source = point.globals else { return }
        let target = folder.appendingPathComponent("globals")
        let stored = try await fetch(source, point: point, to: target, progress: { _ in })
        if let sealed = point.sealState.seal?.globals, sealed.sha256 != stored.sha256 {
            throw DrillFailure.failed(
                Finding(
                    .globalsDigestDiffers, object: source.lastPathComponent,
                    expected: "\(sealed.name), \(sealed.size) bytes, SHA-256 \(sealed.sha256.prefix(16))…",
                    actual: "\(stored.bytesRead) bytes, SHA-256 \(stored.sha256.prefix(16))…",
                    message: "the globals file is not the one that was sealed with the dump",
                    hint: "it was changed, or belongs to another dump: fetch another copy before anybody takes roles from it"))
        }
        try own(target)
        let (script, isChecked) = try await ArtifactUnpacker(host: host, isDecrypted: decryption != nil).unpackScript(
            target, of: source.lastPathComponent, in: folder)
        artifact.globals = script
        let isAuthenticated = ArtifactFormat(head: try readHead(of: source, name: source.lastPathComponent)).isAuthenticated
        artifact.areGlobalsChecked = isChecked || isAuthenticated
        artifact.globalsSHA256 = stored.sha256
        artifact.globalsBytes = stored.bytesRead
    }

    func own(_ item: URL) throws(DrillFailure) {
        do {
            try host.folder.own(item)
        } catch {
            throw .error(Finding(.scratchUnusable, object: item.lastPathComponent, message: error.message, hint: error.hint))
        }
    }

    /// - Throws: ``DrillFailure``: by its first bytes it is not what the estate declares.
    func requireDeclaredForm(of source: URL, point: RecoveryPoint, in folder: URL) async throws {
        let name = source.lastPathComponent
        let head = try readHead(of: source, name: name)
        let format = ArtifactFormat(head: head)
        if format == .empty {
            throw DrillFailure.failed(
                Finding(
                    .artifactEmpty, object: name, expected: "a backup", actual: "0 bytes", message: "the stored file is empty",
                    hint: "look at the backup job's log of that day: its disk may have been full"))
        }
        let sealed = source == point.location ? point.sealState.seal : nil
        let declared = decryption?.format
        if format.encryption != declared?.rawValue, let sealed {
            // A flipped bit in the first bytes, or a cut right behind them, must not read as a backup job that forgot to encrypt.
            let stored = try await digest(source, name: name, point: point)
            if stored.sha256 != sealed.artifact.sha256 {
                throw DrillFailure.failed(digestFinding(point, seal: sealed, actual: stored.sha256, size: stored.size))
            }
        }
        if let declared, format.encryption == nil, head.count < declared.shortest {
            throw DrillFailure.failed(
                Finding(
                    .artifactTruncated, object: name, expected: declared.words, actual: "\(head.count) bytes",
                    message: "the stored file is cut short", hint: "compare its size with the backup job's log, and upload it again"))
        }
        if let declared, let found = format.encryption, found != declared.rawValue {
            throw DrillFailure.failed(
                Finding(
                    .encryptionDiffers, object: name, expected: declared.words, actual: format.rawValue,
                    message: "the backup is encrypted in another format than the estate says",
                    hint: "write the format that the backup job uses: encryption: {format: \(found), key: …}"))
        }
        if format == .cmsText, declared != nil {
            throw DrillFailure.error(
                Finding(
                    .encryptionFormUnsupported, object: name, expected: "a CMS envelope in DER", actual: "PEM or S/MIME text",
                    message: "the CMS envelope is text, which muster doesn't read",
                    hint: "write it with -outform DER; openssl cms -cmsout -inform \(head.first == 0x2d ? "PEM" : "SMIME") -outform DER "
                        + "converts what is there"))
        }
        if let declared, format.encryption == nil {
            if let failure = try await enclosed(source, in: folder)?.failure(of: name, declared: declared) {
                throw failure
            }
            throw DrillFailure.failed(
                Finding(
                    .artifactNotEncrypted, object: name, expected: declared.words, actual: format.rawValue,
                    message: "the estate says that this backup is encrypted, and the stored file is not",
                    hint: "mend the backup job, remove the plain copy from the store, and treat its content as disclosed"))
        }
        if decryption == nil, let found = format.encryption {
            throw DrillFailure.failed(
                Finding(
                    .artifactStillEncrypted, object: name, expected: "a file in plain text", actual: format.rawValue,
                    message: "the estate says that this backup is not encrypted, and the stored file is",
                    hint: "declare encryption: {format: \(found), key: …} for this backup in the estate file"))
        }
    }

    private func fetch(
        _ source: URL, point: RecoveryPoint, to target: URL, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> StreamedArtifact {
        let name = source.lastPathComponent
        let sealed = source == point.location ? point.sealState.seal : nil
        try await requireDeclaredForm(of: source, point: point, in: target.deletingLastPathComponent())
        do {
            if let decryption, decryption.needsProgram {
                return try await ProgramDecryption(host: host, encryption: decryption).copy(from: source, to: target, progress: progress)
            }
            return try await ArtifactStream.copy(from: source, to: target, decrypting: decryption, progress: progress)
        } catch let error as CryptographyError {
            let failure = failure(of: error, name: name, point: point, source: source)
            // Where a seal says that these are other bytes, that is the cause.
            guard let told = failure as? DrillFailure, [.decryptionFailed, .artifactTruncated].contains(told.finding.rule),
                sealed == nil || sealed?.artifact.sha256 == error.storedSHA256
            else { throw failure }
            throw try await cause(of: source, name: name, isCut: error.kind == .truncated) ?? told
        }
    }

    /// nil where this machine can't look: then it counts as disclosed.
    private func enclosed(_ file: URL, in folder: URL) async throws -> EnclosedForm? {
        do {
            return try await EnclosedForm.look(at: file, on: host, in: folder)
        } catch let error as CancellationError {
            throw error
        } catch {
            return nil
        }
    }

    func cause(of file: URL, name: String, isCut: Bool) async throws -> DrillFailure? {
        guard let decryption else { return nil }
        return try await OpenSSLCause.failure(of: file, name: name, encryption: decryption, isCut: isCut)
    }

    private func digest(_ source: URL, name: String, point: RecoveryPoint) async throws -> (sha256: String, size: Int64) {
        do {
            return try await ArtifactStream.digest(of: source)
        } catch {
            throw failure(of: error, name: name, point: point, source: source)
        }
    }

    private func readHead(of source: URL, name: String) throws(DrillFailure) -> [UInt8] {
        do {
            return try ArtifactStream.head(of: source, count: ArtifactFormat.bytesNeeded)
        } catch {
            throw .failed(
                Finding(
                    .artifactUnreadable, object: name, expected: "a file that can be read", actual: "no access, or gone",
                    message: "the stored file can't be read", hint: "check its permissions, and that the store is whole"))
        }
    }

    func failure(of error: CryptographyError, name: String, point: RecoveryPoint, source: URL) -> any Error {
        // With a seal the causes can be told apart: the digest of the bytes as stored says whether they are what was sealed.
        if [.truncated, .notEncrypted, .wrongKeyOrDamaged].contains(error.kind), let seal = point.sealState.seal, source == point.location,
            let actual = error.storedSHA256, actual != seal.artifact.sha256
        {
            return DrillFailure.failed(digestFinding(point, seal: seal, actual: actual, size: point.size))
        }
        switch error.kind {
        case .cancelled: return CancellationError()
        case .diskFull:
            return DrillFailure.error(
                Finding(
                    .scratchDiskFull, object: host.folder.url.path, expected: "room for the decrypted backup", actual: "a full disk",
                    message: "the scratch disk is full", hint: "free some space there, or choose another disk with --scratch"))
        case .cannotWrite, .library, .unsupported, .invalidKey:
            return DrillFailure.error(
                Finding(.scratchUnusable, object: name, message: error.message, hint: error.hint))
        case .cannotRead:
            return DrillFailure.failed(
                Finding(
                    .artifactUnreadable, object: name, expected: "a file that can be read", actual: "a read error",
                    message: error.message, hint: error.hint))
        case .truncated:
            return DrillFailure.failed(
                Finding(
                    .artifactTruncated, object: name, expected: "a file that goes on to its end", actual: "a cut file",
                    message: "the stored file is cut short",
                    hint: "compare its size with the backup job's log, and upload it again" + (isOpenSSL ? "; " + Self.otherCipher : "")))
        case .notEncrypted, .wrongKeyOrDamaged:
            let whole = point.sealState.seal != nil && source == point.location && error.storedSHA256 != nil
            return DrillFailure.failed(
                Finding(
                    .decryptionFailed, object: name, expected: "a file that opens with the estate's key",
                    actual: whole ? "the bytes that were sealed, which this key doesn't open" : "a wrong key, or a damaged file",
                    message: "the stored file doesn't decrypt",
                    hint: (whole
                        ? "the file is whole, so the key is wrong: find the key that was in use when the backup was made"
                        : "try the key of that day; if it is the right one, the file is damaged: fetch another copy")
                        + (isOpenSSL ? "; " + OpenSSLEncCipher.otherwise : "")))
        }
    }

    private var isOpenSSL: Bool { decryption?.format == .openssl }

    /// Its size tells of a file of blocks that it is cut, and nothing of one that a stream cipher wrote.
    private static let otherCipher =
        "if its size is right, openssl enc wrote it with another cipher than aes-256-cbc (such as -aes-256-ctr or -chacha20), which is not read"

    private func digestFinding(_ point: RecoveryPoint, seal: Seal, actual: String, size: Int64) -> Finding {
        let cut = size < seal.artifact.size
        return Finding(
            cut ? .artifactTruncated : .artifactDigestDiffers, object: point.path,
            expected: "\(seal.artifact.size) bytes, SHA-256 \(seal.artifact.sha256.prefix(16))…",
            actual: "\(size) bytes, SHA-256 \(actual.prefix(16))…",
            message: cut ? "the stored file is shorter than the one that was sealed" : "the stored file is not the one that was sealed",
            hint: "it was changed or damaged after it was written: fetch another copy, and check the store's disk and its permissions")
    }

    private func copyFolder(
        _ point: RecoveryPoint, into folder: URL, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> RetrievedArtifact {
        let target = folder.appendingPathComponent("artifact", isDirectory: true)
        if decryption != nil {
            throw DrillFailure.failed(
                Finding(
                    .artifactNotEncrypted, object: point.path, expected: decryption?.format.words ?? "", actual: "a plain folder",
                    message: "the estate says that this backup is encrypted, and it is a folder of plain files",
                    hint: "mend the backup job, remove the plain copy from the store, and treat its content as disclosed"))
        }
        let digest: (sha256: String, size: Int64)
        do {
            digest = try await FolderDigest.measure(point.location, copyingTo: target, progress: progress)
        } catch {
            throw folderFailure(of: error, point: point)
        }
        try ownAll(target)
        if let seal = point.sealState.seal, seal.artifact.sha256 != digest.sha256 {
            throw DrillFailure.failed(digestFinding(point, seal: seal, actual: digest.sha256, size: digest.size))
        }
        var artifact = RetrievedArtifact(
            location: target, format: .unknown, isFolder: true, globals: nil, storedSHA256: digest.sha256, storedBytes: digest.size,
            plainBytes: digest.size)
        try await fetchGlobals(of: point, into: folder, for: &artifact)
        return artifact
    }

    private func folderFailure(of error: SealError, point: RecoveryPoint) -> any Error {
        if case .cryptography(let kind) = error.kind {
            let cause = CryptographyError(kind, message: error.message, hint: error.hint)
            return failure(of: cause, name: point.path, point: point, source: point.location)
        }
        if Task.isCancelled { return CancellationError() }
        return DrillFailure.failed(
            Finding(
                .artifactUnreadable, object: point.path, expected: "a folder of plain files", actual: "one that can't be a backup",
                message: error.message, hint: error.hint))
    }

    private func ownAll(_ folder: URL) throws(DrillFailure) {
        try own(folder)
        guard let walk = FileManager.default.enumerator(atPath: folder.path) else { return }
        while let path = walk.nextObject() as? String { try own(folder.appendingPathComponent(path)) }
    }

    /// Decrypting needs the artifact's size at least; saying so at once beats a full disk half-way.
    private func checkRoom(for point: RecoveryPoint) throws(DrillFailure) {
        let database = point.sealState.seal?.identity?.size ?? 0
        let needed = point.size + database
        guard let free = host.folder.freeBytes(), free < needed else { return }
        throw .error(
            Finding(
                .scratchDiskFull, object: host.folder.url.path, expected: "\(needed) bytes for the backup and the restored data",
                actual: "\(free) bytes free", message: "the scratch disk has too little room for this restore",
                hint: "free some space there, or choose another disk with --scratch"))
    }
}
