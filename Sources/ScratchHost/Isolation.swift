// How what a drill starts is kept apart from this machine: as far as the machine allows it, the strongest first.

public import Foundation
import Glibc
import Synchronization

/// How scratch processes are held back. Asked of the machine once, and of each running server again.
public struct Isolation: Sendable, Hashable {
    public enum Network: Sendable, Hashable {
        /// A network namespace of their own, where nothing is.
        case namespace
        /// A filter of system calls: no sockets but Unix ones.
        case filter
        /// Nothing but configuration.
        case none
    }

    public enum Files: Sendable, Hashable {
        /// A mount namespace of their own: what isn't shown there isn't there.
        case view
        /// Landlock: the rest can't be opened. Other programs' Unix sockets can.
        case landlock
        /// Nothing but the rights of the user.
        case none
    }

    public var network: Network
    public var files: Files
    /// Process ids and System V memory of their own, which end with the program.
    public var processes: Bool
    /// The rights for namespaces come from a user namespace, since Muster isn't root.
    public var user: Bool

    public init(network: Network, files: Files, processes: Bool, user: Bool = false) {
        self.network = network
        self.files = files
        self.processes = processes
        self.user = user
    }

    public static let none = Isolation(network: .none, files: .none, processes: false)

    /// What holds the network back and what holds files back, for reports and `muster doctor`.
    public var summary: String {
        let kind = user ? "user namespaces" : "namespaces"
        return switch (network, files) {
        case (.none, .none): "none"
        case (.namespace, .view): "\(kind): network, files, processes"
        case (.namespace, .landlock): "\(kind): network; Landlock: files"
        case (.namespace, .none): "\(kind): network"
        case (.filter, .none): "seccomp: network"
        case (.filter, _): "seccomp: network; Landlock: files"
        case (.none, _): "Landlock: files"
        }
    }

    /// The strongest first.
    static func candidates(user: Bool) -> [Isolation] {
        [
            Isolation(network: .namespace, files: .view, processes: true, user: user),
            Isolation(network: .namespace, files: .landlock, processes: false, user: user),
            Isolation(network: .namespace, files: .none, processes: false, user: user),
            Isolation(network: .filter, files: .landlock, processes: false),
            Isolation(network: .filter, files: .none, processes: false),
            Isolation(network: .none, files: .landlock, processes: false),
        ]
    }

    private static let known = Mutex<Isolation?>(nil)

    /// What this machine allows; tried once in a process.
    static func probe(in folder: ScratchFolder) async throws(ScratchError) -> Isolation {
        if let isolation = known.withLock({ $0 }) { return isolation }
        let program = try Sandbox.program()
        // Where even this isn't found, each try would fail, and the machine would seem to give no quarantine at all.
        guard ScratchHost.locate("true", forOthers: folder.user != nil) != nil else { throw ScratchHost.uselessPath }
        // None at all is an answer as well, and not what a machine gives on which nothing can be run.
        for candidate in candidates(user: folder.user == nil) + [.none] {
            let sandbox = Sandbox(folder: folder, isolation: candidate, view: SandboxView(), program: program)
            let result = try? await ToolRunner.spawn(
                sandbox.wrapped(["true"]), environment: [:], workingFolder: folder.url, output: .discard, errors: .discard)
            guard result?.succeeded == true else { continue }
            known.withLock { $0 = candidate }
            return candidate
        }
        throw ScratchError(
            .toolFailed, "no program can be run on this machine, not even true", hint: "are /dev/null and /proc there, and may true be run?"
        )
    }
}

/// What scratch processes see of this machine's files beside their own and the system's.
public struct SandboxView: Sendable, Hashable {
    /// Files, folders and sockets that they may read or call, such as a living server's for an application.
    public var readable: [URL]
    /// Keys and stores: not to be seen, wherever they lie.
    public var hidden: [URL]

    public init(readable: [URL] = [], hidden: [URL] = []) {
        self.readable = readable
        self.hidden = hidden
    }
}

extension Isolation {
    /// Whether nothing of what a quarantine can hold back is left to configuration and the user's rights.
    public var isWhole: Bool { network == .namespace && files == .view && processes }

    /// What would make it whole on this machine; empty where it is.
    public var mend: String {
        if isWhole { return "" }
        let unconfined = Self.containerFlags(profile: Self.profile)
        if geteuid() == 0 { return "in a container: docker run --cap-add SYS_ADMIN \(unconfined); or run muster on a machine of its own" }
        let switches = [
            ("kernel/unprivileged_userns_clone", "0", "1"), ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
            ("user/max_user_namespaces", "0", "15000"),
        ]
        // Only those that this kernel has, and that stand in the way.
        for (name, barrier, mend) in switches where Self.setting(name) == barrier {
            return "run muster as root, or: sysctl \(name.replacing("/", with: "."))=\(mend)"
        }
        return "in a container: docker run \(unconfined); else run muster as root"
    }

    /// What keeps a container's own guards from standing in the way of a quarantine inside of it.
    ///
    /// - Parameter profile: AppArmor's, such as `docker-default (enforce)`: it refuses every mount.
    static func containerFlags(profile: String?) -> String {
        // What a container's own /proc covers, none that is mounted anew may show.
        let flags = "--security-opt seccomp=unconfined --security-opt systempaths=unconfined"
        guard let profile, profile.hasSuffix("(enforce)") else { return flags }
        return "\(flags) --security-opt apparmor=unconfined"
    }

    private static var profile: String? {
        ["/proc/self/attr/apparmor/current", "/proc/self/attr/current"].lazy.compactMap { ProcessTable.read($0) }.first.map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    private static func setting(_ name: String) -> String? {
        ProcessTable.read("/proc/sys/\(name)").map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines) }
    }
}
