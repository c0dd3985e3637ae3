// What /proc shows of other processes.

import Foundation
import Glibc

struct SeenProcess: Sendable, Hashable, CustomStringConvertible {
    var pid: Int32
    var name: String
    var arguments: String
    var environment: String
    var folder: String

    var description: String { "\(pid) \(name) \(arguments) in \(folder)" }
}

enum ProcessList {
    /// Every living process whose arguments, environment or working folder speak of a path.
    static func mentioning(_ path: String) -> [SeenProcess] {
        all().filter { $0.folder == path || ($0.folder + " " + $0.arguments + " " + $0.environment).contains(path) }
    }

    static func all() -> [SeenProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { $0 != getpid() }.compactMap { pid in
            guard let name = read("/proc/\(pid)/comm"), let arguments = read("/proc/\(pid)/cmdline"), !arguments.isEmpty else { return nil }
            // The kernel says of a removed folder that it is " (deleted)".
            let folder = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) ?? ""
            return SeenProcess(
                pid: pid, name: name.trimmingCharacters(in: .newlines), arguments: arguments,
                environment: read("/proc/\(pid)/environ") ?? "",
                folder: folder)
        }
    }

    /// Whether the quarantine started it itself, and no other process of the server.
    static func isServer(_ pid: Int32) -> Bool {
        guard let parent = parent(of: pid) else { return false }
        let name = read("/proc/\(parent)/comm")?.trimmingCharacters(in: .newlines)
        return name == "muster-init" || name == "muster-sandbox"
    }

    /// The words of a shell that kill every Postgres which works in a scratch folder; the ids that it names itself are not ours.
    static func killingPostgres(below scratch: String) -> String {
        "for p in /proc/[0-9]*; do case \"$(readlink $p/cwd)\" in \(scratch)/muster-*/data) "
            + "if [ \"$(cat $p/comm)\" = postgres ]; then kill -9 ${p#/proc/}; fi;; esac; done"
    }

    static func parent(of pid: Int32) -> Int32? {
        let line = read("/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("PPid:") }
        return line.flatMap { Int32($0.dropFirst("PPid:".count).trimmingCharacters(in: .whitespaces)) }
    }

    /// A file of /proc, with its zero bytes as spaces.
    static func read(_ path: String) -> String? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 { return nil }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes.map { $0 == 0 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }
}
