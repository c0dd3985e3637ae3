// Seals a moment of a source: all that it held under one snapshot, and where that lies in its write-ahead log.

import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient

/// Reads a database under one snapshot, for a physical backup that is rolled forward to it later. It only reads from the source; a standby's
/// replay stands still meanwhile.
struct MomentSealer: Sendable {
    var source: PostgresConfiguration
    var options: PostgresSealer.Options

    /// How often a snapshot is taken anew where tables came or went right then.
    private static let attempts = 5
    /// How long a session may wait for a table that somebody holds.
    private static let lockPatience = "60s"
    /// How long a commit usually waits for its flush, at the most.
    private static let flushPatience = Duration.milliseconds(50)

    /// - Parameter name: The file that the seal will be.
    /// - Returns: The seal, which is not signed yet.
    func seal(named name: String, for purpose: PostgresSealer.Purpose) async throws(SealingError) -> Seal {
        do {
            return try await RecoveryConflict.outlasting { try await attempt(named: name, for: purpose) }
        } catch {
            throw SealingError(error, doing: "sealing a moment of \(purpose.service)")
        }
    }

    private func attempt(named name: String, for purpose: PostgresSealer.Purpose) async throws -> Seal {
        let connection: PostgresConnection
        do {
            connection = try await SourceSession.open(source)
        } catch {
            throw RecoveryConflict(error, orLost: true) ?? error
        }
        do {
            let seal = try await seal(connection, named: name, for: purpose)
            await connection.close()
            return seal
        } catch {
            await connection.close()
            throw error
        }
    }

    private func seal(_ connection: PostgresConnection, named name: String, for purpose: PostgresSealer.Purpose) async throws -> Seal {
        try await requireDirect(connection)
        let begun = ContinuousClock.now
        let isStandby = try await connection.value("SELECT pg_catalog.pg_is_in_recovery()") == "t"
        let inventory = PostgresInventory(
            connection,
            options: PostgresInventory.Options(
                parallelWorkers: options.parallelWorkers, loadPercent: options.loadPercent, isStandby: true),
            progress: options.progress)
        let (read, cost) = isStandby ? try await ofStandby(connection, inventory) : (try await ofPrimary(connection, inventory), nil)
        var seal = Seal(
            estate: purpose.estate, service: purpose.service, backup: purpose.backup, truth: .source, snapshotTime: read.time,
            backupSeconds: (ContinuousClock.now - begun) / .seconds(1), artifact: Seal.Artifact(name: name, size: 0, sha256: ""),
            standby: cost, postgres: read.truth)
        seal.hold(read.moment)
        return seal
    }

    /// What was read, and of which moment.
    private struct Read: Sendable {
        var time: Date
        var truth: PostgresTruth
        var moment: Seal.Moment
    }

    /// Sessions of a pool are handed from one to the next: what is set in one, and what is locked by it, would be somebody else's.
    private func requireDirect(_ connection: PostgresConnection) async throws {
        guard try await connection.value("SELECT pg_catalog.pg_backend_pid()") != String(connection.backendPID) else { return }
        throw SealingError(
            .source, "between Muster and the source stands a pool, such as PgBouncer, and its sessions are nobody's own",
            hint: "name the server itself as source of the service: its own host and port")
    }

    // MARK: A primary

    private func ofPrimary(_ connection: PostgresConnection, _ inventory: PostgresInventory) async throws -> Read {
        guard try await connection.value("SELECT pg_catalog.current_setting('wal_level')") != "minimal" else {
            throw SealingError(
                .source, "the source runs with wal_level = minimal: its log can't be archived, and nothing can be rolled forward by it",
                hint: "set wal_level = replica and archive_mode = on there, restart it, and take a base backup")
        }
        let control = try await SourceSession.open(source)
        do {
            guard try await ServerMark(control) == (try await ServerMark(connection)) else { throw ReplayPause.severalServers }
            let read = try await ofPrimary(connection, control, inventory)
            await control.close()
            return read
        } catch {
            await control.close()
            throw error
        }
    }

    private func ofPrimary(
        _ connection: PostgresConnection, _ control: PostgresConnection, _ inventory: PostgresInventory
    ) async throws -> Read {
        let around = PostgresInventory(control, options: PostgresInventory.Options(isStandby: true))
        for _ in 0..<Self.attempts {
            guard let begun = try await begin(connection, inventory, control, around) else {
                try await connection.execute("ROLLBACK")
                continue
            }
            var truth = try await inventory.truth()
            try await addRoles(to: &truth, connection)
            truth.answers = try await options.answers(inventory, of: truth.identity.database)
            truth.sequences = begun.sequences
            truth.identity.lsn = begun.moment.after
            try await connection.execute("COMMIT")
            return Read(time: begun.time, truth: truth, moment: begun.moment)
        }
        throw SealingError(
            .source, "tables came, went or were replaced each time that a snapshot was taken", hint: "seal when nobody changes the schema")
    }

    private struct Begun {
        var time: Date
        var moment: Seal.Moment
        var sequences: [SequenceState]
    }

    /// Takes the snapshot, with every table held: what somebody truncates or rewrites behind it would be lost to it otherwise.
    ///
    /// - Returns: nil where the tables were others by then.
    private func begin(
        _ connection: PostgresConnection, _ inventory: PostgresInventory, _ control: PostgresConnection, _ around: PostgresInventory
    ) async throws -> Begun? {
        let tables = try await inventory.tables()
        try await connection.execute(ClusterSnapshots.begin)
        guard try await lock(tables, connection) else { return nil }
        let earlier = try await control.value("SELECT pg_catalog.pg_current_wal_insert_lsn()")
        let waiting = try await waiting(control)
        let sequences = try await around.sequences()
        // A commit stands in the log before it is seen, for as long as its flush takes: what is written by now is seen by then, as a rule.
        try await Task.sleep(for: Self.flushPatience)
        let row = try await connection.query(
            """
            SELECT pg_catalog.pg_current_snapshot(), extract(epoch FROM pg_catalog.statement_timestamp()),
                   pg_catalog.pg_current_wal_insert_lsn()
            """
        ).first
        guard let before = earlier, var snapshot = row?[0].flatMap({ Seal.Moment.Snapshot($0) }),
            let seconds = row?[1].flatMap(Double.init), let after = row?[2],
            let file = try await control.value("SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn())"),
            let timeline = UInt32(file.prefix(8), radix: 16)
        else { throw SealingError(.source, "the source doesn't say what its snapshot holds", hint: "report this as a defect of muster") }
        // What was handed out until right behind the snapshot is no fault, and the log runs ahead of it.
        let later = Dictionary(try await around.sequencesOnceRecovered().map { ($0.name, $0) }) { first, _ in first }
        let now = try await inventory.tables()
        guard now.map(\.name) == tables.map(\.name) else { return nil }
        snapshot.waiting = waiting.map { $0.map(snapshot.full).sorted() }
        return Begun(
            // No later than it was: what is written has milliseconds.
            time: Date(timeIntervalSince1970: (seconds * 1000).rounded(.down) / 1000),
            moment: Seal.Moment(
                timeline: timeline, before: before, after: after, snapshot: snapshot, unlogged: now.filter(\.isUnlogged).map(\.name)),
            sequences: sequences.map { state in later[state.name].map(state.covering) ?? state })
    }

    /// Neither of these takes a snapshot.
    ///
    /// - Returns: false where one of the tables has gone.
    private func lock(_ tables: [TableReference], _ connection: PostgresConnection) async throws -> Bool {
        do {
            try await connection.execute("SET LOCAL lock_timeout = '\(Self.lockPatience)'")
            for start in stride(from: 0, to: tables.count, by: 500) {
                let part = tables[start..<min(start + 500, tables.count)].map { "ONLY " + SQL.identifier($0.schema, $0.table) }
                try await connection.execute("LOCK TABLE \(part.joined(separator: ", ")) IN ACCESS SHARE MODE")
            }
            try await connection.execute("SET LOCAL lock_timeout = 0")
            return true
        } catch {
            switch error.sqlState {
            case "42P01": return false
            case "55P03":
                throw SealingError(
                    .source, "a table is held by somebody for longer than \(Self.lockPatience), and can't be read before that ends",
                    hint: "see pg_locks for what holds an ACCESS EXCLUSIVE lock, and seal when it has gone")
            default: throw error
            }
        }
    }

    /// Whose commit waits for a synchronous standby just now; nil where that isn't told.
    private func waiting(_ control: PostgresConnection) async throws -> [UInt32]? {
        let row = try await control.query(
            """
            SELECT pg_catalog.current_setting('synchronous_standby_names') <> '',
                   pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
            """
        ).first
        guard row?[0] == "t" else { return [] }
        guard row?[1] == "t" else { return nil }
        let sessions = try await control.query(
            "SELECT backend_xid::text FROM pg_catalog.pg_stat_activity WHERE wait_event = 'SyncRep'")
        let numbers = sessions.map { $0[0].flatMap { UInt32($0) } }
        // Who commits what was prepared has no transaction of its own.
        return numbers.contains(nil) ? nil : numbers.compactMap { $0 }
    }

    /// A recovery brings all of the cluster's roles back, not only those that the database names.
    private func addRoles(to truth: inout PostgresTruth, _ connection: PostgresConnection) async throws {
        truth.objects = truth.objects.filter { !SchemaDiff.isOfCluster($0) } + (try await ClusterRoles.read(connection))
    }

    // MARK: A standby

    /// All of it is read while nothing changes: so the moment is where replay stood.
    private func ofStandby(
        _ connection: PostgresConnection, _ inventory: PostgresInventory
    ) async throws -> (Read, Seal.Standby) {
        let pause = ReplayPause(
            source: source, limit: options.maxPause, limitHint: "allow more with --max-pause", record: options.recordPause)
        let (read, cost) = try await pause.during(connection) { standby in
            try await connection.execute(ClusterSnapshots.begin)
            let unlogged = try await inventory.tables().filter(\.isUnlogged).map(\.name)
            let timeline = try await connection.value(
                """
                SELECT coalesce((SELECT received_tli FROM pg_catalog.pg_stat_get_wal_receiver()),
                    nullif((SELECT min_recovery_end_timeline FROM pg_catalog.pg_control_recovery()), 0),
                    (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()))::text
                """
            ).flatMap { UInt32($0) }
            guard let timeline else {
                throw SealingError(.source, "the standby doesn't say which timeline it follows", hint: "report this as a defect of muster")
            }
            let early = options.pause.map { $0 == .snapshot } ?? standby.sparesLongReaders
            var truth = try await inventory.truth { if early { try await standby.letGo() } }
            truth.identity.lsn = standby.replayed
            try await addRoles(to: &truth, connection)
            truth.answers = try await options.answers(inventory, of: truth.identity.database)
            try await connection.execute("COMMIT")
            return Read(
                time: standby.time, truth: truth,
                moment: Seal.Moment(
                    timeline: timeline, before: standby.replayed, after: standby.replayed, snapshot: nil, unlogged: unlogged))
        }
        return (read, cost)
    }
}
