// A throw-away Postgres server: made by initdb, reached over a Unix socket, gone with its drill.

public import DrillModel
public import Foundation
import Glibc
import OutsideTools
public import PostgresClient
public import ScratchHost

/// A scratch server of one drill.
public struct ScratchPostgres: Sendable {
    public let binaries: PostgresBinaries
    /// Holds the Unix socket; only the unprivileged user may enter.
    public let socketFolder: URL
    public let dataFolder: URL
    public let log: URL
    public let superuser: String
    public let profile: Profile
    /// What the estate names for it.
    public let needs: ServerNeeds
    public let process: ServerProcess

    /// Makes an empty cluster and starts it.
    ///
    /// - Parameters:
    ///   - folder: A private folder of the host's.
    ///   - superuser: Named as the source's bootstrap superuser, since a dump doesn't say who owns what initdb made.
    /// - Throws: ``DrillFailure`` (error), `CancellationError`.
    public static func start(
        on host: ScratchHost, in folder: URL, binaries: PostgresBinaries, profile: Profile, superuser: String = "postgres",
        dataChecksums: Bool = false, needs: ServerNeeds = ServerNeeds()
    ) async throws -> ScratchPostgres {
        // initdb on a full disk can't write down why it failed, and gives the room back before it ends.
        if let free = host.folder.freeBytes(), free < leastRoom { throw diskFull(host) }
        if let nameless = host.namelessUser {
            throw DrillFailure.error(
                Finding(
                    .scratchServerFailed, object: "user id \(host.userID)", expected: "a user with a name", actual: "none",
                    message: nameless.message, hint: nameless.hint))
        }
        let data = folder.appendingPathComponent("data", isDirectory: true)
        let socket = folder.appendingPathComponent("s", isDirectory: true)
        let log = folder.appendingPathComponent("server.log")
        let configuration = ScratchConfiguration(socketFolder: socket, profile: profile, major: binaries.major, needs: needs)
        let files = try configuration.write(to: folder, host: host)
        do {
            try FileManager.default.createDirectory(at: socket, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try host.folder.own(socket)
            // Made here, so that an initdb that is ended empties it and leaves it: by it the shared memory is known that stays behind.
            try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try host.folder.own(data)
        } catch {
            throw DrillFailure.error(
                Finding(
                    .scratchServerFailed, object: folder.path, message: "the scratch server's folder can't be made",
                    hint: "check free space and permissions there, or choose another folder with --scratch"))
        }

        let errors = folder.appendingPathComponent("initdb.log")
        let command = Initdb(program: binaries.path("initdb")).make(data, superuser: superuser, hasChecksums: dataChecksums)
        let made: ToolResult
        do {
            made = try await host.run(command, errors: errors)
        } catch is CancellationError {
            await ScratchHost.freeSharedMemory(of: data)
            throw CancellationError()
        } catch let error as ScratchError {
            throw error.kind == .diskFull
                ? diskFull(host)
                : DrillFailure.error(Finding(.scratchServerFailed, object: "initdb", message: error.message, hint: error.hint))
        }
        guard made.succeeded else {
            await ScratchHost.freeSharedMemory(of: data)
            throw failure("initdb ended with \(made.ending)", log: errors, host: host)
        }
        let process: ServerProcess
        do {
            process = try await host.start(
                [binaries.path("postgres")] + files.arguments(dataFolder: data), connects: false, workingFolder: folder, log: log)
        } catch {
            throw DrillFailure.error(Finding(.scratchServerFailed, object: "postgres", message: error.message, hint: error.hint))
        }
        let server = ScratchPostgres(
            binaries: binaries, socketFolder: socket, dataFolder: data, log: log, superuser: superuser, profile: profile,
            needs: needs, process: process)
        do {
            try await server.waitUntilReady(host: host)
        } catch {
            await server.stop()
            throw error
        }
        return server
    }

    /// How a database of it is reached.
    public func configuration(database: String, settings: [String: String] = [:]) -> PostgresConfiguration {
        let settings = settings.merging(Self.preloadNothing) { $1 }
        return PostgresConfiguration(
            host: socketFolder.path, port: 5432, database: database, user: superuser,
            // The server wants none; without a word libpq would hand whoever asks one of this machine's, from PGPASSWORD or a password file.
            password: "none", settings: settings, standstill: Self.standstill, listener: process.pid)
    }

    /// How a restored role logs in.
    public func configuration(database: String, role: String, settings: [String: String] = [:]) -> PostgresConfiguration {
        var configuration = configuration(database: database, settings: settings)
        configuration.user = role
        configuration.settings = configuration.settings.filter { role == superuser || !Self.forSuperusers.contains($0.key) }
        return configuration
    }

    /// What libpq's own tools need to reach it; holds no secret.
    ///
    /// - Parameter role: Who they act as; nil: the superuser.
    public func environment(database: String, role: String? = nil, readOnly: Bool = false) -> [String: String] {
        let user = role ?? superuser
        let names = Self.preloadNothing.keys.sorted().filter { user == superuser || !Self.forSuperusers.contains($0) }
        // A restored `ALTER DATABASE … SET default_transaction_read_only` must not forbid the restore itself.
        let options = names.map { "-c \($0)=" } + ["-c default_transaction_read_only=\(readOnly ? "on" : "off")"]
        return [
            "PGHOST": socketFolder.path, "PGPORT": "5432", "PGUSER": user, "PGDATABASE": database, "PGAPPNAME": "muster",
            "PGOPTIONS": options.joined(separator: " "),
        ]
    }

    /// Nobody else may set these, be it to nothing.
    private static let forSuperusers: Set<String> = ["session_preload_libraries"]

    /// A restored database or role may carry these as settings of its own, which outrank the server's command line; a session's
    /// outrank them in turn.
    private static let preloadNothing = ["session_preload_libraries": "", "local_preload_libraries": ""]

    /// A machine under load may take long for a new session; what takes none for so long will take none.
    private static let standstill = Duration.seconds(120)

    /// What an empty cluster takes, in bytes.
    private static let leastRoom: Int64 = 40 << 20

    /// Ends it at once: its data is thrown away anyway.
    public func stop() async {
        await process.stop([(SIGQUIT, .seconds(5))])
        // One that was killed, by whomever, could not: and its folder may go before the scratch host does.
        await ScratchHost.freeSharedMemory(of: dataFolder)
    }

    func waitUntilReady(host: ScratchHost, patience: Duration = .seconds(60)) async throws {
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            if process.ending != nil { throw Self.failure("the scratch server ended as it started", log: log, host: host) }
            if await PostgresConnection.accepts(configuration(database: "template1")) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Self.failure("the scratch server took no connection within \(patience.components.seconds) s", log: log, host: host)
    }

    static func diskFull(_ host: ScratchHost) -> DrillFailure {
        .error(
            Finding(
                .scratchDiskFull, object: host.folder.url.path, expected: "room for a scratch server and its data",
                actual: "a full disk", message: "the scratch disk is full",
                hint: "free some space there, or choose another disk with --scratch"))
    }

    /// The log's last line that says why, safe to show: Muster's own settings keep statements and details out of it.
    static func failure(_ what: String, log: URL, host: ScratchHost) -> DrillFailure {
        let text = String(decoding: UnlinkedFile.data(log)?.suffix(8192) ?? Data(), as: UTF8.self)
        if text.contains("No space left on device") || host.folder.isFull { return diskFull(host) }
        let why = ServerText.cause(in: text)
        if why.contains("could not access file \"") {
            return .error(
                Finding(
                    .extensionMissing, object: "postgres", expected: "the libraries that the estate preloads, on this machine", actual: why,
                    message: "a library that the scratch server must preload is not on this machine",
                    hint: "install its package for this Postgres version, as production has it, or take it out of preload"))
        }
        return .error(
            Finding(
                .scratchServerFailed, object: "postgres", expected: "a running scratch server", actual: why, message: what,
                hint: "run again with --keep and read \(log.lastPathComponent) in the scratch folder"))
    }
}
