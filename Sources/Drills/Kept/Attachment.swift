// One kept server, running again for as long as somebody looks into it.

import DrillModel
import Foundation
import Glibc
import PostgresRecovery
import RedisRecovery
import ScratchHost
import Synchronization

/// Starts a kept server inside the quarantine, opens psql or redis-cli on it, and ends it.
public final class Attachment: Sendable {
    private let server: KeptServer
    private let folder: URL
    /// Hears what is said beside the client, line by line.
    private let tell: @Sendable (String) -> Void
    private let isOpen = Mutex(false)

    init(_ server: KeptServer, in folder: URL, tell: @escaping @Sendable (String) -> Void) {
        self.server = server
        self.folder = folder
        self.tell = tell
    }

    /// Whether a Ctrl-C is the client's: it stops a query, and not the look.
    public var takesInterrupts: Bool { isOpen.withLock { $0 } && isatty(STDIN_FILENO) == 1 }

    /// - Parameters:
    ///   - command: One for the client, in place of standard input.
    ///   - words: More of the client's own words.
    /// - Returns: How the client ended: its exit code, or 128 and the signal that ended it.
    /// - Throws: ``CommandFailure``, `CancellationError`; the server has ended in any case.
    public func open(command: String?, words: [String]) async throws -> Int32 {
        let host = try await ScratchHost.reopen(folder, view: server.view, recovery: server.recovery)
        let outcome: Result<Int32, any Error>
        do {
            try await demand(of: host)
            outcome = .success(try await look(on: host, command: command, words: words))
        } catch {
            outcome = .failure(error)
        }
        do throws(ScratchError) { try await host.leave() } catch { tell("muster: warning: \(error.message)\nhint: \(error.hint)") }
        do {
            return try outcome.get()
        } catch let failure as DrillFailure {
            let why = failure.finding.actual.isEmpty ? "" : ": \(failure.finding.actual)"
            throw CommandFailure(.unverified, failure.finding.message + why, hint: failure.finding.hint)
        }
    }

    /// What the drill insisted on holds for every look, too.
    private func demand(of host: ScratchHost) async throws {
        guard let finding = await host.unmet(server.demand).first?.findings.first else { return }
        throw CommandFailure(.unverified, "the drill demands a quarantine that isn't had here: \(finding.message)", hint: finding.hint)
    }

    private func look(on host: ScratchHost, command: String?, words: [String]) async throws -> Int32 {
        tell("starting \(server.service) (\(server.title)) again, quarantine: \(host.isolation.summary)")
        switch server.engine {
        case .postgres(let stopped, let database):
            let running = try await stopped.start(on: host)
            let client = stopped.client(database: database, words: (command.map { ["-c", $0] } ?? []) + words)
            return try await attend(client, of: running.process, on: host) { await running.stop() }
        case .redis(let stopped):
            let spoken = try command.map(CommandWords.split) ?? []
            let running = try await stopped.start(on: host)
            return try await attend(stopped.client(words: spoken + words), of: running.process, on: host) { await running.stop() }
        }
    }

    private func attend(
        _ client: [String], of process: ServerProcess, on host: ScratchHost, stop: () async -> Void
    ) async throws -> Int32 {
        tell("until this ends, from another terminal: \(Self.line(server.client))")
        isOpen.withLock { $0 = true }
        let outcome: Result<ToolResult, any Error>
        do {
            outcome = .success(try await host.attend(client, environment: Self.environment, inNetworkOf: process))
        } catch {
            outcome = .failure(error)
        }
        isOpen.withLock { $0 = false }
        await stop()
        let result = try outcome.get()
        return result.exitCode ?? 128 + (result.signal ?? 0)
    }

    /// As it is typed outside of the quarantine: as the user that may open the socket, where Muster's own isn't that one. Never as root:
    /// what answers there is code of a backup.
    static func line(_ command: [String]) -> String {
        let user = (try? UnprivilegedUser.current())?.prefix ?? []
        return CommandWords.line(user + command)
    }

    /// What a client on a terminal needs to know of it. What it would write down of a session goes nowhere.
    private static var environment: [String: String] {
        let own = ProcessInfo.processInfo.environment
        var values = [
            "LC_ALL": "C.UTF-8", "PSQL_HISTORY": "/dev/null", "REDISCLI_HISTFILE": "/dev/null", "VALKEYCLI_HISTFILE": "/dev/null",
        ]
        for name in ["TERM", "COLUMNS", "LINES", "COLORTERM"] { values[name] = own[name] }
        return values
    }
}
