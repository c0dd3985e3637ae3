// What a program can do in each kind of quarantine, and what it can't: tried by a program in it.

import DrillModel
import Foundation
import Glibc
import Testing

@testable import ScratchHost

// One after the other: each case starts a dozen programs.
@Suite(.serialized) struct SandboxTests {
    /// A machine's key, store and living server, and a drill's corner beside them.
    private struct Place {
        var folder: URL
        var key: URL
        var store: URL
        var socket: URL
        var host: ScratchHost

        static func with(
            _ isolation: Isolation?, reachable: Bool = false, _ body: (Place) async throws -> Void
        ) async throws {
            let folder = URL(fileURLWithPath: "/tmp/mt-\(UUID().uuidString.prefix(8))", isDirectory: true)
            let store = folder.appendingPathComponent("store", isDirectory: true)
            try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let key = folder.appendingPathComponent("backup.key")
            try Data("hunter2".utf8).write(to: key)
            // Whoever is let in may do all with them: only the quarantine is in the way.
            for path in [folder.path, store.path, key.path] { chmod(path, 0o777) }
            let socket = folder.appendingPathComponent("living.sock")
            let handle = try listen(on: socket.path)
            defer { close(handle) }
            let view = SandboxView(readable: reachable ? [socket] : [], hidden: [key, store])
            let host = try await ScratchHost.prepare(in: ScratchRoot(), purpose: "test", view: view, isolation: isolation)
            do {
                try await body(Place(folder: folder, key: key, store: store, socket: socket, host: host))
                try await host.remove()
            } catch {
                try? await host.remove()
                throw error
            }
        }

        private static func listen(on path: String) throws -> Int32 {
            let handle = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let size = socklen_t(MemoryLayout<sockaddr_un>.size)
            let status = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(handle, $0, size) }
            }
            try #require(handle >= 0 && status == 0 && Glibc.listen(handle, 8) == 0)
            chmod(path, 0o777)
            return handle
        }

        /// Whether a shell's words succeed inside of the quarantine.
        func can(_ words: String) async throws -> Bool {
            try await host.run(["sh", "-c", words]).succeeded
        }

        var python: String { "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect(\"\(socket.path)\")'" }
    }

    /// The kinds, and which of them this machine allows.
    static let kinds = Isolation.candidates(user: geteuid() != 0)

    private actor Allowed {
        static let shared = Allowed()
        private var known: [Isolation: Bool] = [:]

        func ask(_ isolation: Isolation) async throws -> Bool {
            if let known = known[isolation] { return known }
            let allowed = try await SandboxTests.tryOut(isolation)
            known[isolation] = allowed
            return allowed
        }
    }

    private static func allows(_ isolation: Isolation) async throws -> Bool { try await Allowed.shared.ask(isolation) }

    private static func tryOut(_ isolation: Isolation) async throws -> Bool {
        let host = try await ScratchHost.prepare(in: ScratchRoot(), purpose: "test", isolation: isolation)
        let result = try? await ToolRunner.spawn(
            host.sandbox.wrapped(["true"]), environment: [:], workingFolder: host.folder.url, output: .discard, errors: .discard)
        try await host.remove()
        return result?.succeeded == true
    }

    /// Services are recovered side by side: a program such as gpg keeps its key in a folder while the code of another backup runs.
    @Test(arguments: [nil, Isolation(network: .filter, files: .landlock, processes: false)] as [Isolation?])
    func aKeysFolderIsForWhoeverIsToldOfIt(_ isolation: Isolation?) async throws {
        try await Place.with(isolation) { place in
            let host = place.host
            guard host.isolation.files != .none else { return }
            let folder = try host.folder.keyFolder()
            let key = folder.appendingPathComponent("secret")
            try Data("hunter2".utf8).write(to: key)
            try host.folder.own(key)
            let name = "\(folder.lastPathComponent)/secret"
            #expect(try await host.run(["cat", key.path]).output == "hunter2")
            #expect(try await host.run(["sh", "-c", "cat \(name)"]).succeeded == false)
            let part = try host.folder.privateFolder("p")
            #expect(try await host.run(["cp", key.path, part.path + "/copy"]).succeeded)
        }
    }

    @Test(arguments: kinds) func keysAndStores(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            let kept = isolation.files != .none
            #expect(try await place.can("cat '\(place.key.path)'") != kept)
            #expect(try await place.can("ls '\(place.store.path)'") != kept)
            #expect(try await place.can("echo x > '\(place.store.path)/added'") != kept)
            #expect(FileManager.default.fileExists(atPath: place.store.path + "/added") != kept)
            // Its own corner, and what every program needs.
            #expect(try await place.can("echo x > \"$HOME/t/own\" && cat \"$HOME/t/own\" && mktemp && : > /dev/null && cat /etc/passwd"))
            #expect(try await !place.can("echo x > /etc/added || echo x > /usr/added"))
        }
    }

    @Test(arguments: kinds) func otherServers(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            #expect(try await place.can(place.python) == (isolation.files != .view), "Landlock knows no sockets with a path")
            #expect(
                try await place.can("python3 -c 'import socket; socket.socket(socket.AF_INET)'") == (isolation.network != .filter))
            #expect(try await place.can("python3 -c 'import socket; socket.socketpair()'"))
        }
        // What a drill's application is told of is let through.
        try await Place.with(isolation, reachable: true) { (place: Place) async throws -> Void in #expect(try await place.can(place.python))
        }
    }

    /// A server is called, and calls nobody: its code could log in to another drill's server, which is the same user's.
    @Test(arguments: kinds) func aServerCallsNobody(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation, reachable: true) { (place: Place) async throws -> Void in
            let part = try place.host.folder.privateFolder("p")
            for connects in [true, false] {
                let caller = try await place.host.start(
                    ["sh", "-c", place.python], connects: connects, workingFolder: part, log: part.appendingPathComponent("log"))
                #expect(await Self.eventually { caller.ending != nil })
                // In its view there is no other's.
                if isolation.files != .view { #expect(caller.ending?.succeeded == connects, "\(connects)") }
                // A datagram needs no call.
                for (made, isFree) in [
                    ("socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)", false), ("socket.socket(socket.AF_UNIX, socket.SOCK_RAW)", false),
                    ("socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)", false), ("socket.socketpair()", true),
                    ("socket.socket(socket.AF_UNIX)", true), ("socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)", true),
                ] {
                    let maker = try await place.host.start(
                        ["python3", "-c", "import socket; \(made)"], connects: connects, workingFolder: part,
                        log: part.appendingPathComponent("log"))
                    #expect(await Self.eventually { maker.ending != nil })
                    #expect(maker.ending?.succeeded == (connects || isFree || isolation.files == .view), "\(made) \(connects)")
                }
                let server = try await place.host.start(
                    ["sleep", "642"], connects: connects, workingFolder: part, log: part.appendingPathComponent("log"))
                let answers = await QuarantineAnswers.ask(server, host: place.host)
                #expect(answers.callsNothing == (!connects && isolation.files != .view))
                await server.stop([(SIGTERM, .seconds(120))])
            }
        }
    }

    /// Whoever waits for a server may have been stopped: it is woken, since it would never say that it is over.
    @Test func aStoppedWatcherIsWoken() async throws {
        try await Place.with(nil) { (place: Place) async throws -> Void in
            let part = try place.host.folder.privateFolder("p")
            let server = try await place.host.start(["sleep", "642"], workingFolder: part, log: part.appendingPathComponent("log"))
            if let first = ProcessTable.child(of: server.keeper), first != server.pid { kill(first, SIGSTOP) }
            kill(server.keeper, SIGSTOP)
            await server.stop([(SIGTERM, .seconds(120))])
            #expect(server.ending != nil)
        }
    }

    @Test(arguments: kinds) func whatHidesEndsWithItsProgram(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            let time = "641.\(Int.random(in: 1000...9999))"
            #expect(try await place.can("env -i setsid sh -c 'cd /; exec sleep \(time)' >/dev/null 2>&1 & sleep 0.3"))
            #expect(!Self.runs(time), "it sheds its environment, its session and its folder")
            // The same of a server, and of one whose process was killed.
            let part = try place.host.folder.privateFolder("p")
            let server = try await place.host.start(
                ["sh", "-c", "env -i setsid sh -c 'cd /; exec sleep \(time)' & exec sleep 642"], workingFolder: part,
                log: part.appendingPathComponent("log"))
            #expect(await Self.eventually { Self.runs(time) })
            kill(server.pid, SIGKILL)
            #expect(await Self.eventually { server.ending != nil })
            #expect(server.ending?.signal == SIGKILL)
            #expect(!Self.runs(time))
        }
    }

    /// By limits, priorities and the caller's keyring, where there are no process ids of its own to hide others.
    @Test(arguments: kinds) func otherProcesses(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            let part = try place.host.folder.privateFolder("p")
            let other = try await place.host.start(["sleep", "642"], workingFolder: part, log: part.appendingPathComponent("log"))
            let program = """
                import ctypes, resource, sys
                pid = \(other.pid)
                try:
                    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3))
                    sys.exit(1)
                except (PermissionError, ProcessLookupError):
                    pass
                libc = ctypes.CDLL(None, use_errno=True)
                keyctl = 250 if '\(Self.machine)' == 'x86_64' else 219
                sys.exit(0 if libc.syscall(keyctl, 0, -3, 0) == -1 and ctypes.get_errno() == 1 else 2)
                """
            let result = try await place.host.run(["python3", "-c", program])
            #expect(result.exitCode == 0)
            #expect(try await place.host.run(["sh", "-c", "ulimit -n 100 && nice true"]).succeeded, "of itself it may")
        }
    }

    private static let machine: String = {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }()

    /// What killed Muster leaves is found by `muster clean`, whatever it did to its own environment.
    @Test(arguments: kinds) func whatHidesIsFound(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            let part = try place.host.folder.privateFolder("p")
            let time = "643.\(Int.random(in: 1000...9999))"
            _ = try await place.host.start(
                ["sh", "-c", "env -i setsid sh -c 'cd /; exec sleep \(time)' & exec sleep 642"], workingFolder: part,
                log: part.appendingPathComponent("log"))
            #expect(await Self.eventually { Self.runs(time) })
            let found = ProcessTable.belonging(
                toEnvironment: "\(ScratchFolder.environmentName)=\(place.host.folder.id)", orFolder: place.host.folder.url.path)
            #expect(found.contains { Self.arguments($0.pid).contains(time) })
            try await place.host.end()
            #expect(await Self.eventually { !Self.runs(time) })
        }
    }

    @Test(arguments: kinds) func theAnswersAreThoseOfTheServersOwnPlace(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            let part = try place.host.folder.privateFolder("p")
            let server = try await place.host.start(["sleep", "642"], workingFolder: part, log: part.appendingPathComponent("log"))
            let answers = await QuarantineAnswers.ask(server, host: place.host)
            #expect(answers.gainsNothing == true)
            #expect(answers.openable == (isolation.files == .none ? [place.key.path, place.store.path] : []))
            #expect(answers.changeable == (isolation.files == .view ? [] : [place.key.path, place.store.path]))
            #expect(answers.sockets?.contains(place.socket.path) == (isolation.files != .view))
            #expect(answers.internet == (isolation.network != .filter))
            #expect(answers.hasOwnProcesses == isolation.processes)
            #expect(answers.endsKeeper == (geteuid() != 0 && isolation.files == .none))
            let meant = await QuarantineAnswers.ask(server, host: place.host, reaching: [place.folder])
            #expect(meant.sockets?.contains(place.socket.path) == false)
            #expect(try FileManager.default.contentsOfDirectory(atPath: place.store.path).isEmpty, "a question leaves no trace")
        }
    }

    /// Of several recoveries at once none can touch what another one restores from, nor what was fetched for it.
    @Test(arguments: kinds) func oneRecoverysPartsAreNoOthers(isolation: Isolation) async throws {
        guard isolation.files != .none, try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            for name in ["p0-a", "k0-1", "p1-a", "p10-a", "store-0"] {
                chmod(try place.host.folder.privateFolder(name).path, 0o777)
            }
            let own = place.host.recovering(0)
            for name in ["p0-a", "k0-1"] { #expect(try await own.run(["sh", "-c", "echo x > \"$HOME/\(name)/f\""]).succeeded) }
            for name in ["p1-a", "p10-a", "store-0"] {
                #expect(try await !own.run(["sh", "-c", "ls \"$HOME/\(name)\" || echo x > \"$HOME/\(name)/f\""]).succeeded, "\(name)")
            }
            // An application needs all of them.
            #expect(try await place.can("echo x > \"$HOME/p0-a/f\" && echo x > \"$HOME/p1-a/f\""))
        }
    }

    /// What a drill insists on, asked before anything of a backup has run.
    @Test(arguments: kinds) func demandsAreAskedBeforehand(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            let files = await place.host.unmet(QuarantineDemand(files: true))
            let names = ["keys and stores are out of its reach", "no other server's socket is in its reach"]
            #expect(files.map(\.name) == (isolation.files == .view ? [] : names))
            #expect(files.allSatisfy { $0.verdict == .error && $0.service == nil && $0.findings.first?.hint.isEmpty == false })
            #expect(files.flatMap(\.findings).map(\.rule.name) == (files.isEmpty ? [] : ["files-not-isolated", "sockets-not-isolated"]))
            if isolation.network != .none { #expect(await place.host.unmet(QuarantineDemand(network: true)).isEmpty) }
            #expect(await place.host.unmet(QuarantineDemand()).isEmpty)
            let left = ProcessTable.belonging(
                toEnvironment: "\(ScratchFolder.environmentName)=\(place.host.folder.id)", orFolder: place.host.folder.url.path)
            #expect(left.isEmpty)
            // Where no program can be asked at all, nothing is met.
            try FileManager.default.removeItem(at: place.host.folder.rootPlace)
            if isolation.files == .view { #expect(await place.host.unmet(QuarantineDemand(files: true)).map(\.verdict) == [.error]) }
        }
    }

    /// The estate may name a key by a link, and the key itself may lie among what is shown.
    @Test(arguments: kinds) func aKeyBehindALink(isolation: Isolation) async throws {
        guard isolation.files != .none, try await Self.allows(isolation) else { return }
        let folder = URL(fileURLWithPath: "/tmp/mt-\(UUID().uuidString.prefix(8))", isDirectory: true)
        let shown = folder.appendingPathComponent("shown", isDirectory: true)
        try FileManager.default.createDirectory(at: shown, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (key, link) = (shown.appendingPathComponent("key"), shown.appendingPathComponent("link"))
        try Data("hunter2".utf8).write(to: key)
        try Data("shown".utf8).write(to: shown.appendingPathComponent("other"))
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: key)
        for path in [folder.path, shown.path, key.path] { chmod(path, 0o755) }
        let host = try await ScratchHost.prepare(
            in: ScratchRoot(), purpose: "test", view: SandboxView(readable: [shown], hidden: [link]), isolation: isolation)
        #expect(try await host.run(["cat", shown.path + "/other"]).output == "shown")
        for path in [key.path, link.path] {
            let seen = try await host.run(["cat", path])
            #expect(!seen.output.contains("hunter2"), "\(path)")
        }
        try await host.remove()
    }

    /// A folder on the way to what is shown lets nobody pass who could not pass before.
    @Test(arguments: kinds) func aClosedFolderStaysClosed(isolation: Isolation) async throws {
        guard geteuid() == 0, try await Self.allows(isolation) else { return }
        let closed = URL(fileURLWithPath: "/tmp/mt-\(UUID().uuidString.prefix(8))", isDirectory: true)
        let inner = closed.appendingPathComponent("inner", isDirectory: true)
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: closed) }
        try Data("x".utf8).write(to: inner.appendingPathComponent("file"))
        chmod(inner.path, 0o755)
        for (mode, passes) in [(0o700, false), (0o711, true)] as [(mode_t, Bool)] {
            chmod(closed.path, mode)
            let host = try await ScratchHost.prepare(
                in: ScratchRoot(), purpose: "test", view: SandboxView(readable: [inner]), isolation: isolation)
            #expect(try await host.run(["cat", inner.path + "/file"]).succeeded == passes)
            try await host.remove()
        }
    }

    @Test func aProgramsOwnExitCodeIsItsOwn() async throws {
        try await Place.with(nil) { (place: Place) async throws -> Void in
            #expect(try await place.host.run(["sh", "-c", "exit 125"]).exitCode == 125)
            #expect(try await place.host.run(["sh", "-c", "kill -USR1 $$"]).signal == SIGUSR1)
        }
    }

    /// Whoever started a server waits to be told which process it is: for ever, were it not ended.
    @Test(arguments: kinds) func aServerThatCannotBeToldOfIsEnded(isolation: Isolation) async throws {
        guard try await Self.allows(isolation) else { return }
        try await Place.with(isolation) { (place: Place) async throws -> Void in
            let time = "645.\(Int.random(in: 1000...9999))"
            let file = place.folder.appendingPathComponent("none/pid")
            let result = try await ToolRunner.spawn(
                place.host.sandbox.wrapped(["sleep", time], pidFile: file), environment: [:], workingFolder: place.host.folder.url,
                output: .discard, errors: .discard)
            #expect(result.exitCode == ScratchHost.noQuarantine)
            #expect(await Self.eventually { !Self.runs(time) })
        }
    }

    @Test func whatCannotBeSetUpIsSaid() async throws {
        try await Place.with(nil) { (place: Place) async throws -> Void in
            let host = place.host
            try FileManager.default.removeItem(at: host.folder.temporary)
            guard host.isolation.files == .view else { return }
            let error = await #expect(throws: ScratchError.self) { try await host.run(["true"]) }
            #expect(error?.kind == .refused && error?.message.contains("/tmp") == true, "\(String(describing: error))")
        }
    }

    // MARK: Other processes

    private static func arguments(_ pid: Int32) -> String {
        String(decoding: ProcessTable.read("/proc/\(pid)/cmdline") ?? [], as: UTF8.self)
    }

    /// A program that sleeps so long, and not one that only names it.
    private static func runs(_ time: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.contains { arguments($0) == "sleep\0\(time)\0" }
    }

    private static func eventually(_ holds: () -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(180)
        while ContinuousClock.now < deadline {
            if holds() { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return holds()
    }
}

@Suite struct VisibleFilesTests {
    @Test func landlockNamesTheNeighboursOfWhatIsHidden() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["bin", "keys", "keys/deep"] {
            try FileManager.default.createDirectory(at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        for name in ["keys/a", "keys/deep/b"] { try Data().write(to: folder.appendingPathComponent(name)) }
        let shown = VisibleFiles(program: nil, readable: [folder])
        let around = Set(shown.around([folder.path + "/keys/deep"]).filter { $0.hasPrefix(folder.path) })
        #expect(around == [folder.path + "/bin", folder.path + "/keys/a"])
        #expect(shown.around([folder.deletingLastPathComponent().path]).allSatisfy { !$0.hasPrefix(folder.path) })
    }

    @Test func aProgramBringsItsOwnFoldersAndNotItsHome() throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("mt-\(UUID().uuidString)", isDirectory: true)
        defer { try? FileManager.default.removeItem(at: home) }
        for name in ["bin", "lib", "documents"] {
            try FileManager.default.createDirectory(at: home.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        let program = home.appendingPathComponent("bin/tool")
        try Data().write(to: program)
        let paths = VisibleFiles(program: program.path, readable: []).paths.filter { $0.hasPrefix(home.path) }
        #expect(Set(paths) == [home.path + "/bin", home.path + "/lib"])
    }
}
