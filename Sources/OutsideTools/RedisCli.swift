// redis-cli and valkey-cli: a snapshot of a living server, taken as a replica takes it.

public import Foundation

/// Every end but 0 is an error: the server refuses, or is out of reach. Where the server's repl-diskless-sync is no it writes its own snapshot
/// file anew for this.
public struct RedisCli: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// - Parameter server: The words that name it; its password stands in the environment.
    public func snapshot(of server: [String], to file: URL) -> [String] { [program] + server + ["--rdb", file.path] }
}
