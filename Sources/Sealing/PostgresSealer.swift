// Makes a dump and its truth of one state, so that the two describe the same instant to the row: under one snapshot, or of a standby that
// stands still.

public import Cryptography
public import DrillModel
public import Foundation
import IntegrityChecks
import OutsideTools
public import PostgresClient
import Synchronization

/// Backs up one database and computes the seal of the backup. It only reads from the source; a standby's replay stands still meanwhile.
public struct PostgresSealer: Sendable {
    /// How the work is done.
    public struct Options: Sendable {
        /// The share of time, in percent, that the fingerprints may keep the source busy; 100: no pauses.
        public var loadPercent: Int
        /// Lets the fingerprints use the source's parallel workers.
        public var parallelWorkers: Bool
        /// Waits until the device has the artifact.
        public var flushed: Bool
        /// What a standby stands still for.
        public enum Pause: String, Sendable, Hashable, CaseIterable {
            /// Until both sessions have their snapshots and have read all that no snapshot holds.
            case snapshot
            /// Until the dump is written and every row is read.
            case dump
        }
        /// nil: for the snapshot where the standby's settings spare those who read for long, otherwise for the dump.
        public var pause: Pause?
        /// For how long a standby's replay may stand still.
        public var maxPause: Duration
        /// Writes down what must be undone where this process is killed, before a standby's replay is paused; nil: nothing any more.
        public var recordPause: @Sendable (ReplayPauseMark?) throws -> Void
        /// Hears that pg_dump writes what only servers of the source's own minor release restore; nil: that ends the sealing.
        public var olderClient: (@Sendable (SealingError) -> Void)?
        /// What a drill file's sealed queries ask, by the database that each names; nil: the one that is sealed.
        public var questions: [(database: String?, question: SealedQuestion)] = []
        /// Hears of a question that could not be answered: the seal lacks it.
        public var unanswered: @Sendable (SealedQuestion, PostgresError) -> Void = { _, _ in }
        /// Changes the artifact's first bytes as they are written. For the lab, whose clock is not the source's.
        public var head: DumpTool.HeadFilter?
        /// Hears the table that is being read, and how many bytes of all tables are done.
        public var progress: @Sendable (_ table: String, _ completed: Int64, _ total: Int64) -> Void

        public init(
            loadPercent: Int = 100, parallelWorkers: Bool = false, flushed: Bool = true, pause: Pause? = nil,
            maxPause: Duration = .seconds(1800),
            recordPause: @escaping @Sendable (ReplayPauseMark?) throws -> Void = { _ in },
            olderClient: (@Sendable (SealingError) -> Void)? = nil, head: DumpTool.HeadFilter? = nil,
            progress: @escaping @Sendable (_ table: String, _ completed: Int64, _ total: Int64) -> Void = { _, _, _ in }
        ) {
            self.loadPercent = loadPercent
            self.parallelWorkers = parallelWorkers
            self.flushed = flushed
            self.pause = pause
            self.maxPause = maxPause
            self.recordPause = recordPause
            self.olderClient = olderClient
            self.head = head
            self.progress = progress
        }
    }

    /// What the seal is for, by the names in the estate file.
    public struct Purpose: Sendable, Hashable {
        public var estate: String
        public var service: String
        public var backup: String

        public init(estate: String, service: String, backup: String) {
            self.estate = estate
            self.service = service
            self.backup = backup
        }
    }

    public var tool: DumpTool
    public var options: Options

    /// - Parameters:
    ///   - source: The database, reached as a user who may read all of it.
    ///   - binaries: The folder that holds pg_dump; nil: by PATH.
    ///   - ownership: See ``DumpTool/ownership``.
    ///   - folder: See ``DumpTool/folder``.
    public init(
        source: PostgresConfiguration, binaries: String? = nil, ownership: [String: String] = [:],
        folder: URL = FileManager.default.temporaryDirectory, options: Options = Options()
    ) {
        tool = DumpTool(source: source, binaries: binaries, ownership: ownership, folder: folder)
        self.options = options
    }

    /// Writes a custom-format dump and returns it with its seal, which is not signed yet.
    ///
    /// The artifact appears under its name only when it is whole, readable by its owner only. Where this throws, there is none.
    public func seal(
        to artifact: URL, encryption: ArtifactStream.Encryption?, for purpose: Purpose
    ) async throws(SealingError) -> (artifact: URL, seal: Seal) {
        let isTold = Mutex(false)
        let warn: @Sendable (SealingError) throws -> Void = { finding in
            guard let hear = options.olderClient else { throw finding }
            let isFirst = isTold.withLock { told in
                defer { told = true }
                return !told
            }
            if isFirst { hear(finding) }
        }
        do {
            return (
                artifact,
                try await RecoveryConflict.outlasting { try await attempt(to: artifact, encryption: encryption, for: purpose, warn) }
            )
        } catch {
            throw SealingError(error, doing: "sealing \(purpose.service)")
        }
    }

    private func attempt(
        to artifact: URL, encryption: ArtifactStream.Encryption?, for purpose: Purpose,
        _ warn: @Sendable (SealingError) throws -> Void
    ) async throws -> Seal {
        let connection: PostgresConnection
        do {
            connection = try await SourceSession.open(tool.source)
        } catch {
            throw RecoveryConflict(error, orLost: true) ?? error
        }
        do {
            let seal = try await seal(connection, to: artifact, encryption: encryption, for: purpose, warn)
            await connection.close()
            return seal
        } catch {
            await connection.close()
            throw error
        }
    }

    private func seal(
        _ connection: PostgresConnection, to artifact: URL, encryption: ArtifactStream.Encryption?, for purpose: Purpose,
        _ warn: @Sendable (SealingError) throws -> Void
    ) async throws -> Seal {
        let isStandby: Bool
        do {
            if let finding = try await OlderClient(tool: tool).finding(connection) { try warn(finding) }
            isStandby = try await connection.value("SELECT pg_catalog.pg_is_in_recovery()") == "t"
        } catch {
            throw RecoveryConflict(error, orLost: true) ?? error
        }
        let inventory = PostgresInventory(
            connection,
            options: PostgresInventory.Options(
                parallelWorkers: options.parallelWorkers, loadPercent: options.loadPercent, isStandby: isStandby),
            progress: options.progress)
        let (backup, standby) =
            isStandby
            ? try await ofStandby(connection, inventory, to: artifact, encryption)
            : (try await ofPrimary(connection, inventory, to: artifact, encryption), nil)
        return Seal(
            estate: purpose.estate, service: purpose.service, backup: purpose.backup, truth: .source, snapshotTime: backup.time,
            backupSeconds: backup.seconds,
            artifact: Seal.Artifact(name: artifact.lastPathComponent, size: backup.stored.bytesWritten, sha256: backup.stored.sha256),
            standby: standby, postgres: backup.truth)
    }

    /// A dump, and what it holds.
    private struct Backup: Sendable {
        /// Of which it is.
        var time: Date
        var stored: StreamedArtifact
        /// How long it took.
        var seconds: Double
        var truth: PostgresTruth
    }

    /// Dump and truth under one snapshot, which their two sessions share.
    private func ofPrimary(
        _ connection: PostgresConnection, _ inventory: PostgresInventory, to artifact: URL, _ encryption: ArtifactStream.Encryption?
    ) async throws -> Backup {
        try await connection.execute(Self.begin)
        // The statement's own time, not the clock after it: what was committed later than the snapshot must never be claimed.
        let rows = try await connection.query(
            "SELECT pg_export_snapshot(), extract(epoch FROM statement_timestamp()), pg_current_wal_lsn()")
        guard let snapshot = rows.first?[0], let seconds = rows.first?[1].flatMap(Double.init), let lsn = rows.first?[2] else {
            throw SealingError(.source, "the source exported no snapshot", hint: "report this as a defect of muster")
        }
        // No later than it was: what is written has milliseconds.
        let time = Date(timeIntervalSince1970: (seconds * 1000).rounded(.down) / 1000)
        return try await backUp(connection, inventory, of: time, lsn: lsn, to: artifact) {
            do throws(SealingError) {
                return try await dump(tool, ["--snapshot=\(snapshot)"], to: artifact, encryption)
            } catch {
                guard error.message.contains("invalid snapshot identifier") else { throw error }
                throw ReplayPause.severalServers
            }
        }
    }

    /// Dump and truth each under a snapshot of its own, taken while nothing changes on the server.
    private func ofStandby(
        _ connection: PostgresConnection, _ inventory: PostgresInventory, to artifact: URL, _ encryption: ArtifactStream.Encryption?
    ) async throws -> (Backup, Seal.Standby) {
        let pause = ReplayPause(
            source: tool.source, limit: options.maxPause,
            limitHint: "allow more with --max-pause"
                + (options.pause == .snapshot ? "" : ", or less of a standstill with --pause snapshot"),
            record: options.recordPause)
        var dumping = tool
        // No other session has this name.
        dumping.source.applicationName = "muster seal \(String(UInt64.random(in: 0 ... .max), radix: 36))"
        let named = dumping
        let isWritten = Mutex(false)
        let hasBegun = Mutex(false)
        let isEarly = Mutex(false)
        do {
            let ((backup, unlogged), cost) = try await pause.during(connection) { standby in
                hasBegun.withLock { $0 = true }
                try await connection.execute(Self.begin)
                let unlogged = try await inventory.tables().filter(\.isUnlogged).map(\.name)
                let early = options.pause.map { $0 == .snapshot } ?? standby.sparesLongReaders
                isEarly.withLock { $0 = early }
                // Whoever comes last lets it go.
                let waiting = Mutex(early ? 2 : 0)
                let isReady: @Sendable () async throws -> Void = {
                    let isLast = waiting.withLock { count in
                        count -= 1
                        return count == 0
                    }
                    if isLast { try await standby.letGo() }
                }
                let backup = try await backUp(
                    connection, inventory, of: standby.time, lsn: standby.replayed, to: artifact, beforeRows: isReady
                ) {
                    let (part, seen) = try await standby.hosting(named.source.applicationName) {
                        try await dump(named, [], to: artifact, encryption, begun: isReady)
                    }
                    isWritten.withLock { $0 = true }
                    guard seen else { throw Self.notSeen }
                    return part
                }
                return (backup, unlogged)
            }
            var standby = cost
            standby.unlogged = unlogged
            return (backup, standby)
        } catch {
            guard hasBegun.withLock({ $0 }) else { throw RecoveryConflict(error, orLost: true) ?? error }
            if isWritten.withLock({ $0 }) { try? FileManager.default.removeItem(at: artifact) }
            let isLost = (error as? PostgresError)?.kind == .connectionLost
            let isConflict = SealingError(error, doing: "").message.contains("conflict with recovery")
            // As it stands it would be tried again, and something has been read.
            guard isEarly.withLock({ $0 }), isLost || isConflict else {
                throw error is PostgresError ? SealingError(error, doing: "sealing a standby") : error
            }
            throw SealingError(
                .source, "the standby ended a session that read it: what it replays may remove what is being read",
                hint:
                    "let it stand still for all of the dump with --pause dump, or set hot_standby_feedback = on there; its log has the reason"
            )
        }
    }

    private static let notSeen = SealingError(
        .source, "pg_dump was not seen on the standby that stood still for it",
        hint: "name one server as source: not an address that hands sessions out to several, nor a pool of sessions")

    private static let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

    private func backUp(
        _ connection: PostgresConnection, _ inventory: PostgresInventory, of time: Date, lsn: String, to artifact: URL,
        beforeRows: @escaping @Sendable () async throws -> Void = {}, dump: @escaping @Sendable () async throws -> Part
    ) async throws -> Backup {
        // Sequences stand outside of every snapshot: the dump reads each of them at some moment between these two readings.
        let before = try await inventory.sequences()
        let (stored, took, read) = try await both({ .truth(try await inventory.truth(beforeRows: beforeRows)) }, dump, to: artifact)
        var truth = read
        truth.identity.lsn = lsn
        do {
            truth.answers = try await options.answers(inventory, of: truth.identity.database)
            let after = Dictionary(try await inventory.sequences().map { ($0.name, $0) }) { first, _ in first }
            truth.sequences = before.map { state in after[state.name].map(state.covering) ?? state }
            try await connection.execute("COMMIT")
        } catch {
            try? FileManager.default.removeItem(at: artifact)
            throw error
        }
        return Backup(time: time, stored: stored, seconds: took, truth: truth)
    }

    private enum Part: Sendable {
        case dump(StreamedArtifact, seconds: Double)
        case truth(PostgresTruth)
    }

    /// Dump and truth side by side; where one fails, the other is given up at once, and no artifact stays.
    private func both(
        _ truth: @escaping @Sendable () async throws -> Part, _ dump: @escaping @Sendable () async throws -> Part, to artifact: URL
    ) async throws -> (StreamedArtifact, Double, PostgresTruth) {
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask { try await dump() }
            group.addTask { try await truth() }
            var dumped: (StreamedArtifact, Double)?
            var truth: PostgresTruth?
            var failure: (any Error)?
            while let part = await group.nextResult() {
                switch part {
                case .success(.dump(let stored, let seconds)): dumped = (stored, seconds)
                case .success(.truth(let read)): truth = read
                case .failure(let error):
                    // The first one is the cause; what follows was cancelled for it.
                    failure = failure ?? error
                    group.cancelAll()
                }
            }
            if let failure {
                if dumped != nil { try? FileManager.default.removeItem(at: artifact) }
                throw failure
            }
            guard let dumped, let truth else { throw CancellationError() }
            return (dumped.0, dumped.1, truth)
        }
    }

    private func dump(
        _ tool: DumpTool, _ arguments: [String], to artifact: URL, _ encryption: ArtifactStream.Encryption?,
        begun: (@Sendable () async throws -> Void)? = nil
    ) async throws(SealingError) -> Part {
        let start = ContinuousClock.now
        let stored = try await tool.write(
            PgDump.archive(arguments), database: tool.source.database, to: artifact, encryption: encryption,
            flushed: options.flushed, head: options.head, begun: begun)
        return .dump(stored, seconds: (ContinuousClock.now - start) / .seconds(1))
    }
}

extension PostgresSealer.Options {
    /// What a database answers, within the transaction that it is read in; nil where nothing is asked of it.
    ///
    /// - Parameter isMain: Whether what names no database is meant for it.
    func answers(
        _ inventory: PostgresInventory, of database: String, isMain: Bool = true
    ) async throws(PostgresError) -> [SealedAnswer]? {
        let asked = questions.filter { $0.database == database || $0.database == nil && isMain }.map(\.question)
        return asked.isEmpty ? nil : try await inventory.answers(to: asked, hear: unanswered)
    }
}
