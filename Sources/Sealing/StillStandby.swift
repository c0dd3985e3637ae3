// A standby whose replay stands still: of which moment it is, who reads it, and when it may go on.

import DrillModel
import Foundation
import PostgresClient
import Synchronization

final class StillStandby: Sendable {
    /// A pause of Muster's own.
    final class Pause: Sendable {
        let keeper: ReplayKeeper
        private let source: PostgresConfiguration
        private let record: @Sendable (ReplayPauseMark?) throws -> Void
        /// nil: it is over.
        private let mark: Mutex<ReplayPauseMark?>

        init(
            keeper: ReplayKeeper, source: PostgresConfiguration, record: @escaping @Sendable (ReplayPauseMark?) throws -> Void,
            mark: ReplayPauseMark
        ) {
            self.keeper = keeper
            self.source = source
            self.record = record
            self.mark = Mutex(mark)
        }

        /// Writes down where it stands still, and whether anything waits there.
        func note(replayed: String, isWaiting: Bool) throws {
            // Written with the lock held: nothing is written down once it is over.
            try mark.withLock { mark in
                guard var changed = mark, changed.replayed != replayed || isWaiting && !changed.isWaiting else { return }
                changed.replayed = replayed
                changed.isWaiting = changed.isWaiting || isWaiting
                try record(changed)
                mark = changed
            }
        }

        /// Resumes and forgets. Once that is done, a pause is somebody else's, and calling it again changes nothing.
        ///
        /// It knows nothing of a cancelled task: the standby must go on all the same.
        ///
        /// - Returns: Why nobody knows whether replay goes on; what was written down stays then.
        func end(_ control: PostgresConnection) async -> SealingError? {
            await Task { await endUncancelled(control) }.value
        }

        private func endUncancelled(_ control: PostgresConnection) async -> SealingError? {
            guard let known = mark.withLock({ $0 }) else { return nil }
            // One that has not stopped replay yet may be about to, just now.
            if known.replayed == nil { await keeper.end() }
            let problem = await ReplayResumption(source: source, mark: known).run(first: control)
            await keeper.end()
            guard problem == nil else { return problem }
            mark.withLock { mark in
                mark = nil
                try? record(nil)
            }
            return nil
        }
    }

    private let control: PostgresConnection
    /// nil: somebody else has paused it.
    private let pause: Pause?
    private let cost = Mutex<Seal.Standby?>(nil)
    /// The LSN up to which it has replayed.
    let replayed: String
    /// The primary's clock at the last thing replayed that tells it: a commit, or the checkpoint that the standby would restart from.
    ///
    /// The standby's own clock says nothing of how old its contents are.
    let time: Date
    /// Whether a session that reads for long may live on while replay goes on, by the standby's settings.
    let sparesLongReaders: Bool

    init(_ control: PostgresConnection, _ pause: Pause?) async throws {
        self.control = control
        self.pause = pause
        let row = try await control.query(
            """
            SELECT pg_catalog.pg_last_wal_replay_lsn()::text,
                   extract(epoch FROM greatest(pg_catalog.pg_last_xact_replay_timestamp(),
                       (SELECT checkpoint_time FROM pg_catalog.pg_control_checkpoint())))::text,
                   pg_catalog.current_setting('hot_standby_feedback') = 'on'
                   OR pg_catalog.current_setting('max_standby_streaming_delay') = '-1'
            """
        ).first
        guard let row, let replayed = row[0], let seconds = row[1].flatMap(Double.init) else {
            throw SealingError(
                .source, "nothing says of which moment the standby is", hint: "seal once a commit was replayed since the standby's start")
        }
        self.replayed = replayed
        try pause?.note(replayed: replayed, isWaiting: false)
        // No later than it was: what is written has milliseconds.
        time = Date(timeIntervalSince1970: (seconds * 1000).rounded(.down) / 1000)
        sparesLongReaders = row[2] == "t"
    }

    /// Whether it may have moved on: ``letGo()`` was called.
    var isFree: Bool { cost.withLock { $0 != nil } }

    /// Lets replay go on, once nothing is read any more that no snapshot holds. Calling it again changes nothing.
    ///
    /// - Returns: What it cost the standby.
    /// - Throws: ``SealingError`` where it has moved before, so that what was read is of no one moment; or where nobody can tell that it goes on.
    @discardableResult
    func letGo() async throws -> Seal.Standby {
        if let cost = cost.withLock({ $0 }) { return cost }
        if let problem = try await problem() { throw problem }
        let waiting = try await waiting()
        let cost = Seal.Standby(
            pausedSeconds: pause.map { $0.keeper.begun.duration(to: .now) / .seconds(1) } ?? 0, waitingBytes: waiting,
            pausedByOthers: pause == nil)
        self.cost.withLock { $0 = cost }
        if let problem = await pause?.end(control) { throw problem }
        return cost
    }

    /// What is wrong where it has not stood still until now.
    func problem() async throws -> SealingError? {
        let row = try await control.query("SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_last_wal_replay_lsn()::text").first
        guard row?[0] != "t" || row?[1] != replayed else {
            if let pause, try await waiting() > 0 { try pause.note(replayed: replayed, isWaiting: true) }
            return nil
        }
        return Self.moved
    }

    static let moved = SealingError(
        .source, "the standby did not stand still for its backup: its replay was resumed, or it was promoted",
        hint: "seal again: what was read so far is of no one moment")

    /// Bytes that have come in and wait to be replayed.
    private func waiting() async throws -> Int64 {
        try await control.value(
            """
            SELECT pg_catalog.pg_wal_lsn_diff(
                greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()),
                pg_catalog.pg_last_wal_replay_lsn())::bigint::text
            """
        ).flatMap { Int64($0) } ?? 0
    }

    /// Runs work that opens a session of that name, and looks whether it is on this very server.
    ///
    /// Behind one address there can be several standbys, each at a moment of its own.
    func hosting<Value: Sendable>(
        _ applicationName: String, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> (Value, seen: Bool) {
        let seen = Task { try await sees(applicationName) }
        defer { seen.cancel() }
        let value = try await work()
        seen.cancel()
        return (value, (try? await seen.value) ?? false)
    }

    /// Waits for a session; false where the wait was given up before.
    private func sees(_ applicationName: String) async throws -> Bool {
        while !Task.isCancelled {
            let count = try await control.value(
                "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE application_name = $1", [applicationName])
            if count != "0" { return true }
            try await Task.sleep(for: .milliseconds(2))
        }
        return false
    }
}
