// pg_basebackup: a standby's beginning, taken from a running server.

public import Foundation

/// Every end but 0 is an error: what was to be copied is no backup.
public struct PgBasebackup: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// - Parameters:
    ///   - tablespaces: Each by its place at the source and a new one: without that it would be written where the server has its own.
    ///   - isSynced: Waits until all of it is on the disk.
    public func copy(into dataFolder: URL, tablespaces: [(from: String, to: URL)], isSynced: Bool) -> [String] {
        [
            program, "-D", dataFolder.path, "--wal-method=stream", "--no-slot", "--checkpoint=fast", "--status-interval=1", "--no-password",
        ] + (isSynced ? [] : ["--no-sync"])
            + tablespaces.map { "--tablespace-mapping=\($0.from.replacing("=", with: "\\="))=\($0.to.path)" }
    }
}
