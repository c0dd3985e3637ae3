// redis-cli and valkey-cli: a snapshot of a living server, taken as a replica takes it; or opened for whoever looks into a kept server.

public import Foundation

/// Every end but 0 is an error: the server refuses, or is out of reach. Where the server's repl-diskless-sync is no it writes its own snapshot
/// file anew for this.
public struct RedisCli: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// - Parameter server: The words that name it; its password stands in the environment.
    public func snapshot(of server: [String], to file: URL) -> [String] { [program] + server + ["--rdb", file.path] }

    /// For a person at a terminal.
    public func open(socket: String) -> [String] { [program, "-s", socket] }

    /// From 7 on: a failed command ends it with 1. That of a command on its command line alone; of those that it reads it tells nothing.
    public static let failing = ["-e"]
}
