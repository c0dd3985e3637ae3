// One drill's corner of this machine: a private folder, a user without rights, no network, and what runs there.

public import Foundation
import Glibc

/// Runs tools and servers inside a quarantine. One per drill; ``remove()`` ends all of it.
public struct ScratchHost: Sendable {
    public let folder: ScratchFolder
    let sandbox: Sandbox

    /// How what runs here is held back.
    public var isolation: Isolation { sandbox.isolation }

    /// What is seen here beside the system's own files, and what never is.
    public var view: SandboxView { sandbox.view }

    /// - Parameters:
    ///   - view: What is seen here of this machine's files beside the system's own.
    ///   - isolation: nil: the strongest that this machine allows.
    /// - Throws: ``ScratchError`` where the folder can't be made.
    public static func prepare(
        in root: ScratchRoot, purpose: String, view: SandboxView = SandboxView(), isolation: Isolation? = nil
    ) async throws(ScratchError) -> ScratchHost {
        let program = try Sandbox.program()
        let folder = try ScratchFolder.create(in: root, purpose: purpose)
        if let store = view.hidden.map({ VisibleFiles.real($0.path) }).first(where: { folder.url.path.hasPrefix($0 + "/") }) {
            try? folder.remove()
            throw ScratchError(
                .refused, "the scratch folder \(root.folder.path) lies inside \(store), which no drill may see",
                hint: "choose another with --scratch, such as /tmp")
        }
        do throws(ScratchError) {
            try folder.makePlaces()
            let known: Isolation
            if let isolation { known = isolation } else { known = try await Isolation.probe(in: folder) }
            return ScratchHost(folder: folder, sandbox: Sandbox(folder: folder, isolation: known, view: view, program: program))
        } catch {
            try? folder.remove()
            throw error
        }
    }

    /// The same host for one of several recoveries: what runs there sees none of the others' files, nor what Muster fetched for them.
    ///
    /// Its parts are to be named by a letter and the number: `p0-…`.
    public func recovering(_ number: Int) -> ScratchHost {
        var own = sandbox
        own.folder.recovery = "\(number)-"
        return ScratchHost(folder: own.folder, sandbox: own)
    }

    /// The user that everything here runs as.
    public var userID: UInt32 { folder.user?.userID ?? geteuid() }

    /// Its name, for reports.
    public var userName: String { folder.user?.name ?? UnprivilegedUser.name(of: geteuid()) ?? "" }

    /// Who calls Muster: the name, or else the id, which every tool takes in its place.
    public static var callerName: String { UnprivilegedUser.name(of: geteuid()) ?? String(geteuid()) }

    /// Why nothing that asks for its user's name can run here, and what would help; nil where the user has one.
    public var namelessUser: ScratchError? {
        guard userName.isEmpty else { return nil }
        return ScratchError(
            .refused, "user id \(userID) has no name on this machine, and initdb refuses to make a scratch Postgres without one",
            hint: """
                useradd --system --uid \(userID) muster; in a container: docker run --user NAME, of a user that the image has, or add \
                -v FILE:/etc/passwd:ro, of a file with the line muster:x:\(userID):\(getegid())::/:/bin/sh
                """)
    }

    /// Runs a program inside the quarantine to its end.
    ///
    /// - Parameters:
    ///   - command: The program, by path or by name on PATH, and its arguments. Never holds a secret.
    ///   - environment: Beside PATH, LC_ALL=C and TZ=UTC, nothing else is passed on.
    ///   - input: A file for its standard input; nil: nothing to read.
    ///   - output: A file for its standard output; nil: captured, 16 MiB at the most.
    ///   - errors: A file for its standard error, which may hold row values: it must lie inside the scratch folder.
    ///   - server: Run it in that one's network; nil: in one of its own, where nothing is.
    ///   - reaching: What it may see beside what all see here.
    /// - Throws: ``ScratchError`` where it could not be started, `CancellationError` where the task was cancelled.
    public func run(
        _ command: [String], environment: [String: String] = [:], workingFolder: URL? = nil, input: URL? = nil, output: URL? = nil,
        errors: URL? = nil, inNetworkOf server: ServerProcess? = nil, reaching: [URL] = []
    ) async throws -> ToolResult {
        try Task.checkCancellation()
        if let program = command.first { try Self.require(program) }
        let result = try await ToolRunner.spawn(
            sandbox.wrapped(command, network: server.map { .of($0) } ?? .own, reaching: reaching),
            environment: mark.merging(InnerVariables.renamed(environment)) { $1 }.merging(ownership) { $1 },
            workingFolder: workingFolder ?? folder.url,
            input: input,
            output: output.map(destination) ?? .capture(limit: 16 << 20), errors: errors.map(destination) ?? .discard)
        try Task.checkCancellation()
        try await requireQuarantine(result, command)
        return result
    }

    /// A program that could not even be put into the quarantine has said nothing, of a backup least of all.
    private func requireQuarantine(_ result: ToolResult, _ command: [String]) async throws {
        guard result.exitCode == Self.noQuarantine else { return }
        // What it said went where the program's own words go: asked once more, of a program that does nothing.
        let again = try await ToolRunner.spawn(
            ["sh", "-c", "exec \"$@\" 2>&1", "sh"] + sandbox.wrapped(["true"]), environment: ownership, workingFolder: folder.url,
            output: .capture(limit: 1 << 16), errors: .discard)
        // The program's own code, then.
        if again.succeeded { return }
        throw ScratchError(
            .refused, "the quarantine for \(command.first ?? "") could not be set up: \(again.output.trimmingCharacters(in: .newlines))",
            hint: "run muster doctor on this machine")
    }

    static let noQuarantine: Int32 = 125

    /// Runs a program as Muster's own user: for a tool that must read what only that user may read.
    ///
    /// - Parameters:
    ///   - environment: May hold what the tool needs as a secret; the command must not.
    ///   - isolated: Without a network, where the machine allows that.
    ///   - output: A file inside the scratch folder for all that it says; nil: its standard output is captured, the rest thrown away.
    public func runAsInvoker(
        _ command: [String], environment: [String: String], isolated: Bool, output: URL?
    ) async throws -> ToolResult {
        if let program = command.first { try Self.require(program) }
        return try await asInvoker(
            isolated ? sandbox.withoutNetwork(command) : command, environment: environment,
            output: output.map(destination) ?? .capture(limit: 16 << 20),
            errors: output.map { destination($0.appendingPathExtension("err")) } ?? .discard)
    }

    /// Runs a program as Muster's own user and with its network: for a tool that must reach where backups lie.
    ///
    /// - Parameters:
    ///   - environment: May hold what the tool needs as a secret; the command must not.
    ///   - errors: A file inside the scratch folder.
    public func runAsInvoker(
        _ command: [String], environment: [String: String], output: ToolRunner.Destination, errors: URL
    ) async throws -> ToolResult {
        if let program = command.first { try Self.require(program) }
        return try await asInvoker(command, environment: environment, output: output, errors: destination(errors))
    }

    /// A file here is made anew, whatever code of a backup put there; a pipe of ours lies elsewhere.
    private func destination(_ url: URL) -> ToolRunner.Destination {
        url.path.hasPrefix(folder.url.path + "/") ? .scratch(url) : .file(url)
    }

    private func asInvoker(
        _ command: [String], environment: [String: String], output: ToolRunner.Destination, errors: ToolRunner.Destination
    ) async throws -> ToolResult {
        try Task.checkCancellation()
        let result = try await ToolRunner.spawn(
            command, environment: mark.merging(environment) { $1 }.merging(ownership) { $1 }, workingFolder: folder.url, output: output,
            errors: errors)
        try Task.checkCancellation()
        return result
    }

    /// Starts a server inside the quarantine.
    ///
    /// - Parameters:
    ///   - loopback: Its network has a loopback device; ask ``canHaveLoopback()`` first.
    ///   - server: Start it in that one's network; nil: in one of its own.
    ///   - connects: It may call others' sockets; a server that is only called needs none.
    ///   - reaching: What it may see beside what all see here.
    ///   - log: Takes its standard output and error.
    public func start(
        _ command: [String], environment: [String: String] = [:], loopback: Bool = false, inNetworkOf server: ServerProcess? = nil,
        connects: Bool = true, reaching: [URL] = [], workingFolder: URL, log: URL
    ) async throws(ScratchError) -> ServerProcess {
        if let program = command.first { try Self.require(program) }
        let pidFile = folder.url.appendingPathComponent(".pid-\(UUID().uuidString)")
        let network: Sandbox.Network = server.map { .of($0) } ?? (loopback ? .loopback : .own)
        return try await ServerProcess.start(
            sandbox.wrapped(command, network: network, reaching: reaching, connects: connects, pidFile: pidFile), pidFile: pidFile,
            connects: connects,
            environment: ToolRunner.environment(mark.merging(InnerVariables.renamed(environment)) { $1 }.merging(ownership) { $1 }),
            workingFolder: workingFolder, log: log)
    }

    /// Whether a program here can have a network of its own with a loopback device in it.
    public func canHaveLoopback() async -> Bool {
        guard isolation.network == .namespace else { return false }
        let result = try? await ToolRunner.spawn(
            sandbox.wrapped(["true"], network: .loopback), environment: ownership, workingFolder: folder.url, output: .discard,
            errors: .discard)
        return result?.succeeded == true
    }

    /// Removes a file or folder of this host in the background, for what is large and needed no more: a decrypted dump once it
    /// has been restored. ``remove()`` takes whatever is left then.
    public func discard(_ item: URL) {
        guard item.path.hasPrefix(folder.url.path + "/") else { return }
        // While servers live: `rm` alone can't be led elsewhere by a folder that becomes a link as it goes down.
        DispatchQueue.global(qos: .utility).async { ScratchFolder.removeSafely(item) }
    }

    /// Frees the shared memory of a Postgres that has ended, by its data folder: once that has gone, nothing tells whose it is.
    public static func freeSharedMemory(of data: URL) async {
        // Processes that were ended with it take a moment to let go of it, also where the caller was cancelled.
        await Task.detached {
            for _ in 0..<50 where !SharedMemory.release(of: data) { try? await Task.sleep(for: .milliseconds(20)) }
        }.value
    }

    /// Ends what still runs here and leaves the folder for a person to look at.
    ///
    /// - Parameter run: The run's name, by which it is asked for when it is to go.
    public func keep(of run: String? = nil) async throws(ScratchError) {
        let folder = folder
        try await Self.blocking { () throws(ScratchError) in try folder.keep(of: run) }
    }

    /// Ends what still runs here and leaves the folder to whoever cleans up later, for what is still due there.
    public func end() async throws(ScratchError) {
        let folder = folder
        try await Self.blocking { () throws(ScratchError) in folder.endProcesses() }
    }

    /// Ends what still runs here and removes the folder.
    public func remove() async throws(ScratchError) {
        let folder = folder
        try await Self.blocking { () throws(ScratchError) in try folder.remove() }
    }

    /// Where a program lies that the user of this host may run; nil where PATH leads to none.
    ///
    /// PATH may lead through a folder that is root's alone: what root finds there, the unprivileged user can't run.
    public func locate(_ program: String) -> String? { Self.locate(program, forOthers: folder.user != nil) }

    /// Where a program lies; nil where PATH doesn't lead to it.
    ///
    /// - Parameter others: Only one that everybody may run will do.
    public static func locate(_ program: String, forOthers others: Bool) -> String? {
        candidates(program).first { access($0, X_OK) == 0 && (!others || isOpen($0)) }
    }

    /// Whether everybody may walk to a file, read and run it.
    private static func isOpen(_ path: String) -> Bool {
        guard let real = realpath(path, nil) else { return false }
        defer { free(real) }
        var item = String(cString: real)
        var needed: mode_t = S_IXOTH | S_IROTH
        while item.count > 1 {
            var info = stat()
            guard stat(item, &info) == 0, info.st_mode & needed == needed else { return false }
            item = (item as NSString).deletingLastPathComponent
            needed = S_IXOTH
        }
        return true
    }

    /// Waiting for processes to end and removing gigabytes both block: not on Swift's own threads.
    static func blocking(_ work: @escaping @Sendable () throws(ScratchError) -> Void) async throws(ScratchError) {
        let result: Result<Void, ScratchError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                do throws(ScratchError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        try result.get()
    }

    private var mark: [String: String] {
        ownership.merging(["HOME": folder.url.path].merging(isolation.files == .view ? [:] : ["TMPDIR": folder.temporary.path]) { $1 }) {
            $1
        }
    }

    /// What `muster clean` finds a process by: to be in the environment of each that is started for this host by other means.
    public var ownership: [String: String] { [ScratchFolder.environmentName: folder.id] }

    /// The wrappers would report a missing program in their own words and with an exit code of their own.
    private static func require(_ program: String) throws(ScratchError) {
        guard locate(program) != nil else {
            throw ScratchError(.toolMissing, "\(program) is not on this machine", hint: "install it, or put its folder on PATH")
        }
    }

    /// PATH doesn't lead to what every drill calls.
    static var uselessPath: ScratchError {
        ScratchError(
            .toolMissing,
            "PATH leads to none of the system's own programs, such as true: it is \(ToolRunner.environment([:])["PATH"] ?? "")",
            hint: "PATH=/usr/local/bin:/usr/bin:/bin before muster, or leave it out")
    }

    /// Where a program lies that Muster itself may run; nil where PATH doesn't lead to it.
    public static func locate(_ program: String) -> String? { locate(program, forOthers: false) }

    private static func candidates(_ program: String) -> [String] {
        if program.contains("/") { return [program] }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(program)" }
    }
}
