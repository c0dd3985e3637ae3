// Has a standby stand still while a backup of it begins: its replay is paused, watched, and goes on again on every path.

import DrillModel
import Foundation
import PostgresClient

/// Pauses the replay of one standby.
///
/// Sessions of a standby must not share a snapshot: before November 2026's minors one that was exported there and imported by another
/// session took running transactions for aborted, and wrote that into the standby's pages. Where replay stands still there is nothing to
/// share: the snapshots that sessions take for themselves are all of one state.
///
/// The pause is begun, bounded and ended by one statement on the server. It ends there also where Muster is killed or its machine is lost,
/// as soon as the server has noticed that, and after ``limit`` at the latest.
struct ReplayPause: Sendable {
    /// How long replay may take to stop. It stops between two records, and one of them can be a large file that is removed.
    private static let stopPatience = Duration.seconds(60)
    private static let watchInterval = Duration.milliseconds(250)

    let source: PostgresConfiguration
    /// For how long replay may stand still.
    let limit: Duration
    /// What the limit's end is told with.
    let limitHint: String
    /// Writes down what a killed run would leave: before anything is paused, and again when more is known; nil: nothing any more.
    let record: @Sendable (ReplayPauseMark?) throws -> Void

    /// Runs work on a standby that stands still until ``StillStandby/letGo()``, and for all of the work where that isn't called.
    ///
    /// - Parameter reader: The session that reads the truth, on the standby. The pause ends where it ends.
    /// - Throws: ``SealingError``, `PostgresError`, `CancellationError`, or what the work throws. Replay goes on then, too.
    func during<Value: Sendable>(
        _ reader: PostgresConnection, _ work: @escaping @Sendable (StillStandby) async throws -> Value
    ) async throws -> (Value, Seal.Standby) {
        let control = try await SourceSession.open(source)
        do {
            let result = try await during(reader, control, work)
            await control.close()
            return result
        } catch {
            await control.close()
            throw error
        }
    }

    private func during<Value: Sendable>(
        _ reader: PostgresConnection, _ control: PostgresConnection, _ work: @escaping @Sendable (StillStandby) async throws -> Value
    ) async throws -> (Value, Seal.Standby) {
        let server = try await ServerMark(control)
        guard try await ServerMark(reader).started == server.started else { throw Self.severalServers }
        let row = try await control.query(
            """
            SELECT pg_catalog.pg_get_wal_replay_pause_state(),
                   pg_catalog.has_function_privilege('pg_catalog.pg_wal_replay_pause()', 'EXECUTE')
                   AND pg_catalog.has_function_privilege('pg_catalog.pg_wal_replay_resume()', 'EXECUTE')
            """
        ).first
        guard row?[0] == "not paused" else {
            // Somebody else's pause is neither begun nor ended here.
            try await waitUntilStill(control, nil)
            return try await watched(try await StillStandby(control, nil), nil, work)
        }
        guard row?[1] == "t" else { throw notAllowed }
        let session = try await SourceSession.open(source)
        let keeper: ReplayKeeper
        let mark: ReplayPauseMark
        do {
            guard try await ServerMark(session).started == server.started else { throw Self.severalServers }
            mark = ReplayPauseMark(server: server, keeper: try await SessionMark(session))
            try record(mark)
            keeper = try await ReplayKeeper(session, control: control, limit: limit)
        } catch {
            await session.close()
            throw error
        }
        let pause = StillStandby.Pause(keeper: keeper, source: source, record: record, mark: mark)
        do {
            try await waitUntilStill(control, keeper)
            return try await watched(try await StillStandby(control, pause), keeper, work)
        } catch {
            guard let problem = await pause.end(control) else { throw error }
            throw SealingError(error, doing: "sealing a standby").joined(by: problem)
        }
    }

    /// Runs the work, and gives it up as soon as the standby moves under it or has stood still for too long.
    private func watched<Value: Sendable>(
        _ standby: StillStandby, _ keeper: ReplayKeeper?, _ work: @escaping @Sendable (StillStandby) async throws -> Value
    ) async throws -> (Value, Seal.Standby) {
        do {
            return try await withThrowingTaskGroup(of: Value?.self) { group in
                group.addTask { try await work(standby) }
                group.addTask {
                    while !standby.isFree {
                        try await Task.sleep(for: Self.watchInterval)
                        if let problem = try await standby.problem(), !standby.isFree { throw problem }
                        if let ending = keeper?.ending, !standby.isFree { throw failure(ending, hasStopped: true) }
                    }
                    return nil
                }
                defer { group.cancelAll() }
                while let part = try await group.next() {
                    guard let value = part else { continue }
                    return (value, try await standby.letGo())
                }
                throw CancellationError()
            }
        } catch let error as SealingError where error.message == StillStandby.moved.message {
            // Where its time was up, what moved it was the keeper, which is only seen to have ended a moment later.
            guard let keeper, keeper.begun.duration(to: .now) >= limit else { throw error }
            throw keeper.ending.map { failure($0, hasStopped: true) } ?? tooLong
        }
    }

    private func waitUntilStill(_ control: PostgresConnection, _ keeper: ReplayKeeper?) async throws {
        let asked = ContinuousClock.now
        while try await control.value("SELECT pg_catalog.pg_get_wal_replay_pause_state()") != "paused" {
            if let ending = keeper?.ending { throw failure(ending, hasStopped: false) }
            guard asked.duration(to: .now) < Self.stopPatience else { throw Self.neverStopped }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    // MARK: Why it can't be done

    private func failure(_ ending: Result<Void, any Error>, hasStopped: Bool) -> any Error {
        guard case .failure(let error) = ending else { return hasStopped ? tooLong : Self.neverStopped }
        if !hasStopped, let conflict = RecoveryConflict(error) { return conflict }
        let reason = SealingError(error, doing: "")
        return SealingError(
            .source, "the statement that keeps the standby's replay paused has ended\(reason.message)",
            hint: "look into the standby's log: it is a DO statement, which takes the language plpgsql in database \(source.database)")
    }

    private var notAllowed: SealingError {
        SealingError(
            .source,
            "\(source.user) may not pause the replay of the standby at \(source.host), and what is read from one that goes on is of no one moment",
            hint: """
                on its primary, in database \(source.database): GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume() \
                TO \(SQL.identifier(source.user)); or name the primary as source
                """)
    }

    private var tooLong: SealingError {
        SealingError(
            .source,
            "the standby at \(source.host) has stood still for as long as it may, \(limit.milliseconds / 1000) s: its replay goes on, and nothing was sealed",
            hint: limitHint)
    }

    static let severalServers = SealingError(
        .source, "two sessions with the source reached two servers",
        hint: "name one server as source: not an address that hands sessions out to several, nor a pool of sessions")

    private static let neverStopped = SealingError(
        .source, "the standby's replay did not stop in time",
        hint:
            "see what it replays; with recovery_min_apply_delay it stops only when the delay of its next record is over: name another standby as source"
    )
}

extension SealingError {
    /// The first reason, and what it has left behind.
    fileprivate func joined(by problem: SealingError) -> SealingError {
        SealingError(kind, "\(message); and \(problem.message)", hint: problem.hint)
    }
}
