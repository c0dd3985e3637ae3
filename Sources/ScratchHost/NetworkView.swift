// What /proc tells of the network that a process lives in.

import Foundation
import Glibc

/// What a process' own view of the network shows, from /proc/PID/net.
public struct NetworkView: Sendable, Hashable {
    /// Interfaces other than loopback.
    public var interfaces: [String]
    /// How many IPv4 and IPv6 routes lead out of this host.
    public var routes: Int
    /// How many TCP sockets listen.
    public var listeners: Int
    /// Whether the process is in another network namespace than Muster itself.
    public var separate: Bool

    /// nil where /proc doesn't tell.
    public static func of(pid: Int32) -> NetworkView? {
        guard let devices = lines("/proc/\(pid)/net/dev"), let routes = lines("/proc/\(pid)/net/route"),
            let own = namespace("self"), let other = namespace(String(pid))
        else { return nil }
        let names = devices.dropFirst(2).compactMap { $0.split(separator: ":").first?.trimmingCharacters(in: .whitespaces) }
        let tcp = (lines("/proc/\(pid)/net/tcp") ?? []).dropFirst() + (lines("/proc/\(pid)/net/tcp6") ?? []).dropFirst()
        // Column 4 is the state; 0A is LISTEN.
        let listeners = tcp.filter { $0.split(separator: " ").dropFirst(3).first == "0A" }.count
        let routes6 = (lines("/proc/\(pid)/net/ipv6_route") ?? []).filter { !$0.hasSuffix(" lo") }.count
        return NetworkView(
            interfaces: names.filter { $0 != "lo" }, routes: routes.dropFirst().count + routes6, listeners: listeners,
            separate: own != other)
    }

    /// The TCP ports that something listens on in the network of a process; nil where /proc doesn't tell.
    public static func listeningPorts(of pid: Int32) -> Set<Int>? {
        guard let tcp = lines("/proc/\(pid)/net/tcp") else { return nil }
        let all = tcp.dropFirst() + (lines("/proc/\(pid)/net/tcp6") ?? []).dropFirst()
        return Set(
            all.compactMap { line in
                // Column 2 is the own address and port, in hexadecimal digits.
                let columns = line.split(separator: " ")
                guard columns.count > 3, columns[3] == "0A" else { return nil }
                return columns[1].split(separator: ":").last.flatMap { Int($0, radix: 16) }
            })
    }

    private static func lines(_ path: String) -> [String]? {
        ProcessTable.read(path).map { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) }
    }

    private static func namespace(_ pid: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let length = readlink("/proc/\(pid)/ns/net", &buffer, 255)
        guard length > 0 else { return nil }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
