// Reads why a Redis server ended from its log: the backup's fault, or this machine's.

import DrillModel
import Foundation
import Glibc
import ScratchHost

/// The last words of a scratch server.
struct RedisLog: Sendable {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    /// - Parameters:
    ///   - origin: What the backup says of its writer.
    ///   - version: Of the server that wrote this log.
    ///   - ending: How the server ended; nil where it still runs and says nothing.
    func failure(
        of content: ScratchRedis.Content, from origin: RedisOrigin = RedisOrigin(), on version: RedisVersion? = nil, ending: ToolResult?
    ) -> DrillFailure {
        // The second is what a server says to the other project's magic.
        if says("Can't handle RDB format version", "Wrong signature trying to load DB") {
            return Self.foreign(origin, by: version)
        }
        if let module = first(/Can't load module from (.+): server aborting/) {
            return .error(
                Finding(
                    .redisModuleMissing, object: "redis module", expected: "modules that this server loads",
                    actual: URL(fileURLWithPath: module).lastPathComponent,
                    message: "a module that the estate file declares can't be loaded",
                    hint:
                        "check its path, that everybody may read and run it, and that it is built for \(version?.description ?? "this server")"
                ))
        }
        if says("module data I can't load", "no matching module", "module type") {
            let name = first(/module(?: type)? '([A-Za-z0-9_\-]{1,9})'/)
            return .error(
                Finding(
                    .redisModuleMissing, object: "redis", expected: "the modules that wrote this backup",
                    actual: name.map { "none that knows the type \($0)" } ?? "none of them",
                    message: "the backup holds data of a redis module that this server doesn't load"
                        + (name.map { ": \(Self.modules[$0].map { "\($0), of type " } ?? "type ")\($0)" } ?? ""),
                    hint: "name the modules that production loads as modules of the service: [{path: …, arguments: […]}]"))
        }
        if says("Unknown command") {
            let command = first(/Unknown command '([^']*)'/) ?? ""
            // No command of any server has other signs in its name: this one was one before a byte of it changed.
            guard command.wholeMatch(of: /[A-Za-z0-9._|\-]+/) != nil || command.isEmpty else { return damage(content, isCut: false) }
            return .error(
                Finding(
                    .redisModuleMissing, object: "redis append-only files", expected: Self.everyCommand,
                    actual: command.isEmpty ? "a command that this server doesn't know" : "the command \(command.prefix(40))",
                    message: "the backup holds a command of a newer redis or of a module that this machine lacks, or a damaged one",
                    hint:
                        "name the redis that production runs in MUSTER_REDIS_BIN or as binaries of the service, and its modules as modules of "
                        + "the service; where neither knows such a command, fetch another copy"))
        }
        // Nothing of the backup's: Redis 7.0 to 8.2 and Valkey 9.1 all crash where a script that Redis 6 appended as it was called ends with an error.
        if ending?.signal == SIGSEGV, content.isAppendOnly {
            return .error(
                Finding(
                    .scratchServerFailed, object: "redis append-only files", expected: Self.everyCommand, actual: "a crash (signal 11)",
                    message: "the server crashed while it loaded the append-only files",
                    hint:
                        "name the redis that production runs in MUSTER_REDIS_BIN or as binaries of the service: servers from 7 on crash at a script "
                        + "that ended with an error, which redis 6 and older append as it was called"))
        }
        // A signal from outside, most often the kernel's for want of memory, says nothing about the backup.
        let killed = ending?.signal == 9
        if content != .nothing, !killed, !says("Out Of Memory", "Can't allocate", "configured to handle more than"), damaged {
            return damage(content, isCut: says("Short read", "Unexpected end of file", "Unexpected EOF"))
        }
        return .error(
            Finding(
                .scratchServerFailed, object: "redis", expected: "a running scratch server",
                actual: ending.map { "ended with \($0.ending)" } ?? "no answer within 60 s",
                message: "the scratch redis server did not come up",
                hint: "run again with --keep and read server.log in the scratch folder"))
    }

    /// What another server may know.
    static let everyCommand = "a server that takes every command in them"

    /// A format that this server can't read: of a newer or another one, or of none at all.
    static func foreign(_ origin: RedisOrigin, by version: RedisVersion?) -> DrillFailure {
        origin.contradictsItself ? .failed(.contradictoryHead(origin)) : .error(.unreadable(origin, by: version))
    }

    /// The commands that a server refused while it loaded append-only files: it comes up all the same, without what they would have written.
    ///
    /// - Returns: Their names, each once; one of other signs than names have stands as `?`.
    var refusedCommands: Set<String> {
        let pattern = /is sending an error to its AOF-loading-client: .* after processing the command '(.*)'/
        let names = text.split(whereSeparator: \.isNewline).compactMap { line in
            line.contains("CRITICAL") ? line.firstMatch(of: pattern).map { $0.1.lowercased() } : nil
        }
        return Set(names.map { $0.wholeMatch(of: /[a-z0-9._|\-]+/) == nil ? "?" : $0 })
    }

    /// Before Redis 7 these were appended as they were called, and end with the error that their caller got: it may mean nothing.
    static let scripts: Set = ["eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro"]

    /// Whose types these are, as the projects that ship them call them.
    private static let modules = [
        "ReJSON-RL": "RedisJSON", "MBbloom--": "RedisBloom", "MBbloomCF": "RedisBloom", "TSDB-TYPE": "RedisTimeSeries",
        "scdtype00": "RediSearch", "ft_index0": "RediSearch", "graphdata": "FalkorDB", "graphmeta": "FalkorDB",
    ]

    private func damage(_ content: ScratchRedis.Content, isCut: Bool) -> DrillFailure {
        .failed(
            Finding(
                .redisDataDamaged, object: content == .snapshot ? "redis snapshot" : "redis append-only files",
                expected: "data that loads", actual: isCut ? "a cut file" : "a damaged file",
                message: "redis refuses to load the backup",
                hint: "fetch another copy; redis-check-rdb or redis-check-aof shows the place"))
    }

    private func first(_ pattern: Regex<(Substring, Substring)>) -> String? {
        text.firstMatch(of: pattern).map { String($0.1) }
    }

    /// The words of rdb.c and aof.c (7.0) when a file doesn't load.
    private var damaged: Bool {
        says(
            "Short read or OOM loading DB", "Internal error in RDB", "Wrong RDB checksum",
            "Unknown RDB encoding type", "Fatal error loading the DB", "Error reading the RDB base file",
            "Bad file format reading the append only file", "Unexpected end of file reading the append only file",
            "Unrecoverable error reading the append only file", "FATAL AOF MANIFEST FILE ERROR", "Unable to obtain the AOF file")
    }

    private func says(_ words: String...) -> Bool { words.contains { text.range(of: $0, options: .caseInsensitive) != nil } }
}
