// How far a Redis primary had come in its replication history at the moment at which it was asked.

import RedisClient

/// One answer of a primary.
public struct ReplicationPosition: Sendable {
    var history: String
    /// Bytes of the history that it had sent.
    public var offset: Int64
    /// The history that it went on from when it was promoted, and up to where.
    var before: (history: String, end: Int64)?
    /// By this machine's clock, just before the answer.
    public var asked: ContinuousClock.Instant

    /// Asks a primary, and changes nothing there.
    ///
    /// - Returns: nil where it doesn't answer, or is no primary.
    /// - Throws: `CancellationError`.
    public static func ask(_ primary: LiveRedis) async throws -> ReplicationPosition? {
        do throws(RedisError) {
            let connection = try await primary.connect()
            defer { connection.close() }
            let asked = ContinuousClock.now
            let fields = try await LiveRedis.info(connection)
            guard fields["role"] == "master", let history = fields["master_replid"],
                let offset = fields["master_repl_offset"].flatMap(Int64.init)
            else { return nil }
            let end = fields["second_repl_offset"].flatMap(Int64.init) ?? -1
            return ReplicationPosition(
                history: history, offset: offset, before: end < 0 ? nil : fields["master_replid2"].map { ($0, end) }, asked: asked)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            return nil
        }
    }

    /// Whether a replica's history is this one.
    func holds(_ state: ReplicaState) -> Bool {
        state.history == history || (before.map { $0.history == state.history && state.offset < $0.end } ?? false)
    }
}
