// Reads a Redis backup to its end with Redis' own checkers, without a server.

public import DrillModel
public import Foundation

extension RedisRestorer {
    /// Has `redis-check-rdb` or `redis-check-aof` go through all of a backup. Nothing is loaded, and nothing is moved.
    ///
    /// - Parameter artifact: Decrypted and unpacked, in the scratch folder.
    /// - Throws: ``DrillFailure``: failed where it is damaged or no such backup, error where the tool is missing or too old.
    public func readThrough(_ artifact: URL, isSnapshot: Bool, isFolder: Bool, kind: BackupSet.Kind) async throws {
        guard kind == .aof else {
            guard isSnapshot, !isFolder else {
                throw notRedis("a file without a snapshot's first bytes", expected: "a redis snapshot (RDB)")
            }
            _ = try await checked(["redis-check-rdb", artifact.path], object: "redis snapshot")
            return
        }
        guard isFolder else { throw notRedis("a single file", expected: "a folder of append-only files, or a tar of it") }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: artifact.path)) ?? []).sorted()
        guard let manifest = names.first(where: { $0.hasSuffix(".manifest") }).map({ artifact.appendingPathComponent($0) }) else {
            throw notRedis("a folder without a manifest", expected: "a folder of append-only files")
        }
        try requireParts(of: manifest, in: artifact)
        _ = try await checked(["redis-check-aof", manifest.path], object: "redis append-only files")
    }
}
