// How far a primary had come at the moment at which it was asked.

import DrillModel
public import Foundation
public import PostgresClient
import PostgresRecovery

/// One answer of a primary.
public struct PrimaryPosition: Sendable {
    public var systemIdentifier: String
    /// Up to where its write-ahead log is written.
    public var end: UInt64
    public var snapshot: TransactionSnapshot
    /// By its own clock.
    public var clock: Date
    /// By this machine's, just before the answer.
    public var asked: ContinuousClock.Instant

    /// Asks a primary, and changes nothing there.
    ///
    /// - Returns: nil where it doesn't answer, or is no primary.
    /// - Throws: `CancellationError`.
    public static func ask(_ primary: PostgresConfiguration) async throws -> PrimaryPosition? {
        guard let connection = try? await PostgresConnection.connect(primary) else {
            try Task.checkCancellation()
            return nil
        }
        let asked = ContinuousClock.now
        let row = try? await connection.query(
            """
            SELECT (SELECT system_identifier::text FROM pg_control_system()), pg_current_wal_lsn()::text,
                   txid_current_snapshot()::text, extract(epoch FROM clock_timestamp())::text
            WHERE NOT pg_is_in_recovery()
            """
        ).first
        await connection.close()
        try Task.checkCancellation()
        guard let row, let identifier = row[0], let end = row[1].flatMap({ RecoveryTarget.lsn($0) }),
            let snapshot = row[2].flatMap(TransactionSnapshot.init), let clock = row[3].flatMap(Double.init)
        else { return nil }
        return PrimaryPosition(
            systemIdentifier: identifier, end: end, snapshot: snapshot, clock: Date(timeIntervalSince1970: clock), asked: asked)
    }
}
