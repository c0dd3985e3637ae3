// How far a standby is behind its primary, asked of both and of nothing else; both are only read.

public import DrillModel
public import Foundation
public import PostgresClient
import PostgresRecovery

extension Rule {
    public static let standbyUnreachable = Rule("standby-unreachable")
    public static let notAStandby = Rule("not-a-standby")
    public static let standbyOfAnother = Rule("standby-of-another")
    public static let standbyUndated = Rule("standby-undated")
    public static let standbyPaused = Rule("standby-paused")
    public static let standbyNotStreaming = Rule("standby-not-streaming")
    public static let standbyChanged = Rule("standby-changed")
}

/// What a standby says of itself at one moment.
public struct StandbyState: Sendable, Hashable {
    public var systemIdentifier: String
    public var timeline: String
    /// As `server_version_num` has it: 150018.
    public var serverVersion: Int
    /// Up to where the write-ahead log has come in; nil where none was ever streamed.
    public var received: UInt64?
    public var replayed: UInt64
    /// The last replayed commit, by the primary's clock; nil where none was replayed since the standby was started.
    public var lastCommit: Date?
    public var snapshot: TransactionSnapshot
    public var serverMajor: Int { serverVersion / 10_000 }
    public var isPaused: Bool
    public var isStreaming: Bool
    /// Bytes of all databases that may be asked.
    public var size: Int64
}

/// What the primary had that its standby had not.
public struct StandbyLag: Sendable, Hashable {
    /// Written by the primary and not replayed.
    public var bytes: UInt64
    /// Written by the primary and not even received; nil where that isn't known.
    public var unreceived: UInt64?
    /// Transactions that had ended at the primary, at the most: those that were rolled back are among them.
    public var transactions: Int64
    /// How long what the primary had took to be replayed; longer than was waited for: the age of the last replayed commit.
    public var time: Duration?
    /// Whether everything was replayed while Muster waited.
    public var isCaughtUp: Bool
}

/// Asks a standby, and its primary where that can be reached.
public struct StandbyProbe: Sendable {
    /// A standby that needs longer is behind.
    static let patience: Duration = .seconds(2)

    public var standby: PostgresConfiguration
    public var service: String

    public init(standby: PostgresConfiguration, service: String) {
        self.standby = standby
        self.service = service
    }

    /// - Throws: ``DrillFailure`` (error): it can't be reached, or is no standby.
    public func state() async throws -> StandbyState {
        let connection: PostgresConnection
        do {
            connection = try await PostgresConnection.connect(standby)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw unreachable()
        }
        do {
            let state = try await state(connection)
            await connection.close()
            return state
        } catch {
            await connection.close()
            if Task.isCancelled { throw CancellationError() }
            throw error is DrillFailure ? error : unreachable()
        }
    }

    private func state(_ connection: PostgresConnection) async throws -> StandbyState {
        guard try await connection.value("SELECT pg_is_in_recovery()") == "t" else {
            throw DrillFailure.error(
                Finding(
                    .notAStandby, object: service, expected: "a server in recovery", actual: "one that takes writes",
                    message: "what the estate calls the standby is none", hint: "check standby in the estate file: has it been promoted?"))
        }
        let row = try await connection.query(
            """
            SELECT (SELECT system_identifier::text FROM pg_control_system()), (SELECT timeline_id::text FROM pg_control_checkpoint()),
                   pg_last_wal_receive_lsn()::text, pg_last_wal_replay_lsn()::text,
                   extract(epoch FROM pg_last_xact_replay_timestamp())::text, txid_current_snapshot()::text,
                   pg_is_wal_replay_paused()::text, (SELECT count(*) FROM pg_stat_wal_receiver WHERE pid IS NOT NULL)::text,
                   (SELECT sum(pg_database_size(oid)) FROM pg_database WHERE has_database_privilege(oid, 'CONNECT'))::text
            """
        ).first
        guard let row, let replayed = row[3].flatMap({ RecoveryTarget.lsn($0) }), let snapshot = row[5].flatMap(TransactionSnapshot.init)
        else { throw unreachable() }
        return StandbyState(
            systemIdentifier: row[0] ?? "", timeline: row[1] ?? "", serverVersion: connection.serverVersion,
            received: row[2].flatMap { RecoveryTarget.lsn($0) }, replayed: replayed,
            lastCommit: row[4].flatMap(Double.init).map { Date(timeIntervalSince1970: $0) }, snapshot: snapshot,
            isPaused: row[6] == "true", isStreaming: row[7] != "0", size: row[8].flatMap { Int64($0) } ?? 0)
    }

    /// How far the standby is behind.
    ///
    /// - Parameter state: What the standby said just before.
    /// - Returns: nil where the primary doesn't answer, or is no primary.
    /// - Throws: ``DrillFailure`` (failed): the standby is of another cluster; `CancellationError`.
    public func lag(of state: StandbyState, behind primary: PostgresConfiguration) async throws -> StandbyLag? {
        guard let position = try await PrimaryPosition.ask(primary) else { return nil }
        var lag = try lag(of: state, behind: position)
        lag.time = state.lastCommit.map { .seconds(max(0, position.clock.timeIntervalSince($0))) }
        // By this machine's clock alone: no two servers need to agree on the time.
        if state.replayed >= position.end {
            lag.isCaughtUp = true
            lag.time = .zero
        } else if try await replays(position.end) != nil {
            lag.isCaughtUp = true
            lag.time = position.asked.duration(to: .now)
        }
        return lag
    }

    /// How far the standby was behind a primary that is lost.
    ///
    /// What the primary did between its answer and its loss nobody knows: unless the standby shows a later commit, all of that time counts as lost.
    ///
    /// - Parameters:
    ///   - state: What the standby said just before, after the loss.
    ///   - lost: When the primary was gone.
    /// - Throws: ``DrillFailure`` (failed): the standby is of another cluster; `CancellationError`.
    public func lag(
        of state: StandbyState, behind position: PrimaryPosition, lostAt lost: ContinuousClock.Instant
    ) async throws -> StandbyLag {
        // What it has received it still replays.
        let last = state.replayed >= position.end ? state : try await replays(position.end)
        var lag = try lag(of: last ?? state, behind: position)
        lag.isCaughtUp = last != nil
        let silence = position.asked.duration(to: lost)
        // By the primary's clock, which dated both. Positive: the commit is younger than the answer.
        let commit = (last ?? state).lastCommit.map { Duration.seconds($0.timeIntervalSince(position.clock)) }
        lag.time = lag.isCaughtUp ? max(.zero, silence - max(.zero, commit ?? .zero)) : commit.map { max(.zero, silence - $0) }
        return lag
    }

    private func lag(of state: StandbyState, behind position: PrimaryPosition) throws -> StandbyLag {
        guard position.systemIdentifier == state.systemIdentifier else {
            throw DrillFailure.failed(
                Finding(
                    .standbyOfAnother, object: service, expected: "the source's system identifier", actual: "another one",
                    message: "the standby is of another cluster than the source",
                    hint: "check source and standby in the estate file, and build the standby anew from its primary"))
        }
        return StandbyLag(
            bytes: position.end > state.replayed ? position.end - state.replayed : 0,
            unreceived: state.received.map { position.end > $0 ? position.end - $0 : 0 },
            transactions: state.snapshot.ended(in: position.snapshot), time: nil, isCaughtUp: false)
    }

    /// - Returns: What the standby says once it has replayed so far; nil where it doesn't within the patience.
    private func replays(_ end: UInt64) async throws -> StandbyState? {
        let asked = ContinuousClock.now
        while asked.duration(to: .now) < Self.patience {
            let state = try await state()
            if state.replayed >= end { return state }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    private func unreachable() -> DrillFailure {
        .error(
            Finding(
                .standbyUnreachable, object: service, expected: "a standby that answers", actual: "no answer",
                message: "the standby can't be asked",
                hint: "check standby in the estate file, that it runs with hot_standby = on, and that the user may connect from here"))
    }
}
