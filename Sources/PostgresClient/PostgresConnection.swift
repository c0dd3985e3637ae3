// A session with one database: what the rest of Muster asks Postgres through.

import Dispatch
import Synchronization

/// One session. Its calls run one after the other, on a thread of their own; cancelling the task that waits
/// cancels the statement on the server.
public final class PostgresConnection: Sendable {
    /// As `server_version_num` has it: 150018.
    public let serverVersion: Int
    /// The server process that serves this session.
    public let backendPID: Int

    private let queue: DispatchQueue
    private let session: LibpqSession

    private init(queue: DispatchQueue, session: LibpqSession, serverVersion: Int, backendPID: Int) {
        self.queue = queue
        self.session = session
        self.serverVersion = serverVersion
        self.backendPID = backendPID
    }

    /// Opens a session.
    ///
    /// - Throws: kind `connect` where the server can't be reached, refuses, or doesn't answer in time.
    public static func connect(_ configuration: PostgresConfiguration) async throws(PostgresError) -> PostgresConnection {
        let queue = DispatchQueue(label: "muster.postgres")
        return try await run(on: queue) { interruption throws(PostgresError) in
            let session = try LibpqSession(configuration, interruption)
            return PostgresConnection(
                queue: queue, session: session, serverVersion: session.serverVersion, backendPID: session.backendPID)
        }
    }

    /// Whether a server accepts sessions there. Needs no right to log in.
    public static func accepts(_ configuration: PostgresConfiguration) async -> Bool {
        let queue = DispatchQueue(label: "muster.postgres.ping")
        let answer = try? await run(on: queue) { _ throws(PostgresError) in LibpqSession.ping(configuration) }
        return answer ?? false
    }

    /// Whether anything takes a connection there, were it only to refuse it. False where nothing does within `connectTimeout`.
    ///
    /// - Throws: kind `connect` where that could not be tried, `cancelled`.
    public static func isReachable(_ configuration: PostgresConfiguration) async throws(PostgresError) -> Bool {
        let queue = DispatchQueue(label: "muster.postgres.reach")
        return try await run(on: queue) { interruption throws(PostgresError) in try LibpqSession.isReached(configuration, interruption) }
    }

    /// Asks one statement and returns all its rows; for large answers use ``stream(_:_:row:)``.
    public func query(_ sql: String, _ parameters: [String?] = []) async throws(PostgresError) -> [PostgresRow] {
        try await perform { session, interruption throws(PostgresError) in
            var rows: [PostgresRow] = []
            try session.ask(sql, parameters, rowByRow: false, interruption) { rows.append($0) }
            return rows
        }
    }

    /// The first value of the first row; nil where it is NULL or there is no row.
    public func value(_ sql: String, _ parameters: [String?] = []) async throws(PostgresError) -> String? {
        try await query(sql, parameters).first?[0]
    }

    /// Runs one or more statements, separated by semicolons, and ignores what they return.
    ///
    /// Without a transaction of their own they are one transaction.
    public func execute(_ sql: String) async throws(PostgresError) {
        try await perform { session, interruption throws(PostgresError) in
            try session.run(sql, interruption)
        }
    }

    /// Asks one statement and hands its rows over one by one, in constant memory.
    ///
    /// - Parameter row: Called on the session's thread; the server waits for it.
    /// - Throws: An error may come after rows have been handed over: the answer is whole only once this returns.
    public func stream(
        _ sql: String, _ parameters: [String?] = [], row: @escaping @Sendable (PostgresRow) -> Void
    ) async throws(PostgresError) {
        try await perform { session, interruption throws(PostgresError) in
            try session.ask(sql, parameters, rowByRow: true, interruption, row)
        }
    }

    /// Ends the session; further calls throw kind `closed`. Closing twice is allowed.
    public func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            queue.async { [session] in
                session.close()
                continuation.resume()
            }
        }
    }

    private func perform<Answer: Sendable>(
        _ work: @escaping @Sendable (LibpqSession, Interruption) throws(PostgresError) -> Answer
    ) async throws(PostgresError) -> Answer {
        try await Self.run(on: queue) { [session] interruption throws(PostgresError) in try work(session, interruption) }
    }

    // Blocking calls never run on Swift's cooperative pool: a serial queue brings a thread of its own.
    private static func run<Answer: Sendable>(
        on queue: DispatchQueue, _ work: @escaping @Sendable (Interruption) throws(PostgresError) -> Answer
    ) async throws(PostgresError) -> Answer {
        let interruption = Interruption()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<Answer, PostgresError>, Never>) in
                queue.async {
                    do throws(PostgresError) {
                        try interruption.check()
                        continuation.resume(returning: .success(try work(interruption)))
                    } catch {
                        continuation.resume(returning: .failure(error))
                    }
                }
            }
        } onCancel: {
            interruption.raise()
        }
        return try result.get()
    }
}

/// Whether the task that waits for a call was cancelled.
final class Interruption: Sendable {
    private let raised = Atomic(false)

    var isRaised: Bool { raised.load(ordering: .acquiring) }

    func raise() { raised.store(true, ordering: .releasing) }

    func check() throws(PostgresError) {
        if isRaised { throw PostgresError(.cancelled, message: "the question was cancelled") }
    }
}
