// Reads a Redis backup to its end with the servers' own checkers, without a server.

import ArtifactFormats
public import DrillModel
public import Foundation

extension RedisRestorer {
    /// Has the checkers go through all of a backup. Nothing is loaded, and nothing is moved.
    ///
    /// - Parameters:
    ///   - artifact: Decrypted and unpacked, in the scratch folder.
    ///   - name: The artifact's own.
    /// - Throws: ``DrillFailure``: failed where it is damaged or no such backup, error where the tool is missing or too old.
    public func readThrough(
        _ artifact: URL, isSnapshot: Bool, isFolder: Bool, kind: BackupSet.Kind, name: String? = nil
    ) async throws {
        guard kind == .aof else {
            let artifact = try snapshot(in: artifact, isSnapshot: isSnapshot && !isFolder)
            let origin = RedisOrigin(RDBHeader(AppendOnlySource.head(of: artifact)))
            _ = try await check(with: try software.suitable(for: origin), origin).snapshot(artifact)
            return
        }
        let source = try appendOnly(artifact, isFolder: isFolder, name: name)
        let checker = check(with: try software.suitable(for: source.origin), source.origin)
        switch source {
        case .parts(let folder, let manifest): _ = try await checker.parts(of: AppendOnlySet(in: folder, manifest: manifest))
        case .single(let file): _ = try await checker.single(file)
        }
    }
}
