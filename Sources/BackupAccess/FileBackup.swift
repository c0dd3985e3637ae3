// Store → scratch folder for configuration and code: fetched, decrypted, and made into what can be asked.

import ArtifactFormats
import BackupCatalog
public import CodeRecovery
public import ConfigurationRecovery
import Cryptography
public import DrillEngine
public import DrillModel
public import FileRecovery
public import Foundation
import Glibc
public import ScratchHost

extension Rule {
    static let mirrorBusy = Rule("mirror-busy")
    static let notABundle = Rule("artifact-unknown-kind")
}

/// One artifact of a set of configuration or code.
public struct FileBackup: Sendable {
    var backups: ServiceBackups
    var host: ScratchHost
    /// Private, and empty.
    var folder: URL

    public init(backups: ServiceBackups, host: ScratchHost, folder: URL) {
        self.backups = backups
        self.host = host
        self.folder = folder
    }

    private var set: BackupSet { backups.set }

    /// - Throws: ``DrillFailure``, `CancellationError`.
    public func retrieve(_ point: RecoveryPoint, progress: @escaping @Sendable (Int64) -> Void) async throws -> RetrievedArtifact {
        try await backups.stores.bring(point)
        try backups.requireAccess(to: point)
        let retriever = ArtifactRetriever(host: host, decryption: try backups.keyring.decryption(of: set))
        let isFolder = (try? point.location.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
        if isFolder != (set.kind == .gitMirror) {
            throw DrillFailure.failed(
                Finding(
                    .notABundle, object: point.path, expected: isFolder ? "a file" : "the folder of a git mirror",
                    actual: isFolder ? "a folder" : "a file", message: "what lies there is no \(set.kind.rawValue) backup",
                    hint: "check kind and match in \(backups.estate.file.lastPathComponent)"))
        }
        return isFolder
            ? try await copyMirror(point, with: retriever, progress: progress)
            : try await retriever.retrieveFile(point, into: folder, progress: progress)
    }

    public func environment(of retrieved: RetrievedArtifact, object: String) throws -> EnvFile {
        do {
            return try ConfigurationChecks.parse(
                Secret(try Data(contentsOf: retrieved.location)), object: object, isDecrypted: set.encryption != nil)
        } catch let failure as DrillFailure {
            throw failure
        } catch {
            throw DrillFailure.error(
                Finding(
                    .scratchUnusable, object: object, message: "the decrypted file can't be read", hint: "check the scratch folder's disk"))
        }
    }

    public func code(of retrieved: RetrievedArtifact, object: String) async throws -> RestoredCode {
        if retrieved.isFolder { return try await .restore(mirror: retrieved.location, in: folder, on: host, object: object) }
        guard retrieved.format == .gitBundle else {
            throw DrillFailure.failed(
                Finding(
                    .notABundle, object: object, expected: ArtifactFormat.gitBundle.rawValue, actual: retrieved.format.rawValue,
                    message: "the file is no git bundle",
                    hint: Finding.strangerHint(isDecrypted: set.encryption != nil)))
        }
        return try await .restore(bundle: retrieved.location, in: folder, on: host, object: object)
    }

    /// Nobody stops a mirror from being fetched into while it is copied: a copy that is half old and half new would look damaged.
    private func copyMirror(
        _ point: RecoveryPoint, with retriever: ArtifactRetriever, progress: @escaping @Sendable (Int64) -> Void
    ) async throws -> RetrievedArtifact {
        for attempt in 1...3 {
            let before = Self.state(of: point.location)
            let copied: Result<RetrievedArtifact, any Error>
            do {
                copied = .success(try await retriever.retrieve(point, into: folder, progress: progress))
            } catch let error as CancellationError {
                throw error
            } catch {
                copied = .failure(error)
            }
            if Self.state(of: point.location) == before { return try copied.get() }
            try? FileManager.default.removeItem(at: folder.appendingPathComponent("artifact"))
            if attempt < 3 { try await Task.sleep(for: .seconds(1)) }
        }
        throw DrillFailure.error(
            Finding(
                .mirrorBusy, object: point.path, expected: "a mirror that rests for a moment", actual: "one that changes all the time",
                message: "the mirror was fetched into while it was copied, three times over", hint: "run again between two fetches"))
    }

    /// What a fetch, a push or a repack changes: names, sizes and times of all but the loose objects.
    private static func state(of mirror: URL) -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: mirror.path) else { return [] }
        var state: [String] = []
        while let path = walk.nextObject() as? String {
            var info = stat()
            guard lstat(mirror.path + "/" + path, &info) == 0 else { continue }
            state.append("\(path) \(info.st_size) \(info.st_mtim.tv_sec).\(info.st_mtim.tv_nsec)")
        }
        return state.sorted()
    }
}

extension ServiceBackups {
    /// As for data, but for the seal, which nobody makes of these kinds.
    public func recordFileBackup(_ point: RecoveryPoint, _ retrieved: RetrievedArtifact, asOf disaster: Date, _ log: any StepLog) {
        let others = set.stores.filter { $0 != point.store }
        if !others.isEmpty {
            log.unproven("\(set.service): the copies in \(others.joined(separator: ", ")) were not read; muster inspect looks at them.")
        }
        log.unproven(
            "\(set.service): no seal is made of kind \(set.kind.rawValue), so nothing but its own checks vouches that nobody has replaced it."
        )
        if set.kind == .gitMirror, point.time == disaster {
            log.unproven("\(set.service): the mirror was fetched into after the incident, so it holds what was pushed since as well.")
        }
        if set.encryption != nil {
            log.record(
                .judged(.backup, service: set.service, name: "the artifact is encrypted and opens", findings: weakDerivation(of: point)))
        }
        log.fact("artifact", point.path)
        log.fact("artifact-sha256", retrieved.storedSHA256)
        log.fact("artifact-bytes", String(retrieved.storedBytes))
    }
}

extension ScratchHost {
    /// A private folder for one attempt of one service.
    public func privateFolder(_ name: String, of service: String) throws(DrillFailure) -> URL {
        do throws(ScratchError) {
            return try folder.privateFolder(name)
        } catch {
            throw .error(Finding(.scratchUnusable, object: service, message: error.message, hint: error.hint))
        }
    }
}
