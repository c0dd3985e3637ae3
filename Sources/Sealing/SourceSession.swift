// A session with a source that lasts as long as its dump, whatever limits the server sets to sessions of other people's.

import PostgresClient

enum SourceSession {
    /// Opens one without limits on time: they are meant for applications, and a fingerprint or a dump may take hours.
    static func open(_ source: PostgresConfiguration) async throws(PostgresError) -> PostgresConnection {
        var source = source
        // A standby refuses every statement of a session whose transactions are serializable by themselves.
        source.settings["default_transaction_isolation"] = "read committed"
        let connection = try await PostgresConnection.connect(source)
        do throws(PostgresError) {
            // Asked of the server, since not every version knows each of them.
            _ = try await connection.query(
                """
                SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
                WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout',
                               'transaction_timeout')
                """)
            return connection
        } catch {
            await connection.close()
            throw error
        }
    }
}
