// pg_combinebackup, from PostgreSQL 17 on: a full backup and its increments become one data folder.

public import Foundation

/// Combines backups of its own major version only. Every end but 0 is the chain's fault, unless the disk is full.
public struct PgCombinebackup: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// - Parameters:
    ///   - chain: The full backup first.
    ///   - tablespaces: Each of the last link's, by its place there and a new one.
    ///   - isSynced: Waits until all of it is on the disk.
    public func combine(_ chain: [URL], into dataFolder: URL, tablespaces: [(from: URL, to: URL)], isSynced: Bool) -> [String] {
        [program, "--no-manifest", "--output=\(dataFolder.path)"] + (isSynced ? [] : ["--no-sync"])
            + tablespaces.map { "--tablespace-mapping=\($0.from.path)=\($0.to.path)" } + chain.map(\.path)
    }
}
