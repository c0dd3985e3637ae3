// A standby that ends a session which stands in its replay's way: known by its code, and outlasted while nothing has been read yet.

import PostgresClient

/// Where replay lags, `max_standby_streaming_delay` is spent before a session has even begun, and whatever it asks may be cancelled, the
/// question that would pause replay included.
public struct RecoveryConflict: Error {
    /// For how long it is tried again.
    private static let patience = Duration.seconds(60)

    /// What the standby, or libpq, said.
    let reason: any Error

    /// - Parameter orLost: Whether a session that is gone without a word counts: why it was ended then stands in the server's log alone.
    /// - Returns: nil where it is something else.
    init?(_ error: any Error, orLost: Bool = false) {
        guard let failure = error as? PostgresError else { return nil }
        guard
            failure.sqlState == "40001" || failure.message.contains("conflict with recovery")
                || orLost && failure.kind == .connectionLost
        else { return nil }
        reason = error
    }

    /// Does work again and again for as long as conflicts end it.
    ///
    /// - Parameter work: It throws a conflict only where it has read nothing: then trying again can mix no two moments.
    public static func outlasting<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        let begun = ContinuousClock.now
        while true {
            do {
                return try await work()
            } catch {
                guard let conflict = error as? RecoveryConflict ?? RecoveryConflict(error) else { throw error }
                guard begun.duration(to: .now) < patience else { throw conflict.reason }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
