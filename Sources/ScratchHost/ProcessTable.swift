// What /proc tells of running processes: the only way to find what a killed run left behind.

import Foundation
import Glibc

/// A process that was seen, by a pair of numbers that is never given out twice between two boots.
public struct ProcessIdentity: Sendable, Hashable, Codable {
    public var pid: Int32
    /// Field 22 of /proc/PID/stat, in clock ticks since boot.
    public var startTicks: UInt64

    public init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
}

/// Reads /proc.
public enum ProcessTable {
    /// This process.
    public static func current() -> ProcessIdentity? { identity(of: getpid()) }

    /// The identity of a living process; nil where there is none (a zombie counts as gone).
    public static func identity(of pid: Int32) -> ProcessIdentity? { fields(of: pid)?.identity }

    private static func fields(of pid: Int32) -> (identity: ProcessIdentity, parent: Int32)? {
        guard let stat = read("/proc/\(pid)/stat"), let close = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        // The name in parentheses may hold anything, so fields are counted from the last parenthesis: state is field 3.
        let fields = stat[stat.index(after: close)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, fields[0] != Array("Z".utf8)[...], let ticks = UInt64(String(decoding: fields[19], as: UTF8.self)),
            let parent = Int32(String(decoding: fields[1], as: UTF8.self))
        else { return nil }
        return (ProcessIdentity(pid: pid, startTicks: ticks), parent)
    }

    /// A process that another one started and that still lives; nil where there is none.
    static func child(of parent: Int32) -> Int32? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.first { fields(of: $0)?.parent == parent }
    }

    /// The program's name as the kernel has it, at most 15 bytes; nil where there is no such process.
    static func name(of pid: Int32) -> String? {
        read("/proc/\(pid)/comm").map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines) }
    }

    /// Whether exactly this process still lives.
    public static func isAlive(_ identity: ProcessIdentity) -> Bool {
        self.identity(of: identity.pid) == identity
    }

    /// All processes that carry an environment entry, or whose working folder lies inside a folder, and all that those started.
    ///
    /// Both are looked at because Postgres overwrites its environment when it sets its title, but always works in its data folder. A
    /// process that sheds both is still below the one that put it into the quarantine.
    public static func belonging(toEnvironment entry: String, orFolder folder: String?) -> [ProcessIdentity] {
        let entryBytes = Array(entry.utf8)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        var children: [Int32: [ProcessIdentity]] = [:]
        var found: [ProcessIdentity] = []
        for name in names {
            guard let pid = Int32(name), pid != getpid(), let fields = fields(of: pid) else { continue }
            children[fields.parent, default: []].append(fields.identity)
            if let folder, let cwd = workingFolder(of: pid), cwd == folder || cwd.hasPrefix(folder + "/") {
                found.append(fields.identity)
            } else if let environment = read("/proc/\(pid)/environ"), environment.split(separator: 0).contains(entryBytes[...]) {
                found.append(fields.identity)
            }
        }
        var known = Set(found)
        var next = found
        while let process = next.popLast() {
            for child in children[process.pid] ?? [] where known.insert(child).inserted {
                found.append(child)
                next.append(child)
            }
        }
        return found
    }

    /// The effective user of a process, from /proc/PID/status.
    public static func effectiveUser(of pid: Int32) -> UInt32? {
        let numbers = status("Uid", of: pid) ?? []
        return numbers.count > 1 ? numbers[1] : nil
    }

    /// Whether no program that it runs can have more rights than it has itself; nil where /proc doesn't tell.
    static func gainsNothing(_ pid: Int32) -> Bool? { status("NoNewPrivs", of: pid)?.first.map { $0 == 1 } }

    /// Whether it has process ids of its own.
    static func hasOwnProcesses(_ pid: Int32) -> Bool {
        // Its id in each namespace, from ours to its own.
        (status("NSpid", of: pid)?.count ?? 0) > 1
    }

    /// The numbers of a line of /proc/PID/status.
    private static func status(_ name: String, of pid: Int32) -> [UInt32]? {
        guard let status = read("/proc/\(pid)/status") else { return nil }
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line?.split(whereSeparator: { $0 == "\t" || $0 == " " }).compactMap { UInt32($0) }
    }

    /// The boot that start ticks count from.
    public static func bootID() -> String {
        let bytes = read("/proc/sys/kernel/random/boot_id") ?? []
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func workingFolder(of pid: Int32) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/\(pid)/cwd", &buffer, Int(PATH_MAX))
        guard length > 0 else { return nil }
        let path = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.hasSuffix(" (deleted)") ? String(path.dropLast(10)) : path
    }

    /// A file of /proc, which has no size to ask for.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}
