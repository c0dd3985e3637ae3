// redis-check-rdb, redis-check-aof and Valkey's: a file read to its end without a server.

public import Foundation
public import ScratchHost

/// Their ends tell too little: Valkey's checker of snapshots ends with 0 on files that its own server refuses.
public struct RedisChecker: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    public func check(_ file: URL) -> [String] { [program, file.path] }

    public enum Reading: Sendable, Hashable {
        case whole
        /// The backup's fault.
        case damaged(isCut: Bool)
        /// Another project's or a newer version's format: nothing is known of its health.
        case foreign
        /// Ended by the kernel, most often for want of memory.
        case killed
        /// Not there for this user, or without a library of its own.
        case cannotRun
    }

    public static func reading(_ result: ToolResult) -> Reading {
        if result.signal == 9 { return .killed }
        if result.couldNotRun { return .cannotRun }
        // The last two are Valkey's.
        let foreign = ["Can't handle RDB format version", "Wrong signature", "but loading requires config", "Foreign RDB version"]
        if foreign.contains(where: { result.output.range(of: $0, options: .caseInsensitive) != nil }) { return .foreign }
        guard !result.succeeded else { return .whole }
        let words = result.output.lowercased()
        return .damaged(
            isCut: ["unexpected eof", "unexpected end of file", "expected to read", "truncated", "reached eof"].contains(
                where: words.contains))
    }
}
