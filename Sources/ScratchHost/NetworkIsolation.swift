// What keeps a scratch server off every network, as far as this machine allows it.

import Foundation
import Glibc

/// How scratch processes are cut off from networks.
public enum NetworkIsolation: String, Sendable, Hashable, Codable {
    /// A network namespace of their own, made by root.
    case namespace
    /// A network namespace inside a user namespace of their own, made by an ordinary user.
    case userNamespace = "user-namespace"
    /// The machine refuses both: nothing but configuration keeps them off.
    case none

    /// The words that go before a command line.
    var prefix: [String] {
        switch self {
        case .namespace: ["unshare", "--net", "--"]
        case .userNamespace: ["unshare", "--user", "--map-current-user", "--net", "--"]
        case .none: []
        }
    }

    /// The same, with a loopback device that works: for a program that talks TCP to itself and to its probes.
    ///
    /// The rights that bringing it up takes are put aside again before the program begins.
    var loopbackPrefix: [String] {
        switch self {
        case .namespace: ["unshare", "--net", "--", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]
        case .userNamespace:
            [
                "unshare", "--user", "--map-current-user", "--keep-caps", "--net", "--", "sh", "-c",
                "ip link set lo up && exec setpriv --inh-caps=-all --ambient-caps=-all -- \"$@\"", "sh",
            ]
        case .none: []
        }
    }

    /// The words that take a command line into the network of a process of ours.
    func joining(_ pid: Int32) -> [String] {
        switch self {
        case .namespace: ["nsenter", "--target", String(pid), "--net", "--"]
        case .userNamespace: ["nsenter", "--target", String(pid), "--user", "--preserve-credentials", "--net", "--"]
        case .none: []
        }
    }

    /// Tries what this machine allows, the strongest first.
    static func probe() async -> NetworkIsolation {
        let candidates: [NetworkIsolation] = geteuid() == 0 ? [.namespace] : [.userNamespace]
        for candidate in candidates {
            let result = try? await ToolRunner.spawn(candidate.prefix + ["true"], environment: [:], output: .discard, errors: .discard)
            if result?.succeeded == true { return candidate }
        }
        return .none
    }
}

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
