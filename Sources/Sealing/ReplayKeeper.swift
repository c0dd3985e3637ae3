// The statement on a standby that pauses its replay, and that resumes it where nobody else does.

import PostgresClient
import Synchronization

/// Runs until it is ended: from the moment at which it is made, replay may be paused.
final class ReplayKeeper: Sendable {
    /// Held by the control session for as long as replay is to stand still.
    private static let lock: Int64 = 0x6d75_7374_6572

    let begun = ContinuousClock.now
    private let connection: PostgresConnection
    private let control: PostgresConnection
    private let task: Task<Void, Never>
    private let state = Ending()

    private final class Ending: Sendable {
        let value = Mutex<Result<Void, any Error>?>(nil)
    }

    /// Takes over the session.
    ///
    /// - Parameters:
    ///   - control: A session that does nothing for long, so that the server sees at once where it is gone.
    ///   - limit: For how long replay may stand still.
    init(_ connection: PostgresConnection, control: PostgresConnection, limit: Duration) async throws(PostgresError) {
        let session = try await SessionMark(control)
        try await control.execute("SELECT pg_catalog.pg_advisory_lock_shared(\(Self.lock))")
        // What a client's end would do to the statement is its own work; and it must not be ended by that before.
        _ = try await connection.query(
            "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name = 'client_connection_check_interval'")
        self.connection = connection
        self.control = control
        let statement = """
            DO $muster$
            BEGIN
                PERFORM pg_catalog.pg_wal_replay_pause();
                LOOP
                    -- What it answers is otherwise that of the transaction's first question.
                    PERFORM pg_catalog.pg_stat_clear_snapshot();
                    IF NOT \(session.isThere)
                       OR pg_catalog.clock_timestamp() > pg_catalog.statement_timestamp() + interval '\(limit.milliseconds) ms' THEN
                        PERFORM pg_catalog.pg_wal_replay_resume();
                        RETURN;
                    END IF;
                    -- Let go: it has been resumed, or will be, and a pause from now on is somebody else's.
                    IF NOT EXISTS (
                        SELECT FROM pg_catalog.pg_locks
                        WHERE locktype = 'advisory' AND pid = \(session.pid)
                          AND classid::bigint = \(Self.lock >> 32) AND objid::bigint = \(Self.lock & 0xffff_ffff)) THEN
                        RETURN;
                    END IF;
                    PERFORM pg_catalog.pg_sleep(0.1);
                END LOOP;
            END $muster$
            """
        let state = state
        task = Task {
            do {
                try await connection.execute(statement)
                state.value.withLock { $0 = .success(()) }
            } catch {
                state.value.withLock { $0 = .failure(error) }
            }
        }
    }

    /// How it has ended by itself; nil: it has not.
    var ending: Result<Void, any Error>? { state.value.withLock { $0 } }

    /// Ends it without a word to replay, and its session. Calling it again changes nothing.
    func end() async {
        if ending == nil { try? await control.execute("SELECT pg_catalog.pg_advisory_unlock_shared(\(Self.lock))") }
        // Cancelling it would stand in the server's log as an error.
        for _ in 0..<40 where ending == nil { try? await Task.sleep(for: .milliseconds(50)) }
        task.cancel()
        await task.value
        await connection.close()
    }
}

extension Duration {
    /// Whole ones, one at the least.
    var milliseconds: Int64 { max(1, Int64(self / .milliseconds(1))) }
}
