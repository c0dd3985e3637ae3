// pg_controldata: what a cluster's own record of itself says.

public import Foundation
public import ScratchHost

/// It ends with 0 over a record whose checksum is wrong, and warns.
public struct PgControldata: Sendable {
    /// The program's path, of the cluster's own major version.
    public var program: String

    public init(program: String) { self.program = program }

    public func read(_ dataFolder: URL) -> [String] { [program, "-D", dataFolder.path] }

    /// - Returns: What it printed; nil where the record is damaged.
    public static func text(_ result: ToolResult) -> String? {
        result.succeeded && !result.output.contains("WARNING") ? result.output : nil
    }
}
