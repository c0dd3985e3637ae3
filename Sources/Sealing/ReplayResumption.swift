// Lets a standby's replay go on, and nothing else: of the server that was paused, and of a pause that is Muster's.

public import PostgresClient
import ScratchHost

/// Ends one pause. Also what `muster clean` runs after a killed run.
public struct ReplayResumption: Sendable {
    /// How often, and for how long, a server is looked for behind its address.
    private static let attempts = 8
    private static let patience = Duration.seconds(20)

    public var source: PostgresConfiguration
    public var mark: ReplayPauseMark

    public init(source: PostgresConfiguration, mark: ReplayPauseMark) {
        self.source = source
        self.mark = mark
    }

    /// What became of a pause.
    public enum Outcome: Sendable {
        /// Replay goes on by this.
        case resumed
        /// It is not this pause that holds the standby, if any does.
        case over
        /// The standby is paused, and nobody can tell by whom: nothing has come in since that a replay would have shown.
        case unclear
        /// The standby could not be asked.
        case unknown(SealingError)
    }

    private enum Answer: Sendable {
        case ended(Outcome)
        case isAnother
    }

    /// Ends what is left of a killed run's pause.
    public func run() async -> Outcome { await run(first: nil, isOwn: false) }

    /// Ends a pause of this run.
    ///
    /// - Parameter first: A session that may still be open.
    /// - Returns: Why nobody knows whether replay goes on; nil: it does.
    func run(first: PostgresConnection) async -> SealingError? {
        if case .unknown(let problem) = await run(first: first, isOwn: true) { problem } else { nil }
    }

    private func run(first: PostgresConnection?, isOwn: Bool) async -> Outcome {
        if let first, case .ended(let outcome)? = try? await limited({ try await end(first, isOwn: isOwn) }) { return outcome }
        var why: String?
        let asked = ContinuousClock.now
        for attempt in 0..<Self.attempts where asked.duration(to: .now) < Self.patience {
            if attempt > 0 { try? await Task.sleep(for: .milliseconds(250)) }
            do {
                if case .ended(let outcome) = try await limited({ try await endAnew(isOwn: isOwn) }) { return outcome }
                why = nil
            } catch {
                why = (error as? PostgresError)?.message ?? "it doesn't answer"
            }
        }
        return .unknown(
            SealingError(
                .source,
                "the replay of the standby at \(source.host) may still be paused: \(why ?? "its address leads to other servers")",
                hint: "let it be reached and run muster clean; or run on that standby, unless it replays: SELECT pg_wal_replay_resume()"))
    }

    /// A session with a server that is out of reach would wait for as long as its network does.
    private func limited(_ question: @escaping @Sendable () async throws -> Answer) async throws -> Answer {
        guard let answer = try await TimeLimit.run(.seconds(10), question) else { throw CancellationError() }
        return answer
    }

    private func endAnew(isOwn: Bool) async throws(PostgresError) -> Answer {
        let connection = try await PostgresConnection.connect(source)
        do throws(PostgresError) {
            let answer = try await end(connection, isOwn: isOwn)
            await connection.close()
            return answer
        } catch {
            await connection.close()
            throw error
        }
    }

    private func end(_ connection: PostgresConnection, isOwn: Bool) async throws(PostgresError) -> Answer {
        let server = try await ServerMark(connection)
        // Started anew at the same place: no pause outlives that.
        guard server.started == mark.server.started else {
            return server.address == mark.server.address ? .ended(.over) : .isAnother
        }
        let row = try await connection.query(
            """
            SELECT pg_catalog.pg_is_in_recovery(),
                   CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_get_wal_replay_pause_state() END,
                   pg_catalog.pg_last_wal_replay_lsn()::text, \(mark.keeper.isThere)
            """
        ).first
        guard let row, row[0] == "t", row[1] != "not paused" else { return .ended(.over) }
        let hasKeeper = row[3] == "t"
        // It has moved since: this pause is somebody else's.
        if let replayed = mark.replayed, row[2] != replayed { return .ended(.over) }
        guard isOwn || hasKeeper || mark.isWaiting else { return .ended(.unclear) }
        do throws(PostgresError) {
            try await connection.execute("SELECT pg_catalog.pg_wal_replay_resume()")
        } catch {
            // Promoted in between: it has ended every pause.
            guard try await connection.value("SELECT pg_catalog.pg_is_in_recovery()") == "f" else { throw error }
        }
        // Of a killed run, and it would end somebody else's pause later.
        if hasKeeper, !isOwn {
            _ = try? await connection.value(
                "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = \(mark.keeper.pid) AND \(mark.keeper.isThere)"
            )
        }
        return .ended(.resumed)
    }
}
