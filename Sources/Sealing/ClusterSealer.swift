// Makes a backup of a whole cluster, as pg_dumpall writes it, and its truth: each database under a snapshot that its dump and its
// fingerprints share.

import Cryptography
import DrillModel
import Foundation
import IntegrityChecks
import OutsideTools
import PostgresClient
import Synchronization

/// Backs up all databases of a primary, and computes the seal of the backup. It only reads from the source.
struct ClusterSealer: Sendable {
    /// Its source's database is the one that asks which others there are.
    var tool: DumpTool
    var options: PostgresSealer.Options

    /// Writes the artifact, a packed script, and returns its seal, which is not signed yet.
    ///
    /// It appears under its name only when it is whole, readable by its owner only. Where this throws, there is none.
    func seal(
        to artifact: URL, encryption: ArtifactStream.Encryption?, for purpose: PostgresSealer.Purpose
    ) async throws(SealingError) -> Seal {
        do {
            let home = try await SourceSession.open(tool.source)
            do {
                let seal = try await seal(home, to: artifact, encryption, for: purpose)
                await home.close()
                return seal
            } catch {
                await home.close()
                throw error
            }
        } catch {
            throw SealingError(error, doing: "sealing \(purpose.service)")
        }
    }

    private func seal(
        _ home: PostgresConnection, to artifact: URL, _ encryption: ArtifactStream.Encryption?, for purpose: PostgresSealer.Purpose
    ) async throws -> Seal {
        guard try await home.value("SELECT pg_catalog.pg_is_in_recovery()") != "t" else { throw Self.standby }
        let isTold = Mutex(false)
        let snapshots = try await ClusterSnapshots.take(home, from: tool.source) { connection, database in
            var tool = tool
            tool.source.database = database
            guard let finding = try await OlderClient(tool: tool).finding(connection) else { return }
            guard let hear = options.olderClient else { throw finding }
            let isFirst = isTold.withLock { told in
                defer { told = true }
                return !told
            }
            if isFirst { hear(finding) }
        }
        do {
            let begun = ContinuousClock.now
            let roles = try await ClusterRoles.read(home)
            let writer = try await EncryptingFileWriter(to: artifact, encrypting: encryption, flushed: options.flushed)
            let databases: [ClusterTruth.Database]
            let stored: StreamedArtifact
            do {
                databases = try await write(snapshots, by: home, with: writer)
                stored = try await writer.finish()
            } catch {
                await writer.abandon()
                throw error
            }
            await snapshots.close()
            let truth = ClusterTruth(databases: databases, roles: roles, omitted: snapshots.omitted)
            var seal = Seal(
                estate: purpose.estate, service: purpose.service, backup: purpose.backup, truth: .source,
                // What a database committed after the first of them may be in no other.
                snapshotTime: databases.map(\.snapshotTime).min() ?? .distantPast,
                backupSeconds: (ContinuousClock.now - begun) / .seconds(1),
                artifact: Seal.Artifact(name: artifact.lastPathComponent, size: stored.bytesWritten, sha256: stored.sha256))
            seal.hold(truth)
            return seal
        } catch {
            await snapshots.close()
            throw error
        }
    }

    private static let standby = SealingError(
        .source, "a whole cluster is sealed on its primary, and the source is a standby",
        hint: "name the primary as source; or seal the standby's databases by a series for each, without cluster: true")

    // MARK: The script

    private static let lastWords = Array("--\n-- PostgreSQL database cluster dump complete\n".utf8)

    private func write(
        _ snapshots: ClusterSnapshots, by home: PostgresConnection, with writer: EncryptingFileWriter
    ) async throws -> [ClusterTruth.Database] {
        // It holds password verifiers, and never lies on a disk in plain.
        let printed = Mutex<[UInt8]>([])
        try await tool.stream(PgDump.globals(passwords: true, by: tool.source.database), database: nil) { bytes in
            printed.withLock { $0 += bytes }
        }
        let globals = printed.withLock { $0 }
        // Its last words come last: what was cut behind the roles would seem whole.
        guard let end = globals.ranges(of: Self.lastWords).last?.lowerBound else {
            throw SealingError(.tool, "pg_dumpall ends its script with unknown words", hint: "report this as a defect of muster")
        }
        try await writer.write(StoredMember.bytes(of: globals[..<end] + Array("--\n-- Databases\n--\n\n".utf8)))
        var databases: [ClusterTruth.Database] = []
        for snapshot in snapshots.all {
            try await writer.write(StoredMember.bytes(of: Self.head(of: snapshot.database)))
            let truth = try await backUp(snapshot, with: writer)
            databases.append(ClusterTruth.Database(snapshotTime: snapshot.time, truth: truth))
        }
        try await writer.write(StoredMember.bytes(of: Array(globals[end...])))
        return databases
    }

    /// Those that every cluster has are not made.
    private static func isThere(_ database: String) -> Bool { ["template1", "postgres"].contains(database) }

    private static func head(of database: String) -> [UInt8] {
        let name = database.map { $0.isNewline ? " " : $0 }
        return Array(
            ("--\n-- Database \"" + String(name) + "\" dump\n--\n\n" + (isThere(database) ? "\\connect \(database)\n\n" : "")).utf8)
    }

    /// Dump and truth side by side; where one fails, the other is given up at once.
    private func backUp(_ snapshot: ClusterSnapshots.Snapshot, with writer: EncryptingFileWriter) async throws -> PostgresTruth {
        let inventory = PostgresInventory(
            snapshot.connection,
            options: PostgresInventory.Options(parallelWorkers: options.parallelWorkers, loadPercent: options.loadPercent),
            progress: options.progress)
        let name = snapshot.database
        do {
            // Sequences stand outside of every snapshot: the dump reads each of them at some moment between these two readings.
            let before = try await inventory.sequences()
            var truth = try await withThrowingTaskGroup(of: PostgresTruth?.self) { group in
                group.addTask {
                    let call = PgDump.packedScript(creating: !Self.isThere(name), ["--snapshot=\(snapshot.identifier)"])
                    try await tool.stream(call, database: name) { try await writer.write($0) }
                    return nil
                }
                group.addTask { try await inventory.truth() }
                var truth: PostgresTruth?
                for try await part in group { truth = truth ?? part }
                guard let truth else { throw CancellationError() }
                return truth
            }
            truth.identity.lsn = snapshot.lsn
            truth.objects.removeAll(where: SchemaDiff.isOfCluster)
            truth.answers = try await options.answers(inventory, of: name, isMain: name == tool.source.database)
            let after = Dictionary(try await inventory.sequences().map { ($0.name, $0) }) { first, _ in first }
            truth.sequences = before.map { state in after[state.name].map(state.covering) ?? state }
            // A server holds dead rows back for it no longer than it must.
            try await snapshot.connection.execute("COMMIT")
            await snapshot.connection.close()
            return truth
        } catch let error as SealingError where error.message.contains("invalid snapshot identifier") {
            throw ReplayPause.severalServers
        } catch let error as SealingError where error.kind != .cancelled {
            throw SealingError(error.kind, "the database \(name) could not be backed up: \(error.message)", hint: error.hint)
        } catch {
            throw SealingError(error, doing: "backing up the database \(name)")
        }
    }
}
