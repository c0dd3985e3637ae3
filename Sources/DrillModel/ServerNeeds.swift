// What a Postgres needs beyond Muster's own settings before its data can be restored.

/// Libraries and settings that an estate names for the scratch servers that a service's dumps are restored into.
public struct ServerNeeds: Sendable, Hashable, Codable {
    /// Libraries to load as the server starts: `pg_cron`.
    public var preload: [String]
    /// Parameters, by name: `cron.database_name`.
    public var settings: [String: String]

    public init(preload: [String] = [], settings: [String: String] = [:]) {
        self.preload = preload
        self.settings = settings
    }

    /// The server's own parameters that may be set: sizes and limits. All others, but those of libraries, are Muster's: some reach out of
    /// the quarantine.
    public static let own: Set<String> = [
        "max_connections", "max_locks_per_transaction", "max_pred_locks_per_transaction", "max_prepared_transactions", "shared_buffers",
        "work_mem", "maintenance_work_mem", "temp_buffers", "track_commit_timestamp", "max_files_per_process", "max_stack_depth",
    ]
}
