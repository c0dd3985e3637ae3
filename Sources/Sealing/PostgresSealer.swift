// Makes a dump and its truth under one snapshot, so that the two describe the same instant to the row.

public import Cryptography
public import DrillModel
public import Foundation
import IntegrityChecks
public import PostgresClient

/// Backs up one database and computes the seal of the backup. It only reads from the source.
public struct PostgresSealer: Sendable {
    /// How the work is done.
    public struct Options: Sendable {
        /// The share of time, in percent, that the fingerprints may keep the source busy; 100: no pauses.
        public var loadPercent: Int
        /// Lets the fingerprints use the source's parallel workers.
        public var parallelWorkers: Bool
        /// Waits until the device has the artifact.
        public var flushed: Bool
        /// Changes the artifact's first bytes as they are written. For the lab, whose clock is not the source's.
        public var head: DumpTool.HeadFilter?
        /// Hears the table that is being read, and how many bytes of all tables are done.
        public var progress: @Sendable (_ table: String, _ completed: Int64, _ total: Int64) -> Void

        public init(
            loadPercent: Int = 100, parallelWorkers: Bool = false, flushed: Bool = true, head: DumpTool.HeadFilter? = nil,
            progress: @escaping @Sendable (_ table: String, _ completed: Int64, _ total: Int64) -> Void = { _, _, _ in }
        ) {
            self.loadPercent = loadPercent
            self.parallelWorkers = parallelWorkers
            self.flushed = flushed
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
    public init(source: PostgresConfiguration, binaries: String? = nil, options: Options = Options()) {
        tool = DumpTool(source: source, binaries: binaries)
        self.options = options
    }

    /// Writes a custom-format dump and returns it with its seal, which is not signed yet.
    ///
    /// The artifact appears under its name only when it is whole, readable by its owner only. Where this throws, there is none.
    public func seal(
        to artifact: URL, encryption: ArtifactStream.Encryption?, for purpose: Purpose
    ) async throws(SealingError) -> (artifact: URL, seal: Seal) {
        do {
            let connection = try await PostgresConnection.connect(tool.source)
            do {
                let seal = try await seal(connection, to: artifact, encryption: encryption, for: purpose)
                await connection.close()
                return (artifact, seal)
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            throw SealingError(error, doing: "sealing \(purpose.service)")
        }
    }

    private func seal(
        _ connection: PostgresConnection, to artifact: URL, encryption: ArtifactStream.Encryption?, for purpose: Purpose
    ) async throws -> Seal {
        let inventory = PostgresInventory(
            connection, options: PostgresInventory.Options(parallelWorkers: options.parallelWorkers, loadPercent: options.loadPercent),
            progress: options.progress)
        try await connection.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        // The statement's own time, not the clock after it: what was committed later than the snapshot must never be claimed.
        let rows = try await connection.query(
            """
            SELECT pg_export_snapshot(), extract(epoch FROM statement_timestamp()),
                   CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END
            """)
        guard let snapshot = rows.first?[0], let seconds = rows.first?[1].flatMap(Double.init), let lsn = rows.first?[2] else {
            throw SealingError(.source, "the source exported no snapshot", hint: "report this as a defect of muster")
        }
        // Sequences stand outside of every snapshot: the dump reads each of them at some moment between these two readings.
        let before = try await inventory.sequences()
        let (stored, took, read) = try await both(inventory, snapshot, to: artifact, encryption)
        var truth = read
        truth.identity.lsn = lsn
        do {
            let after = Dictionary(try await inventory.sequences().map { ($0.name, $0) }) { first, _ in first }
            truth.sequences = before.map { state in after[state.name].map(state.covering) ?? state }
            try await connection.execute("COMMIT")
        } catch {
            try? FileManager.default.removeItem(at: artifact)
            throw error
        }
        return Seal(
            estate: purpose.estate, service: purpose.service, backup: purpose.backup, truth: .source,
            snapshotTime: Date(timeIntervalSince1970: seconds), backupSeconds: took,
            artifact: Seal.Artifact(name: artifact.lastPathComponent, size: stored.bytesWritten, sha256: stored.sha256), postgres: truth)
    }

    private enum Part: Sendable {
        case dump(StreamedArtifact, seconds: Double)
        case truth(PostgresTruth)
    }

    /// Dump and truth side by side; where one fails, the other is given up at once, and no artifact stays.
    private func both(
        _ inventory: PostgresInventory, _ snapshot: String, to artifact: URL, _ encryption: ArtifactStream.Encryption?
    ) async throws -> (StreamedArtifact, Double, PostgresTruth) {
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask { try await dump(snapshot, to: artifact, encryption) }
            group.addTask { .truth(try await inventory.truth()) }
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
        _ snapshot: String, to artifact: URL, _ encryption: ArtifactStream.Encryption?
    ) async throws(SealingError) -> Part {
        let start = ContinuousClock.now
        let stored = try await tool.write(
            "pg_dump", ["--format=custom", "--snapshot=\(snapshot)"], database: tool.source.database, to: artifact,
            encryption: encryption, flushed: options.flushed, head: options.head)
        return .dump(stored, seconds: (ContinuousClock.now - start) / .seconds(1))
    }
}
