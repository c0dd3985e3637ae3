// By what a pause is known again, to whoever ends it after a killed run.

import PostgresClient

/// One pause of one server's replay.
public struct ReplayPauseMark: Codable, Hashable, Sendable {
    public var server: ServerMark
    /// The session whose statement pauses, and resumes where nobody else does.
    public var keeper: SessionMark
    /// The LSN at which replay stands still; nil: it had not stopped yet.
    public var replayed: String?
    /// Write-ahead log had come in that waited to be replayed. Where it still stands still at the same place, it has never gone on since:
    /// nobody else has paused it.
    public var isWaiting: Bool

    public init(server: ServerMark, keeper: SessionMark, replayed: String? = nil, isWaiting: Bool = false) {
        self.server = server
        self.keeper = keeper
        self.replayed = replayed
        self.isWaiting = isWaiting
    }
}

/// One run of one server's process. Behind one address there can be several servers, and a restart ends every pause.
public struct ServerMark: Codable, Hashable, Sendable {
    /// When it was started, by its own clock, to the microsecond.
    public var started: String
    /// Where it takes connections, as it sees that itself; empty: over a Unix socket.
    public var address: String

    public init(started: String, address: String) {
        self.started = started
        self.address = address
    }

    init(_ connection: PostgresConnection) async throws(PostgresError) {
        let row = try await connection.query(
            """
            SELECT pg_catalog.pg_postmaster_start_time()::text,
                   pg_catalog.concat_ws(' ', pg_catalog.host(pg_catalog.inet_server_addr()), pg_catalog.inet_server_port())
            """
        ).first
        guard let started = row?[0], let address = row?[1] else {
            throw PostgresError(.unsupported, message: "the server doesn't say when it was started", hint: "is it a postgres?")
        }
        self.init(started: started, address: address)
    }
}

/// One session on one server. Process numbers are given out again.
public struct SessionMark: Codable, Hashable, Sendable {
    public var pid: Int
    /// When it began, by the server's clock.
    public var began: String

    public init(pid: Int, began: String) {
        self.pid = pid
        self.began = began
    }

    init(_ connection: PostgresConnection) async throws(PostgresError) {
        let began = try await connection.value(
            "SELECT backend_start::text FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()")
        guard let began else {
            throw PostgresError(.unsupported, message: "the server doesn't say when a session began", hint: "is it a postgres?")
        }
        self.init(pid: connection.backendPID, began: began)
    }

    /// Whether `pg_stat_activity` shows it.
    var isThere: String {
        "EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = \(pid) AND backend_start = \(SQL.literal(began)))"
    }
}
