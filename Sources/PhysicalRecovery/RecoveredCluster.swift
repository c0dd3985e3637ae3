// What rolling a base backup forward gave.

public import DrillModel
public import Foundation
public import PostgresRecovery

/// How far recovery came, in the server's own words.
public struct RecoverableUpTo: Sendable, Hashable {
    public var lsn: UInt64?
    /// The last transaction's end, by the source's clock.
    public var time: Date?
    public var transaction: UInt64?
    /// Where that transaction's commit stands.
    public var commit: UInt64?

    /// `LSN 0/5000148, 2026-11-23 06:20:00.000000+00, transaction 741`
    public var description: String {
        let parts = [
            lsn.map { "LSN \(RecoveryTarget.text(lsn: $0))" }, time.map(RecoveryTarget.text), transaction.map { "transaction \($0)" },
        ].compactMap { $0 }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }
}

/// A base backup that was rolled forward.
public struct RecoveredCluster: Sendable {
    /// The server, or why recovery ended without one.
    public var outcome: Result<ScratchPostgres, DrillFailure>
    public var upTo: RecoverableUpTo
    public var cases: [CaseResult]
    /// Muster's own restore_command; empty where no archive was read.
    public var restoreCommand: String
    /// Segments that came from the archive.
    public var segments: Int
    /// How often replay had to wait for one.
    public var waits: Int
    /// From the server's start until it took connections.
    public var replay: Duration
    /// Whether the source's pages carry checksums.
    public var hasPageChecksums: Bool
    /// Where it became consistent: the base backup's end.
    public var consistentAt: UInt64?
    /// One line for the report.
    public var detail: String
    /// What of the archive could not be asked.
    public var unproven: [String] = []

    /// nil where recovery ended without one.
    public var server: ScratchPostgres? { try? outcome.get() }
    /// Why recovery ended without a server; nil where there is one.
    public var failure: DrillFailure? { if case .failure(let failure) = outcome { failure } else { nil } }
}
