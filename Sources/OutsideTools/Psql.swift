// psql: runs a script to its end, whatever fails in it; or is opened for whoever looks into a kept server.

public import Foundation

/// Ends with 0 over any error: its words are judged (`PostgresRecovery/RestoreLog`). One from before August 2025 doesn't know `\restrict`.
public struct Psql: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// Reads no start-up file of the user's.
    public func run(_ script: URL, in database: String) -> [String] {
        [program, "-X", "-q", "-v", "ON_ERROR_STOP=0", "-d", database, "-f", script.path]
    }

    /// For a person at a terminal.
    public func open(socketFolder: String, user: String, database: String) -> [String] {
        [program, "-X", "-h", socketFolder, "-p", "5432", "-U", user, "-d", database]
    }

    /// A script is told of its first error by the end: 3, or 1 of a command on the command line.
    public static let stopping = ["-v", "ON_ERROR_STOP=1"]
}
