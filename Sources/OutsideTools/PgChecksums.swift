// pg_checksums: reads every page of a cluster that was shut down in order.

public import Foundation
public import ScratchHost

/// It names each page that doesn't match, and says how many it read: 0 alone is no proof, since it ends so over a cluster without a page.
public struct PgChecksums: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    public func check(_ dataFolder: URL) -> [String] { [program, "--check", "-D", dataFolder.path] }

    /// A page that doesn't match.
    public struct Page: Sendable, Hashable {
        /// Within the data folder.
        public var file: String
        public var block: String
    }

    public enum Reading: Sendable, Hashable {
        case whole
        /// The backup's fault.
        case damaged([Page])
        /// This machine's.
        case unread(scanned: Int)
    }

    /// - Parameter words: Its standard error.
    public static func reading(_ result: ToolResult, words: String, dataFolder: String) -> Reading {
        let damaged = words.matches(of: /checksum verification failed in file "([^"]+)", block ([0-9]+)/).map {
            Page(file: String($0.output.1).replacing(dataFolder + "/", with: ""), block: String($0.output.2))
        }
        guard damaged.isEmpty else { return .damaged(damaged) }
        let scanned = result.output.firstMatch(of: /Blocks scanned: +([0-9]+)/).flatMap { Int($0.output.1) } ?? 0
        return result.succeeded && scanned > 0 ? .whole : .unread(scanned: scanned)
    }
}
