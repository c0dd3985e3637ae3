// Reads why a Redis server ended from its log: the backup's fault, or this machine's.

import DrillModel
import Foundation
import ScratchHost

/// The last words of a scratch server.
struct RedisLog: Sendable {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    /// - Parameter ending: How the server ended; nil where it still runs and says nothing.
    func failure(of content: ScratchRedis.Content, ending: ToolResult?) -> DrillFailure {
        if says("Can't handle RDB format version") {
            return .error(
                Finding(
                    .redisTooOld, object: "redis", expected: "a server that reads this backup", actual: "an older one",
                    message: "the backup is of a newer redis than the server on this machine",
                    hint: "install the redis version that production runs"))
        }
        if says("module data I can't load", "no matching module", "module type") {
            return .error(
                Finding(
                    .redisModuleMissing, object: "redis", expected: "the modules that wrote this backup", actual: "none of them",
                    message: "the backup holds data of a redis module that this machine lacks",
                    hint: "install the modules that production loads"))
        }
        if says("Unknown command") {
            return .error(
                Finding(
                    .redisModuleMissing, object: "redis append-only files", expected: "a server that knows every command in them",
                    actual: "a command that this server doesn't know",
                    message: "the backup holds a command of a newer redis or of a module that this machine lacks",
                    hint: "install the redis version and the modules that production runs"))
        }
        // A signal from outside, most often the kernel's for want of memory, says nothing about the backup.
        let killed = ending?.signal == 9
        if content != .nothing, !killed, !says("Out Of Memory", "Can't allocate", "configured to handle more than"), damaged {
            let cut = says("Short read", "Unexpected end of file", "Unexpected EOF")
            return .failed(
                Finding(
                    .redisDataDamaged, object: content == .snapshot ? "redis snapshot" : "redis append-only files",
                    expected: "data that loads", actual: cut ? "a cut file" : "a damaged file",
                    message: "redis refuses to load the backup",
                    hint: "fetch another copy; redis-check-rdb or redis-check-aof shows the place"))
        }
        return .error(
            Finding(
                .scratchServerFailed, object: "redis", expected: "a running scratch server",
                actual: ending.map { "ended with \($0.ending)" } ?? "no answer within 60 s",
                message: "the scratch redis server did not come up",
                hint: "run again with --keep and read server.log in the scratch folder"))
    }

    /// The words of rdb.c and aof.c (7.0) when a file doesn't load.
    private var damaged: Bool {
        says(
            "Short read or OOM loading DB", "Internal error in RDB", "Wrong signature trying to load DB", "Wrong RDB checksum",
            "Unknown RDB encoding type", "Fatal error loading the DB", "Error reading the RDB base file",
            "Bad file format reading the append only file", "Unexpected end of file reading the append only file",
            "Unrecoverable error reading the append only file", "FATAL AOF MANIFEST FILE ERROR", "Unable to obtain the AOF file")
    }

    private func says(_ words: String...) -> Bool { words.contains { text.range(of: $0, options: .caseInsensitive) != nil } }
}
