// The words that put a command line into a drill's quarantine: those of muster-sandbox, which says what each does.

import Foundation
import Glibc
import SystemPackage

/// One drill's quarantine, as the words before a command line.
struct Sandbox: Sendable {
    /// The network that a program gets.
    enum Network {
        /// One of its own, where nothing is.
        case own
        /// The same, with a loopback device that works.
        case loopback
        /// That of a server of the same drill.
        case of(ServerProcess)
    }

    var folder: ScratchFolder
    var isolation: Isolation
    var view: SandboxView
    var program: String

    /// Where the program lies that does it: beside Muster itself, or where a package keeps what nobody calls by hand.
    static func program() throws(ScratchError) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let home = (own as NSString).deletingLastPathComponent
        let places = ["\(home)/muster-sandbox", "\(home)/../libexec/muster/muster-sandbox"]
        guard let place = places.first(where: { access($0, X_OK) == 0 }) else {
            throw ScratchError(
                .toolMissing, "muster-sandbox is not beside muster, in \(home)",
                hint: "it holds a backup's code back and is part of muster: copy both programs into one folder")
        }
        return place
    }

    /// The command line inside of the quarantine.
    ///
    /// - Parameters:
    ///   - reaching: What it sees beside what all do.
    ///   - pidFile: Takes the process id of the program itself once it runs.
    func wrapped(_ command: [String], network: Network = .own, reaching: [URL] = [], connects: Bool = true, pidFile: URL? = nil) -> [String]
    {
        [program] + words(network, of: command, reaching) + calls(connects) + (pidFile.map { ["--pid-file", $0.path] } ?? []) + ["--"]
            + command
    }

    /// A command line as Muster's own user, who keeps all its files but not its network.
    func withoutNetwork(_ command: [String]) -> [String] {
        switch isolation.network {
        case .namespace: [program] + user + ["--network", "--"] + command
        case .filter: [program, "--no-new-privileges", "--no-internet", "--"] + command
        case .none: command
        }
    }

    /// What answers in the place of a program of the quarantine: in a running server's own namespaces where it has some.
    func asking(_ server: ServerProcess) -> [String] {
        // The first process in there is Muster's own user's, as the server's namespaces are not everywhere for root to enter.
        guard isolation.files == .view, let first = ProcessTable.child(of: server.keeper) else {
            return [program] + words(.of(server), of: [], []) + calls(server.connects) + ["--ask"]
        }
        return [program] + user + ["--join", String(first)] + rights + ["--ask"]
    }

    /// Where no view hides them, no server calls another's socket: code in a backup would log in there as this drill's own user.
    private func calls(_ connects: Bool) -> [String] { connects || isolation.files == .view ? [] : ["--no-connect"] }

    private var user: [String] { isolation.user ? ["--user-namespace"] : [] }

    private var rights: [String] {
        ["--no-new-privileges"] + (folder.user.map { ["--user", String($0.userID), "--group", String($0.groupID)] } ?? [])
    }

    private func words(_ network: Network, of command: [String], _ reaching: [URL]) -> [String] {
        var words = user + rights
        switch (isolation.network, network) {
        case (.namespace, .own): words += ["--network"]
        case (.namespace, .loopback): words += ["--loopback"]
        case (.namespace, .of(let server)): words += ["--join-network", String(server.keeper)]
        case (.filter, _): words += ["--no-internet"]
        case (.none, _): break
        }
        if isolation.processes { words += ["--processes"] }
        guard isolation.files != .none else { return words }
        let shown = VisibleFiles(
            program: command.first.flatMap { ScratchHost.locate($0, forOthers: folder.user != nil) }, readable: view.readable + reaching)
        switch isolation.files {
        case .view:
            words += ["--view", folder.rootPlace.path, "--private-tmp", folder.temporary.path]
            words += shown.paths.flatMap { ["--read", $0] } + view.hidden.flatMap { ["--hide", VisibleFiles.real($0.path)] }
        case .landlock:
            words += ["--landlock"] + shown.around(view.hidden.map(\.path)).flatMap { ["--read", $0] }
        case .none: break
        }
        // Not the folder itself, where the mark lies, and what is still to be undone: whoever may write there could take their place.
        return words + folder.parts(for: command).flatMap { ["--write", $0.path] }
    }
}

/// What a program of a drill sees of the machine: the system's own folders, where programs lie, and itself.
struct VisibleFiles {
    /// Each at the most once, those above others first.
    var paths: [String]

    private static let system = [
        "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store", "/gnu/store",
    ]

    init(program: String?, readable: [URL]) {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let folders = path.split(separator: ":").map(String.init)
        let named = program.map { [$0, Self.real($0)] } ?? []
        let all = Self.system + folders + named.flatMap(Self.home) + readable.flatMap { [$0.path, Self.real($0.path)] }
        // By its text alone: a link is shown as a link.
        paths = Self.distinct(all.map { FilePath($0).lexicallyNormalized().string })
    }

    /// A program's own folder; of one in a folder for programs what such a folder's neighbours are.
    ///
    /// Not all that lies around it: that may be somebody's home.
    private static func home(of program: String) -> [String] {
        let folder = (program as NSString).deletingLastPathComponent
        guard ["bin", "sbin"].contains((folder as NSString).lastPathComponent) else { return [folder] }
        let prefix = (folder as NSString).deletingLastPathComponent
        return [folder] + ["lib", "lib64", "libexec", "share", "pyvenv.cfg"].map { "\(prefix)/\($0)" }
    }

    /// Landlock can only allow: where something below isn't to be seen, its neighbours are named instead of the folder.
    func around(_ hidden: [String]) -> [String] {
        let hidden = hidden.flatMap { [$0, Self.real($0)] }
        func allowed(_ path: String) -> [String] {
            if hidden.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) { return [] }
            guard hidden.contains(where: { $0.hasPrefix(path + "/") }) else { return [path] }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return names.sorted().flatMap { allowed("\(path)/\($0)") }
        }
        return paths.flatMap(allowed)
    }

    static func real(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func distinct(_ paths: [String]) -> [String] {
        var kept: [String] = []
        for path in paths.sorted(by: { $0.utf8.count < $1.utf8.count }) where path.hasPrefix("/") && path != "/" {
            guard !kept.contains(where: { path == $0 || path.hasPrefix($0 + "/") }), access(path, F_OK) == 0 else { continue }
            kept.append(path)
        }
        return kept
    }
}
