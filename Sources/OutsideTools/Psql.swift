// psql: runs a script to its end, whatever fails in it.

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
}
